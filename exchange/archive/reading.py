"""Reading an archive's logs: from its folder, or from where its folder is served.

What is read is not believed: who needs certainty verifies a proof, or the tree that is built of what was read, against
a checkpoint of its own policy.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from exchange.archive.errors import ArchiveError, damaged, disk_error
from exchange.archive.layout import CHECKPOINT_FILE, HEADS, LOGS, tile_file
from exchange.tlog.checkpoint import Checkpoint, unproven
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import HASH_BYTES, inclusion_proof, leaf_hash, root_by_inclusion
from exchange.tlog.note import NOTE_BYTES
from exchange.tlog.policy import LogPolicy
from exchange.tlog.proof import Path as Way
from exchange.tlog.proof import Proof
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, TiledTree, entries_of, width_at

BUNDLE_BYTES = WIDTH * (2 + 65_535)
"""No bundle is longer."""
_LOG = re.compile(r"heads|journal/(0|[1-9]\d{0,5})")


class TileReader(ABC):
    """Logs, read from files by their paths under the archive's folder. Not for several threads at once."""

    @abstractmethod
    def _fetch(self, path: str, most: int) -> bytes | None:
        """A file of at most so many bytes; None: there is none."""

    def _wider(self, _log: str, _tile: Tile) -> Iterable[int]:
        """Widths that a partial tile, which may have been superseded, is there with, besides its own and the full."""
        return ()

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint of the log of heads; its signatures are for the caller to look at.

        Raises:
            ArchiveError: `entry-missing`: none was signed yet; `archive-unusable`; so may all others.
        """
        note = self._fetch(CHECKPOINT_FILE, NOTE_BYTES)
        if note is None:
            message = f"{self} has no checkpoint: nothing was signed yet, or this is no archive"
            raise ArchiveError(message, code="entry-missing")
        return note

    def tree(self, log: str, size: int) -> TiledTree:
        """A log's tree at a size.

        Args:
            log: `heads` or `journal/<partition>`.
            size: entries, not more than the newest checkpoint is over.
        """
        _require_log(log)
        return TiledTree(size, lambda tile: self.tile(log, tile))

    def tile(self, log: str, tile: Tile) -> bytes:
        """A tile or bundle; of a partial one that is superseded, the beginning of the full one.

        Raises:
            ArchiveError: `entry-missing`; `archive-damaged`: it is torn.
        """
        _require_log(log)
        for width in chain((tile.width,), self._wider(log, tile), (WIDTH,)):
            path = tile_file(log, Tile(tile.level, tile.index, width))
            data = self._fetch(path, BUNDLE_BYTES if tile.level == ENTRIES else WIDTH * HASH_BYTES)
            if data is not None:
                return beginning(f"{self}/{path}", data, tile, width)
        message = f"{self} has no {tile_file(log, tile)}: ask for what its newest checkpoint is over"
        raise ArchiveError(message, code="entry-missing")

    def bundle(self, log: str, index: int, size: int) -> list[bytes]:
        """Entries of a bundle in a log of a size."""
        width = width_at(size, ENTRIES, index)
        if not width:
            message = f"{log} has no bundle {index}: it has {size} entries"
            raise ArchiveError(message, code="entry-missing")
        return entries_of(self.tile(log, Tile(ENTRIES, index, width)), width)

    def entry(self, log: str, index: int) -> bytes:
        """An entry's bytes.

        Raises:
            ArchiveError: `entry-missing`: the newest checkpoint is not over it yet.
        """
        return next(self.entries(log, index, index + 1))

    def entries(self, log: str, first: int, last: int) -> Iterator[bytes]:
        """Entries from `first` to before `last`, in order.

        Raises:
            ArchiveError: `entry-missing`.
        """
        size = self.size(log)
        if not 0 <= first <= last <= size:
            message = f"{log} has {size} entries under the newest checkpoint: {first} to {last} are not all there"
            raise ArchiveError(message, code="entry-missing")
        for index in range(first // WIDTH, -(-last // WIDTH)):
            begin = index * WIDTH
            yield from self.bundle(log, index, size)[max(0, first - begin) : last - begin]

    def size(self, log: str) -> int:
        """Entries of a log under the newest checkpoint."""
        _require_log(log)
        checkpoint = self._newest()
        if log == HEADS:
            return checkpoint.size
        partition = int(log.removeprefix("journal/"))
        logs = self.heads(checkpoint).logs
        if partition >= len(logs):
            message = f"the journal has {len(logs)} partitions, from 0: there is no {log}"
            raise ArchiveError(message, code="entry-missing")
        return logs[partition].size

    def heads(self, checkpoint: Checkpoint) -> Heads:
        """The last heads under a checkpoint, proven to be so.

        Raises:
            ArchiveError: `entry-missing`: it is of no heads; `archive-damaged`: they are not what the checkpoint fixes.
            LogRefused: `heads-invalid`, `tile-invalid`.
        """
        entry, _ = self._last_heads(checkpoint)
        return Heads.parse(entry)

    def proof(self, partition: int, index: int, policy: LogPolicy | None = None) -> Proof:
        """An entry's proof under the newest checkpoint.

        Args:
            partition: of the journal.
            index: of the entry in its log.
            policy: by which the checkpoint and the proof are verified; without one they are as they were read.

        Raises:
            ArchiveError: `entry-missing`: the checkpoint is not over it yet.
            LogRefused: what `Proof.verify` raises.
        """
        note = self.checkpoint()
        checkpoint = unproven(note)
        entry, up = self._last_heads(checkpoint)
        heads = Heads.parse(entry)
        log = f"journal/{partition}"
        size = heads.logs[partition].size if 0 <= partition < len(heads.logs) else 0
        if not 0 <= index < size:
            message = (
                f"entry {index} of {log} is not under the newest checkpoint, which is over {size}: wait for the next"
            )
            raise ArchiveError(message, code="entry-missing")
        way = tuple(inclusion_proof(index, size, self.tree(log, size).hashes))
        proof = Proof(partition, Way(index, way), heads, Way(checkpoint.size - 1, up), note)
        if policy is not None:
            proof.verify(self.bundle(log, index // WIDTH, size)[index % WIDTH], policy)
        return proof

    def _last_heads(self, checkpoint: Checkpoint) -> tuple[bytes, tuple[bytes, ...]]:
        """The last entry of the log of heads, and its way up."""
        last = checkpoint.size - 1
        if last < 0:
            message = "the checkpoint is over nothing: wait for the next"
            raise ArchiveError(message, code="entry-missing")
        entry = self.bundle(HEADS, last // WIDTH, checkpoint.size)[-1]
        way = tuple(inclusion_proof(last, checkpoint.size, self.tree(HEADS, checkpoint.size).hashes))
        if root_by_inclusion(leaf_hash(entry), last, checkpoint.size, way) != checkpoint.root:
            raise damaged(f"{self}/{LOGS}/{HEADS}", "it does not lead to the checkpoint's root", last)
        return entry, way

    def _newest(self) -> Checkpoint:
        return unproven(self.checkpoint())


class LogReader(TileReader):
    """Logs of an archive's folder."""

    def __init__(self, root: Path) -> None:
        """Nothing is read yet.

        Args:
            root: the archive's folder.
        """
        self._root = root

    def __str__(self) -> str:
        """The folder."""
        return str(self._root)

    def _wider(self, log: str, tile: Tile) -> Iterable[int]:
        if tile.width == WIDTH or (file := self._root / tile_file(log, tile)).exists():
            return ()
        return sorted(int(other.name) for other in file.parent.glob("*") if int(other.name) > tile.width)

    def _fetch(self, path: str, most: int) -> bytes | None:
        file = self._root / path
        try:
            with file.open("rb") as opened:
                data = opened.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise disk_error(error, str(file)) from error
        if len(data) > most:
            raise damaged(str(file), f"it has more than {most} bytes")
        return data


def beginning(place: str, data: bytes, tile: Tile, width: int) -> bytes:
    """As much of a tile or bundle as is asked for.

    Args:
        place: of which `data` was read.
        data: of a tile as wide or wider.
        tile: what is asked for.
        width: of `data`.

    Raises:
        ArchiveError: `archive-damaged`: it is torn.
        LogRefused: `tile-invalid`: the bundle is torn.
    """
    if tile.level == ENTRIES:
        if tile.width == width:
            return data
        end = 0
        for entry in entries_of(data, width)[: tile.width]:
            end += 2 + len(entry)
        return data[:end]
    if len(data) != width * HASH_BYTES:
        raise damaged(place, f"it has {len(data)} bytes, not {width * HASH_BYTES}")
    return data[: tile.width * HASH_BYTES]


def _require_log(log: str) -> None:
    if not _LOG.fullmatch(log):
        message = f"'{log[:40]}' names no log: there are heads and journal/<partition>"
        raise ArchiveError(message, code="entry-missing")
