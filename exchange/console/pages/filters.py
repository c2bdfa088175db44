"""The filter of a list in its page's address: read, written again, said in words and as a command.

    /letters?to=minjust&state=failing&age=1d

A word that is wrong leaves the list unfiltered by it and is told above the list; nothing from the
address reaches a query but values that the table knows.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from exchange.console.pages.wording import SLUGS
from exchange.domain.deadline import Stage
from exchange.domain.delivery import TABLE, Actor, State
from exchange.domain.statement import LetterKind, Urgency
from exchange.domain.user import Right, User
from exchange.store.lists import DeliveryFilter, Order
from exchange.store.months import window_of
from exchange.store.overviews import Month

Chosen = TypeVar("Chosen", bound=StrEnum)

FAILING = tuple(sorted({rule.state for rule in TABLE.values() if rule.negative}))
WAITING = tuple(sorted({rule.state for rule in TABLE.values() if rule.next is not Actor.NOBODY} - {*FAILING}))
STATE_GROUPS: Mapping[str, tuple[State, ...]] = MappingProxyType({"failing": FAILING, "waiting": WAITING})
"""States that are asked for together."""

_LATE: Mapping[str, Mapping[str, bool]] = MappingProxyType(
    {"yes": {"late": True}, "no": {"late": False}, "now": {"overdue": True}}
)

_AGE = re.compile(r"(>?)([0-9]{1,4})(m|h|d)")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_TEXT = 200
_QUERY_WORD = re.compile(r"(to|from|state|reason|kind|urgency|stage|next|late|age|month):(\S+)")


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What the address of a list asks for.

    Attributes:
        words: what is asked for, by word; only words and values that are known.
        faults: words that are wrong, with what they said.
    """

    words: Mapping[str, str]
    faults: tuple[tuple[str, str], ...] = ()
    _wanted: DeliveryFilter = field(default_factory=DeliveryFilter, repr=False)
    _age: tuple[bool, timedelta] | None = None
    _moved: timedelta | None = None
    _month: Month | None = None

    @classmethod
    def of(cls, params: QueryParams) -> "ListFilter":
        """Read an address's query; empty values ask for nothing."""
        words: dict[str, str] = {}
        faults: list[tuple[str, str]] = []
        wanted: dict[str, Any] = {}
        for word, known in _TABLE.items():
            value = params.get(word, "").strip()
            if not value:
                continue
            read = known.read(value)
            if read is None:
                faults.append((word, value[:_MAX_TEXT]))
            else:
                words[word] = value
                wanted |= read
        beside = [wanted.pop(name, None) for name in ("age", "span", "month")]
        return cls(MappingProxyType(words), tuple(faults), DeliveryFilter(**wanted), *beside)

    def wanted(self, user: User, now: datetime) -> DeliveryFilter:
        """What the database is asked, never more than `user` may see."""
        wanted = replace(self._wanted, body=own_body(user))
        if self._moved is not None:
            wanted = replace(wanted, moved=now - self._moved)
        bounds = [*self._bounds(now)]
        since = max((begin for begin, _ in bounds if begin is not None), default=None)
        return replace(wanted, since=since, until=min((end for _, end in bounds if end is not None), default=None))

    def _bounds(self, now: datetime) -> Iterator[tuple[datetime | None, datetime | None]]:
        """From when on and before when letters were journalled, by each word that says so."""
        if self._month is not None:
            window = window_of(self._month)
            yield window.since, window.until
        if self._age is not None:
            is_older, span = self._age
            yield (None, now - span) if is_older else (now - span, None)

    def __getitem__(self, word: str) -> str:
        """What is asked for by a word, empty for nothing."""
        return self.words.get(word, "")

    @property
    def narrows(self) -> bool:
        """Whether anything is left out: an order leaves out nothing."""
        return bool(self.words.keys() - {"order"})

    def query(self, **changes: str) -> str:
        """The address's query with some words changed; an empty value takes a word away."""
        words = {word: value for word, value in {**self.words, **changes}.items() if value}
        return f"?{urlencode(words)}" if words else ""

    def command(self) -> str:
        """The same list on the command line."""
        options = (f"--{_OPTIONS.get(word, word)} {shlex.quote(value)}" for word, value in self.words.items())
        return " ".join(["exchange letters", *options])


