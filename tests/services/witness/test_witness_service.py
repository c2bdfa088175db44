"""What a witness answers: the protocol's statuses, what it remembers over kill -9, and what it keeps against a log."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.witness import service, state
from exchange.services.witness.app import application
from exchange.services.witness.errors import WitnessFailed
from exchange.services.witness.keeping import KEPT, Contradiction, Keeper, Kind
from exchange.services.witness.state import WitnessState
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Note, Signer
from exchange.tlog.witness import REQUEST_BYTES, SIZE_TYPE, AddCheckpoint
from tests.services.witness.world import KEY, LOG, NAME, NOW, FakeLog, Site, signed


@pytest.fixture
def log() -> FakeLog:
    """Twenty heads over two journals."""
    made = FakeLog()
    for number in range(20):
        made.grow(number, 2)
    made.publish()
    return made


async def test_what_grows_is_cosigned(tmp_path: Path, log: FakeLog) -> None:
    """With the witness's time; the same again, too; and after a start anew from where it was."""
    with Site(tmp_path) as site:
        for old, new in ((0, 7), (7, 7), (7, 12)):
            request = log.request(old, new)
            reply = await site.ask(request)
            assert reply.status == 200
            assert Note(request.note.text, (reply.text,)).signed_by([KEY.verifier]) == {KEY.verifier: NOW}
        assert site.value("exchange_witness_size", log=NAME) == 12
        assert site.value("exchange_witness_cosigned_timestamp_seconds", log=NAME) == NOW
    with site:
        assert (await site.ask(log.request(12, 20))).status == 200
        assert site.value("exchange_witness_answers_total", status="200") == 1


async def test_statuses(tmp_path: Path, log: FakeLog) -> None:
    """As the protocol has them, in its order."""
    stranger = Signer(NAME, LOG.kind, Ed25519PrivateKey.generate())
    other = Signer("exchange/6a", LOG.kind, LOG.key)
    foreign = replace(log.checkpoint(9), origin=other.name)
    with Site(tmp_path) as site:
        assert (await site.ask(log.request(0, 7))).status == 200
        for request, status in (
            (AddCheckpoint(7, (), signed(foreign, other)), 404),
            (AddCheckpoint(7, (), signed(log.checkpoint(9), stranger)), 403),
            (AddCheckpoint(7, (), Note(str(log.checkpoint(9)), (LOG.sign("another\n"),))), 403),
            (log.request(10, 9), 400),
            (log.request(0, 9), 409),
            (log.request(3, 5), 409),
            (replace(log.request(7, 9), proof=()), 422),
        ):
            reply = await site.ask(request)
            assert (reply.status, reply.media_type == SIZE_TYPE) == (status, status == 409)
            assert status != 409 or reply.text == "7\n"
        for body in (b"", b"old 7\n\n", b"old seven\n\n" + str(log.request(7, 9).note).encode()):
            assert (await site.witness.answer(body)).status == 400


async def test_two_roots_of_a_size_are_kept(tmp_path: Path, log: FakeLog) -> None:
    """Whether it is the newest size or an earlier one; once, with both checkpoints as the log signed them."""
    with Site(tmp_path) as site:
        for old, new in ((0, 7), (7, 12)):
            await site.ask(log.request(old, new))
        for size in (12, 7, 7):
            split = signed(Checkpoint(NAME, size, bytes(32)))
            assert (await site.ask(AddCheckpoint(12, (), split))).status in {400, 409}
            assert (await site.ask(AddCheckpoint(0, (), split))).status == 409
        kept = site.kept("split")
        assert len(kept) == 2
        for folder in kept:
            notes = [Note.parse((folder / f"{name}.checkpoint").read_bytes()) for name in ("cosigned", "refused")]
            assert all(LOG.verifier in note.signed_by([LOG.verifier]) for note in notes)
            sizes = {Checkpoint.parse(note.text).size for note in notes}
            assert (len(sizes), notes[0].text != notes[1].text) == (1, True)
        assert site.value("exchange_witness_contradictions", kind="split") == 2


async def test_an_older_checkpoint_is_no_lie(tmp_path: Path, log: FakeLog) -> None:
    """Whoever sends it again learns the size, and nothing is kept."""
    with Site(tmp_path) as site:
        for old, new in ((0, 7), (7, 12)):
            await site.ask(log.request(old, new))
        assert (await site.ask(log.request(7, 7))).text == "12\n"
        assert site.kept("split") == []


