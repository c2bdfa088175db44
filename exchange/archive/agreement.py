"""Whether the parts of an archive agree: logs with the newest heads, heads with the signed checkpoint."""

from collections.abc import Mapping
from pathlib import Path

from exchange.archive.edge import Edge
from exchange.archive.errors import damaged
from exchange.archive.layout import CHECKPOINT_FILE, HEADS, HEADS_LOG, LOGS, log_name
from exchange.archive.reading import LogReader, beginning
from exchange.tlog.checkpoint import unproven
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import root
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, TiledTree, entries_of, width_at


class Logs:
    """All logs, each from full tiles in files and from its right edge."""

    def __init__(self, folder: Path, edges: Mapping[int, Edge]) -> None:
        """Nothing is read yet.

        Args:
            folder: the archive's.
            edges: by number of the log.
        """
        self.folder = folder
        self.edges = edges
        self._reader = LogReader(folder)

    def tile(self, log: int, tile: Tile) -> bytes:
        """A tile, whole or partial, never out of a partial file: these are made of it.

        Raises:
            ArchiveError: `entry-missing`, `archive-damaged`.
        """
        found = self.edges[log].tile(tile)
        if found:
            return found
        full = Tile(tile.level, tile.index)
        return beginning(str(self.folder), self._reader.tile(log_name(log), full), tile, full.width)

    def root(self, log: int, size: int) -> bytes:
        """Root of a log at a size that it had."""
        return root(size, TiledTree(size, lambda tile: self.tile(log, tile)).hashes)

    def newest_heads(self) -> Heads | None:
        """The last leaf of the log of heads."""
        size = self.edges[HEADS_LOG].size
        return None if size == 0 else self.heads_before(size)

    def heads_before(self, size: int) -> Heads:
        """The last leaf of the log of heads at a size."""
        index = (size - 1) // WIDTH
        width = width_at(size, ENTRIES, index)
        try:
            return Heads.parse(entries_of(self.tile(HEADS_LOG, Tile(ENTRIES, index, width)), width)[-1])
        except LogRefused as error:
            raise damaged(str(self.folder / LOGS / HEADS), str(error), size - 1) from error

    def require_agreement(self, note: bytes | None) -> int:
        """Look at the newest heads and the newest checkpoint.

        Args:
            note: the checkpoint; None if there is none.

        Returns:
            The checkpoint's size, 0 if there is none.

        Raises:
            ArchiveError: `archive-damaged`.
        """
        newest = self.newest_heads()
        if newest is not None:
            self._require_heads(newest)
        if note is None:
            return 0
        path = self.folder / CHECKPOINT_FILE
        try:
            checkpoint = unproven(note)
        except LogRefused as error:
            raise damaged(str(path), str(error)) from error
        size = self.edges[HEADS_LOG].size
        if not 0 < checkpoint.size <= size:
            raise damaged(str(path), f"it is over {checkpoint.size} heads, of which the archive has {size}")
        if self.root(HEADS_LOG, checkpoint.size) != checkpoint.root:
            raise damaged(str(path), f"its root is not that of the first {checkpoint.size} heads")
        return checkpoint.size

    def _require_heads(self, heads: Heads) -> None:
        """Each log had the root that they say, at the size that they say."""
        for log, head in enumerate(heads.logs):
            place = str(self.folder / LOGS / log_name(log))
            if head.size > (size := self.edges[log].size):
                raise damaged(place, f"it has {size} entries, of which the newest heads name {head.size}")
            if self.root(log, head.size) != head.root:
                what = f"its first {head.size} entries have another root than the newest heads say"
                raise damaged(place, f"{what} (`exchange archive check` finds the file)")


def kept_checkpoint(folder: Path) -> bytes | None:
    """The newest signed checkpoint; None before the first."""
    return LogReader(folder).checkpoint() if (folder / CHECKPOINT_FILE).exists() else None
