"""The directory's service puts versions in force and on Kafka; copies follow it, and believe nobody."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.bus.access import TRACKER
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import DIRECTORY, SUBMISSIONS
from exchange.domain.directory import BodyStatus, Directory
from exchange.domain.errors import BusError
from exchange.embedded.installation import ADMIN
from exchange.security.directory.changes import edited
from exchange.security.directory.copy import DirectoryCopy
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import DirectoryPublisher
from exchange.services.directory.follower import DirectoryFollower
from tests.agent.place import until
from tests.patience import PATIENCE
from tests.published import directory_folder
from tests.stage import Process, Stage

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", autouse=True)
def service(stage: Stage) -> Iterator[Process]:
    """One service for all tests of this module."""
    with stage.running("directory") as process:
        yield process
        assert process.stop() == 0


def original(stage: Stage) -> DirectoryFolder:
    """The service's own folder."""
    return directory_folder(stage.installation.folder, stage.world.authority)


def change(stage: Stage, code: str, status: BodyStatus) -> Directory:
    """What two keepers do; nobody puts it in force here."""
    publisher, keys = DirectoryPublisher(original(stage)), stage.world.authority.directory.publishing()
    one, other = keys.keepers
    head, now = publisher.head(), datetime.now(UTC)
    before = head.bodies[code]
    after = edited(
        before, head.entries[code], dataclasses.replace(before, status=status), publisher.name_of(one), "r", now
    )
    draft = publisher.draft(dataclasses.replace(head, bodies={**head.bodies, code: after}), one, now)
    _, version = publisher.approve(draft, other, now)
    assert version is not None
    return version


@asynccontextmanager
async def following(
    stage: Stage, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> AsyncIterator[DirectoryFollower]:
    """A process's copy, followed while the context lasts."""
    copy, registry = DirectoryCopy(folder, original(stage).root), CollectorRegistry()
    follower = DirectoryFollower(copy, partial(PositionedReader, stage.settings(TRACKER)), clock, registry)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.wait([task])


def version_in(stage: Stage, folder: Path) -> int:
    """The version in force in a copy; 0 before any."""
    if not (folder / TIMESTAMP).exists():
        return 0
    return DirectoryFolder(folder, original(stage).root).latest().version


async def test_a_change_reaches_every_copy(stage: Stage, tmp_path: Path) -> None:
    """Completed by keepers, put in force by the service, in a body's copy moments later; the same files."""
    (code,) = stage.fresh(1)
    async with following(stage, tmp_path / "copy") as follower:
        await asyncio.wait_for(follower.first(), PATIENCE)
        changed = change(stage, code, BodyStatus.SUSPENDED)
        await until(lambda: version_in(stage, tmp_path / "copy") == changed.version)
        assert follower.waiting_for == ""
    mine = DirectoryFolder(tmp_path / "copy", original(stage).root)
    assert mine.latest() == changed
    assert mine.files(changed.version) == original(stage).files(changed.version)
    assert mine.version(1) == original(stage).version(1)


async def test_goes_on_where_it_was(stage: Stage, tmp_path: Path) -> None:
    """A copy serves while nobody follows, and catches up; what is stored of the place may be lost."""
    copy, (code,) = tmp_path / "copy", stage.fresh(1)
    async with following(stage, copy) as follower:
        await asyncio.wait_for(follower.first(), PATIENCE)
        await until((copy / ".topic.json").exists)
    before = version_in(stage, copy)
    changed = change(stage, code, BodyStatus.SUSPENDED)
    await until(lambda: original(stage).newest().version == changed.version)
    assert version_in(stage, copy) == before
    place = json.loads((copy / ".topic.json").read_text())
    (copy / ".topic.json").write_text(json.dumps({**place, "digest": "00" * 32}))
    async with following(stage, copy):
        await until(lambda: version_in(stage, copy) == changed.version)


async def test_junk_on_the_topic_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    """Not even from an administrator: copies stay, say why, and take the next good state."""
    copy, (code,) = tmp_path / "copy", stage.fresh(1)
    async with following(stage, copy) as follower:
        await asyncio.wait_for(follower.first(), PATIENCE)
        before = version_in(stage, copy)
        assert before > 0
        junk = [(b"../../x", b"x"), (b"\xff", b"x"), (f"{before + 1}.snapshot.json".encode(), b"{}")]
        junk.append((TIMESTAMP.encode(), b"{}"))
        async with SubmissionProducer(stage.settings(ADMIN)) as producer:
            await producer.send([Outgoing(value, key) for key, value in junk], topic=DIRECTORY, partition=0)
        changed = change(stage, code, BodyStatus.SUSPENDED)
        await until(lambda: version_in(stage, copy) == changed.version)
        assert follower.waiting_for == ""
    async with following(stage, tmp_path / "fresh"):
        await until(lambda: version_in(stage, tmp_path / "fresh") == changed.version)


async def test_the_service_may_be_killed_anywhere(stage: Stage, tmp_path: Path, service: Process) -> None:
    """What it did not hand on, the next one does; meanwhile copies serve."""
    copy, (code,) = tmp_path / "copy", stage.fresh(1)
    service.freeze()
    changed = change(stage, code, BodyStatus.SUSPENDED)
    async with following(stage, copy) as follower:
        await asyncio.wait_for(follower.first(), PATIENCE)
        assert version_in(stage, copy) == changed.version - 1
        with stage.running("directory", name="second"):
            await until(lambda: version_in(stage, copy) == changed.version)
    service.thaw()


async def test_silence_is_noticed(stage: Stage, tmp_path: Path) -> None:
    """A copy that hears nothing for a day says so, and serves on."""
    late = timedelta()
    async with following(stage, tmp_path / "copy", lambda: datetime.now(UTC) + late) as follower:
        await asyncio.wait_for(follower.first(), PATIENCE)
        assert follower.waiting_for == ""
        late = timedelta(days=1, hours=1)
        assert follower.waiting_for.startswith("directory-stale")


async def test_an_agent_begins_with_nothing(stage: Stage) -> None:
    """Given the root file and Kafka, it fetches the directory itself."""
    (code,) = stage.fresh(1)
    config = stage.installation.config(f"agent-{code}")
    text = config.read_text(encoding="utf-8").replace(
        'folder = "directory"', f'follow = true\nfolder = "copies/{code}"'
    )
    config.write_text(text, encoding="utf-8")
    with stage.running(f"agent-{code}") as agent:
        await until(lambda: any(f"{code} works" in line for line in agent.said))
        assert version_in(stage, stage.installation.folder / "copies" / code) == original(stage).latest().version
        assert agent.stop() == 0


async def test_a_suspended_body_is_cut_off_at_the_brokers(stage: Stage) -> None:
    """From the second keeper's approval on, on a connection that is open; resumed it goes on."""
    (code,) = stage.fresh(1)
    async with SubmissionProducer(stage.settings(code)) as producer:
        await _writing(producer, "")
        change(stage, code, BodyStatus.SUSPENDED)
        async with asyncio.timeout(PATIENCE):
            await _writing(producer, "access-denied")
    change(stage, code, BodyStatus.CONNECTED)
    async with SubmissionProducer(stage.settings(code)) as producer, asyncio.timeout(PATIENCE):
        await _writing(producer, "")


async def _writing(producer: SubmissionProducer, until_code: str) -> None:
    """Write junk until it ends so; empty: until it is taken."""
    code = None
    while code != until_code:
        try:
            await producer.send([Outgoing(b"junk")], topic=SUBMISSIONS, partition=0)
            code = ""
        except BusError as refused:
            code = refused.code
        await asyncio.sleep(0.05)
