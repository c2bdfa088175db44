"""The archive on a real broker: killed, locked out, thrown away and begun anew, its trees stay those of the journal."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from exchange.archive.errors import ArchiveError
from exchange.archive.reading import LogReader
from exchange.bus.access import AUDITOR
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import CHECKPOINTS, JOURNAL
from exchange.domain.decision import Journalled
from exchange.domain.errors import WireError
from exchange.embedded.installation import ADMIN, SHAPE
from exchange.security.log_keys import read_log_policy
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import leaf_hash, root
from exchange.tlog.policy import LogPolicy, Seen
from exchange.wire.records import decode, kind_of
from tests.faults.waiting import ran
from tests.patience import PATIENCE
from tests.stage import Process, Stage
from tests.tlog.trees import tree_hashes


@pytest.mark.server
async def test_its_trees_are_the_journal_s_whatever_happens_to_it(stage: Stage) -> None:
    """Killed in the middle, beside a second one, without its folder: the same roots, and never two pasts."""
    sender, recipient = stage.fresh(2)
    speaker = stage.speaker(sender)
    archive = Archive(stage)
    with stage.running("router"), stage.running("witness"):
        with stage.running("archive") as process:
            await stage.submit(sender, [speaker.open(), *(speaker.letter(recipient) for _ in range(300))])
            until(lambda: archive.entries() > 300)
            process.kill()
        await stage.submit(sender, [speaker.letter(recipient) for _ in range(200)])
        with archive.publishing() as published, stage.running("archive") as process:
            # What was there before may be as much: it is this process that must have the folder.
            until(lambda: any("archive works" in line for line in process.said))
            until(lambda: archive.entries() >= 2 * 300 - 100)
            await announced(stage)
            assert archive.refused("archive.toml") == "archive-in-use"
            assert archive.refused(archive.elsewhere()) == "log-rolled-back"
            newest = archive.heads()
            await stage.submit(sender, [speaker.letter(recipient)])
            until(lambda: archive.heads().logs != newest.logs and archive.seen().witnessed)  # nobody fenced it
            until(lambda: archive.policy().open(published.checkpoint()).checkpoint.size > 0)
            assert process.stop() == 0
        there = published.heads(archive.policy().open(published.checkpoint()).checkpoint)
        for number, head in enumerate(there.logs):
            assert root(head.size, published.tree(f"journal/{number}", head.size).hashes) == head.root
        before, log = archive.heads(), archive.seen().checkpoint.origin
        assert await roots(stage, before.logs) == [head.root for head in before.logs]
        shutil.rmtree(archive.folder)
        assert archive.refused("archive.toml") == "log-rolled-back"
        begun = archive.begin_anew("thrown away")
        assert begun["after"] == log
        with stage.running("archive"):
            until(lambda: archive.seen().checkpoint.origin == f"{log}/2" and archive.covers(before.logs))
    first = Heads.parse(LogReader(archive.folder).entry("heads", 0))
    assert first.after is not None
    assert (first.after.origin, archive.folder.joinpath("log/after.json").exists()) == (log, True)
    after = archive.heads()
    assert await roots(stage, after.logs) == [head.root for head in after.logs]


class Archive:
    """What a stage's archive has in its folder."""

    def __init__(self, stage: Stage) -> None:
        """Look into the folder."""
        self.home = stage.installation.folder
        self.folder = self.home / "archive"

    def seen(self) -> Seen:
        """The newest checkpoint."""
        return self.policy().open(LogReader(self.folder).checkpoint())

    def policy(self) -> LogPolicy:
        """Whose word counts."""
        return read_log_policy(self.home / "log" / "log.policy")

    @contextmanager
    def publishing(self) -> Iterator[LogReader]:
        """Processes that begin meanwhile put what is public into an object store, which is a folder here."""
        store, file = self.home / "published", self.home / "archive.toml"
        store.mkdir()
        text = file.read_text(encoding="utf-8")
        file.write_text(f'{text}\n[publish]\nurl = "{store.as_uri()}"\n', encoding="utf-8")
        yield LogReader(store)
        file.write_text(text, encoding="utf-8")

    def heads(self) -> Heads:
        """What it is over."""
        return LogReader(self.folder).heads(self.seen().checkpoint)

    def entries(self) -> int:
        """All of them."""
        return sum(head.size for head in self.heads().logs)

    def covers(self, logs: tuple[Head, ...]) -> bool:
        """Whether it has as much."""
        return all(now.size >= then.size for now, then in zip(self.heads().logs, logs, strict=True))

    def elsewhere(self) -> str:
        """A configuration as somebody has it on another machine."""
        text = (self.home / "archive.toml").read_text(encoding="utf-8")
        text = text.replace('folder = "archive"', 'folder = "archive-elsewhere"').replace(
            '"spool/', '"spool-elsewhere/'
        )
        (self.home / "archive-elsewhere.toml").write_text(text.replace("port = ", "port = 0  # "), encoding="utf-8")
        return "archive-elsewhere.toml"

    def refused(self, config: str) -> str:
        """The code with which a process ends by itself."""
        words = [sys.executable, "-m", "exchange.cli", "archive", "run", "--config", str(self.home / config)]
        process = Process(words, self.home / "logs" / "refused.log")
        try:
            until(lambda: not process.running)
            return str(json.loads(process.said[-1])["code"])
        finally:
            process.close()

    def begin_anew(self, reason: str) -> dict[str, str]:
        """A person's act."""
        words = ["archive", "begin-anew", "--json", "--reason", reason]
        done = ran(*words, "--config", str(self.home / "archive.toml"))
        assert done.returncode == 0, done.stdout
        result: dict[str, str] = json.loads(done.stdout)["result"]
        return result


def until(condition: Callable[[], bool]) -> None:
    """Wait for what processes bring about; a folder without a checkpoint has not brought it about."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if condition():
                return
        except ArchiveError as error:
            assert error.code == "entry-missing"
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def announced(stage: Stage) -> None:
    """Wait until the exchange was told of a checkpoint: the folder has it a moment before."""
    async with PositionedReader(stage.settings(ADMIN), {(CHECKPOINTS, 0): None}) as reader, asyncio.timeout(PATIENCE):
        while not await reader.read(1.0):
            pass


async def roots(stage: Stage, logs: tuple[Head, ...]) -> list[bytes]:
    """Of each partition's tree at the size that is named, made of what Kafka has."""
    partitions = {(JOURNAL, number): None for number in range(SHAPE.journal_partitions)}
    leaves: list[list[bytes]] = [[] for _ in partitions]
    async with PositionedReader(stage.settings(AUDITOR), partitions) as reader:
        ends = await reader.end_offsets()
        while not reader.reached(ends):
            for record in await reader.read(1.0):
                if isinstance(record, Record) and (entry := entry_of(record)):
                    leaves[record.partition].append(leaf_hash(entry))
    return [root(head.size, tree_hashes(leaves[number][: head.size])) for number, head in enumerate(logs)]


def entry_of(record: Record) -> bytes | None:
    """The leaf in a record; None in what is none."""
    try:
        entry = decode(Journalled, record.value or b"").entry
        decode(kind_of(entry), entry)
    except WireError:
        return None
    return entry
