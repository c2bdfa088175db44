"""The filter of the audit page in its address: read, written again, and said as a path of the API.

    /audit?person=aida&action=export&from=2026-11-01&to=2026-11-23

Days are Bishkek's, the last one included. A word that is wrong leaves the list unfiltered by it and is told above it;
nothing from the address reaches a query but values of the right form.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from exchange.store.lists import ActFilter
from exchange.store.months import window_of_day

_ACTION = re.compile(r"[a-z](?:[a-z-]{0,38}[a-z])?")
_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_TEXT = 64


@dataclass(frozen=True, slots=True)
class ActList:
    """What the address of the audit page asks for.

    Attributes:
        words: what is asked for, by word; only words and values that are known.
        faults: words that are wrong, with what they said.
        wanted: what the database is asked.
    """

    words: Mapping[str, str]
    faults: tuple[tuple[str, str], ...] = ()
    wanted: ActFilter = field(default_factory=ActFilter, repr=False)

    @classmethod
    def of(cls, params: QueryParams) -> "ActList":
        """Read an address's query; empty values ask for nothing."""
        words: dict[str, str] = {}
        faults: list[tuple[str, str]] = []
        wanted: dict[str, Any] = {}
        for word, read in _READERS.items():
            value = params.get(word, "").strip()
            if not value:
                continue
            found = read(value)
            if found is None:
                faults.append((word, value[:_MAX_TEXT]))
            else:
                words[word] = value
                wanted |= found
        return cls(MappingProxyType(words), tuple(faults), ActFilter(**wanted))

    def __getitem__(self, word: str) -> str:
        """What is asked for by a word, empty for nothing."""
        return self.words.get(word, "")

    def query(self, **changes: str) -> str:
        """The address's query with some words changed; an empty value takes a word away."""
        words = {word: value for word, value in {**self.words, **changes}.items() if value}
        return f"?{urlencode(words)}" if words else ""

    def api(self) -> str:
        """The path of the same list in the API."""
        wanted = self.wanted
        words = {word: self[word] for word in ("person", "action", "task", "letter") if self[word]}
        if wanted.recipient:
            words["recipient"] = wanted.recipient
        times: Mapping[str, datetime | None] = {"since": wanted.since, "until": wanted.until}
        words |= {word: time.isoformat() for word, time in times.items() if time is not None}
        return f"/api/v1/acts?{urlencode(words)}" if words else "/api/v1/acts"


def _text(name: str) -> Callable[[str], dict[str, Any] | None]:
    return lambda value: {name: value} if len(value) <= _MAX_TEXT and value.isprintable() else None


def _form(name: str, form: re.Pattern[str]) -> Callable[[str], dict[str, Any] | None]:
    return lambda value: {name: value} if form.fullmatch(value) else None


def _letter(value: str) -> dict[str, Any] | None:
    return {"letter": bytes.fromhex(value)} if _DIGEST.fullmatch(value) else None


def _day(value: str) -> date | None:
    if not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _since(value: str) -> dict[str, Any] | None:
    day = _day(value)
    return None if day is None else {"since": window_of_day(day).since}


def _until(value: str) -> dict[str, Any] | None:
    day = _day(value)
    return None if day is None else {"until": window_of_day(day).until}


_READERS: Mapping[str, Callable[[str], dict[str, Any] | None]] = MappingProxyType(
    {
        "person": _text("person"),
        "action": _form("action", _ACTION),
        "letter": _letter,
        "body": _form("recipient", _CODE),
        "task": _text("task"),
        "from": _since,
        "to": _until,
    }
)
