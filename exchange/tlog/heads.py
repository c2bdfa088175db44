"""Heads: all logs of the journal's partitions at one moment (rule 5.2).

Each is one entry of the log of heads, whose checkpoints alone are signed, witnessed and time-stamped. So a checkpoint
of n heads fixes with its last entry the size and root of every partition's log, and with all of them their past.

    exchange-heads/v1
    time 1763912345
    log 0 1234 <root, base64>
    log 1 1180 <root, base64>

The first of a log that goes on for another one that was lost names what was last witnessed of that (rule 5.4):

    after <name> <size> <root, base64>
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.tlog.checkpoint import Checkpoint, hash_of, hash_text, size_of
from exchange.tlog.errors import LogRefused
from exchange.tlog.note import is_name

_TITLE = "exchange-heads/v1"


@dataclass(frozen=True, slots=True)
class Head:
    """A partition's log: its entries' number and their root."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Heads:
    """An entry of the log of heads.

    Attributes:
        time: the archive's clock, seconds since 1970; not before that of the entry before.
        logs: by the journal's partition, from 0.
        after: last witnessed checkpoint of the log before this one; of a first entry only.
    """

    time: int
    logs: tuple[Head, ...]
    after: Checkpoint | None = None

    def __bytes__(self) -> bytes:
        """The entry."""
        return "".join(f"{line}\n" for line in self._lines()).encode()

    def _lines(self) -> Iterator[str]:
        yield _TITLE
        yield f"time {self.time}"
        for partition, head in enumerate(self.logs):
            yield f"log {partition} {head.size} {hash_text(head.root)}"
        if self.after is not None:
            yield f"after {self.after.origin} {self.after.size} {hash_text(self.after.root)}"

    @classmethod
    def parse(cls, entry: bytes) -> "Heads":
        """Read an entry; only the one form of it is read.

        Raises:
            LogRefused: `heads-invalid`, `checkpoint-invalid`.
        """
        try:
            lines = [line.split(" ") for line in entry.decode("ascii").split("\n")]
            (title,), (_, time), *rest, _ = lines
            after = _after(rest.pop()) if rest and rest[-1][0] == "after" else None
            logs = tuple(Head(size_of(size), hash_of(root)) for _, _, size, root in rest)
            made = cls(size_of(time), logs, after)
        except ValueError as error:
            raise _invalid() from error
        if title != _TITLE or bytes(made) != entry or (after is not None and not is_name(after.origin)):
            raise _invalid()
        return made


def _after(words: list[str]) -> Checkpoint:
    _, origin, size, root = words
    return Checkpoint(origin, size_of(size), hash_of(root))


def _invalid() -> LogRefused:
    return LogRefused(
        "an entry of the log of heads has another form than ADR 0018 says: it was altered", code="heads-invalid"
    )
