"""What a statement about a letter is: in the exchange's words, and in those of ETSI EN 319 522."""

from dataclasses import dataclass

from exchange.domain.decision import Verdict
from exchange.domain.event import Event, etsi_uri
from exchange.domain.statement import Command, Deadline, Letter, Receipt
from exchange.services.evidence.gathering import Said

NOT_TAKEN = "not-taken"
"""A statement that the exchange refused, other than a letter; or one that nobody can read."""


@dataclass(frozen=True, slots=True)
class Named:
    """A statement's kind and event.

    Attributes:
        kind: letter, receipt, deadline, command, or another statement's name; empty when it cannot be read.
        event: a name of `exchange.domain.event.Event`, a command's action, or `not-taken`.
        etsi: URI of the event; None where the standard has none.
    """

    kind: str
    event: str
    etsi: str | None


def named(said: Said) -> Named:
    """What a statement is."""
    kind = "" if said.statement is None else type(said.statement).__name__.lower()
    event = _event(said)
    known = event in {each.value for each in Event}
    return Named(kind, event, etsi_uri(Event(event)) if known else None)


def _event(said: Said) -> str:
    accepted = said.decided.decision.verdict is Verdict.ACCEPTED
    match said.statement:
        case Letter():
            return Event.ACCEPTED if accepted else Event.REJECTED
        case Receipt(event=event) if accepted:
            return event
        case Deadline() if accepted:
            return Event.EXPIRED
        case Command(action=action) if accepted:
            return action
    return NOT_TAKEN