def own_body(user: User) -> str | None:
    """The body whose letters alone are `user`'s to see; None for all."""
    return None if user.may(Right.SEE_ALL) else user.body


def filter_of_text(text: str) -> dict[str, str]:
    """Words of a filter typed into the search box, `to:minjust state:failing 12-345`; empty when there is none."""
    words = {found[1]: found[2] for found in _QUERY_WORD.finditer(text)}
    rest = _QUERY_WORD.sub(" ", text).strip()
    return {**words, "q": rest} if words and rest else words


def _code(name: str) -> Callable[[str], dict[str, Any] | None]:
    return lambda value: {name: value} if _CODE.fullmatch(value) else None


def _enum(name: str, known: type[Chosen]) -> Callable[[str], dict[str, Any] | None]:
    values = {each.value.lower(): each for each in known}

    def read(value: str) -> dict[str, Any] | None:
        found = values.get(value.lower())
        return None if found is None else {name: found}

    return read


def _table(name: str, known: Mapping[str, Any]) -> Callable[[str], dict[str, Any] | None]:
    return lambda value: {name: known[value]} if value in known else None


def _states(value: str) -> dict[str, Any] | None:
    found: set[State] = set()
    for part in value.split(","):
        if part in STATE_GROUPS:
            found.update(STATE_GROUPS[part])
        elif part in _STATE_VALUES:
            found.add(State(part))
        else:
            return None
    return {"states": tuple(sorted(found))}


def _age(value: str) -> dict[str, Any] | None:
    found = _AGE.fullmatch(value)
    return None if found is None else {"age": (bool(found[1]), int(found[2]) * _UNITS[found[3]])}


def _lateness(value: str) -> Mapping[str, bool] | None:
    return _LATE.get(value)


def _moved(value: str) -> dict[str, Any] | None:
    found = _AGE.fullmatch(value)
    return None if found is None or found[1] else {"span": int(found[2]) * _UNITS[found[3]]}


def _month(value: str) -> dict[str, Any] | None:
    found = _MONTH.fullmatch(value)
    return None if found is None else {"month": Month(int(found[1]), int(found[2]))}


def _text(value: str) -> dict[str, Any] | None:
    return {"text": value} if len(value) <= _MAX_TEXT and value.isprintable() else None


def _any_of(known: Iterable[str]) -> str:
    return " or ".join(", ".join(sorted(known)).rsplit(", ", 1))


@dataclass(frozen=True, slots=True)
class _Word:
    """How what stands for a word is read, None for nothing that it knows; and what may stand there."""

    read: Callable[[str], Mapping[str, Any] | None]
    meant: str


_STATE_VALUES = frozenset(state.value for state in State)
_OPTIONS = {"q": "text"}
_TABLE: Mapping[str, _Word] = MappingProxyType(
    {
        "to": _Word(_code("recipient"), "a body's code, as in minjust"),
        "from": _Word(_code("sender"), "a body's code, as in minjust"),
        "state": _Word(_states, f"{_any_of({*_STATE_VALUES, *STATE_GROUPS})}, several with commas between"),
        "reason": _Word(_code("reason"), "a reason's code, as in hand-over-failed"),
        "kind": _Word(_enum("kind", LetterKind), _any_of(LetterKind)),
        "urgency": _Word(_enum("urgency", Urgency), _any_of(Urgency)),
        "stage": _Word(_enum("stage", Stage), _any_of(Stage)),
        "next": _Word(_table("next", SLUGS), _any_of(SLUGS)),
        "late": _Word(_lateness, _any_of(_LATE)),
        "age": _Word(_age, "30m, 12h, 7d, or >7d for older"),
        "month": _Word(_month, "a month, as in 2026-11"),
        "moved": _Word(_moved, "30m, 12h or 7d"),
        "q": _Word(_text, f"up to {_MAX_TEXT} printable characters"),
        "order": _Word(_enum("order", Order), _any_of(Order)),
    }
)

WORDS = tuple(_TABLE)
"""What a list may be filtered by."""


def meant(word: str) -> str:
    """What may stand for one of `WORDS`."""
    return _TABLE[word].meant
