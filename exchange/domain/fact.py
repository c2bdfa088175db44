"""Facts: what the journal's records say, without what people wrote.

A fact carries ids, codes, times and registration numbers, which tracker, replay and console need;
titles, annotations, persons and files never leave the journal through it.

Facts about one letter share a journal partition and come in the partition's order, the letter first.
"""

from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from exchange.domain.deadline import LATE, Matter, Stage
from exchange.domain.delivery import Fact, Position
from exchange.domain.event import SERVICE_EVENTS, Event


@dataclass(frozen=True, slots=True)
class Course:
    """When a statement passed each station (UTC).

    Attributes:
        created: the body said it; the body's clock.
        arrived: submissions took it; the broker's clock.
        decided: the router decided; the router's clock.
        journalled: the journal took the decision; the broker's clock, the journal's own time.
    """

    created: datetime
    arrived: datetime
    decided: datetime
    journalled: datetime


@dataclass(frozen=True, slots=True)
class Registration:
    """How a body registered a document; empty text means "not said"."""

    document_id: str = ""
    number: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class LetterFact:
    """A letter was accepted, or refused when `reason` is not empty.

    Attributes:
        letter: statement digest, the letter's id.
        recipients: after expansion; of a refused letter as its sender named them, each once, at
            most 64, and one empty name when it named none; the expression of a group as one name.
        document: the sender's own registration, from the card.
        items: how many items of contents it commits to.
        size: bytes of them.
        reason: code of the refusal, else empty.
        detail: names the field that was refused.
    """

    position: Position
    letter: bytes
    sender: str
    course: Course
    message_id: str
    consignment_id: str
    kind: str
    urgency: str
    access: str
    conversation: str
    in_reply_to: bytes | None
    reply_due: date | None
    recipients: tuple[str, ...]
    document: Registration
    items: int
    size: int
    reason: str
    detail: str

    @property
    def event(self) -> Event:
        """What this is to each of its deliveries."""
        return Event.REJECTED if self.reason else Event.ACCEPTED

    @property
    def matter(self) -> Matter:
        """What of it decides on deadlines."""
        return Matter(self.sender, self.kind, self.urgency, self.reply_due)

    def of_delivery(self) -> Fact:
        """The fact as each of the letter's deliveries has it."""
        course = self.course
        return Fact(self.event, self.position, course.decided, course.journalled, self.reason, text=self.detail)


@dataclass(frozen=True, slots=True)
class ReceiptFact:
    """An accepted receipt: `signer` says that `event` happened to `letter`, `at` by its own clock.

    `sender` is whom the receipt takes for the letter's sender; `why_ignored` says if that is so.
    """

    position: Position
    letter: bytes
    signer: str
    sender: str
    course: Course
    event: str
    at: datetime
    reason: str
    registration: Registration
    text: str

    def of_delivery(self) -> Fact:
        """The fact as the delivery to its signer has it.

        Raises:
            KeyError: no body can state that event; `why_ignored` tells before.
        """
        registration = self.registration
        return Fact(
            STATEABLE[self.event],
            self.position,
            self.at,
            self.course.journalled,
            self.reason,
            registration.number,
            registration.date,
            self.text,
        )


@dataclass(frozen=True, slots=True)
class StatementRefused:
    """A statement other than a readable letter was refused; no delivery changes."""

    position: Position
    statement: bytes
    body: str
    kind: str
    journalled: datetime
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class OriginOpened:
    """A body opened an origin (rule 2.2), continuing `predecessor` if there is one."""

    position: Position
    body: str
    origin: bytes
    predecessor: bytes | None
    journalled: datetime


@dataclass(frozen=True, slots=True)
class StatementVoided:
    """A body took the number of a statement that could never be taken (rule 2.4)."""

    position: Position
    body: str
    replaced: bytes
    reason: str
    journalled: datetime


@dataclass(frozen=True, slots=True)
class BasisChanged:
    """From here on a lane decides by another directory or policy (rule 5.3)."""

    position: Position
    lane: int
    directory_version: int
    directory_digest: bytes
    policy_digest: bytes
    journalled: datetime


