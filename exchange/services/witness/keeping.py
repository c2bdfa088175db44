"""Keeps what speaks against a log: in a folder each, the checkpoints that contradict one another, and what was found.

    why.txt                 what was found, and when
    cosigned.checkpoint     what this witness cosigned before
    refused.checkpoint      what it was asked to cosign, signed by the log's key
    heads-17.entry, .path   heads that contradict one another: the entry, and the hashes from it up to `refused`

Nobody deletes them; that the same is found again changes nothing. `exchange audit compare` reads both checkpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from exchange.security.files import write_atomically
from exchange.services.witness.errors import state_failed
from exchange.services.witness.looking import Placed
from exchange.tlog.checkpoint import hash_text
from exchange.tlog.note import Note

KEPT = 1000
"""So many of a kind are kept; who floods us with more has not hidden the first."""
_WHY = "why.txt"


class Kind(StrEnum):
    """What was found."""

    SPLIT = "split"
    """Two checkpoints of one size with different roots, both signed by the log."""
    REWRITTEN = "rewritten"
    """Heads under a signed checkpoint that contradict one another, or are not served as they were signed."""
    UNPROVEN = "unproven"
    """A signed checkpoint with a proof that does not hold: of the log's doing, or of whoever sent it."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What speaks against a log.

    Attributes:
        kind: what was found.
        why: the same in words.
        cosigned: the checkpoint cosigned before, as the log signed it; None when there was none.
        refused: the one that was refused.
        heads: that contradict one another.
    """

    kind: Kind
    why: str
    cosigned: str | None
    refused: Note
    heads: Sequence[Placed] = ()


class Keeper:
    """The folder of what was kept."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first that is kept."""
        self._folder = folder

    def keep(self, found: Contradiction, at: int) -> Path | None:
        """Put what was found on the disk.

        Args:
            found: what speaks against the log.
            at: seconds since 1970.

        Returns:
            Its folder; None when it was there before, or so many of its kind are there that no more are kept.

        Raises:
            WitnessFailed: `witness-state-failed`.
        """
        told = f"{found.cosigned or ''}\n{found.refused.text}".encode()
        folder = self._folder / found.kind.value / sha256(told).hexdigest()[:32]
        if (folder / _WHY).exists() or self.count(found.kind) >= KEPT:
            return None
        files = {"refused.checkpoint": str(found.refused)}
        if found.cosigned is not None:
            files["cosigned.checkpoint"] = found.cosigned
        for placed in found.heads:
            files[f"heads-{placed.index}.entry"] = placed.entry.decode("ascii")
            files[f"heads-{placed.index}.path"] = "".join(f"{hash_text(each)}\n" for each in placed.path)
        try:
            for name, text in files.items():
                write_atomically(folder / name, text.encode())
            write_atomically(
                folder / _WHY, f"{found.kind.value}\ntime {at}\n{found.why}\n".encode()
            )  # the last: all is there
        except OSError as error:
            raise state_failed(folder, error) from error
        return folder

    def count(self, kind: Kind) -> int:
        """How many of a kind are kept."""
        return sum(1 for _ in self._folder.glob(f"{kind.value}/*/{_WHY}"))
