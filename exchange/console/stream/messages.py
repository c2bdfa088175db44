"""Messages of the stream, as the HTML standard's section on server-sent events has them.

event       data
open        the time; the client is told everything behind the id
changes     what happened, a list; the id is the place behind it
stale       since when, and why nothing can be told for now; it goes on by itself
live        it goes on
reset       what was missed is too much: load the list again, then go on from the id
lagging     the client takes too slowly and is cut off; it goes on by its id
beat        every ten seconds, with the client's place as id
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from exchange.console.words import Next, next_word
from exchange.domain.delivery import State
from exchange.store.lists import Vector
from exchange.store.overviews import Change

RETRY_MILLISECONDS = 1000
"""After which a client whose stream was cut comes back."""

HEAD = f"retry: {RETRY_MILLISECONDS}\n\n".encode()


class ChangeTold(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one delivery, with what it is since."""

    letter: Annotated[str, Meta(description="Digest of the letter, hexadecimal.")]
    sender: str
    recipient: str
    event: Annotated[str, Meta(description="What happened.")]
    journalled: Annotated[datetime, Meta(tz=True, description="When the journal took it.")]
    state: State
    since: Annotated[datetime, Meta(tz=True, description="When the delivery came into that state.")]
    next: Annotated[Next, Meta(description="Who must act.")]
    reason: str
    late: Annotated[bool, Meta(description="Whether any deadline passed.")]
    overdue: Annotated[bool, Meta(description="Whether what is awaited now is late.")]
    kind: str
    urgency: str
    position: Annotated[str, Meta(description="Where the journal says so: partition and offset.")]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Data of a `changes` message, in the journal's order."""

    changes: tuple[ChangeTold, ...]


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of every other message."""

    at: Annotated[datetime, Meta(tz=True)]
    code: Annotated[str, Meta(description="Of a `stale` message: what is away.")] = ""


def changes_message(changes: Iterable[Change], place: Vector) -> bytes:
    """What happened; empty when nothing did."""
    told = tuple(map(_told, changes))
    return _message("changes", msgspec.json.encode(Changes(changes=told)), place) if told else b""


def moment_message(event: str, at: datetime, place: Vector | None = None, code: str = "") -> bytes:
    """Any other message; `place` None leaves the client's as it is."""
    return _message(event, msgspec.json.encode(Moment(at=at, code=code)), place)


def beat(at: datetime, place: Vector | None) -> bytes:
    """A sign of life, by which a page knows how fresh it is."""
    return moment_message("beat", at, place)


def _message(event: str, data: bytes, place: Vector | None) -> bytes:
    return f"{_id(place)}event: {event}\ndata: ".encode() + data + b"\n\n"  # JSON has no line ends


def _id(place: Vector | None) -> str:
    """An empty id would make a client forget its own."""
    return f"id: {place}\n" if place is not None and place.offsets else ""


def _told(change: Change) -> ChangeTold:
    return ChangeTold(
        letter=change.letter.hex(),
        sender=change.sender,
        recipient=change.recipient,
        event=change.event,
        journalled=change.journalled,
        state=change.state,
        since=change.since,
        next=next_word(change.next),
        reason=change.reason,
        late=change.late,
        overdue=change.overdue,
        kind=change.kind,
        urgency=change.urgency,
        position=f"{change.partition}:{change.offset}",
    )
