"""What the domain names, in words of people: with an icon and a colour, so that no state is told by colour alone.

Texts here are English; `_` only marks them for the catalogs, and templates translate what they show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, State
from exchange.domain.directory import BodyStatus, CertificateUse
from exchange.domain.event import Event
from exchange.domain.fact import FlagCode
from exchange.domain.reason import TEXTS, Reason
from exchange.domain.statement import Access, LetterKind, Urgency
from exchange.domain.user import Role
from exchange.store.lists import Order


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


class Tone(StrEnum):
    """What a tag's colour means."""

    QUIET = "quiet"
    ACTIVE = "active"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Label:
    """How something is called and marked.

    Attributes:
        text: English, a message of the catalogs.
        icon: name in `static/icons.svg`.
        hint: a sentence that explains it; empty when the text says all.
    """

    text: str
    icon: str = ""
    tone: Tone = Tone.QUIET
    hint: str = ""


STATES: Mapping[State, Label] = {
    State.REJECTED: Label(_("Rejected"), "cross", Tone.BAD, _("The exchange did not accept the letter.")),
    State.ACCEPTED: Label(_("Accepted"), "inbox", Tone.ACTIVE, _("In the recipient's inbox, not yet fetched.")),
    State.RELAY_FAILED: Label(_("Relay failed"), "alert", Tone.BAD, _("The exchange could not pass the letter on.")),
    State.NOT_DELIVERED: Label(_("Not delivered"), "alert", Tone.BAD, _("The recipient's agent could not take it.")),
    State.DELIVERED: Label(_("Delivered"), "down", Tone.ACTIVE, _("The recipient's agent has it.")),
    State.HAND_OVER_FAILED: Label(
        _("Hand-over failed"), "alert", Tone.BAD, _("The recipient's document system did not take it.")
    ),
    State.HANDED_OVER: Label(_("Handed over"), "system", Tone.ACTIVE, _("The recipient's document system has it.")),
    State.REGISTERED: Label(_("Registered"), "check", Tone.GOOD, _("It has a number at the recipient.")),
    State.IN_WORK: Label(_("In work"), "person", Tone.GOOD, _("An executor was named at the recipient.")),
    State.REPLY_PREPARED: Label(_("Reply prepared"), "pen", Tone.GOOD, _("The recipient is about to answer.")),
    State.ANSWERED: Label(_("Answered"), "reply", Tone.GOOD, _("The recipient has sent its answer.")),
    State.REFUSED: Label(_("Refused"), "cross", Tone.BAD, _("The recipient refused to register it.")),
    State.REDIRECTED: Label(_("Redirected"), "forward", Tone.QUIET, _("The recipient passed it on to another body.")),
}

ACTORS: Mapping[Actor, str] = {
    Actor.NOBODY: _("nobody: it is done"),
    Actor.SENDER: _("the sender"),
    Actor.RECIPIENT_AGENT: _("the recipient's agent"),
    Actor.RECIPIENT_EDMS: _("the recipient's document system"),
    Actor.RECIPIENT: _("the recipient"),
    Actor.OPERATOR: _("an operator of the exchange"),
}

SLUGS: Mapping[str, Actor] = {actor.name.lower().replace("_", "-"): actor for actor in Actor}
"""Who must act, as an address says it."""

EVENTS: Mapping[Event, str] = {
    Event.ACCEPTED: _("Accepted by the exchange"),
    Event.REJECTED: _("Rejected by the exchange"),
    Event.RELAY_FAILED: _("Could not be passed on"),
    Event.DELIVERED: _("Fetched by the recipient's agent"),
    Event.NOT_DELIVERED: _("Not taken by the recipient's agent"),
    Event.HANDED_OVER: _("Handed over to the document system"),
    Event.HAND_OVER_FAILED: _("Hand-over to the document system failed"),
    Event.REGISTERED: _("Registered"),
    Event.REFUSED: _("Registration refused"),
    Event.EXECUTOR_ASSIGNED: _("Executor named"),
    Event.PROGRESS: _("Worked on"),
    Event.REPLY_PREPARED: _("Reply prepared"),
    Event.REPLY_SENT: _("Reply sent"),
    Event.REDIRECTED: _("Redirected to another body"),
    Event.EXPIRED: _("Deadline passed"),
}

STAGES: Mapping[Stage, str] = {
    Stage.DELIVER: _("fetch"),
    Stage.HAND_OVER: _("hand-over"),
    Stage.REGISTER: _("registration"),
    Stage.REPLY: _("reply"),
}

ROLES: Mapping[Role, str] = {
    Role.OPERATOR: _("operator"),
    Role.BODY_ADMINISTRATOR: _("administrator of a body"),
    Role.AUDITOR: _("auditor"),
}

BODY_STATUSES: Mapping[BodyStatus, Label] = {
    BodyStatus.PLANNED: Label(_("Planned"), "clock"),
    BodyStatus.REQUESTED: Label(_("Requested"), "pen", Tone.WARN),
    BodyStatus.APPROVED: Label(_("Approved"), "check", Tone.ACTIVE),
    BodyStatus.TESTING: Label(_("Testing"), "system", Tone.ACTIVE),
    BodyStatus.CONNECTED: Label(_("Connected"), "check", Tone.GOOD),
    BodyStatus.SUSPENDED: Label(_("Suspended"), "cross", Tone.BAD),
    BodyStatus.LEFT: Label(_("Left"), "forward"),
}

