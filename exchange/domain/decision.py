"""Decisions and what the router tells about them (protocol sections 2 and 3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.reason import Reason
from exchange.domain.statement import Content


class Verdict(StrEnum):
    """What was decided of a statement whose number moved."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Place:
    """A journal entry's place in its lane's chain (rule 3.1): `previous` is the digest of the entry before."""

    lane: int
    number: int
    previous: bytes


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with every input that it was made from (rule 3.1).

    Attributes:
        place: where it stands in its lane.
        partition: submissions partition.
        offset: submissions offset.
        arrived: the broker's `LogAppendTime`.
        decided: the router's own time.
        directory_version: version of the directory that was in force.
        directory_digest: digest of that version.
        policy_digest: digest of the policy in force.
        statement: digest of the statement.
        verdict: accepted or refused.
        reason: code of a refusal, empty for an acceptance.
        detail: names the field of a refusal; never content.
        recipients: body codes after expansion; the addressee of a receipt; empty for the rest.
    """

    place: Place
    partition: int
    offset: int
    arrived: datetime
    decided: datetime
    directory_version: int
    directory_digest: bytes
    policy_digest: bytes
    statement: bytes
    verdict: Verdict
    reason: str
    detail: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A journal entry: decision, statement and signature. The log's leaf (rule 5.1)."""

    decision: Decision
    statement: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Basis:
    """A journal entry: from here on the lane decides by this directory and policy (rule 5.3).

    Contents beside it: files that prove the directory, as far as the lane had not journalled them, and the
    policy file. What does not fit into one record comes with further entries that say the same.
    """

    place: Place
    decided: datetime
    directory_version: int
    directory_digest: bytes
    policy_digest: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """A journal entry: so far the lane has come (rule 4.3). Each lane writes one into every journal partition.

    Attributes:
        place: where it stands in its lane.
        decided: the router's own time.
        offset: submissions offset behind what was taken.
        arrived: the broker's time of the last record taken; None when the lane took none since it was armed.
        idle: whether everything was taken that submissions had taken when the lane's previous tick was journalled.
    """

    place: Place
    decided: datetime
    offset: int
    arrived: datetime | None
    idle: bool


@dataclass(frozen=True, slots=True)
class Journalled:
    """A record of the journal and of inboxes: the entry's exact bytes and the contents beside."""

    entry: bytes
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One number taken: its statement digest, and the refusal's code and detail if it was refused."""

    digest: bytes
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the router waits for another statement than it got."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the router tells an origin (rule 2.5), in the body's own inbox.

    Attributes:
        origin: whom it concerns.
        number: taken up to this number; 0 when the origin is not open.
        digest: statement digest at that number.
        steps: one for each number newly taken, the last of them `number`: so a spool that was
            restored from a backup can tell exactly which of its statements were taken.
        trouble: why number + 1 was not taken, None when nothing stands in the way.
        at: the router's time.
    """

    origin: bytes
    number: int
    digest: bytes
    steps: tuple[Step, ...]
    trouble: Trouble | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OriginState:
    """What the router keeps per origin (rules 2.3, 2.4).

    Attributes:
        number: taken up to; 0 for a number-1 that was not taken.
        digest: statement digest at that number.
        closed: whether a later origin named this one its predecessor.
        ignored: how many statements were not taken since the last one that was.
        notified: whether trouble was told since the last one taken (rule 2.4: once).
    """

    number: int = 0
    digest: bytes = ZERO_DIGEST
    closed: bool = False
    ignored: int = 0
    notified: bool = False


@dataclass(frozen=True, slots=True)
class LaneState:
    """What a lane needs to go on: next submissions offset, its chain, and the basis journalled last."""

    offset: int = 0
    number: int = 0
    digest: bytes = ZERO_DIGEST
    directory_digest: bytes = ZERO_DIGEST
    policy_digest: bytes = ZERO_DIGEST


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Bytes of submissions that moved nothing, by coordinates (rule 2.4, section 8).

    Attributes:
        partition: submissions partition.
        offset: submissions offset.
        arrived: the broker's time.
        reason: code.
        detail: names the field; never content.
        size: bytes of the record value.
        digest: SHA-256 of the record value.
        sample: the first 1 KB of the record value.
    """

    partition: int
    offset: int
    arrived: datetime
    reason: str
    detail: str
    size: int
    digest: bytes
    sample: bytes


DEAD_LETTER_SAMPLE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a statement is refused or not taken: code, and the field that made it so."""

    reason: Reason
    detail: str = ""
