"""What can be wrong with an exchange: every promise by the name under which its violation is reported."""

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """A promise; each value is a violation's name, the text says what must hold."""

    LANE_CHAIN = "lane-chain"
    """A lane's entries are numbered 1, 2, 3, …, each names the digest of the one before, in the topic's order."""
    DECIDED_TWICE = "decided-twice"
    """A statement, and a place of the submissions, is decided or dead-lettered once at most."""
    ORIGIN_CHAIN = "origin-chain"
    """An origin's statements are numbered 1, 2, 3, …, and each names the digest of the one before."""
    SEQUENCES = "sequences"
    """What routers store for their successors is where lanes and origins ended in the journal."""
    INBOX_MISSING = "inbox-missing"
    """What was accepted stands in the inbox of every recipient."""
    INBOX_DOUBLED = "inbox-doubled"
    """It stands there once."""
    INBOX_ORDER = "inbox-order"
    """It stands there in its lane's order."""
    INBOX_UNEXPLAINED = "inbox-unexplained"
    """Nothing stands there but the journal's own bytes, for that recipient."""
    NOTICE = "notice"
    """What notices tell an origin is, put together, what the journal says of it."""
    LETTER_LOST = "letter-lost"
    """A letter that was acknowledged is decided as it was handed in, or still in the sender's spool."""
    LETTER_TWICE = "letter-twice"
    """A letter, by its sender's message id, is decided once."""
    REFUSED_YET_TAKEN = "refused-yet-taken"
    """A letter whose hand-in was refused goes nowhere."""
    REFUSAL_UNTOLD = "refusal-untold"
    """The sender's agent knows of every refusal that its inbox told it of, and tells its document system."""
    TOLD_OTHERWISE = "told-otherwise"
    """What a client is told of its letter is what the journal says."""
    ANSWER_LOST = "answer-lost"
    """An answer that was acknowledged is decided, or still in the spool."""
    HEARD_UNSAID = "heard-unsaid"
    """A receipt that a sender sees was accepted, from a recipient of that letter, and so often."""
    HANDED_TWICE = "handed-twice"
    """A letter is handed over once."""
    HANDED_UNEXPLAINED = "handed-unexplained"
    """What is handed over was accepted for that recipient, from that sender."""
    ORDER = "order"
    """Hand-over, spools and chains keep the order in which an origin spoke."""
    RECEIPT_WITHOUT_LETTER = "receipt-without-letter"
    """An agent's receipt stands in the journal behind the letter that it is about, addressed to it."""
    SPOOL_POSITION = "spool-position"
    """A spool's position is a record of its inbox."""
    SPOOL_MISSING = "spool-missing"
    """A spool has whatever its inbox holds up to its position."""
    SPOOL_DOUBLED = "spool-doubled"
    """It has it once."""
    SPOOL_UNEXPLAINED = "spool-unexplained"
    """It has nothing else, and the journal's own bytes."""
    SPOOL_TAKEN = "spool-taken"
    """What an agent counts as taken, refused or void is so in the journal, number by number."""
    TRACKER_POSITION = "tracker-position"
    """A tracker's position is a record of the journal."""
    TRACKER_MISSING = "tracker-missing"
    """A tracker has every delivery that the journal has up to its position."""
    TRACKER_UNEXPLAINED = "tracker-unexplained"
    """It has no other."""
    TRACKER_STATE = "tracker-state"
    """Its states are what the journal comes to."""
    LATE = "late"
    """Whatever waits ends within its bound, counted in time without faults."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, where, and how."""

    rule: Rule
    place: str
    detail: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.rule}: {self.place}{f': {self.detail}' if self.detail else ''}"