FLAGS: Mapping[str, str] = {
    FlagCode.NOT_ADDRESSED: _("A receipt from a body that the letter was not addressed to"),
    FlagCode.EVENT_UNKNOWN: _("A receipt of an event that no body can state"),
    FlagCode.CONTRADICTED: _("A later receipt says otherwise; the first one holds"),
    FlagCode.DEADLINE_IGNORED: _("A deadline of a delivery that there is not"),
    FlagCode.LETTER_REPEATED: _("The same letter was taken twice; the first one holds"),
    FlagCode.STATEMENT_REFUSED: _("A statement about it was refused"),
    FlagCode.UNREADABLE: _("A record of the journal that cannot be read"),
}

URGENCIES: Mapping[Urgency, str] = {
    Urgency.ROUTINE: _("routine"),
    Urgency.URGENT: _("urgent"),
    Urgency.IMMEDIATE: _("immediate"),
}

KINDS: Mapping[LetterKind, str] = {
    LetterKind.DOCUMENT: _("document"),
    LetterKind.ADDITION: _("addition"),
    LetterKind.REPLY: _("reply to a document"),
}

ACCESSES: Mapping[Access, str] = {
    Access.PUBLIC: _("public"),
    Access.RESTRICTED: _("for official use"),
    Access.CONFIDENTIAL: _("confidential"),
}

ORDERS: Mapping[Order, str] = {
    Order.YOUNGEST: _("newest first"),
    Order.LONGEST_WAITING: _("longest waiting first"),
}

AGES: Mapping[str, str] = {
    "1h": _("of the last hour"),
    "1d": _("of the last day"),
    "7d": _("of the last week"),
    "30d": _("of the last 30 days"),
    ">1h": _("older than an hour"),
    ">1d": _("older than a day"),
    ">7d": _("older than a week"),
}
"""Ages that the filter offers; an address may have any."""

LATENESS: Mapping[str, str] = {
    "now": _("what is awaited is overdue"),
    "yes": _("was late at some stage"),
    "no": _("never late"),
}

FAILURE_AGES: Mapping[str, str] = {
    "1d": _("within a day"),
    "7d": _("within a week"),
    "30d": _("within 30 days"),
    "365d": _("within a year"),
}

ROUTE_AGES: Mapping[str, str] = {
    "1d": _("of the last day"),
    "7d": _("of the last week"),
    "30d": _("of the last 30 days"),
}

USES: Mapping[CertificateUse, str] = {
    CertificateUse.STATEMENT: _("signing statements"),
    CertificateUse.TRANSPORT: _("the connection"),
    CertificateUse.ENCRYPTION: _("encryption"),
}

SILENT = Label(
    _("Silent"),
    "pause",
    Tone.BAD,
    _("Nothing is heard of it, though letters wait or it spoke at this time a week ago."),
)
ENDS_SOON = Label(_("Ends soon"), "clock", Tone.WARN)
ENDED = Label(_("Ended"), "cross", Tone.BAD)
REVOKED = Label(_("Revoked"), "cross", Tone.BAD)
VERIFIED = Label(_("Verified"), "check", Tone.GOOD)
TURNED_AWAY = Label(_("Turned away"), "cross", Tone.BAD)
PAPER_ENDS = Label(_("End of paper"), "clock", Tone.WARN)
IN_TIME = Label(_("Kept"), "check", Tone.GOOD)
BELOW_TARGET = Label(_("Missed"), "alert", Tone.BAD)
AT_ONCE = Label(_("at once"), "alert", Tone.BAD)
IN_WORKING_HOURS = Label(_("in working hours"), "clock", Tone.QUIET)
LATE = Label(_("Overdue"), "clock", Tone.BAD, _("A deadline has passed; it stays in the record."))


def state_choices() -> list[tuple[str, str]]:
    """What the filter offers as states: groups, then each."""
    groups = [("failing", _("all that failed")), ("waiting", _("all that wait"))]
    return groups + [(state.value, label.text) for state, label in STATES.items()]


def actor_choices() -> list[tuple[str, str]]:
    """What the filter offers as who must act."""
    return [(slug, ACTORS[actor]) for slug, actor in SLUGS.items()]


def stage_choices() -> list[tuple[str, str]]:
    """What the filter offers as awaited."""
    return [(stage.value, text) for stage, text in STAGES.items()]


def urgency_choices() -> list[tuple[str, str]]:
    """What the filter offers as urgency."""
    return [(urgency.value, text) for urgency, text in URGENCIES.items()]


def order_choices() -> list[tuple[str, str]]:
    """What the filter offers as order."""
    return [(order.value, text) for order, text in ORDERS.items()]


def kind_choices() -> list[tuple[str, str]]:
    """What the report offers as kinds."""
    return [(kind.value, text) for kind, text in KINDS.items()]


def reason_choices() -> list[tuple[str, str]]:
    """What the filter offers as reasons."""
    return [(reason.value, text) for reason, (text, _step) in TEXTS.items()]


def event_text(name: str) -> str:
    """What an event is called; its own name when it is none of ours."""
    return _named(EVENTS, Event, name)


def kind_text(name: str) -> str:
    """What a kind of letter is called."""
    return _named(KINDS, LetterKind, name)


def urgency_text(name: str) -> str:
    """What an urgency is called."""
    return _named(URGENCIES, Urgency, name)


def access_text(name: str) -> str:
    """What a level of access is called."""
    return _named(ACCESSES, Access, name)


def _named(texts: Mapping[Any, str], known: type[StrEnum], name: str) -> str:
    """By a name that comes from outside and may be of a later version."""
    try:
        return texts[known(name)]
    except ValueError:
        return name


def reason_text(code: str) -> tuple[str, str]:
    """What happened and what to do next, in English; of a code that is not of the list, the code itself."""
    try:
        return TEXTS[Reason(code)]
    except ValueError:
        return code, ""
