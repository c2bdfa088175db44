"""What lists are asked with and answer with: filters, pages, cursors, the vector of the stream of changes."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, Self, TypeVar

from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, State
from exchange.store.errors import StoreError

Item = TypeVar("Item")

MOST_COUNTED = 1_000
"""A list's length is counted so far, and called "more than" beyond."""
MOST_SEEN = 1_000
"""So many rows are looked at to count those among them that fit a filter that no index knows."""

_CURSOR_CHARACTERS = 400
_CURSOR = re.compile(r"([a-z-]{1,20})\.(-?[0-9]{1,19})\.([0-9]{1,19})\.(.{0,200})", re.DOTALL)
_VECTOR = re.compile(r"[0-9]{1,5}:[0-9]{1,15}(,[0-9]{1,5}:[0-9]{1,15})*")
_VECTOR_CHARACTERS = 4_000


class Order(StrEnum):
    """Which deliveries come first."""

    YOUNGEST = "youngest"
    """The letter that the journal took last."""
    LONGEST_WAITING = "longest-waiting"
    """The one whose next actor has been awaited for longest; those that wait for nobody are left out."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list, in which order; None or empty means any.

    Attributes:
        sender: body code.
        recipient: body code.
        body: sender or recipient; a body administrator's restriction, which the database itself applies.
        states: one of these.
        next: who must act.
        reason: code of why it failed.
        late: whether a deadline passed before its stage was done.
        overdue: whether what is awaited now is late.
        moved: it came into its present state then or later.
        stage: what is awaited.
        since: the journal took the letter then or later.
        until: the journal took the letter before.
        text: an id that its letter has, as `find` takes it.
    """

    sender: str | None = None
    recipient: str | None = None
    body: str | None = None
    states: tuple[State, ...] = ()
    next: Actor | None = None
    reason: str | None = None
    kind: str | None = None
    urgency: str | None = None
    late: bool | None = None
    overdue: bool | None = None
    moved: datetime | None = None
    stage: Stage | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    order: Order = Order.YOUNGEST


@dataclass(frozen=True, slots=True)
class ActFilter:
    """Which acts to list; None means any.

    Attributes:
        person: sign-in of who did it.
        task: the id of the task that it was part of.
        letter: digest of the letter concerned.
        recipient: code of the body concerned.
        since: the journal took it then or later.
        until: the journal took it before.
    """

    person: str | None = None
    action: str | None = None
    task: str | None = None
    letter: bytes | None = None
    recipient: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, behind one of its rows; its text is opaque to whoever carries it.

    Attributes:
        order: of the list that it belongs to.
        key: what the row is ordered by.
        place: with `name` tells rows of one key apart.
    """

    order: str
    key: int
    place: int
    name: str = ""

    def __str__(self) -> str:
        """What an address of the next page carries."""
        plain = f"{self.order}.{self.key}.{self.place}.{self.name}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, order: str) -> Self:
        """What `str` wrote.

        Args:
            text: from outside.
            order: of the list that is asked for.

        Raises:
            StoreError: `cursor-invalid`.
        """
        if len(text) <= _CURSOR_CHARACTERS:
            padded = text + "=" * (-len(text) % 4)
            try:
                found = _CURSOR.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
            except (binascii.Error, ValueError):
                found = None
            if found and found[1] == order:
                key, place = int(found[2]), int(found[3])
                if abs(key) < 1 << 63 and place < 1 << 63 and "\0" not in found[4]:
                    return cls(order, key, place, found[4])
        message = f"the cursor is none of a list in the order '{order}': begin at the first page"
        raise StoreError(message, code="cursor-invalid")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some rows of a list; `after` begins the next page, None on the last."""

    items: tuple[Item, ...]
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class Counted:
    """How long a list is: exactly `number`, or more than that."""

    number: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Vector:
    """How far the journal was taken: the last offset of each partition; a cursor in the stream of changes."""

    offsets: Mapping[int, int]

    def __str__(self) -> str:
        """`0:123,1:77`; empty when nothing was taken."""
        return ",".join(f"{partition}:{offset}" for partition, offset in sorted(self.offsets.items()))

    @classmethod
    def read(cls, text: str) -> Self:
        """What `str` wrote.

        Raises:
            StoreError: `cursor-invalid`.
        """
        if not text:
            return cls(MappingProxyType({}))
        if len(text) > _VECTOR_CHARACTERS or not _VECTOR.fullmatch(text):
            message = "the place in the stream is not of the form 0:123,1:77: begin anew"
            raise StoreError(message, code="cursor-invalid")
        pairs = (pair.split(":") for pair in text.split(","))
        return cls(MappingProxyType({int(partition): int(offset) for partition, offset in pairs}))
