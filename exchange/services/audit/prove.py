"""`exchange audit prove`: a letter's entries with their inclusion proofs, as files that need nothing beside them.

<folder>/1-letter.entry          the log's leaf, byte for byte: decision, statement and signature
<folder>/1-letter.proof          its way up to the newest checkpoint (exchange-proof/v1)
<folder>/2-receipt.entry …       whatever else the log has about the letter, in order of time
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from exchange.archive.errors import ArchiveError
from exchange.domain.decision import Decided
from exchange.domain.errors import ConfigurationError, ExchangeError, WireError
from exchange.domain.ids import digest
from exchange.security.files import write_atomically
from exchange.tlog.checkpoint import size_of
from exchange.tlog.errors import LogRefused
from exchange.tlog.policy import LogPolicy, Seen
from exchange.tlog.proof import Proof
from exchange.wire.entries import is_about
from exchange.wire.records import decode, kind_of

ENTRY, PROOF = ".entry", ".proof"
FILE_BYTES = 256 * 1024
"""No entry and no proof is longer."""


class NotInLogError(ExchangeError):
    """The log has nothing about a letter."""

    code = "entry-missing"


class Proving(Protocol):
    """What is asked of an archive's reader."""

    def entry(self, log: str, index: int, /) -> bytes:
        """An entry's bytes."""
        ...

    def proof(self, partition: int, index: int, policy: LogPolicy | None, /) -> Proof:
        """Its proof under the newest checkpoint."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an entry is."""

    partition: int
    index: int


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that is proven to be in the log.

    Attributes:
        name: of its two files, without ending.
        kind: of what it says.
        partition: of the journal.
        index: in that partition's log.
        letter: digest of the statement.
        decided: when the exchange decided.
        reason: code of a refusal, else empty.
        heads: size of the checkpoint's log of heads.
        witnesses: how many cosigned the checkpoint.
        witnessed: whether these are as many as the policy asks for.
    """

    name: str
    kind: str
    partition: int
    index: int
    letter: bytes
    decided: datetime
    reason: str
    heads: int
    witnesses: int
    witnessed: bool


def prove(archive: Proving, letter: bytes, spots: Sequence[Spot], policy: LogPolicy, folder: Path) -> list[Shown]:
    """Write the entries about a letter, which are said to be at these places, with their proofs.

    Raises:
        ArchiveError: `archive-answer-invalid`: one is about another letter.
        NotInLogError: there is none.
        ArchiveError: the archive lacks something; `entry-missing`: the newest checkpoint is not over one yet.
        LogRefused: a proof does not hold: the archive was altered.
        OSError: the folder cannot be written.
    """
    if not spots:
        message = "the log has nothing about this letter: check its id, or wait for the archive"
        raise NotInLogError(message)
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for number, spot in enumerate(spots, 1):
        entry = archive.entry(f"journal/{spot.partition}", spot.index)
        if not is_about(entry, letter):
            message = f"entry {spot.index} of journal/{spot.partition} is not about {letter.hex()}, as the archive said"
            raise ArchiveError(f"{message}: ask its operator", code="archive-answer-invalid")
        proof = archive.proof(spot.partition, spot.index, None)
        name = f"{number}-{_kind(entry)}"
        shown.append(_shown(name, entry, proof, proof.verify(entry, policy)))
        write_atomically(folder / f"{name}{ENTRY}", entry)
        write_atomically(folder / f"{name}{PROOF}", bytes(proof))
    return shown


def check(folder: Path, policy: LogPolicy) -> list[Shown]:
    """Verify what `prove` wrote, with nothing but the policy.

    Raises:
        LogRefused: a proof does not hold; the message names its file.
        ConfigurationError: `proof-files-missing`.
    """
    return [_checked(file, policy) for file in _proofs(folder)]


def _proofs(folder: Path) -> Iterator[Path]:
    found = sorted(folder.glob(f"*{PROOF}"), key=lambda file: (_number(file.stem), file.stem))
    if not found:
        message = f"{folder} has no {PROOF} files: name the folder that `exchange audit prove` wrote"
        raise ConfigurationError(message, code="proof-files-missing")
    yield from found


def _number(name: str) -> int:
    try:
        return size_of(name.partition("-")[0])
    except LogRefused:
        return 0


def _checked(file: Path, policy: LogPolicy) -> Shown:
    beside = file.with_suffix(ENTRY)
    try:
        entry, data = _read(beside), _read(file)
    except OSError as error:
        message = f"{file} or {beside.name} beside it cannot be read ({error.strerror}): write both again"
        raise ConfigurationError(message, code="proof-files-missing") from error
    try:
        proof = Proof.parse(data)
        seen = proof.verify(entry, policy)
    except LogRefused as error:
        raise LogRefused(f"{file}: {error}", code=error.code) from error
    return _shown(file.stem, entry, proof, seen)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(FILE_BYTES)


def _kind(entry: bytes) -> str:
    try:
        kind = kind_of(entry)
        return (kind_of(decode(Decided, entry).statement) if kind is Decided else kind).__name__.lower()
    except WireError:
        return "entry"


def _shown(name: str, entry: bytes, proof: Proof, seen: Seen) -> Shown:
    decided = decode(Decided, entry)
    return Shown(
        name,
        _kind(entry),
        proof.log,
        proof.entry.index,
        digest(decided.statement),
        decided.decision.decided,
        decided.decision.reason,
        seen.checkpoint.size,
        len(seen.witnesses),
        seen.witnessed,
    )
