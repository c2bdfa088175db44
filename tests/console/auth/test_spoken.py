"""Acts become commands that the exchange takes."""

import pytest

from exchange.agent.drafts import DraftCommand
from exchange.console.auth.acts import Act, Unkept
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.spoken import SpokenActs
from exchange.domain.errors import SpoolError
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.statement import Command, Head
from exchange.journal.commands import command_refusal
from tests.services.tasks.place import FakeSpeaker
from tests.world import NOW


def as_command(draft: DraftCommand) -> Command:
    """What the exchange would look at."""
    head = Head(bytes(16), "exchange-console", bytes(16), 1, ZERO_DIGEST, NOW)
    return Command(
        head,
        draft.action,
        draft.task,
        draft.person,
        draft.second,
        draft.reason,
        draft.detail,
        draft.letter,
        draft.recipient,
        (),
    )


async def test_every_act_is_taken() -> None:
    """Whoever did it, however much was said; the same act twice is two."""
    speaker = FakeSpeaker()
    ids = iter(map(str, range(9)))
    acts = SpokenActs(speaker, ids.__next__)
    await acts.record(Act("sign-in-failed", ""))
    await acts.record(Act("view-content", "aida", letter=bytes(32), recipient="mfa", detail="x" * 5000))
    await acts.record(Act("view-content", "aida", letter=bytes(32), recipient="mfa"))
    await acts.record(Act("approve", "aida", second="bakyt", task="task-7", reason="y" * 5000))
    assert [draft.task for draft in speaker.said.values()] == ["0", "1", "2", "task-7"]
    assert [draft.person for draft in speaker.said.values()] == ["unknown", "aida", "aida", "aida"]
    assert [command_refusal(as_command(draft)) for draft in speaker.said.values()] == [None] * 4


async def test_what_cannot_be_kept_is_not_done() -> None:
    """503 and when to try again; without a journal likewise."""
    speaker = FakeSpeaker(failures=[SpoolError("the disk is full", code="spool-full", retriable=True)])
    for acts in (SpokenActs(speaker, lambda: "id"), Unkept()):
        with pytest.raises(AccessRefused) as caught:
            await acts.record(Act("view-content", "aida"))
        assert (caught.value.code, caught.value.status) == ("act-not-kept", 503)
