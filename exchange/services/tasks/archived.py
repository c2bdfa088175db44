"""A letter's journalled bytes out of the archive, when Kafka keeps them no longer (rule 6: refill)."""

from dataclasses import dataclass
from pathlib import Path

from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index
from exchange.archive.kept import KeptContents
from exchange.archive.layout import log_name
from exchange.archive.reading import LogReader
from exchange.domain.decision import Decided, Journalled
from exchange.domain.statement import Content, Letter
from exchange.wire.records import decode, encode


@dataclass(frozen=True, slots=True)
class ArchivedLetters:
    """Letters in an archive's folder. Opened for each; for any thread."""

    folder: Path

    def record(self, letter: bytes) -> bytes:
        """The record of the journal, made again of the log's entry and the contents that are kept.

        Byte for byte what the router wrote; an item that was deleted is in it without salt and bytes.

        Args:
            letter: its digest.

        Returns:
            The record; empty when the archive has none of that letter.

        Raises:
            ArchiveError: the archive cannot be read.
            WireError: what it has is no letter.
        """
        try:
            with Index(self.folder) as index:
                place = index.place_of(letter)
            entry = LogReader(self.folder).entry(log_name(place.partition), place.index)
        except ArchiveError as error:
            if error.code == "entry-missing":
                return b""
            raise
        said = decode(Letter, decode(Decided, entry).statement)
        with KeptContents(self.folder) as kept:
            found = [kept.fetch(commitment.digest, place.journalled) for commitment in said.contents]
        contents = tuple(item if isinstance(item, Content) else Content(b"", b"") for item in found)
        return encode(Journalled(entry, contents))
