"""What an agent tells of letters for their traces: each step once, after it was taken; of receipts nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exchange.domain.errors import BusError
from exchange.domain.trace import Doing, TraceStep
from tests.agent.conftest import authority_folder, place
from tests.agent.edms import MemoryEdms, plain_letter
from tests.agent.place import QUICK, Place, until, until_heard, until_settled
from tests.patience import PATIENCE

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""

SILENT = replace(QUICK, resend_first=PATIENCE, resend_after=PATIENCE, resend_at_most=PATIENCE)
"""However long this takes, nothing is sent twice for want of an answer."""


@dataclass
class Kept:
    """Steps that were told."""

    steps: list[TraceStep] = field(default_factory=list)

    def tell(self, step: TraceStep) -> None:
        """See `Traces`."""
        self.steps.append(step)

    def of(self, doing: Doing) -> list[TraceStep]:
        """Those of a kind."""
        return [step for step in self.steps if step.doing is doing]

    def has(self, doing: Doing, outcome: str) -> Callable[[], bool]:
        """Whether a step of this kind came to this."""
        return lambda: any(step.outcome == outcome for step in self.of(doing))


async def test_the_steps_of_a_letter(place: Place) -> None:
    """Sent, taken, handed over; the last follows the one before, and all are in the letter's own trace."""
    place.traces = kept = Kept()
    async with place.agent("alpha", timing=SILENT) as alpha, place.agent("beta", edms={"beta": MemoryEdms()}):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(kept.has(Doing.HAND_OVER, "handed"))
        sent = await alpha.mailbox("alpha").sent_letter("m-1")
    assert sent is not None
    sending, taking, handing = kept.steps
    assert [(step.doing, step.outcome, step.body) for step in kept.steps] == [
        (Doing.SEND, "sent", "alpha"),
        (Doing.TAKE, "arrived", "beta"),
        (Doing.HAND_OVER, "handed", "beta"),
    ]
    assert {step.letter for step in kept.steps} == {sent.digest}
    assert {step.place.trace for step in kept.steps} == {taking.letter[:16]}
    assert taking.before == sending.place, "the record's header said it"
    assert handing.before == taking.place
    assert all(step.began <= step.ended and step.size and not step.code for step in kept.steps)
    assert (sending.topic, taking.topic, handing.topic) == ("exchange.submissions", "exchange.inbox.beta", "")


async def test_a_hand_over_that_fails(place: Place) -> None:
    """Its step says why."""
    place.traces = kept = Kept()
    async with place.agent("alpha", timing=SILENT) as alpha, place.agent("beta", edms={"beta": MemoryEdms()}):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta", title="unreadable"))
        await until(kept.has(Doing.HAND_OVER, "failed"))
    (handing,) = kept.of(Doing.HAND_OVER)
    assert handing.code == "document-invalid"


async def test_each_attempt_to_send_is_a_step(place: Place) -> None:
    """With the bus away the first ones failed; what is written in the end names the last."""
    place.traces = kept = Kept()
    failures = [1]

    def away_at_first(step: str) -> None:
        if step == "send" and failures and failures.pop():
            message = "away"
            raise BusError(message)

    async with place.agent("alpha", timing=SILENT) as alpha, place.agent("beta") as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 1)
        await until_settled(alpha)
        await until_settled(beta)
        kept.steps.clear()
        place.simulator.step = away_at_first
        await alpha.mailbox("alpha").submit(plain_letter("m-2", "beta"))
        await until(kept.has(Doing.TAKE, "arrived"))
    first, last = kept.of(Doing.SEND)
    assert (first.outcome, first.code, last.outcome) == ("failed", "bus-unavailable", "sent")
    assert first.place != last.place
    (taking,) = kept.of(Doing.TAKE)
    assert taking.before == last.place
