"""Publishing: partial tiles and the signed checkpoint over them, so that the folder is a whole C2SP log at any time."""

from collections import deque
from itertools import chain

from exchange.archive.agreement import Logs, kept_checkpoint
from exchange.archive.durable import Files
from exchange.archive.errors import ArchiveError, disk_error
from exchange.archive.layout import CHECKPOINT_FILE, HEADS_LOG, log_name, tile_file
from exchange.security.files import write_atomically
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.tiles import WIDTH, Tile, tiles_of

SUPERSEDED = 8
"""So many checkpoints' partial tiles stay, for who is reading."""
_FOLDER = 1000
"""So many tiles stand in one folder."""


class Publisher:
    """What the newest checkpoint is over; for the archive's writer.

    Attributes:
        kept: size of the newest checkpoint; 0 before the first.
        laid_out: size up to which full tiles are in files, and partial ones were written.
    """

    def __init__(self, files: Files, logs: Logs) -> None:
        """Nothing is read yet."""
        self.kept = 0
        self.laid_out = 0
        self._files = files
        self._logs = logs
        self._partial: deque[set[str]] = deque(maxlen=SUPERSEDED)

    def open(self) -> None:
        """Look whether checkpoint, heads and logs agree, and write partial tiles again.

        Raises:
            ArchiveError: `archive-damaged`; `archive-full`, `archive-unusable`.
        """
        self.kept = self._logs.require_agreement(kept_checkpoint(self._files.folder))
        if self.kept:
            self.lay_out(self.kept)
        self._sweep(self._partial[-1] if self._partial else set())

    def require_next(self, checkpoint: Checkpoint) -> None:
        """Look whether a checkpoint may be the newest.

        Raises:
            ArchiveError: `archive-order`.
        """
        if not max(self.kept, 1) <= checkpoint.size <= self._logs.edges[HEADS_LOG].size:
            message = (
                f"a checkpoint over {checkpoint.size} heads does not follow that over {self.kept}: sign the newest"
            )
            raise ArchiveError(message, code="archive-order")
        if self._logs.root(HEADS_LOG, checkpoint.size) != checkpoint.root:
            message = (
                f"the checkpoint over {checkpoint.size} heads has another root than the log: sign what `head` says"
            )
            raise ArchiveError(message, code="archive-order")

    def publish(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Write the partial tiles of a checkpoint whose full ones are in files, then its note."""
        self.lay_out(checkpoint.size)
        path = self._files.folder / CHECKPOINT_FILE
        try:
            write_atomically(path, note)
        except OSError as error:
            raise disk_error(error, str(path)) from error
        self.kept = checkpoint.size

    def lay_out(self, size: int) -> None:
        """Write the partial tiles of all logs at so many heads; superseded ones go.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`.
        """
        wanted = partial_tiles(self._logs, size)
        there = self._partial[-1] if self._partial else set()
        new = {path: self._logs.tile(*wanted[path]) for path in wanted.keys() - there}
        self._files.write_derived(new)
        self.laid_out = max(self.laid_out, size)
        if there == wanted.keys():
            return
        oldest = self._partial[0] if len(self._partial) == SUPERSEDED else set()
        self._partial.append(set(wanted))
        self._files.remove(oldest - set(chain.from_iterable(self._partial)))

    def _sweep(self, wanted: set[str]) -> None:
        """Remove what earlier runs left of partial tiles: near the end of each level, where they were written."""
        for log, edge in self._logs.edges.items():
            for last in tiles_of(edge.size):
                for index in {last.index, max(0, last.index - _FOLDER)}:
                    folder = (self._files.folder / tile_file(log_name(log), Tile(last.level, index))).parent
                    found = (path.relative_to(self._files.folder).as_posix() for path in folder.glob("*.p/*"))
                    self._files.remove([path for path in found if path not in wanted])


def partial_tiles(logs: Logs, size: int) -> dict[str, tuple[int, Tile]]:
    """Files, with log and tile, that a checkpoint needs beside full tiles.

    Args:
        logs: all logs.
        size: of the checkpoint, in heads.
    """
    sizes = {HEADS_LOG: size} | {log: head.size for log, head in enumerate(logs.heads_before(size).logs)}
    return {
        tile_file(log_name(log), tile): (log, tile)
        for log, entries in sizes.items()
        for tile in tiles_of(entries)
        if tile.width < WIDTH
    }
