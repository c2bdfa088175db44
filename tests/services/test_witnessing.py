"""Asking witnesses: what each answer comes to, and that none of them can hold up or harm who asks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from exchange.domain.errors import ConfigurationError
from exchange.services import witnessing
from exchange.services.witnessing import Answer, Outcome, Witnesses, WitnessingMetrics, open_witnesses
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash, root
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.policy import LogPolicy, Witness
from exchange.tlog.witness import ANSWER_BYTES, AddCheckpoint
from tests.tlog.trees import tree_hashes

NAME = "exchange/5f"
LOG = Signer(NAME, Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
KEY = Signer("w.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\2"))
WITNESS = Witness("justice", KEY.verifier, "http://w.example/x/")
HASHES = tree_hashes([leaf_hash(b"%d" % number) for number in range(20)])

Handler = Callable[[httpx.Request], httpx.Response]


def signed(size: int) -> Note:
    """The log's checkpoint at a size."""
    text = str(Checkpoint(NAME, size, root(size, HASHES)))
    return Note(text, (LOG.sign(text),))


class Clock:
    """Seconds, moved by the test."""

    def __init__(self) -> None:
        """Some time."""
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A witness's side as a test has it, and who asks it."""

    def __init__(self, handler: Handler) -> None:
        """Nobody asked yet."""
        self.requests: list[AddCheckpoint] = []
        self.registry, self.clock = CollectorRegistry(), Clock()
        self._handler = handler
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle), follow_redirects=False)
        self.witnesses = Witnesses((WITNESS,), client, WitnessingMetrics(self.registry), self.clock)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://w.example/x/add-checkpoint"
        self.requests.append(AddCheckpoint.parse(request.content))
        return self._handler(request)

    async def ask(self, size: int) -> Answer:
        """About the log at a size; the one witness's answer."""
        (answer,) = await self.witnesses.ask(signed(size), HASHES)
        return answer

    def count(self, outcome: Outcome) -> float | None:
        """How often that came of it."""
        labels = {"witness": "justice", "outcome": outcome.value}
        return self.registry.get_sample_value("exchange_witnessing_answers_total", labels)


def reply(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer as it comes from a socket: not read yet."""
    return httpx.Response(status, stream=httpx.ByteStream(text.encode()), headers=headers)


def cosigning(request: httpx.Request) -> httpx.Response:
    """Says yes to anything."""
    note = AddCheckpoint.parse(request.content).note
    return reply(200, KEY.sign(note.text, 1_763_912_345))


def knowing(size: int) -> Handler:
    """Wants to be asked from `size`."""

    def handle(request: httpx.Request) -> httpx.Response:
        if AddCheckpoint.parse(request.content).old == size:
            return cosigning(request)
        return reply(409, f"{size}\n", headers={"Content-Type": "text/x.tlog.size"})

    return handle


def saying(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Handler:
    """Always the same."""
    return lambda _: reply(status, text, headers)


async def test_a_cosignature_is_taken() -> None:
    """And the next question goes on from there."""
    asked = Asked(cosigning)
    first = await asked.ask(7)
    assert first.outcome is Outcome.COSIGNED
    policy = LogPolicy(LOG.verifier, (WITNESS,), {}, "justice")
    assert policy.open(str(signed(7).with_lines(first.lines)).encode()).witnessed
    await asked.ask(12)
    assert [each.old for each in asked.requests] == [0, 7]
    assert asked.count(Outcome.COSIGNED) == 2
    assert asked.registry.get_sample_value("exchange_witnessing_cosigned_size", {"witness": "justice"}) == 12


async def test_a_witness_names_the_size_that_it_knows() -> None:
    """It is asked again from there, with the proof."""
    asked = Asked(knowing(5))
    assert (await asked.ask(12)).outcome is Outcome.COSIGNED
    assert [(each.old, len(each.proof) > 0) for each in asked.requests] == [(0, False), (5, True)]


@pytest.mark.parametrize(
    ("handler", "outcome"),
    [
        (knowing(13), Outcome.ROLLED_BACK),
        (saying(409, "12\n"), Outcome.FORKED),
        (saying(422), Outcome.FORKED),
        (saying(409, "5\n"), Outcome.INVALID),
        (saying(409, "five\n"), Outcome.INVALID),
        (saying(409), Outcome.INVALID),
        (saying(200), Outcome.INVALID),
        (saying(200, KEY.sign("another\n", 1)), Outcome.INVALID),
        (saying(200, LOG.sign("another\n")), Outcome.INVALID),
        (saying(200, "x" * (ANSWER_BYTES + 1)), Outcome.INVALID),
        (saying(400), Outcome.REFUSED),
        (saying(403), Outcome.REFUSED),
        (saying(404), Outcome.REFUSED),
        (saying(429), Outcome.AWAY),
        (saying(503), Outcome.AWAY),
        (saying(307, headers={"Location": "http://127.0.0.1:1/"}), Outcome.AWAY),
    ],
)
async def test_answers(handler: Handler, outcome: Outcome) -> None:
    """What each comes to; only two of them say that the log is another."""
    asked = Asked(handler)
    answer = await asked.ask(12)
    assert (answer.outcome, answer.lines) == (outcome, ())
    assert outcome.contradicts == (outcome in {Outcome.ROLLED_BACK, Outcome.FORKED})
    assert asked.count(outcome) == 1


async def test_an_invalid_cosignature_is_named() -> None:
    """By its code."""
    assert "note-signature-invalid" in (await Asked(saying(200, KEY.sign("another\n", 1))).ask(12)).detail


async def test_who_is_away_rests() -> None:
    """Twice as long each time, so that a witness that hangs is not waited for with each checkpoint."""

    def absent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    asked = Asked(absent)
    for later, requests in ((0.0, 1), (0.9, 1), (1.1, 2), (1.5, 2), (2.1, 3)):
        asked.clock.now += later if later != 1.5 else 0.0
        assert (await asked.ask(12)).outcome is Outcome.AWAY
        assert len(asked.requests) == requests


async def test_a_witness_that_hangs_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it says nothing, or drop by drop."""
    monkeypatch.setattr(witnessing, "ASK_SECONDS", 0.05)
    ends = asyncio.Event()

    class Drops(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"x"
            await ends.wait()

    assert (await Asked(lambda _: httpx.Response(200, stream=Drops())).ask(12)).detail == "TimeoutError"


@pytest.mark.parametrize("url", ["w.example", "ftp://w.example", "http://", "http://[", "/x"])
async def test_addresses_are_looked_at_before(url: str) -> None:
    """Who configures it learns at the start."""
    policy = LogPolicy(LOG.verifier, (Witness("justice", KEY.verifier, url),), {})
    with pytest.raises(ConfigurationError, match="justice") as refused:
        async with open_witnesses(policy, CollectorRegistry(), Clock()):
            pass
    assert refused.value.code == "log-policy-invalid"


async def test_witnesses_without_an_address_are_not_asked() -> None:
    """Somebody else asks them."""
    policy = LogPolicy(LOG.verifier, (Witness("justice", KEY.verifier),), {})
    async with open_witnesses(policy, CollectorRegistry(), Clock()) as witnesses:
        assert await witnesses.ask(signed(7), HASHES) == ()
