"""Verifying an archive's logs: all of it, in parts, and after it was stopped. What is wrong: see tests/attacks."""

import asyncio
import dataclasses
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from exchange.archive.addresses import ArchiveAddress, StoreAddress
from exchange.domain.errors import ConfigurationError
from exchange.services.archive.serving import log_app
from exchange.services.audit.crew import Crew, check_here
from exchange.services.audit.findings import TREE_TEXTS, TreeCode, Verified, text_of
from exchange.services.audit.heads import Span
from exchange.services.audit.pieces import Outcome, Piece, check_piece
from exchange.services.audit.service import verify
from exchange.services.audit.state import Standing, keep, load
from exchange.services.audit.verify import Verification
from exchange.settings.archive import PublishSettings
from exchange.wiring.publication import publication_of
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal, story
from tests.services.archive.served import served
from tests.world import World


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story, with ticks."""
    made = story(World(tmp_path_factory.mktemp("verify")))
    made.now += timedelta(minutes=10)
    made.tick()
    made.letter("beta", "alpha", message_id="later")
    return made


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory, journal: SyntheticJournal) -> Archived:
    """The story, archived."""
    made = Archived(tmp_path_factory.mktemp("archived"), journal)
    made.archive(step=4)
    return made


def without_log(report: Verified) -> Verified:
    """A report without what differs from run to run of one that grows."""
    return dataclasses.replace(report, heads=0, witnesses=0)


def test_all_of_it(archived: Archived) -> None:
    """Everything is counted, and nothing found."""
    report = archived.verified()
    assert report.findings == []
    assert report.entries == len(archived.journal.records)
    assert report.kinds["tick"] == 4
    assert report.decisions[""] + sum(report.decisions[code] for code in ("recipient-unknown", "event-unknown")) == (
        sum(report.decisions.values())
    )
    assert (report.witnesses, report.witnessed, report.unjudged) == (2, True, 0)
    assert {lane: end.number for lane, end in report.lanes.items()} == {
        lane: ledger.state.number for lane, ledger in archived.journal.ledgers.items()
    }
    assert report.until is not None


def test_without_contents(archived: Archived) -> None:
    """What people wrote may be out of reach: then a verdict is judged but for what only contents show."""
    opening = archived.opening(with_contents=False)
    report = verify(opening, archived.keys.policy, check_here(opening))
    assert report.sound
    assert (report.kept, report.unjudged) == (0, 0)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Nothing."""


def test_over_http(archived: Archived) -> None:
    """The same as of the folder but for contents, judged by the policies that the archive hands out."""
    near = archived.opening(with_contents=False)
    with served(log_app(archived.folder, with_entries=True)) as url:
        far = dataclasses.replace(archived.opening(), archive=ArchiveAddress(url))
        found = verify(far, archived.keys.policy, check_here(far))
    assert found.sound
    assert found == verify(near, archived.keys.policy, check_here(near))


def test_out_of_an_object_store(archived: Archived, tmp_path: Path) -> None:
    """The same again, by what was published; a policy that was altered there judges nothing."""
    near = archived.opening(with_contents=False)
    settings = PublishSettings(tmp_path.as_uri(), None, entries=True)
    asyncio.run(publication_of(settings, archived.folder, CollectorRegistry()).once())
    far = dataclasses.replace(archived.opening(), archive=StoreAddress(settings.url))
    assert verify(far, archived.keys.policy, check_here(far)) == verify(near, archived.keys.policy, check_here(near))
    for file in (tmp_path / "proofs").iterdir():
        file.write_bytes(file.read_bytes() + b" ")
    found = verify(far, archived.keys.policy, check_here(far))
    assert found.found["basis-unknown"] == sum(found.decisions.values())


def test_another_policy_is_handed_out(archived: Archived, tmp_path: Path) -> None:
    """Whoever judges by it would come to other verdicts: it is not what the entries name."""
    shutil.copytree(archived.folder, tmp_path / "archive")
    with sqlite3.connect(tmp_path / "archive/contents/proofs.sqlite") as database:
        database.execute("UPDATE contents SET data = CAST(data || ' ' AS BLOB)")
    with served(static(tmp_path / "archive")) as url:
        far = dataclasses.replace(archived.opening(), archive=ArchiveAddress(url))
        found = verify(far, archived.keys.policy, check_here(far))
    assert found.found["basis-unknown"] == sum(found.decisions.values())
    assert "archive-answer-invalid" not in found.found


