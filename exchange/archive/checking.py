"""The full check of an archive's folder: every byte of every log hashed again, and what is wrong named.

It only reads, and may run beside the writer: what is in full tiles never changes, and of the rest it looks at the
moment at which it began. Signatures and what the log says are `exchange audit verify`'s matter; this is about the disk.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from exchange.archive.agreement import Logs, kept_checkpoint
from exchange.archive.contents import Contents
from exchange.archive.database import open_for_reading, transaction, translated
from exchange.archive.edge import Edge, leaf_hashes
from exchange.archive.errors import ArchiveError
from exchange.archive.index import run_file
from exchange.archive.indexing import file_digest
from exchange.archive.layout import (
    CHECKPOINT_FILE,
    CONTENTS,
    DATABASE,
    HEADS_LOG,
    LOGS,
    are_sealed,
    contents_file,
    log_name,
    place_file,
    tile_file,
)
from exchange.archive.opening import load_edge
from exchange.archive.publishing import partial_tiles
from exchange.archive.reading import LogReader
from exchange.domain.errors import ExchangeError
from exchange.tlog.merkle import HASH_BYTES, fold
from exchange.tlog.policy import LogPolicy
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, entries_of


@dataclass(frozen=True, slots=True)
class Fault:
    """What is not as it was written.

    Attributes:
        file: path in the archive's folder.
        what: is wrong with it.
        entry: index in the log of the first entry concerned, None when it is about none.
    """

    file: str
    what: str
    entry: int | None = None


Progress = Callable[[str, int, int], None]
"""(log, entries checked, entries in all), after each bundle."""


def check(folder: Path, progress: Progress, policy: LogPolicy) -> Iterator[Fault]:
    """Everything that is wrong with an archive's folder.

    Args:
        folder: the archive's.
        progress: is told how far it is.
        policy: by which the checkpoint's signatures are looked at.

    Raises:
        ArchiveError: `archive-unusable`: there is no archive.
    """
    named: set[str] = set()
    general: list[Fault] = []
    for fault in _all(folder, progress, policy):
        if (folder / fault.file).is_dir():
            general.append(fault)
        elif (key := f"{fault.file} {fault.entry}") not in named:
            named.add(key)
            yield fault
    for fault in general:
        if not any(name.startswith(f"{fault.file}/") for name in named):
            yield fault


def _all(folder: Path, progress: Progress, policy: LogPolicy) -> Iterator[Fault]:
    """Everything, some of it twice: what is wrong with a file is wrong with its log, too."""
    path = folder / DATABASE
    with closing(open_for_reading(path)) as connection:
        yield from _database(folder, connection)
        note = kept_checkpoint(folder)  # before the rest, which is then not older
        with transaction(connection, path, is_writing=False) as cursor:
            (partitions,) = cursor.execute("SELECT partitions FROM about").fetchone()
            runs = cursor.execute("SELECT number, digest FROM runs").fetchall()
            edges: dict[int, Edge] = {}
            for log in range(HEADS_LOG, partitions):
                try:
                    edges[log] = load_edge(folder, connection, log)
                except ArchiveError as error:
                    fault = _fault(folder, error)
                    is_tile = fault.file.startswith(LOGS)  # the log's own check says which of two that differ is wrong
                    yield replace(fault, file=f"{LOGS}/{log_name(log)}") if is_tile else fault
            filed = dict(cursor.execute("SELECT log, filed FROM logs").fetchall())
    if len(edges) == partitions + 1:
        yield from _published(Logs(folder, edges), note, policy)
    yield from _runs(folder, runs)
    for log, count in sorted(filed.items()):
        yield from _Log(folder, log, count).faults(progress)
    yield from _contents(folder)


class _Log:
    """Full tiles of a log."""

    def __init__(self, folder: Path, log: int, filed: int) -> None:
        self._reader = LogReader(folder)
        self._folder = folder
        self._log = log
        self._name = log_name(log)
        self._filed = filed

    def faults(self, progress: Progress) -> Iterator[Fault]:
        """From the entries upward; what is found right below decides who is wrong above."""
        below: list[bytes] = []
        for index in range(self._filed // WIDTH):
            yield from self._bundle(index, below)
            if self._log != HEADS_LOG:
                yield from self._places(index)
            progress(self._name, (index + 1) * WIDTH, self._filed)
        level = 1
        while len(below) >= WIDTH:
            above: list[bytes] = []
            for index in range(len(below) // WIDTH):
                hashes = below[index * WIDTH : (index + 1) * WIDTH]
                above.append(fold(hashes))
                tile = Tile(level, index)
                if (differing := _differing(b"".join(hashes), self._read(tile))) is not None:
                    first = (index * WIDTH + differing) * WIDTH**level
                    yield Fault(tile_file(self._name, tile), f"hash {differing} is not that of the tile below", first)
            below, level = above, level + 1

    def _bundle(self, index: int, folded: list[bytes]) -> Iterator[Fault]:
        """A bundle and the tile above it; of two that differ the tile above these says which is right."""
        stored, packed = self._read(Tile(0, index)), self._read(Tile(ENTRIES, index))
        try:
            made = b"".join(leaf_hashes(entries_of(packed, WIDTH)))
        except ExchangeError:
            made = b""
        differing = _differing(made, stored)
        if differing is None:
            folded.append(_folded(stored))
            return
        first = index * WIDTH + differing
        is_bundle_right = len(made) == WIDTH * HASH_BYTES and _folded(made) == self._expected(index)
        right, tile = (made, Tile(0, index)) if is_bundle_right else (stored, Tile(ENTRIES, index))
        folded.append(_folded(right) if len(right) == WIDTH * HASH_BYTES else b"")
        yield Fault(tile_file(self._name, tile), f"entry {first} and its hash do not agree", first)

    def _expected(self, index: int) -> bytes | None:
        """What the tile above says of the index-th tile of leaves, if there is one."""
        at = index % WIDTH
        try:
            data = self._reader.tile(self._name, Tile(1, index // WIDTH, at + 1))
        except ExchangeError:
            return None
        return data[at * HASH_BYTES :]

    def _places(self, index: int) -> Iterator[Fault]:
        path = place_file(self._name, index)
        file = self._folder / path
        if not file.exists() or not are_sealed(file.read_bytes()):
            yield Fault(path, "it is not what was written", index * WIDTH)

    def _read(self, tile: Tile) -> bytes:
        """Empty if it is gone or torn."""
        try:
            return self._reader.tile(self._name, tile)
        except ExchangeError:
            return b""


def _differing(made: bytes, stored: bytes) -> int | None:
    """The first of 256 hashes that is not the same in both; None when all are."""
    if made == stored and len(made) == WIDTH * HASH_BYTES:
        return None
    for at in range(0, WIDTH * HASH_BYTES, HASH_BYTES):
        if made[at : at + HASH_BYTES] != stored[at : at + HASH_BYTES] or len(made) <= at:
            return at // HASH_BYTES
    return WIDTH - 1


def _folded(hashes: bytes) -> bytes:
    return fold([hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])


def _database(folder: Path, connection: sqlite3.Connection) -> Iterator[Fault]:
    with translated(folder / DATABASE):
        for (problem,) in connection.execute("PRAGMA integrity_check(10)"):
            if problem != "ok":
                yield Fault(DATABASE, problem)


def _published(logs: Logs, note: bytes | None, policy: LogPolicy) -> Iterator[Fault]:
    """The checkpoint, and the partial tiles that it needs."""
    try:
        size = logs.require_agreement(note)
        if note is not None:
            policy.open(note)
    except ExchangeError as error:
        yield _fault(logs.folder, error)
        return
    if size:
        for path, (log, tile) in partial_tiles(logs, size).items():
            file = logs.folder / path
            if not file.exists() or file.read_bytes() != logs.tile(log, tile):
                yield Fault(path, "it is not made of its log: start the archive again, which writes it anew")


def _runs(folder: Path, runs: Iterable[tuple[int, bytes]]) -> Iterator[Fault]:
    for number, stated in runs:
        path = run_file(folder, number)
        if not path.exists() or file_digest(path) != stated:
            yield Fault(path.relative_to(folder).as_posix(), "it is not what was written: rebuild the index")


def _contents(folder: Path) -> Iterator[Fault]:
    contents = Contents(folder)
    for month in contents.parts():
        path = contents_file(folder / CONTENTS, month).relative_to(folder).as_posix()
        try:
            for commitment in contents.check(month):
                yield Fault(path, f"the item under {commitment.hex()} is not what was committed to")
        except ArchiveError as error:
            yield _fault(folder, error)


def _fault(folder: Path, error: ExchangeError) -> Fault:
    """What was raised, as a fault of the file that it names."""
    file = error.file if isinstance(error, ArchiveError) else CHECKPOINT_FILE
    entry = error.entry if isinstance(error, ArchiveError) else None
    return Fault(file.removeprefix(f"{folder}/"), str(error), entry)
