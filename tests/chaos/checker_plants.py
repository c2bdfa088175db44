"""Ways to spoil the observations of a right exchange, each a function from observations to observations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from exchange.bus.records import Position
from exchange.domain.decision import DeadLetter
from tests.chaos.checker_story import NOON
from tests.chaos.history import Line, Settled
from tests.checker import Observations
from tests.checker.observations import (
    Entry,
    InboxRecord,
    Incoming,
    LetterWords,
    Outgoing,
    SpoolOrigin,
    SpoolSeen,
)

Plant = Callable[[Observations], Observations]
Item = TypeVar("Item")

STRANGE = bytes(range(32))
"""A digest of nothing."""
LONG = 1_000.0
"""Seconds beyond every bound."""


def both(*plants: Plant) -> Plant:
    """One after the other."""

    def plant(seen: Observations) -> Observations:
        for one in plants:
            seen = one(seen)
        return seen

    return plant


def later(seconds: float = LONG) -> Plant:
    """The same, looked at later."""
    return lambda seen: replace(seen, at=seen.at + seconds)


def dead(partition: int, offset: int) -> Plant:
    """A dead letter of that submission."""
    letter = DeadLetter(partition, offset, NOON, "unreadable", "", 1, STRANGE, b"")
    return lambda seen: replace(seen, dead=[letter])


def more(*lines: Line) -> Plant:
    """More lines in the histories, at the end."""
    return lambda seen: replace(seen, history=[*seen.history, *(replace(line, at=seen.at) for line in lines)])


def lines(kind: type[Line], where: Mapping[str, object], **changes: Any) -> Plant:
    """Lines of that kind and with those values, changed; told again by name of what they are about."""

    def change(line: Line) -> Line:
        return replace(line, **changes) if isinstance(line, kind) and _has(line, where) else line

    return lambda seen: replace(seen, history=[change(line) for line in seen.history])


def again(kind: type[Line], where: Mapping[str, object], **changes: Any) -> Plant:
    """The first line of that kind and with those values once more, changed."""

    def plant(seen: Observations) -> Observations:
        line = next(line for line in seen.history if isinstance(line, kind) and _has(line, where))
        return more(replace(line, **changes))(seen)

    return plant


def without(kind: type[Line]) -> Plant:
    """No lines of that kind."""
    return lambda seen: replace(seen, history=[line for line in seen.history if not isinstance(line, kind)])


def late(kind: type[Line]) -> Plant:
    """The last line of that kind comes much later, without a fault."""

    def plant(seen: Observations) -> Observations:
        last = [line for line in seen.history if isinstance(line, kind)][-1]
        history = [line for line in seen.history if line is not last]
        return replace(seen, history=[*history, replace(last, at=seen.at + LONG)], at=seen.at + LONG)

    return plant


def without_entry(lane: int, number: int) -> Plant:
    """An entry of a lane is gone."""
    return lambda seen: replace(
        seen, entries=[entry for entry in seen.entries if (entry.lane, entry.number) != (lane, number)]
    )


def entry(lane: int, number: int, **changes: Any) -> Plant:
    """An entry of a lane, changed."""
    return _entry(lane, number, lambda old: replace(old, **changes))


def said(lane: int, number: int, **changes: Any) -> Plant:
    """What an entry says was decided, changed; of its head what is called `head_…`."""

    def change(old: Entry) -> Entry:
        assert old.said is not None
        own = {name: value for name, value in changes.items() if not name.startswith("head_")}
        head = {name.removeprefix("head_"): value for name, value in changes.items() if name not in own}
        return replace(old, said=replace(old.said, head=replace(old.said.head, **head), **own))

    return _entry(lane, number, change)


def inbox(body: str, change: Callable[[list[InboxRecord]], list[InboxRecord]]) -> Plant:
    """Another inbox."""
    return lambda seen: replace(seen, inboxes={**seen.inboxes, body: change(list(seen.inboxes[body]))})


def without_copy(records: list[InboxRecord]) -> list[InboxRecord]:
    """The first letter is gone."""
    return [record for record in records if record is not _copies(records)[0]]


def copy_again(records: list[InboxRecord]) -> list[InboxRecord]:
    """The first letter comes once more."""
    return [*records, replace(_copies(records)[0], offset=records[-1].offset + 2)]


def strange_copy(records: list[InboxRecord]) -> list[InboxRecord]:
    """Something comes that the journal does not have."""
    return [*records, InboxRecord(records[-1].offset + 2, STRANGE)]


def copies_exchanged(records: list[InboxRecord]) -> list[InboxRecord]:
    """The first two letters in each other's place."""
    first, second = _copies(records)[:2]
    places = {first.offset: second.value, second.offset: first.value}
    return [replace(record, value=places.get(record.offset, record.value)) for record in records]


