"""What became of items: from the exchange's verdicts on their commands, and from what the tracker heard since."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from exchange.domain.event import Event
from exchange.domain.task import ItemState, furthest
from exchange.services.speaking import Said
from exchange.services.tasks.ports import key_of
from exchange.store.desk.items import Item
from exchange.store.lists import Vector
from exchange.store.queries.places import Told, told_since

REPEAT = "repeat-recognised"
"""Noted beside an item that was handed over without its recipient's agent taking it anew: the agent still had it."""

_MEANING: Mapping[str, ItemState] = MappingProxyType(
    {
        Event.DELIVERED.value: ItemState.DELIVERED,
        Event.NOT_DELIVERED.value: ItemState.FAILED,
        Event.HAND_OVER_FAILED.value: ItemState.FAILED,
        **{
            event.value: ItemState.HANDED_OVER
            for event in (
                Event.HANDED_OVER,
                Event.REGISTERED,
                Event.EXECUTOR_ASSIGNED,
                Event.PROGRESS,
                Event.REPLY_PREPARED,
                Event.REPLY_SENT,
                Event.REDIRECTED,
                Event.REFUSED,
            )
        },
    }
)
"""What a recipient's word says about an item; who registers or refuses a letter has it."""


def judged(items: Iterable[Item], said: Mapping[str, Said]) -> list[Item]:
    """Those items whose command was decided, with what was decided; and those that nobody said, to be said anew.

    The last were said by a spool that is lost: its successor says them once more, and who had them already
    recognises the repeat.
    """
    found = []
    for item in items:
        word = said.get(key_of(item))
        if word is None:
            found.append(item._replace(state=ItemState.WAITING.value))
        elif word.settled:
            state = ItemState.REFUSED if word.reason else ItemState.TAKEN
            found.append(item._replace(state=state.value, code=word.reason))
    return found


def heard(connection: sa.Connection, items: Sequence[Item], begins: str) -> list[Item]:
    """Those items of which more is known than before, with what is known.

    Args:
        connection: of the tracker's `Store.reading`.
        items: that were said.
        begins: how far the journal was known when the task was let run.
    """
    told = told_since(connection, {item.place for item in items}, Vector.read(begins))
    said: dict[tuple[int, str], list[Told]] = {}
    for each in told:
        said.setdefault((each.letter, each.recipient), []).append(each)
    return list(_moved(items, said))


def _moved(items: Sequence[Item], said: Mapping[tuple[int, str], Collection[Told]]) -> Iterable[Item]:
    for item in items:
        after = item
        for each in said.get((item.place, item.recipient), ()):
            after = _with(after, each)
        if ItemState(after.state) is ItemState.HANDED_OVER and not _taken_anew(said[item.place, item.recipient]):
            after = after._replace(code=REPEAT)
        if after != item:
            yield after


def _with(item: Item, told: Told) -> Item:
    meaning = _MEANING.get(told.event)
    before = ItemState(item.state)
    if meaning is None or furthest(before, meaning) is before:
        return item
    return item._replace(state=meaning.value, code=told.reason if meaning is ItemState.FAILED else "")


def _taken_anew(told: Iterable[Told]) -> bool:
    return any(each.event == Event.DELIVERED for each in told)
