"""Old letters put away: from the tables into archive files, and back when something is said about one (ADR 0017).

A letter goes with all its deliveries, facts and flags, and only when each of its deliveries is finished: nothing more
is awaited, and its state is as old as the policy says. What is not finished stays, however old. Letters go a block at a
time, each in a transaction of its own, in which its partitions' writers wait:

1. Rows are read that nobody can change meanwhile.
2. They are written behind the month's file and synced: `Archive.append`.
3. In the database they are deleted; what they add to the tallies, the names that they are found by and the file's new
   size are noted; all of it is committed at once.

Whoever is killed before 3 leaves a file that is longer than noted. The next run **takes over** such blocks before it
writes anything: rows that are in the tables word for word as in the block are deleted as in 3; others stay and are
put away anew. That is also what happens when the tables were dropped and filled again from the journal.

A fact about a letter that was put away fetches it back (`fetch_back`), in the transaction that takes the fact: so the
state is the fold of the journal at any time, and the letter is put away once more when it is old again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from exchange.store import bulk, tallies
from exchange.store.archive import Archive, Block, Line, file_of
from exchange.store.errors import ArchiveError
from exchange.store.months import month_of
from exchange.store.overviews import Month
from exchange.store.rows import FactRow, LetterRow, micros, moment, position_at
from exchange.store.schema import (
    AWAITED,
    archive_files,
    archived,
    archived_names,
    deliveries,
    facts,
    flags,
    letters,
    positions,
    tallied,
)
from exchange.store.shards import be_the_writer

LETTERS_AT_ONCE = 200

DELIVERIES_AT_ONCE = 2_000
"""But one letter at least, however many bodies it went to."""

_PUTS_AWAY = 0x65786605
_AWAY = "SELECT archived.* FROM {pairs} JOIN archived ON archived.digest = pairs.column1"
_TABLES: dict[str, sa.Table] = {table.name: table for table in (letters, deliveries, facts, flags)}
_BELONGING: dict[sa.Table, sa.Column[Any]] = {
    deliveries: deliveries.c.letter,
    facts: facts.c.letter,
    flags: flags.c.about,
}
"""What goes with a letter, and its key there: the letter's place, or its digest."""
_DIGESTS = {(letters.name, 2), (letters.name, 10), (flags.name, 4)}
"""Which values of a line are bytes: the table and the place in the line."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a transaction came to.

    Attributes:
        letters: how many were put away.
        after: age and place of the last letter that was looked at; None: from the beginning.
    """

    letters: int
    after: tuple[int, int] | None


def put_away(
    connection: sa.Connection, archive: Archive, before: datetime, now: datetime, after: tuple[int, int] | None
) -> Step | None:
    """Put some letters away; in the caller's transaction.

    Args:
        connection: a writer's.
        archive: where to.
        before: deliveries that came into their state before this are old.
        now: is noted.
        after: where the last step ended.

    Returns:
        None when nothing is left, or another process does it.

    Raises:
        ArchiveError: the file cannot be written or is damaged; nothing was deleted.
    """
    if not _may(connection):
        return None
    sizes = {row.name: row.size for row in connection.execute(sa.select(archive_files))}
    for name in archive.files():
        if (found := archive.block(name, sizes.get(name, 0))) is not None:
            return _take_over(connection, found, now, after)
    chosen = _chosen(connection, before, after)
    if not chosen:
        return None
    month = month_of(moment(chosen[0].journalled))
    be_the_writer(connection, {position_at(row.place).partition for row in chosen})
    told = _rows(connection, [row.place for row in chosen], _finished(before))
    known = {row.partition: row.position for row in connection.execute(sa.select(tallied))}
    told = {place: lines for place, lines in told.items() if _within(lines, known)}
    if told:
        name = file_of(month)
        block = archive.append(name, sizes.get(name, 0), [line for lines in told.values() for line in lines])
        _delete(connection, told, block, now)
    return Step(len(told), (chosen[-1].journalled, chosen[-1].place))


def fetch_back(connection: sa.Connection, archive: Archive | None, digests: Collection[bytes]) -> None:
    """Put those of some letters that were put away into the tables again; in the caller's transaction.

    Args:
        connection: a writer's, that writes to their partitions.
        archive: where they are; None where nobody knows.
        digests: of letters, known or not.

    Raises:
        ArchiveError: `archive-unavailable`, retriable; `old-letters-damaged`; `archive-unknown`.
    """
    if connection.execute(sa.select(archived.c.place).limit(1)).first() is None:
        return
    for row in list(bulk.select_by_pairs(connection, _AWAY, {(digest, ""): None for digest in digests})):
        if archive is None:
            message = "something is said about a letter that was put away: give every tracker the table [archive]"
            raise ArchiveError(message, code="archive-unknown")
        block = archive.block(row.file, row.at)
        lines = {} if block is None else _by_letter(block.lines)
        if row.place not in lines:
            message = f"{row.file} ends before letter {bytes(row.digest).hex()} at {row.at}: put it back from a copy"
            raise ArchiveError(message, code="old-letters-damaged")
        for name, table in _TABLES.items():
            bulk.insert(connection, table, [_values(line) for line in lines[row.place] if line[0] == name])
        tallies.move(connection, month_of(moment(row.journalled)), [row.place], -1)
        for table in (archived, archived_names):
            connection.execute(sa.delete(table).where(table.c.place == row.place))


def _may(connection: sa.Connection) -> bool:
    """Whether no other process puts away; to the transaction's end this one then does."""
    if not bulk.is_postgresql(connection):
        return True
    return bool(connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s, 0)", (_PUTS_AWAY,)).scalar_one())


