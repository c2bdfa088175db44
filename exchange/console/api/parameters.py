"""What the API is asked: the parameters of its operations. The OpenAPI document's are made of these types."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

PAGE = 50
PAGE_AT_MOST = 500
DAYS_AT_MOST = 400

MonthWord = Annotated[str, Meta(pattern="^(20[0-9]{2}-(0[1-9]|1[0-2]))?$", description="`2026-11`; the present one.")]
Limit = Annotated[int, Meta(ge=1, le=PAGE_AT_MOST, description="So many at most.")]
After = Annotated[str, Meta(max_length=4000, description="Where the page before ended: take it from its `next`.")]
Place = Annotated[str, Meta(max_length=4000, description="Place to begin behind; `Last-Event-ID` goes before it.")]
Days = Annotated[int, Meta(ge=1, le=DAYS_AT_MOST, description="Of the last so many days.")]

To = Annotated[str, Meta(description="Only to this recipient.")]
From = Annotated[str, Meta(description="Only of this sender.")]
States = Annotated[str, Meta(description="Only in one of these states, between commas; or `failing`, `waiting`.")]
ReasonWord = Annotated[str, Meta(description="Only with this reason code.")]
Kind = Annotated[str, Meta(description="Only letters of this kind.")]
Urgency = Annotated[str, Meta(description="Only letters of this urgency.")]
StageWord = Annotated[str, Meta(description="Only where this stage is awaited.")]
NextWord = Annotated[str, Meta(description="Only where this one must act: `recipient-agent`, `sender`, `operator`, …")]
Late = Annotated[str, Meta(description="Late at any stage: `yes` or `no`; `now`: overdue at what is awaited.")]
Age = Annotated[str, Meta(description="`1h`, `7d`: letters of so long; `>1h`: older ones.")]
LettersMonth = Annotated[
    str, Meta(description="`2026-11`: letters that the journal took in that month, by the exchange's own time zone.")
]
Moved = Annotated[str, Meta(description="`1h`, `7d`: deliveries that came into their state so lately.")]
Text = Annotated[str, Meta(description="Any id of a letter, or the beginning of its digest.")]
Since = Annotated[
    datetime | None, Meta(description="Only letters that the journal took then or later; with its offset.")
]
Until = Annotated[datetime | None, Meta(description="Only letters that the journal took before.")]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class FilterQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which deliveries: the words of the address of the page with the same list. Empty asks for nothing."""

    to: To = ""
    sender: From = msgspec.field(default="", name="from")
    state: States = ""
    reason: ReasonWord = ""
    kind: Kind = ""
    urgency: Urgency = ""
    stage: StageWord = ""
    next: NextWord = ""
    late: Late = ""
    age: Age = ""
    month: LettersMonth = ""
    moved: Moved = ""
    q: Text = ""
    since: Since = None
    until: Until = None


class LettersQuery(FilterQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page of deliveries."""

    order: Annotated[str, Meta(description="`youngest`, or `longest-waiting`.")] = ""
    after: After = ""
    limit: Limit = PAGE
    count: Annotated[bool, Meta(description="Whether to count all that the filter leaves, up to a limit.")] = False


class StreamQuery(FilterQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which changes, and from where."""

    after: Place = ""


class OverviewQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page of letters."""

    sender: From = msgspec.field(default="", name="from")
    since: Since = None
    most: Annotated[int, Meta(ge=1, le=50, description="Deliveries of one letter that get a line each.")] = 8
    after: After = ""
    limit: Limit = PAGE


class FindQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What names a letter."""

    q: Annotated[str, Meta(min_length=1, max_length=200, description="The beginning of its digest, or any id of it.")]


class ActsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which acts. Empty asks for nothing."""

    person: Annotated[str, Meta(max_length=64, description="Only of this login.")] = ""
    action: Annotated[str, Meta(max_length=64, description="Only of this name: `redrive`, `view-content`, …")] = ""
    task: Annotated[str, Meta(max_length=64, description="Only those of this task.")] = ""
    letter: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", description="Only those about this letter.")] = ""
    recipient: Annotated[str, Meta(max_length=64, description="Only those that concern this body.")] = ""
    since: Annotated[datetime | None, Meta(description="Only those that the journal took then or later.")] = None
    until: Annotated[datetime | None, Meta(description="Only those that the journal took before.")] = None
    after: After = ""
    limit: Limit = PAGE


class WindowQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which days, and how many lines."""

    days: Days = 7
    limit: Limit = 100


class FailuresQuery(WindowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which days and which reason, and how many lines."""

    reason: ReasonWord = ""


class MonthQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which month."""

    month: MonthWord = ""
