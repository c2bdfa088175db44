"""A proof: the way of one entry of the journal up to a signed checkpoint, as one text that needs nothing beside it.

    exchange-proof/v1
    log <partition> <index of the entry in that log>
    <hash, base64>                            inclusion in that log, from the leaf up; none or more lines

    exchange-heads/v1                         the heads that give that log's size and root, an entry themselves
    time …
    log …

    heads <index of these heads>
    <hash, base64>                            inclusion in the log of heads

    <checkpoint of the log of heads, a signed note with its cosignatures>

Between the parts is an empty line. There is one text for each proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.tlog.checkpoint import hash_of, hash_text, size_of
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import PROOF_HASHES, leaf_hash, root_by_inclusion
from exchange.tlog.policy import LogPolicy, Seen

TITLE = "exchange-proof/v1"


@dataclass(frozen=True, slots=True)
class Path:
    """Where an entry is in a log, and the hashes from it up to the root."""

    index: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's way up.

    Attributes:
        log: partition of the journal.
        entry: inclusion of the entry in that log, at the size that the heads state.
        heads: the heads.
        head: inclusion of the heads in the log of heads.
        checkpoint: bytes of its signed note.
    """

    log: int
    entry: Path
    heads: Heads
    head: Path
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        """The text."""
        first = [TITLE, f"log {self.log} {self.entry.index}", *map(hash_text, self.entry.hashes)]
        second = [f"heads {self.head.index}", *map(hash_text, self.head.hashes)]
        parts = ("\n".join(first).encode() + b"\n", bytes(self.heads), "\n".join(second).encode() + b"\n")
        return b"\n".join((*parts, self.checkpoint))

    @classmethod
    def parse(cls, data: bytes) -> "Proof":
        """Read a proof; nothing of it is believed.

        Raises:
            LogRefused: `proof-invalid`, `heads-invalid`, `checkpoint-invalid`.
        """
        try:
            entry_part, heads_part, head_part, checkpoint = data.split(b"\n\n", 3)
            title, named, *hashes = entry_part.decode("ascii").split("\n")
            _, log, index = named.split(" ")
            over, *above = head_part.decode("ascii").split("\n")
            entry = Path(size_of(index), _hashes(hashes))
            head = Path(size_of(over.removeprefix("heads ")), _hashes(above))
            made = cls(size_of(log), entry, Heads.parse(heads_part + b"\n"), head, checkpoint)
        except ValueError as error:
            raise _invalid() from error
        if title != TITLE or bytes(made) != data:
            raise _invalid()
        return made

    def verify(self, entry: bytes, policy: LogPolicy) -> Seen:
        """Look whether an entry's bytes are in the log, as the checkpoint has it.

        Returns:
            The checkpoint; whether it is `witnessed` is for the caller to ask.

        Raises:
            LogRefused: `proof-invalid`: it leads to another root; what `LogPolicy.open` raises.
        """
        seen = policy.open(self.checkpoint)
        if self.log >= len(self.heads.logs):
            message = f"the heads name no log {self.log}: take the proof again from the archive"
            raise LogRefused(message, code="proof-invalid")
        own = self.heads.logs[self.log]
        _require_root(own.root, root_by_inclusion(leaf_hash(entry), self.entry.index, own.size, self.entry.hashes))
        up = root_by_inclusion(leaf_hash(bytes(self.heads)), self.head.index, seen.checkpoint.size, self.head.hashes)
        _require_root(seen.checkpoint.root, up)
        return seen


def _require_root(stated: bytes, found: bytes) -> None:
    if found != stated:
        message = "the proof does not lead from the entry to the checkpoint: one of them was altered"
        raise LogRefused(message, code="proof-invalid")


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > PROOF_HASHES:
        message = "too many hashes"
        raise ValueError(message)
    return tuple(map(hash_of, lines))


def _invalid() -> LogRefused:
    message = "the proof has another form than docs/evidence.md says: take it again from the archive"
    return LogRefused(message, code="proof-invalid")
