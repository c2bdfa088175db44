"""The echo answers every letter once, and no answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from exchange.agent.agent import Agent
from exchange.agent.mailbox import Mailbox, Received
from exchange.agent.ports import DraftLetter
from exchange.domain.errors import SpoolError
from exchange.domain.statement import LetterKind
from exchange.services import echo
from exchange.services.echo import Echo
from tests.agent.conftest import authority_folder, place
from tests.agent.edms import plain_letter
from tests.agent.place import Place, events, until_heard, until_settled

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""

WORDS = {"delivered", "handed-over", "registered"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    monkeypatch.setattr(echo, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(echo, "WAIT_SECONDS", 0.01)


@asynccontextmanager
async def echoing(agent: Agent, place: Place, body: str) -> AsyncIterator[None]:
    """The echo runs for a body of an agent."""
    task = asyncio.create_task(Echo(agent.mailbox(body), body, place.agents_clock).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def replies(agent: Agent) -> list[Received]:
    """What arrived for alpha."""
    return await agent.mailbox("alpha").arrived()


async def test_a_letter_is_registered_and_answered(place: Place) -> None:
    """The reply names the letter and repeats nothing of it; it goes on in the same conversation."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta, echoing(beta, place, "beta"):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 4)
        assert {event for actor, event, _ in await events(alpha, "m-1")} == {*WORDS, "reply-sent"}
        (reply,) = await replies(alpha)
        sent = await alpha.mailbox("alpha").sent_letter("m-1")
    assert sent is not None
    said = reply.arrived.letter
    assert (said.kind, said.in_reply_to, said.conversation) == (LetterKind.REPLY, sent.digest, "m-1")
    assert sent.digest is not None
    assert reply.arrived.files == (f"{sent.digest.hex()}\n".encode(),)


@pytest.mark.parametrize(
    "answer",
    [
        replace(plain_letter("m-1", "beta"), kind=LetterKind.REPLY),
        replace(plain_letter("m-1", "beta"), in_reply_to="echo"),
    ],
)
async def test_answers_are_not_answered(place: Place, answer: DraftLetter) -> None:
    """They are registered like every letter."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        if answer.in_reply_to:
            first = plain_letter("first", "alpha", document_id="echo")
            await beta.mailbox("beta").submit(first)
            await until_settled(beta)
            while not await replies(alpha):  # noqa: ASYNC110 - other tasks make it so
                await asyncio.sleep(0.01)
        before = len(await replies(alpha))
        async with echoing(beta, place, "beta"):
            await alpha.mailbox("alpha").submit(answer)
            await until_heard(alpha, "m-1", 3)
            await until_settled(beta)
            assert {event for actor, event, _ in await events(alpha, "m-1") if actor == "beta"} == WORDS
            assert len(await replies(alpha)) == before


async def test_two_echoes_come_to_an_end(place: Place) -> None:
    """Both answer one letter, and neither an answer."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        async with echoing(alpha, place, "alpha"), echoing(beta, place, "beta"):
            await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
            await until_heard(alpha, "m-1", 4)
            await until_settled(alpha)
            await until_settled(beta)
        assert len(await replies(alpha)) == 1
        assert len(await beta.mailbox("beta").arrived()) == 1


async def test_an_echo_that_was_killed_answers_once(place: Place) -> None:
    """Another one on the same spool finds nothing left to do."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        await alpha.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta") for number in range(5)))
        for _ in range(3):
            async with echoing(beta, place, "beta"):
                await asyncio.sleep(0.05)
        async with echoing(beta, place, "beta"):
            for number in range(5):
                await until_heard(alpha, f"m-{number}", 4)
            await until_settled(beta)
        assert len(await replies(alpha)) == 5
        assert await beta.mailbox("beta").untaken() == []


class FullMailbox(Mailbox):
    """A mailbox whose agent is slowed down at first."""

    refusals = 3

    async def answer(self, *arguments: object) -> None:
        """See `Mailbox`."""
        if self.refusals:
            self.refusals -= 1
            raise SpoolError("later", code="slowed-by-exchange", retriable=True)
        await super().answer(*arguments)  # type: ignore[arg-type]


async def test_waits_while_the_exchange_is_slow(place: Place) -> None:
    """Nothing is answered by half, and nothing is lost."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        box = beta.mailbox("beta")
        full = FullMailbox(box._spool, "beta", box._drafting, box._changed)
        task = asyncio.create_task(Echo(full, "beta", place.agents_clock).run())
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 4)
        task.cancel()
        await asyncio.wait([task])
        assert len(await replies(alpha)) == 1
