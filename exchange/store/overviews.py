"""What questions about many deliveries at once are answered with: groups, routes, bodies, months."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, State
from exchange.store.lists import DeliveryFilter
from exchange.store.views import Listed

ARRIVED = frozenset(
    {State.HANDED_OVER, State.REGISTERED, State.IN_WORK, State.REPLY_PREPARED, State.ANSWERED, State.REFUSED}
)
"""States of a delivery that the recipient's document system has, or has had."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time: from `since` on, before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Deliveries that failed for the same reason on the same route.

    Attributes:
        state: which failing state they are in.
        reason: code, empty when none was given.
        first: when the first of them came into that state.
        last: when the last of them did.
        samples: digests of the letter that failed last and of that which failed first.
        text: what the recipient said of the last of these of which it said something; else empty.
    """

    state: State
    reason: str
    sender: str
    recipient: str
    number: int
    first: datetime
    last: datetime
    samples: tuple[bytes, ...]
    text: str = ""

    def filter(self) -> DeliveryFilter:
        """What lists them, and those of the same group outside of the window."""
        return DeliveryFilter(
            sender=self.sender, recipient=self.recipient, states=(self.state,), reason=self.reason or None
        )


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest letter that a body has not fetched: when the journal took it, and how many wait with it."""

    body: str
    since: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Deliveries that began on a day, and how many of them were late at any stage since."""

    day: date
    volume: int
    late: int


@dataclass(frozen=True, slots=True)
class Silence:
    """A body of which nothing is heard, though letters wait for it or it spoke at the same time a week before.

    Attributes:
        last: its last word, to the minute; None when it never spoke.
        waiting: what it has not fetched; None when nothing waits.
    """

    body: str
    last: datetime | None
    waiting: Oldest | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """How the exchange is.

    Attributes:
        states: how many deliveries are in each state, of those in which something is awaited.
        stages: how many await each stage.
        overdue: how many of these are late at the stage that is awaited.
        failing: in a failing state by who must act; turned away for good only within the last week.
        oldest: bodies with the oldest unfetched letters, the oldest first.
        flags: records of the journal that stood out within the hour, by code.
        budget: of today.
        silent: bodies of which nothing is heard, the longest first.
    """

    states: Mapping[State, int]
    stages: Mapping[Stage, int]
    overdue: Mapping[Stage, int]
    failing: Mapping[Actor, int]
    oldest: tuple[Oldest, ...]
    flags: Mapping[str, int]
    budget: Budget
    silent: tuple[Silence, ...]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long it took: half of them at most `p50`, and so on; upper bounds of a histogram's buckets."""

    p50: timedelta
    p95: timedelta
    p99: timedelta


@dataclass(frozen=True, slots=True)
class Route:
    """What went from one body to another.

    Attributes:
        volume: deliveries that began in the window.
        late: of these, at any stage.
        failed: of these, in a failing state.
        delivery: from the journal's acceptance to the recipient's agent; None when none arrived.
        registration: from the journal's acceptance to the registration; None when there is none.
    """

    sender: str
    recipient: str
    volume: int
    late: int
    failed: int
    delivery: Percentiles | None
    registration: Percentiles | None


@dataclass(frozen=True, slots=True)
class BodySummary:
    """One body as the exchange sees it.

    Attributes:
        last: when the journal took its last word; None when it never spoke.
        oldest: the oldest letter that it has not fetched; None when it has all.
        inbound: letters to it in which something is awaited, by state.
        outbound: letters of it in which something is awaited, by state.
        received: this month's deliveries to it.
        sent: this month's deliveries of its letters.
        late: of those to it, at any stage.
    """

    body: str
    last: datetime | None
    oldest: Oldest | None
    inbound: Mapping[State, int]
    outbound: Mapping[State, int]
    received: int
    sent: int
    late: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A letter of a body to the one that answers every letter, and the reply to it.

    Attributes:
        sent: the letter's delivery.
        reply: that of the reply; None while there is none.
    """

    sent: Listed
    reply: Listed | None

    @property
    def passed(self) -> bool:
        """Whether it came back as far as the body's document system."""
        return self.reply is not None and self.reply.delivery.state in ARRIVED


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, in the exchange's own time zone."""

    year: int
    month: int

    def __str__(self) -> str:
        """As `2026-11`."""
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class Service:
    """How letters of one kind to one body went in a month.

    Attributes:
        volume: deliveries that began in the month.
        on_time: of these, never late and done with, as far as the exchange awaits anything.
        late: of these, by the stage at which they were late; a delivery may be late at several.
        breached: of these, late at any stage.
        failed: of these, in a failing state.
    """

    month: Month
    body: str
    kind: str
    volume: int
    on_time: int
    late: Mapping[Stage, int]
    breached: int
    failed: int
    delivery: Percentiles | None
    registration: Percentiles | None


@dataclass(frozen=True, slots=True)
class Total:
    """What the lines of a month's report come to.

    Attributes:
        lines: how many there are.
        volume: deliveries that began in the month.
        breached: of these, late at any stage.
        failed: of these, in a failing state.
    """

    lines: int
    volume: int
    breached: int
    failed: int


@dataclass(frozen=True, slots=True)
class DayOf:
    """Deliveries that began on a day."""

    day: date
    volume: int
    late: int
    failed: int


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to one delivery, with what it is since.

    Attributes:
        partition: of the journal; with `offset` where it stands there.
        letter: digest.
        event: name of `exchange.domain.event.Event`.
        since: when the delivery came into its present state.
        journalled: when the journal took this.
        late: whether any deadline passed.
        overdue: whether what is awaited now is late.
        began: when the journal took the letter.
    """

    partition: int
    offset: int
    letter: bytes
    sender: str
    recipient: str
    event: str
    journalled: datetime
    state: State
    since: datetime
    next: Actor
    reason: str
    late: bool
    overdue: bool
    kind: str
    urgency: str
    began: datetime