async def test_a_false_proof_is_kept(tmp_path: Path, log: FakeLog) -> None:
    """The log's signature under it is genuine; of many of them not all are kept."""
    with Site(tmp_path) as site:
        await site.ask(log.request(0, 7))
        forged = AddCheckpoint(7, log.request(7, 9).proof, signed(Checkpoint(NAME, 9, bytes(32))))
        assert (await site.ask(forged)).status == 422
        (folder,) = site.kept("unproven")
        assert "does not hold" in (folder / "why.txt").read_text()
        assert (await site.ask(log.request(7, 9))).status == 200, "the true one is taken all the same"


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who floods a witness has not filled its disk."""
    monkeypatch.setattr("exchange.services.witness.keeping.KEPT", 2)
    assert KEPT > 2
    keeper = Keeper(tmp_path)
    folders = [
        keeper.keep(Contradiction(Kind.UNPROVEN, "x", None, signed(Checkpoint(NAME, size, bytes(32)))), NOW)
        for size in range(4)
    ]
    assert [folder is None for folder in folders] == [False, False, True, True]


async def test_of_two_continuations_one_is_taken(tmp_path: Path, log: FakeLog) -> None:
    """However many ask at once, in one process or several: the size never goes back, and nothing is cosigned twice."""
    with Site(tmp_path) as site, Site(tmp_path) as beside:
        await site.ask(log.request(0, 3))
        fork = FakeLog(heads_entries=log.heads_entries[:3])
        for _ in range(9):
            fork.grow(1, 1)
        requests = [
            (each, made.request(3, size)) for size in (9, 12) for each in (site, beside) for made in (log, fork)
        ]
        replies = await asyncio.gather(*(each.ask(request) for each, request in requests))
        assert [reply.status for reply in replies].count(200) == 1
        assert {reply.status for reply in replies} == {200, 409}


def test_the_state_compares_and_writes_at_once(tmp_path: Path, log: FakeLog) -> None:
    """Who judged by what is no longer so changes nothing."""
    with WitnessState(tmp_path / "w.sqlite") as first, WitnessState(tmp_path / "w.sqlite") as second:
        nothing = first.known(NAME).head
        assert second.advance(nothing, log.checkpoint(12), "note")
        assert not first.advance(nothing, log.checkpoint(7), "note")
        assert first.known(NAME).head.size == 12


def test_the_state_stays_small(tmp_path: Path, log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest checkpoints are remembered."""
    monkeypatch.setattr(state, "KEPT_CHECKPOINTS", 2)
    with WitnessState(tmp_path / "w.sqlite") as kept:
        for size in range(1, 6):
            assert kept.advance(kept.known(NAME).head, log.checkpoint(size), f"note {size}")
        assert [kept.cosigned(NAME, size) for size in (3, 4, 5)] == [None, "note 4", "note 5"]


async def test_a_state_that_cannot_be_written(tmp_path: Path, log: FakeLog) -> None:
    """Nothing is cosigned, and health says why."""
    with Site(tmp_path) as site:
        site.state._connection.execute("PRAGMA query_only = ON")
        assert (await site.ask(log.request(0, 7))).status == 503
        assert site.witness.waiting_for == "witness-state-failed"
        site.state._connection.execute("PRAGMA query_only = OFF")
        assert (await site.ask(log.request(0, 7))).status == 200
        assert site.witness.waiting_for == ""
    (tmp_path / "file").write_text("x")
    with pytest.raises(WitnessFailed), WitnessState(tmp_path / "file" / "w.sqlite"):
        pass


async def test_who_waits_too_long_is_told_so(tmp_path: Path, log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request about the same log is under way."""
    monkeypatch.setattr(service, "WAIT_SECONDS", 0.01)
    with Site(tmp_path) as site:
        async with site.witness._turns[NAME]:
            assert (await site.ask(log.request(0, 7))).status == 503


async def test_over_http(tmp_path: Path, log: FakeLog) -> None:
    """One path, one method, and no more bytes than a request has."""
    with Site(tmp_path) as site:
        transport = httpx.ASGITransport(application(site.witness))
        async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
            path = "/add-checkpoint"
            for answer, status in (
                (await client.post(path, content=bytes(log.request(0, 7))), 200),
                (await client.post(path, content=bytes(log.request(0, 7))), 409),
                (await client.post(path, content=b"x" * (REQUEST_BYTES + 1)), 400),
                (await client.post("/", content=b""), 404),
                (await client.get(path), 405),
            ):
                assert answer.status_code == status
                assert status != 409 or answer.headers["content-type"] == SIZE_TYPE
                assert status != 200 or answer.text.startswith("\u2014 w.example ")


def test_any_bytes_are_answered(tmp_path: Path) -> None:
    """What is no request is 400, and changes nothing."""
    with Site(tmp_path) as site, asyncio.Runner() as runner:

        @given(body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
        def answered(body: bytes) -> None:
            assert runner.run(site.witness.answer(body)).status == 400

        answered()
