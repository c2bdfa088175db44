"""Whether a lane that has no state is new, or has lost it."""

from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL, SEQUENCES
from exchange.domain.decision import Basis, Decided, Journalled, Tick
from exchange.domain.errors import BusError, WireError
from exchange.wire.records import decode, kind_of


async def require_new(settings: KafkaSettings, lane: int, journal_partitions: int) -> None:
    """Make sure that nothing in the journal was decided by `lane`, which has no state.

    Its entries and its state are written together, so an entry without a state means that
    `exchange.sequences` is not the topic that it was. Beginning at number 1 again would decide every
    submission that is still there a second time. A lane's first entry is its `Basis`, written when it is
    armed for the first time; so of a state that was lost this is found out soon, and a new exchange has
    next to nothing to read.

    Raises:
        BusError: `lane-state-lost`; or the journal could not be read.
    """
    positions = {(JOURNAL, partition): None for partition in range(journal_partitions)}
    async with PositionedReader(settings, positions) as reader:
        ends = await reader.end_offsets()
        while not reader.reached(ends):
            for record in await reader.read(1.0):
                if isinstance(record, Record) and _lane_of_entry(record.value or b"") == lane:
                    message = (
                        f"lane {lane} has no state in {SEQUENCES}, but {JOURNAL}/{record.partition} has an entry of it "
                        f"at {record.offset}: the topic was made anew or emptied; restore it, never go on"
                    )
                    raise BusError(message, code="lane-state-lost", retriable=False)


def _lane_of_entry(value: bytes) -> int | None:
    """The lane that wrote a journal record; None when it is none of the router's."""
    try:
        entry = decode(Journalled, value).entry
        kind = kind_of(entry)
        if kind is Decided:
            return decode(Decided, entry).decision.place.lane
        if kind is Tick:
            return decode(Tick, entry).place.lane
        return decode(Basis, entry).place.lane if kind is Basis else None
    except WireError:
        return None
