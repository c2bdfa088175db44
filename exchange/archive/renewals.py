"""Batches of time-stamps that are kept provable together (RFC 4998), as they lie in the archive's folder.

    renewals/<number>/objects           files under the batch's hash tree, pair by pair, as sha256sum writes them
    renewals/<number>/<chain>-<n>.tsr   the authority's answers: 1-1, then 1-2 over 1-1, …; 2-1 is by another digest

The files stay where they are, in `tokens/`. In the archive's folder anybody checks that they are the ones:

    sha256sum --check renewals/0001/objects
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from exchange.archive.durable import locked
from exchange.archive.errors import ArchiveError, damaged
from exchange.archive.tokens import RESPONSE_BYTES, Tokens, done, read_file
from exchange.security.files import write_atomically
from exchange.security.timestamps import token_of
from exchange.security.timestamps.record import EvidenceRecord
from exchange.security.timestamps.renewal import records

RENEWALS = "renewals"
OBJECTS = "objects"
LOCK = "renewals.lock"
PAIRS = 1000
"""Of time-stamps in one batch, at most: its records are computed by reading all of them."""
_NUMBER, _ANSWER = re.compile(r"[0-9]{4,8}"), re.compile(r"([1-9][0-9]{0,3})-([1-9][0-9]{0,3})\.tsr")
_KINDS = ("checkpoint", "tsr")
_OBJECTS_BYTES = PAIRS * 2 * 200


@dataclass(frozen=True, slots=True)
class Batch:
    """Checkpoints and their time-stamps that are renewed together.

    Attributes:
        folder: the batch's own.
        kept: where the files under its hash tree are.
        sizes: of the checkpoints, in the order of the tree.
        listed: SHA-256 of each file: of each checkpoint the note's, then the time-stamp's.
    """

    folder: Path
    kept: Tokens
    sizes: tuple[int, ...]
    listed: tuple[bytes, ...]

    @property
    def number(self) -> int:
        """Batches are counted from 1."""
        return int(self.folder.name)

    def digests(self, algorithm: str) -> Sequence[bytes]:
        """Digests of the files, as they are now.

        Raises:
            ArchiveError: `archive-damaged`, naming the file: it is gone, or not the one that was listed.
        """
        found = []
        for path, listed in zip(_files(self.kept, self.sizes), self.listed, strict=True):
            data = read_file(path, RESPONSE_BYTES)
            if hashlib.sha256(data).digest() != listed:
                raise damaged(str(path), f"it is not what batch {self.number} lists")
            found.append(hashlib.new(algorithm, data).digest())
        return found

    def tokens(self) -> list[list[bytes]]:
        """Tokens, chain by chain; none before the batch was stamped.

        Raises:
            ArchiveError: `archive-damaged`: one is missing between others, or longer than any.
            TimestampError: `timestamp-invalid`, `timestamp-refused`.
        """
        places = sorted(_places(self.folder))
        counts = Counter(chain for chain, _ in places)
        chains = range(1, len(counts) + 1)
        if places != [(chain, number) for chain in chains for number in range(1, counts[chain] + 1)]:
            raise damaged(str(self.folder), "an answer of the authority is missing between others")
        return [[self._token(chain, number) for number in range(1, counts[chain] + 1)] for chain in chains]

    def _token(self, chain: int, number: int) -> bytes:
        return token_of(read_file(_answer(self.folder, chain, number), RESPONSE_BYTES))

    def keep(self, response: bytes, *, begins_chain: bool) -> None:
        """Put the next answer there, durably.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`.
        """
        last, count = max(_places(self.folder), default=(0, 0))
        path = _answer(self.folder, last + 1, 1) if begins_chain else _answer(self.folder, last, count + 1)
        done(path, partial(write_atomically, path, response))

    def record(self, size: int) -> EvidenceRecord:
        """The evidence record of a checkpoint and its time-stamp; not verified.

        Raises:
            ArchiveError: `archive-damaged`, `entry-missing`: the batch was not stamped yet.
            TimestampError: `timestamp-invalid`.
        """
        tokens = self.tokens()
        if not tokens:
            message = f"batch {self.number} was not stamped yet: `exchange archive renew` does it"
            raise ArchiveError(message, code="entry-missing")
        return records(self.digests, tokens)[self.sizes.index(size)]


class Renewals:
    """All batches of an archive. One process writes them, any may read."""

    def __init__(self, archive: Path) -> None:
        """Nothing is read or made yet."""
        self.folder, self.kept = archive / RENEWALS, Tokens(archive)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from renewing meanwhile.

        Raises:
            ArchiveError: `archive-in-use`, retriable: one does it now.
        """
        with locked(self.folder / LOCK):
            yield

    def batches(self) -> list[Batch]:
        """Those that were stamped, the oldest first.

        Raises:
            ArchiveError: `archive-damaged`: a list cannot be read.
        """
        found = done(self.folder, lambda: list(self.folder.iterdir()) if self.folder.exists() else [])
        folders = sorted((each for each in found if _NUMBER.fullmatch(each.name)), key=lambda each: int(each.name))
        return [self._read(each) for each in folders if _answer(each, 1, 1).exists()]

    def of(self, size: int) -> Batch:
        """The batch that a checkpoint is in.

        Raises:
            ArchiveError: `entry-missing`: none yet.
        """
        for batch in self.batches():
            if size in batch.sizes:
                return batch
        message = (
            f"the time-stamp of {size} is in no batch yet: its own holds; `exchange archive renew` says until when"
        )
        raise ArchiveError(message, code="entry-missing")

    def begin(self, sizes: Sequence[int]) -> Batch:
        """Fix what a new batch is of; it counts once its first answer is kept.

        Raises:
            ArchiveError: `entry-missing`, `archive-damaged`, `archive-full`.
        """
        number = max((batch.number for batch in self.batches()), default=0) + 1
        folder = self.folder / f"{number:04}"
        digests = [hashlib.sha256(read_file(path, RESPONSE_BYTES)).digest() for path in _files(self.kept, sizes)]
        names = [f"{path.parent.name}/{path.name}" for path in _files(self.kept, sizes)]
        text = "".join(f"{each.hex()}  {name}\n" for each, name in zip(digests, names, strict=True))
        path = folder / OBJECTS
        done(path, partial(write_atomically, path, text.encode()))
        return Batch(folder, self.kept, tuple(sizes), tuple(digests))

    def _read(self, folder: Path) -> Batch:
        path = folder / OBJECTS
        try:
            lines = [line.split("  ") for line in read_file(path, _OBJECTS_BYTES).decode("ascii").splitlines()]
            listed = tuple(bytes.fromhex(digest) for digest, _ in lines)
            names = [name for _, name in lines]
            sizes = tuple(int(Path(name).stem) for name in names[::2])
        except ValueError as error:
            raise damaged(str(path), "it is no list of files") from error
        if not sizes or [f"{each.parent.name}/{each.name}" for each in _files(self.kept, sizes)] != names:
            raise damaged(str(path), "it does not list pairs of a checkpoint and its time-stamp")
        return Batch(folder, self.kept, sizes, listed)


def _files(kept: Tokens, sizes: Sequence[int]) -> list[Path]:
    return [kept.file(size, kind) for size in sizes for kind in _KINDS]


def _places(folder: Path) -> list[tuple[int, int]]:
    names = done(folder, lambda: [each.name for each in folder.iterdir()])
    return [(int(found[1]), int(found[2])) for name in names if (found := _ANSWER.fullmatch(name))]


def _answer(folder: Path, chain: int, number: int) -> Path:
    return folder / f"{chain}-{number}.tsr"
