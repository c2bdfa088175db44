"""An archive's folder as evidence is taken out of it."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from exchange.archive.contents import Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index
from exchange.archive.layout import HEADS, log_name
from exchange.archive.reading import LogReader
from exchange.archive.tokens import Tokens
from exchange.domain.statement import Content
from exchange.services.evidence.gathering import Place, TimeStamp
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import inclusion_proof
from exchange.tlog.note import Note
from exchange.tlog.proof import Path as Way
from exchange.tlog.proof import Proof

_LOST = frozenset({"content-missing", "content-deleted"})


class ArchiveFolder:
    """Reads beside whoever writes, as of the newest checkpoint when it was opened; a context manager.

    Entries are proven under the oldest time-stamped checkpoint that is over all of a letter's, else under the newest.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is opened yet.

        Args:
            folder: the archive's.
        """
        self._folder = folder
        self._reader = LogReader(folder)
        self._contents = Contents(folder)
        self._tokens = Tokens(folder)
        self._stack = ExitStack()
        self._note = b""
        self._stamps: tuple[TimeStamp, ...] = ()

    def __enter__(self) -> Self:
        """Open the index, fix the checkpoint.

        Raises:
            ArchiveError: `entry-missing`: nothing was signed yet; `archive-unusable`.
        """
        self._index = self._stack.enter_context(Index(self._folder))
        self._note = self._newest = self._reader.checkpoint()
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stack.close()

    @property
    def time(self) -> int:
        """Of the newest checkpoint's heads, seconds since 1970."""
        return self._heads(self._newest).time

    def places(self, letter: bytes) -> Sequence[Place]:
        """Entries about a letter that the checkpoint is over; by which checkpoint they are proven follows from them."""
        logs = self._heads(self._newest).logs
        found = [Place(each.partition, each.index) for each in self._index.places(letter)]
        under = [place for place in found if place.index < logs[place.partition].size]
        self._stamps = self._stamped_over(under)
        self._note = self._stamps[0].checkpoint if self._stamps else self._newest
        return under

    def entry(self, place: Place) -> bytes:
        """An entry's bytes."""
        return self._reader.entry(log_name(place.partition), place.index)

    def proof(self, place: Place) -> Proof:
        """The way of an entry up to the checkpoint.

        Hashes come from the trees as they are now, which hold those of every smaller tree.
        """
        checkpoint, heads, log = _checkpoint(self._note), self._heads(self._note), log_name(place.partition)
        tree = self._reader.tree(log, self._heads(self._newest).logs[place.partition].size)
        way = inclusion_proof(place.index, heads.logs[place.partition].size, tree.hashes)
        above = self._reader.tree(HEADS, _checkpoint(self._newest).size)
        up = inclusion_proof(checkpoint.size - 1, checkpoint.size, above.hashes)
        return Proof(
            place.partition, Way(place.index, tuple(way)), heads, Way(checkpoint.size - 1, tuple(up)), self._note
        )

    def content(self, commitment: bytes) -> Content | None:
        """What a commitment stands for."""
        try:
            return self._contents.get(commitment)
        except ArchiveError as error:
            if error.code in _LOST:
                return None
            raise

    def time_stamps(self) -> Sequence[TimeStamp]:
        """Over the checkpoint by which the letter's entries are proven."""
        return self._stamps

    def _heads(self, note: bytes) -> Heads:
        return Heads.parse(self._reader.entry(HEADS, _checkpoint(note).size - 1))

    def _stamped_over(self, places: Sequence[Place]) -> tuple[TimeStamp, ...]:
        """The oldest time-stamp over a checkpoint that is over these entries."""
        most = _checkpoint(self._newest).size
        for size in self._tokens.sizes():
            if size <= most:
                stamped = self._tokens.read(size)
                logs = self._heads(stamped.note).logs
                if all(place.index < logs[place.partition].size for place in places):
                    return (TimeStamp(size, stamped.note, stamped.response),)
        return ()


def _checkpoint(note: bytes) -> Checkpoint:
    return Checkpoint.parse(Note.parse(note).text)
