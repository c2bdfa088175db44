"""A journal that grows, in place of the tracker's tables; and reading what a stream says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from exchange.domain.delivery import Actor, State
from exchange.store.errors import StoreError
from exchange.store.lists import Vector
from exchange.store.overviews import Change
from tests.world import NOW


@dataclass
class GrowingJournal:
    """Changes by partition; may be away, or emptied and filled again."""

    partitions: dict[int, list[Change]] = field(default_factory=dict)
    is_away: bool = False
    filled: dict[int, int] = field(default_factory=dict)
    """How many of each partition the tables hold while they are filled again; all without it."""
    questions: int = 0

    def happen(self, partition: int, *recipients: str, **said: Any) -> None:
        """One record of the journal, about a delivery to each recipient."""
        told = self.partitions.setdefault(partition, [])
        offset = told[-1].offset + 2 if told else 0  # a transaction's marker takes an offset, too
        told.extend(change(partition, offset, recipient, **said) for recipient in recipients)

    def reached(self) -> Vector:
        """How far the tables are."""
        self._answer()
        held = {partition: self._held(partition) for partition in self.partitions}
        return Vector({partition: told[-1].offset for partition, told in held.items() if told})

    def changes(self, after: Vector, limit: int) -> tuple[list[Change], Vector]:
        """As `exchange.store.queries.changes`."""
        end = self.reached()
        found: list[Change] = []
        taken = {partition: after.offsets.get(partition, -1) for partition in end.offsets}
        for partition in end.offsets:
            for one in self._held(partition):
                if one.offset <= taken[partition] and (not found or found[-1].offset != one.offset):
                    continue
                if len(found) >= limit and found[-1].offset != one.offset:
                    break
                found.append(one)
                taken[partition] = one.offset
        return found, Vector({partition: offset for partition, offset in taken.items() if offset >= 0})

    def _held(self, partition: int) -> list[Change]:
        told = self.partitions[partition]
        return told[: self.filled.get(partition, len(told))]

    def _answer(self) -> None:
        self.questions += 1
        if self.is_away:
            message = "the tracker's database does not work: check that it runs"
            raise StoreError(message, retriable=True)


def change(partition: int, offset: int, recipient: str = "beta", **said: Any) -> Change:
    """A letter of alpha registered, unless `said` otherwise."""
    at = NOW + timedelta(seconds=offset)
    usual: dict[str, Any] = {
        "letter": offset.to_bytes(32),
        "sender": "alpha",
        "event": "registered",
        "journalled": at,
        "state": State.REGISTERED,
        "since": at,
        "next": Actor.RECIPIENT,
        "reason": "",
        "late": False,
        "overdue": False,
        "kind": "Letter",
        "urgency": "Normal",
        "began": NOW,
    }
    return Change(partition=partition, offset=offset, recipient=recipient, **(usual | said))


@dataclass
class Heard:
    """What a client that keeps to the standard makes of a stream."""

    last_id: str = ""
    events: list[str] = field(default_factory=list)
    positions: list[tuple[str, str]] = field(default_factory=list)
    """Of each change: its place in the journal, and the recipient."""
    _rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        """Take in some bytes; messages may be cut anywhere."""
        *whole, self._rest = (self._rest + chunk).split(b"\n\n")
        for message in whole:
            self._take(message.decode())

    def _take(self, message: str) -> None:
        fields = dict(line.split(": ", 1) for line in message.split("\n") if not line.startswith(":"))
        self.last_id = fields.get("id", self.last_id)
        if "event" not in fields:
            return
        self.events.append(fields["event"])
        data = msgspec.json.decode(fields["data"])
        self.positions += [(each["position"], each["recipient"]) for each in data.get("changes", ())]


def everything(journal: GrowingJournal) -> Iterator[tuple[str, str]]:
    """What one must have heard who has heard all."""
    for told in journal.partitions.values():
        yield from ((f"{one.partition}:{one.offset}", one.recipient) for one in told)


def clock() -> datetime:
    """Always the same time."""
    return NOW