def notice(body: str, **changes: Any) -> Plant:
    """The second notice in an inbox, changed."""

    def change(records: list[InboxRecord]) -> list[InboxRecord]:
        second = [record for record in records if record.notice is not None][1]
        assert second.notice is not None
        spoilt = replace(second, notice=replace(second.notice, **changes))
        return [spoilt if record is second else record for record in records]

    return inbox(body, change)


def spool(body: str, change: Callable[[SpoolSeen], SpoolSeen]) -> Plant:
    """Another spool."""
    return lambda seen: replace(seen, spools={**seen.spools, body: change(seen.spools[body])})


def standing(offset: int = 0, digest: bytes = STRANGE) -> Callable[[SpoolSeen], SpoolSeen]:
    """A position so many offsets further on, with another digest."""

    def change(old: SpoolSeen) -> SpoolSeen:
        assert old.position is not None
        return replace(old, position=Position(old.position.offset + offset, digest))

    return change


def incoming(change: Callable[[list[Incoming]], list[Incoming]]) -> Callable[[SpoolSeen], SpoolSeen]:
    """Other arrivals."""
    return lambda old: replace(old, incoming=tuple(change(list(old.incoming))))


def exchanged(items: Sequence[Item]) -> list[Item]:
    """The first two in each other's place."""
    return [items[1], items[0], *items[2:]]


def left(words: LetterWords, state: str = "draft") -> Callable[[SpoolSeen], SpoolSeen]:
    """One thing more to be said."""
    return lambda old: replace(old, outgoing=(*old.outgoing, Outgoing(len(old.outgoing) + 1, state, "", words)))


def outgoing(row: int, **changes: Any) -> Callable[[SpoolSeen], SpoolSeen]:
    """Something that a body wanted said, changed."""
    return lambda old: replace(
        old, outgoing=tuple(replace(one, **changes) if one.row == row else one for one in old.outgoing)
    )


def origin(**changes: Any) -> Callable[[SpoolSeen], SpoolSeen]:
    """The chain in a spool, changed."""
    return lambda old: replace(old, origins=(replace(old.origins[0], **changes),))


def numbered(number: int, **changes: Any) -> Callable[[SpoolSeen], SpoolSeen]:
    """A statement of the chain in a spool, changed."""

    def change(old: SpoolOrigin) -> SpoolOrigin:
        statements = (replace(one, **changes) if one.number == number else one for one in old.statements)
        return replace(old, statements=tuple(statements))

    return lambda old: replace(old, origins=(change(old.origins[0]),))


def tracked(message_id: str, recipient: str, *state: str) -> Plant:
    """Another state of a delivery, or none."""

    def plant(seen: Observations) -> Observations:
        letters = (line for line in seen.history if isinstance(line, Settled))
        letter = next((line.letter for line in letters if line.message_id == message_id), STRANGE)
        assert seen.tracker is not None
        deliveries = {key: value for key, value in seen.tracker.deliveries.items() if key != (letter, recipient)}
        if state:
            deliveries[letter, recipient] = (state[0], state[1])
        return replace(seen, tracker=replace(seen.tracker, deliveries=deliveries))

    return plant


def tracker_at(offset: int) -> Plant:
    """A tracker so many offsets further on in each partition, with another digest."""

    def plant(seen: Observations) -> Observations:
        assert seen.tracker is not None
        positions = {
            number: Position(position.offset + offset, STRANGE) for number, position in seen.tracker.positions.items()
        }
        return replace(seen, tracker=replace(seen.tracker, positions=positions))

    return plant


def _has(line: Line, where: Mapping[str, object]) -> bool:
    return all(getattr(line, name) == value for name, value in where.items())


def _copies(records: Sequence[InboxRecord]) -> list[InboxRecord]:
    return [record for record in records if record.notice is None]


def _entry(lane: int, number: int, change: Callable[[Entry], Entry]) -> Plant:
    return lambda seen: replace(
        seen,
        entries=[change(old) if (old.lane, old.number) == (lane, number) else old for old in seen.entries],
    )
