"""Lawful deletion of contents, on the word of the journal alone (rule 5.1).

Nothing is deleted that no entry of the log orders: an accepted `delete-contents` of the letter, or of a month. So who,
when and why stand under the checkpoint before anything goes, and the item's place says which entry it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.archive.contents import Authority, Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index
from exchange.archive.layout import log_name
from exchange.archive.reading import LogReader
from exchange.domain.decision import Decided
from exchange.domain.statement import Command, Form, Letter
from exchange.journal.commands import deletion_order
from exchange.wire.records import decode

Keep = Callable[[Command, Authority], None]
"""Keeps that somebody is about to delete by an order; raises when it cannot be kept."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went, and by which order.

    Attributes:
        items: how many items of contents.
        partition: where the order is.
        index: of it in that partition's log.
        person: who ordered it.
        reason: why.
    """

    items: int
    partition: int
    index: int
    person: str
    reason: str


def delete_letter(folder: Path, letter: bytes, keep: Keep) -> Deleted:
    """Delete what was written in a letter, if the log orders it; once more does no harm.

    Args:
        folder: the archive's.
        letter: its digest.
        keep: told by which order, before anything goes.

    Raises:
        ArchiveError: `deletion-not-ordered`; `entry-missing`: the newest checkpoint is not over letter and order.
    """
    log, contents = LogReader(folder), Contents(folder)
    with Index(folder) as index:
        own = index.place_of(letter)
        orders = [(place.partition, place.index) for place in index.places(letter)]
    found = (_order(log, *place) for place in orders if place != (own.partition, own.index))
    for command, authority in (each for each in found if each is not None):
        if command.letter == letter:
            keep(command, authority)
            gone = _commitments(log, own.partition, own.index)
            for commitment in gone:
                contents.delete(commitment, authority)
            return _deleted(len(gone), command, authority)
    message = f"no entry of the log orders that contents of letter {letter.hex()} are deleted"
    raise _not_ordered(message)


def delete_month(folder: Path, month: str, order: Authority, keep: Keep) -> Deleted:
    """Delete all contents of a month, if an entry of the log orders it.

    Args:
        folder: the archive's.
        month: as `2021-11`; the order's detail.
        order: where it is.
        keep: told by which order, before anything goes.

    Raises:
        ArchiveError: `deletion-not-ordered`; `content-missing`: there is no such month.
    """
    found = _order(LogReader(folder), order.partition, order.index)
    if found is None or found[0].letter is not None or found[0].detail != month:
        message = f"entry {order.index} of {log_name(order.partition)} does not order that {month} is deleted"
        raise _not_ordered(message)
    command, authority = found
    keep(command, authority)
    return _deleted(Contents(folder).forget(month, authority), command, authority)


def _order(log: LogReader, partition: int, index: int) -> tuple[Command, Authority] | None:
    """An entry, if it is an accepted order to delete."""
    command = deletion_order(log.entry(log_name(partition), index))
    return None if command is None else (command, Authority(partition, index))


def _commitments(log: LogReader, partition: int, index: int) -> Sequence[bytes]:
    """Of what a letter's entry names, what the content store keeps: what is by reference lies elsewhere."""
    letter = decode(Letter, decode(Decided, log.entry(log_name(partition), index)).statement)
    return [commitment.digest for commitment in letter.contents if commitment.form is not Form.REFERENCE]


def _deleted(items: int, command: Command, authority: Authority) -> Deleted:
    return Deleted(items, authority.partition, authority.index, command.person, command.reason)


def _not_ordered(what: str) -> ArchiveError:
    message = f"{what}: order it with `exchange archive order-deletion`, and wait for the next checkpoint"
    return ArchiveError(message, code="deletion-not-ordered")