@dataclass(frozen=True, slots=True)
class TickFact:
    """So far a lane had come when the journal took this (rule 4.3); see `Tick` for `arrived` and `idle`."""

    position: Position
    lane: int
    arrived: datetime | None
    idle: bool
    journalled: datetime


@dataclass(frozen=True, slots=True)
class DeadlineFact:
    """The exchange said that a stage of a delivery was not ended in time.

    Attributes:
        statement: its digest.
        body: which of the exchange's own bodies said it.
        policy: digest of the policy that gave `due`.
        notify: codes of the bodies that were told.
    """

    position: Position
    statement: bytes
    body: str
    letter: bytes
    sender: str
    recipient: str
    stage: str
    due: datetime
    through: datetime
    policy: bytes
    notify: tuple[str, ...]
    course: Course

    @property
    def journalled(self) -> datetime:
        """When the journal took it."""
        return self.course.journalled

    def of_delivery(self) -> Fact:
        """The fact as the delivery to its recipient has it: `at` is when the stage was due.

        Raises:
            ValueError: the stage is not known here; `is_ignored` tells before.
        """
        stage = Stage(self.stage)
        return Fact(Event.EXPIRED, self.position, self.due, self.journalled, LATE[stage], stage=stage)


@dataclass(frozen=True, slots=True)
class CommandFact:
    """Something that an operator did or looked at; `reason` and `detail` are the operator's words, bounded.

    Attributes:
        statement: digest of the statement that says so.
        body: which of the exchange's own bodies said it.
        task: the id of the task that it was part of.
        person: sign-in of who did it.
        second: sign-in of who approved it, else empty.
        reason: why.
        detail: what exactly.
        letter: digest of the letter concerned; None when it is about none.
        recipient: code of the body concerned, else empty.
        said: when, by the clock of who said it.
        journalled: when the journal took it.
    """

    position: Position
    statement: bytes
    body: str
    action: str
    task: str
    person: str
    second: str
    reason: str
    detail: str
    letter: bytes | None
    recipient: str
    said: datetime
    journalled: datetime


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of the journal that is none: somebody else wrote there, or it was damaged."""

    position: Position
    journalled: datetime
    detail: str


JournalFact = (
    LetterFact
    | ReceiptFact
    | DeadlineFact
    | CommandFact
    | StatementRefused
    | OriginOpened
    | StatementVoided
    | BasisChanged
    | TickFact
    | Unreadable
)

STATEABLE = MappingProxyType({event.value: event for event in Event if event not in SERVICE_EVENTS})
"""Events that a body's receipt may state, by their names."""


class FlagCode:
    """Why a fact was set aside or stands out: codes of the tracker's and the replay's flags."""

    NOT_ADDRESSED = "receipt-not-addressed"
    EVENT_UNKNOWN = "receipt-event-unknown"
    CONTRADICTED = "receipt-contradicted"
    DEADLINE_IGNORED = "deadline-ignored"
    LETTER_REPEATED = "letter-repeated"
    STATEMENT_REFUSED = "statement-refused"
    UNREADABLE = "journal-unreadable"


def why_ignored(receipt: ReceiptFact, sender: str | None) -> str | None:
    """Why a receipt changes nothing: a flag's code, or None when it counts (rule 4.1).

    Args:
        receipt: what the signer says.
        sender: of the accepted letter, when the journal says that it was addressed to the receipt's
            signer; None when there is no such delivery.
    """
    if sender is None or sender != receipt.sender:
        return FlagCode.NOT_ADDRESSED
    return None if receipt.event in STATEABLE else FlagCode.EVENT_UNKNOWN


def is_ignored(deadline: DeadlineFact, sender: str | None) -> bool:
    """Whether a deadline changes nothing; `sender` as for `why_ignored`."""
    return sender is None or sender != deadline.sender or deadline.stage not in _STAGES


_STAGES = frozenset(stage.value for stage in Stage)
