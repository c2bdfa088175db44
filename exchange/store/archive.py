"""Archive files: what the tracker's tables no longer hold, one file a month, only ever appended to.

    letters-2026-03.jsonl.gz    blocks, one behind the other: each a gzip member of its own

A block's first line is `["block", <lines behind it>, "<SHA-256 of their bytes>"]`; each further line is a row,
`["letters", …]`, `["deliveries", …]`, `["facts", …]` or `["flags", …]`, bytes in hexadecimal, a letter's rows
together. So `zcat` reads a file, `gzip --test` checks it, and a block is read from its offset alone. A letter that
stands in two blocks was fetched back in between: the later one holds.

**Durability**: `append` returns when the block is on the disk. Whoever was killed before leaves the beginning of a
block at a file's end, which the next `append` cuts off. Whole blocks are never changed.
**Concurrency**: one process at a time appends (`exchange.store.putting_away` sees to it); any number read.
"""

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from exchange.security.files import sync_folder
from exchange.store.errors import ArchiveError
from exchange.store.overviews import Month

_GZIP = 31
"""zlib's word for members with gzip's header and checksum."""
_CHUNK = 1 << 16
_MODE = 0o640
_NAME = re.compile(r"letters-\d{4}-\d{2}\.jsonl\.gz")

Line = list[Any]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that stand together in a file, from byte `at` to before `end`."""

    file: str
    at: int
    end: int
    lines: Sequence[Line]


class Archive:
    """A folder of archive files."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or written yet; the folder must be there."""
        self._folder = folder

    def files(self) -> list[str]:
        """Names of the files, the oldest month first.

        Raises:
            ArchiveError: `archive-unavailable`, retriable; so do all others.
        """
        with self._usable():
            return sorted(name for name in os.listdir(self._folder) if _NAME.fullmatch(name))  # noqa: PTH208  # names only

    def append(self, name: str, at: int, lines: Sequence[Line]) -> Block:
        """Put rows behind the last whole block of a file, durably; what was begun behind it is cut off.

        Args:
            name: of a file that may not be there yet: see `file_of`.
            at: where its last whole block ends.
            lines: each the name of a table and a row's values.
        """
        with self._usable(), self._opened(name, os.O_RDWR | os.O_CREAT) as file:
            file.truncate(at)
            file.seek(at)
            file.write(_packed(lines))
            file.flush()
            os.fsync(file.fileno())
            end = file.tell()
            sync_folder(self._folder)
        return Block(name, at, end, lines)

    def block(self, name: str, at: int) -> Block | None:
        """The block that begins at byte `at`; None when no whole one does.

        Raises:
            ArchiveError: `old-letters-damaged`: something else does.
        """
        with self._usable(), self._opened(name, os.O_RDONLY) as file:
            file.seek(at)
            unpacking, rows = zlib.decompressobj(_GZIP), bytearray()
            try:
                while not unpacking.eof:
                    if not (packed := file.read(_CHUNK)):
                        return None
                    rows += unpacking.decompress(packed)
            except zlib.error as error:
                raise _damaged(name, at, str(error)) from error
            end = file.tell() - len(unpacking.unused_data)
        return Block(name, at, end, _checked(name, at, bytes(rows)))

    def _opened(self, name: str, flags: int) -> BinaryIO:
        return os.fdopen(os.open(self._folder / name, flags, _MODE), "rb+" if flags & os.O_RDWR else "rb")

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"the archive {self._folder} cannot be used ({error.strerror}): is it there, with space?"
            raise ArchiveError(message, retriable=True) from error


def file_of(month: Month) -> str:
    """The name of a month's file."""
    return f"letters-{month}.jsonl.gz"


def _packed(lines: Sequence[Line]) -> bytes:
    rows = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    head = json.dumps(["block", len(lines), hashlib.sha256(rows).hexdigest()]).encode() + b"\n"
    return gzip.compress(head + rows, mtime=0)


def _checked(name: str, at: int, data: bytes) -> list[Line]:
    """The rows of a block, which must be those that it was written with."""
    first, _, rows = data.partition(b"\n")
    try:
        kind, count, expected = json.loads(first)
        lines = [json.loads(line) for line in rows.splitlines()]
    except ValueError as error:
        raise _damaged(name, at, "its lines are no JSON") from error
    if (kind, count, expected) != ("block", len(lines), hashlib.sha256(rows).hexdigest()):
        raise _damaged(name, at, "its rows are not those that it names")
    return lines


def _damaged(name: str, at: int, problem: str) -> ArchiveError:
    message = f"the block at byte {at} of {name} is damaged ({problem}): put the file back from a copy"
    return ArchiveError(message, code="old-letters-damaged")
