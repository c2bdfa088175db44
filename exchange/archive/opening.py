"""Looking at a start whether a log's right edge is what was written: a disk may have lied, or been filled or torn."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from exchange.archive.database import translated
from exchange.archive.edge import Edge, leaf_hashes
from exchange.archive.errors import damaged
from exchange.archive.layout import DATABASE, HEADS_LOG, PLACE, are_sealed, log_name, place_file, tile_file
from exchange.archive.reading import LogReader
from exchange.domain.errors import ExchangeError
from exchange.domain.ids import digest
from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import HASH_BYTES, fold
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, entries_of

_PENDING = "SELECT first, count, entries, hashes, places, seal FROM pending WHERE log = ? ORDER BY first"


def load_edge(folder: Path, connection: sqlite3.Connection, log: int) -> Edge:
    """A log's right edge, from the database and the tiles before it.

    Every entry in the database is hashed again, the last full bundle too, and the hashes of upper tiles are made again
    from the tiles below.

    Raises:
        ArchiveError: `archive-damaged`, naming file and entry.
    """
    name, path = log_name(log), folder / DATABASE
    with translated(path):
        row = connection.execute("SELECT size, filed FROM logs WHERE log = ?", [log]).fetchone()
        pending = connection.execute(_PENDING, [log]).fetchall()
    size, filed = row or (0, 0)
    edge = Edge(filed, _tiers(folder, name, filed))
    for first, count, packed, hashes, places, seal in pending:
        if first != edge.size:
            raise damaged(str(path), f"it does not follow entry {edge.size - 1} of {name}", first)
        try:
            entries = entries_of(packed, count)
        except LogRefused as error:
            raise damaged(str(path), f"of {name}: {error}", first) from error
        made = leaf_hashes(entries)
        _require_hashes(str(path), first, made, hashes)
        if len(places) != (0 if log == HEADS_LOG else count * PLACE.size) or digest(places) != seal:
            raise damaged(str(path), f"its place in {name}, or one behind it, is not what was written", first)
        edge.append(entries, made, places)
    if edge.size != size:
        raise damaged(str(path), f"{name} has {edge.size} entries, not the {size} that were taken")
    return edge


def _tiers(folder: Path, log: str, filed: int) -> list[bytes]:
    """Of each tier above the leaves', the hashes of its partial tile, made from the full tiles below."""
    reader = LogReader(folder)
    tiers = []
    level = 1
    while count := filed >> 8 * level:
        begin = count // WIDTH * WIDTH
        tiers.append(b"".join(_folded(reader, log, Tile(level - 1, index)) for index in range(begin, count)))
        level += 1
    if filed:
        _check_last(folder, reader, log, filed // WIDTH - 1)
    return tiers


def _folded(reader: LogReader, log: str, tile: Tile) -> bytes:
    data = _read(reader, log, tile)
    return fold([data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])


def _read(reader: LogReader, log: str, tile: Tile) -> bytes:
    try:
        return reader.tile(log, tile)
    except ExchangeError as error:
        what = f"the disk lost what it had synced ({error})"
        first = tile.index * WIDTH ** (max(0, tile.level) + 1)
        raise damaged(f"{reader}/{tile_file(log, tile)}", what, first) from error


def _check_last(folder: Path, reader: LogReader, log: str, index: int) -> None:
    """The last full bundle is that of its tile, and has its places."""
    tile = Tile(ENTRIES, index)
    file = str(folder / tile_file(log, tile))
    try:
        entries = entries_of(_read(reader, log, tile), WIDTH)
    except LogRefused as error:
        raise damaged(file, str(error), index * WIDTH) from error
    _require_hashes(file, index * WIDTH, leaf_hashes(entries), _read(reader, log, Tile(0, index)))
    if log != log_name(HEADS_LOG):
        places = folder / place_file(log, index)
        if not places.exists() or not are_sealed(places.read_bytes()):
            raise damaged(str(places), "it is not what was written", index * WIDTH)


def _require_hashes(file: str, first: int, made: Sequence[bytes], stored: bytes) -> None:
    """Look whether entries, from the `first` of their log on, have the hashes that were stored with them."""
    if b"".join(made) == stored:
        return
    for at, each in enumerate(made):
        if each != stored[at * HASH_BYTES : (at + 1) * HASH_BYTES]:
            raise damaged(file, "it has not the hash that it came with", first + at)
    raise damaged(file, f"{len(stored)} bytes of hashes stand beside {len(made)} entries", first)
