"""An archive as evidence is taken out of it: its folder, or the address where it is served."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from exchange.archive.access import open_archive
from exchange.archive.addresses import ArchivePlace
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import HEADS, log_name
from exchange.archive.renewals import Renewals
from exchange.domain.decision import Decided
from exchange.domain.statement import Content, commitment_digest
from exchange.services.evidence.gathering import EvidenceBroken, LetterNotArchived, Place, TimeStamp
from exchange.services.evidence.journalled import Evidence
from exchange.tlog.checkpoint import unproven
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import inclusion_proof
from exchange.tlog.policy import LogPolicy
from exchange.tlog.proof import Path as Way
from exchange.tlog.proof import Proof
from exchange.tlog.tiles import WIDTH
from exchange.wire.entries import is_about
from exchange.wire.records import decode


class EvidenceArchive:
    """Reads beside whoever writes, as of the newest checkpoint when it was opened; a context manager.

    Entries are proven under the oldest time-stamped checkpoint that is over all of a letter's, else under the newest.
    """

    def __init__(self, place: ArchivePlace) -> None:
        """Nothing is read yet.

        Args:
            place: the archive's folder, or its address.

        Raises:
            KeyRefused, ConfigurationError: as `open_archive`.
        """
        self._archive = open_archive(place)
        self._reader = self._archive.log
        self._renewals = Renewals(place) if isinstance(place, Path) else None
        self._stack = ExitStack()
        self._note = b""
        self._letter = b""
        self._stamps: tuple[TimeStamp, ...] = ()
        self._read: dict[bytes, Heads] = {}

    def __enter__(self) -> Self:
        """Open it, fix the checkpoint.

        Raises:
            ArchiveError: `entry-missing`: nothing was signed yet; `archive-unusable`, `archive-unreachable`.
        """
        self._stack.enter_context(self._archive)
        self._note = self._newest = self._reader.checkpoint()
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stack.close()

    @property
    def gives_contents(self) -> bool:
        """Whether what people wrote can be had here."""
        return self._archive.gives_contents

    @property
    def time(self) -> int:
        """Of the newest checkpoint's heads, seconds since 1970."""
        return self._heads(self._newest).time

    def places(self, letter: bytes) -> Sequence[Place]:
        """Entries about a letter that the checkpoint is over; by which checkpoint they are proven follows from them.

        Raises:
            ArchiveError: the archive cannot be read; `archive-answer-invalid`: it names what cannot be.
        """
        self._letter = letter
        logs = self._heads(self._newest).logs
        found = [Place(each.partition, each.index) for each in self._archive.places(letter)]
        if any(place.partition >= len(logs) for place in found):
            message = f"{self._reader} names entries of a partition that its log has not: ask its operator"
            raise ArchiveError(message, code="archive-answer-invalid")
        under = [place for place in found if place.index < logs[place.partition].size]
        self._stamps = self._stamped_over(under)
        self._note = self._stamps[0].checkpoint if self._stamps else self._newest
        return under

    def entry(self, place: Place) -> bytes:
        """An entry's bytes.

        Raises:
            EvidenceBroken: it is about another letter.
        """
        log, size = log_name(place.partition), self._heads(self._newest).logs[place.partition].size
        entry = self._reader.bundle(log, place.index // WIDTH, size)[place.index % WIDTH]
        if not is_about(entry, self._letter):
            message = f"entry {place.index} of {log} is not about {self._letter.hex()}, as the archive said it is"
            raise EvidenceBroken(f"{message}: check the archive")
        return entry

    def proof(self, place: Place) -> Proof:
        """The way of an entry up to the checkpoint.

        Hashes come from the trees as they are now, which hold those of every smaller tree.
        """
        checkpoint, heads, log = unproven(self._note), self._heads(self._note), log_name(place.partition)
        tree = self._reader.tree(log, self._heads(self._newest).logs[place.partition].size)
        way = inclusion_proof(place.index, heads.logs[place.partition].size, tree.hashes)
        above = self._reader.tree(HEADS, unproven(self._newest).size)
        up = inclusion_proof(checkpoint.size - 1, checkpoint.size, above.hashes)
        return Proof(
            place.partition, Way(place.index, tuple(way)), heads, Way(checkpoint.size - 1, tuple(up)), self._note
        )

    def content(self, commitment: bytes) -> Content | None:
        """What a commitment, or the digest of a file without salt, stands for.

        Raises:
            ArchiveError: it cannot be read; `archive-damaged`: it is not what was committed to.
        """
        data = self._archive.file(commitment)
        if data is not None:
            return Content(b"", data)
        found = self._archive.content(commitment)
        if not isinstance(found, Content):
            return None
        if commitment_digest(found) != commitment:
            raise ArchiveError(f"{self._reader}: the item under {commitment.hex()} is not what was committed to")
        return found

    def time_stamps(self) -> Sequence[TimeStamp]:
        """Over the checkpoint by which the letter's entries are proven."""
        return self._stamps

    def _heads(self, note: bytes) -> Heads:
        """The last heads under a checkpoint; that they are is for the proofs to show."""
        if note not in self._read:
            size, last = unproven(self._newest).size, unproven(note).size - 1
            self._read[note] = Heads.parse(self._reader.bundle(HEADS, last // WIDTH, size)[last % WIDTH])
        return self._read[note]

    def _stamped_over(self, places: Sequence[Place]) -> tuple[TimeStamp, ...]:
        """The oldest time-stamp over a checkpoint that is over these entries: both only grow, so it is searched for."""
        most = unproven(self._newest).size
        sizes = [size for size in self._archive.stamped() if 0 < size <= most]
        low, high = 0, len(sizes)
        while low < high:
            middle = (low + high) // 2
            logs = self._heads(self._archive.stamp(sizes[middle]).note).logs
            if all(place.index < logs[place.partition].size for place in places):
                high = middle
            else:
                low = middle + 1
        if low == len(sizes):
            return ()
        stamped = self._archive.stamp(sizes[low])
        return (TimeStamp(stamped.size, stamped.note, stamped.response, self._record(stamped.size)),)

    def _record(self, size: int) -> bytes:
        """The evidence record of a checkpoint and its time-stamp.

        Empty before they were taken into a batch, and of an archive at an address, which gives none.
        """
        try:
            return b"" if self._renewals is None else self._renewals.of(size).record(size).encoded
        except ArchiveError as error:
            if error.code == "entry-missing":
                return b""
            raise


def find_archived(place: ArchivePlace, letter: bytes, policy: LogPolicy) -> Evidence:
    """A letter's own entry, proven to be in the log.

    Raises:
        LetterNotArchived: the archive names none.
        LogRefused: its proof does not hold.
        ArchiveError: the archive cannot be read.
    """
    with EvidenceArchive(place) as archive:
        for each in archive.places(letter):
            entry = archive.entry(each)
            archive.proof(each).verify(entry, policy)
            decided = decode(Decided, entry)
            if decided.decision.statement == letter:
                return Evidence(entry, decided)
    message = f"the archive holds no decision about {letter.hex()}: check the id, or wait for its next checkpoint"
    raise LetterNotArchived(message)
