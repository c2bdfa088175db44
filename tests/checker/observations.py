"""What is seen of an exchange from outside, as plain values: all that the checker's rules ever look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from exchange.bus.records import Position
from exchange.domain.decision import DeadLetter, LaneState, Notice, OriginState
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.statement import Head
from tests.chaos.history import Line

OriginKey = tuple[str, bytes]
"""Body code and the origin's 16 bytes."""
DeliveryKey = tuple[bytes, str]
"""Letter's statement digest and recipient's body code."""
State = tuple[str, str]
"""Name of a delivery's state, and the registration number that holds, else empty."""


@dataclass(frozen=True, slots=True)
class LetterWords:
    """What is compared of a letter's statement."""

    message_id: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceiptWords:
    """What is compared of a receipt's statement; `number` is the registration number of its card, else empty."""

    letter: bytes
    sender: str
    event: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that was decided.

    Attributes:
        statement: its digest.
        offset: where it was submitted, in the lane's partition.
        reason: code of a refusal, else empty.
        copies: who must have it; nobody has what was refused.
        words: None for an open or void, and for what does not decode.
    """

    statement: bytes
    head: Head
    offset: int
    reason: str = ""
    copies: tuple[str, ...] = ()
    words: LetterWords | ReceiptWords | None = None

    @property
    def origin(self) -> OriginKey:
        """Whose chain it belongs to."""
        return self.head.body, self.head.origin

    @property
    def is_said_again(self) -> bool:
        """Whether it is no last word: what was refused for a clock that is ahead is said again by its agent."""
        return self.reason == "clock-ahead"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the journal; `said` is None for a basis and for a tick.

    Attributes:
        partition: of the journal.
        offset: in that partition.
        lane: whose chain it belongs to.
        number: in that chain.
        previous: digest of the chain's entry before, as this one names it.
        digest: of the entry.
        value: digest of the whole record, by which inboxes are compared.
    """

    partition: int
    offset: int
    lane: int
    number: int
    previous: bytes
    digest: bytes
    value: bytes
    said: Said | None = None
    is_tick: bool = False


@dataclass(frozen=True, slots=True)
class InboxRecord:
    """A record of an inbox: its place, the digest of its bytes, and the notice if it is one."""

    offset: int
    value: bytes
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement of a spool's origin; `outgoing` is the row that it carries, None for open and void."""

    number: int
    digest: bytes
    outgoing: int | None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class SpoolOrigin:
    """An origin in a spool: what it counts as taken, and its statements by number."""

    origin: bytes
    current: bool
    taken: int
    statements: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something that a body wants said; rows are in the order in which it was left there."""

    row: int
    state: str
    reason: str
    words: LetterWords | ReceiptWords


@dataclass(frozen=True, slots=True)
class Incoming:
    """An arrival in a spool; `digest` is the statement's, `value` that of the record, in the order of arrival."""

    kind: Literal["letter", "receipt", "rejection"]
    digest: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class SpoolSeen:
    """One body's part of its agent's spool.

    Attributes:
        position: last record that it has taken from its inbox, None before the first.
        next: where it reads on: there may be markers of transactions behind that record, but no records.
        flagged: offsets of inbox records that it set aside.
    """

    position: Position | None
    origins: tuple[SpoolOrigin, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    flagged: frozenset[int] = frozenset()
    next: int = 0


@dataclass(frozen=True, slots=True)
class TrackerSeen:
    """How far a tracker has read the journal, by partition, and what it makes of every delivery."""

    positions: Mapping[int, Position]
    deliveries: Mapping[DeliveryKey, State]


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything that was seen; what was not looked at is empty, and then proves nothing.

    Attributes:
        at: when it was read, in the histories' time.
        history: what clients were told and what the nemesis did, by time.
        entries: the journal, each partition in its order.
        inboxes: every body's inbox in its order.
        spoilt: bodies of which nothing is expected: a test has destroyed their inbox.
        dead: dead letters.
        lanes: what routers stored for their successors, by lane.
        origins: the same by origin.
        spools: by body. Bodies with a spool are taken for honest: an agent speaks for them.
    """

    at: float = 0.0
    history: Sequence[Line] = ()
    entries: Sequence[Entry] = ()
    inboxes: Mapping[str, Sequence[InboxRecord]] = field(default_factory=dict)
    spoilt: frozenset[str] = frozenset()
    dead: Sequence[DeadLetter] = ()
    lanes: Mapping[int, LaneState] = field(default_factory=dict)
    origins: Mapping[OriginKey, OriginState] = field(default_factory=dict)
    spools: Mapping[str, SpoolSeen] = field(default_factory=dict)
    tracker: TrackerSeen | None = None


def last_digest(chain: Sequence[Said]) -> bytes:
    """Digest of the statement said last; zeros before the first."""
    return chain[-1].statement if chain else ZERO_DIGEST