def static(folder: Path) -> ASGIApp:
    """Hands out whatever is there, altered or not."""

    async def answer(request: Request) -> Response:
        """Files of the log, and of the database whatever stands under the digest."""
        path = request.path_params["path"]
        if (folder / path).is_file():
            return Response((folder / path).read_bytes())
        with sqlite3.connect(folder / "contents/proofs.sqlite") as database:
            sought = "SELECT data FROM contents WHERE commitment = ?"
            row = database.execute(sought, [bytes.fromhex(path.rpartition("/")[2])]).fetchone()
        return Response(status_code=404) if row is None else Response(row[0])

    return Starlette(routes=[Route("/{path:path}", answer)])


def test_over_http_from_a_folder(archived: Archived) -> None:
    """Served by any program: policies are out of reach, so signatures, chains and trees are verified, verdicts not."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(archived.folder)))
    serving = Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        opening = dataclasses.replace(
            archived.opening(), archive=ArchiveAddress(f"http://127.0.0.1:{server.server_port}")
        )
        report = verify(opening, archived.keys.policy, check_here(opening))
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    assert report.findings == []
    assert (report.entries, report.kept) == (len(archived.journal.records), 0)
    assert report.unjudged == sum(report.decisions.values())


def test_a_range(archived: Archived) -> None:
    """What came to the log in a time: lanes and origins are believed as they first appear."""
    whole = archived.verified()
    assert whole.until is not None
    late = archived.verified(since=whole.until - timedelta(minutes=5))
    early = archived.verified(until=whole.until - timedelta(minutes=5))
    assert late.findings == early.findings == []
    assert 0 < late.entries < whole.entries
    assert late.entries + early.entries == whole.entries
    assert archived.verified(since=whole.until + timedelta(days=1)).entries == 0


def test_several_processes(archived: Archived) -> None:
    """The same comes of it."""
    opening = archived.opening()
    with Crew(opening, 1) as check:
        assert verify(opening, archived.keys.policy, check) == archived.verified()


class Stopped(Exception):
    """Somebody pulled the plug."""


def test_it_goes_on_after_it_was_stopped(archived: Archived, tmp_path: Path) -> None:
    """Wherever: the whole report is the same as of one run."""
    opening, file = archived.opening(), tmp_path / "state"
    material, policy = opening(), archived.keys.policy
    checkpoint = policy.open(archived.reader.checkpoint()).checkpoint
    whole = archived.verified()
    for stop in range(1, 5):
        file.unlink(missing_ok=True)

        def check(pieces: Iterable[Piece], stop: int = stop) -> Iterator[Outcome]:
            for number, piece in enumerate(pieces):
                if number == stop:
                    raise Stopped
                yield check_piece(material, dataclasses.replace(piece))

        standing = Standing()
        standing.report.log = checkpoint.origin
        running = Verification(material, checkpoint, Span(0, checkpoint.size), standing, steps=(5, 2))
        with pytest.raises(Stopped):
            running.run(check, lambda _done, _of: None, lambda at: keep(file, at), every=0)
        assert without_log(verify(opening, policy, check_here(opening), state=file)) == without_log(whole)


def test_it_goes_on_with_what_came_since(journal: SyntheticJournal, tmp_path: Path) -> None:
    """Night after night: what was verified is not read again."""
    archived, file = Archived(tmp_path / "archive", journal), tmp_path / "state"
    whole = 0
    for start in range(0, len(journal.records), 9):
        archived.archive(journal.records[start : start + 9])
        opening = archived.opening()
        read: list[int] = []

        def check(pieces: Iterable[Piece], read: list[int] = read) -> Iterator[Outcome]:
            for outcome in check_here(opening)(pieces):  # noqa: B023  # used up before the next round
                read.append(len(outcome.hashes))
                yield outcome

        report = verify(opening, archived.keys.policy, check, state=file)
        assert sum(read) == report.entries - whole
        whole = report.entries
    assert whole == len(journal.records)
    assert report.findings == []


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"version": 2}', b"\xff"])
def test_a_state_that_is_none(tmp_path: Path, data: bytes) -> None:
    """It is said so, and what to do."""
    file = tmp_path / "state"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError) as told:
        load(file)
    assert told.value.code == "audit-state-invalid"


def test_every_finding_has_its_words() -> None:
    """For people."""
    assert set(TREE_TEXTS) == set(TreeCode)
    assert all(text_of(code) for code in TreeCode)