def _take_over(connection: sa.Connection, block: Block, now: datetime, after: tuple[int, int] | None) -> Step | None:
    """Delete what a block holds that nobody noted; None while the journal was not read so far."""
    held = _by_letter(block.lines)
    known = {row.partition: row.position for row in connection.execute(sa.select(positions))}
    if not all(_within(lines, known) for lines in held.values()):
        return None
    be_the_writer(connection, {position_at(place).partition for place in held})
    there = _rows(connection, list(held))
    same = {place: lines for place, lines in held.items() if there.get(place) == lines}
    _delete(connection, same, block, now)
    return Step(len(same), after)


def _finished(before: datetime) -> sa.ColumnElement[bool]:
    """No delivery of the letter awaits anything, or came into its state lately."""
    going_on = sa.or_(AWAITED, deliveries.c.since >= micros(before))
    return ~sa.exists().where(deliveries.c.letter == letters.c.place, going_on)


def _chosen(connection: sa.Connection, before: datetime, after: tuple[int, int] | None) -> list[Any]:
    """The oldest letters behind `after` that are finished: some of one month."""
    number = sa.select(sa.func.count()).where(deliveries.c.letter == letters.c.place).scalar_subquery()
    query = sa.select(letters.c.place, letters.c.journalled, number.label("number"))
    query = query.where(letters.c.journalled < micros(before), _finished(before))
    if after is not None:
        query = query.where(sa.tuple_(letters.c.journalled, letters.c.place) > sa.tuple_(*map(sa.literal, after)))
    rows = connection.execute(query.order_by(letters.c.journalled, letters.c.place).limit(LETTERS_AT_ONCE)).all()
    chosen = list[Any]()
    for row in rows:
        is_other = month_of(moment(row.journalled)) != month_of(moment(rows[0].journalled))
        if chosen and (is_other or sum(one.number for one in (*chosen, row)) > DELIVERIES_AT_ONCE):
            break
        chosen.append(row)
    return chosen


def _rows(
    connection: sa.Connection, places: Collection[int], *conditions: sa.ColumnElement[bool]
) -> dict[int, list[Line]]:
    """All rows of letters, by their places, as the lines of a block."""
    found: defaultdict[int, list[Line]] = defaultdict(list)
    query = sa.select(letters).where(letters.c.place.in_(places), *conditions)
    place_of: dict[bytes | int, int] = {}
    for row in connection.execute(query.order_by(letters.c.place)):
        found[row.place].append(_line(letters, row))
        place_of |= {bytes(row.digest): row.place, row.place: row.place}
    for table, own in _BELONGING.items():
        wanted = [key for key in place_of if isinstance(key, own.type.python_type)]
        for row in connection.execute(sa.select(table).where(own.in_(wanted)).order_by(*table.primary_key)):
            found[place_of[getattr(row, own.name)]].append(_line(table, row))
    return dict(found)


def _delete(connection: sa.Connection, told: dict[int, list[Line]], block: Block, now: datetime) -> None:
    """Delete letters, and note where they are."""
    by_month: defaultdict[Month, list[int]] = defaultdict(list)
    rows, names = [], []
    for place, lines in told.items():
        letter = LetterRow(*_values(lines[0]))
        by_month[month_of(moment(letter.journalled))].append(place)
        bodies = {line[2] for line in lines if line[0] == deliveries.name}
        rows.append((place, letter.digest, ",".join([letter.sender, *sorted(bodies)]), letter.journalled))
        names += [(name, place) for name in sorted(_names(letter, lines))]
    for month, places in by_month.items():
        tallies.move(connection, month, places, 1)
    for table, own in _BELONGING.items():
        keys = [digest for _, digest, *_ in rows] if table is flags else list(told)
        connection.execute(sa.delete(table).where(own.in_(keys)))
    connection.execute(sa.delete(letters).where(letters.c.place.in_(list(told))))
    bulk.insert(connection, archived, [(*row, block.file, block.at, micros(now)) for row in rows])
    bulk.insert(connection, archived_names, names)
    connection.execute(sa.delete(archive_files).where(archive_files.c.name == block.file))
    bulk.insert(connection, archive_files, [(block.file, block.end)])


def _names(letter: LetterRow, lines: Iterable[Line]) -> set[str]:
    """What the letter is found by, but its digest."""
    numbers = {FactRow(*line[1:]).reg_number for line in lines if line[0] == facts.name}
    return {letter.message_id, letter.document_id, letter.reg_number, *numbers} - {""}


def _within(lines: Iterable[Line], reached: dict[int, int]) -> bool:
    """Whether everything that lines say stands before the positions that were reached."""
    said = [position_at(line[1]) for line in lines if line[0] != deliveries.name]
    return all(place.offset <= reached.get(place.partition, -1) for place in said)


def _by_letter(lines: Iterable[Line]) -> dict[int, list[Line]]:
    """Lines of a block by their letter, which stands first."""
    found: dict[int, list[Line]] = {}
    place = 0
    for line in lines:
        if line[0] == letters.name:
            place = line[1]
            found[place] = []
        found[place].append(line)
    return found


def _line(table: sa.Table, row: Sequence[Any]) -> Line:
    return [table.name, *(bytes(value).hex() if isinstance(value, bytes | memoryview) else value for value in row)]


def _values(line: Line) -> tuple[Any, ...]:
    """A row again, of what `_line` made of it."""
    table = line[0]
    return tuple(
        bytes.fromhex(value) if (table, index) in _DIGESTS and value is not None else value
        for index, value in enumerate(line)
    )[1:]
