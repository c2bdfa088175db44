"""What this layer refuses."""

import errno
import sqlite3

from exchange.domain.errors import ExchangeError


class ArchiveError(ExchangeError):
    """The archive's disk is not what was written to it, is full or in use, or has not what was asked for."""

    code = "archive-damaged"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retriable: bool | None = None,
        file: str = "",
        entry: int | None = None,
    ) -> None:
        """Keep apart what is damaged.

        Args:
            message: what is wrong, and what to do.
            code: stable code, when it is not the class's own.
            retriable: whether the same call may succeed later without a change.
            file: what is damaged.
            entry: index in its log of what is damaged in it, if it is one entry.
        """
        super().__init__(message, code=code, retriable=retriable)
        self.file = file
        self.entry = entry


def disk_error(error: OSError | sqlite3.Error, place: str) -> ArchiveError:
    """What a disk or SQLite said, in our words.

    Args:
        error: as it was raised.
        place: the file or folder that it is about.
    """
    if isinstance(error, OSError):
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        said = error.strerror or str(error)
    else:
        name = getattr(error, "sqlite_errorname", "")
        is_full, said = name == "SQLITE_FULL", f"{error} {name}".strip()
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return damaged(place, said)
    if is_full:
        message = f"no space is left for {place}: nothing was taken; make space, then it goes on by itself"
        return ArchiveError(message, code="archive-full", retriable=True)
    message = f"{place} cannot be read or written ({said}): see to disk and rights, then start again"
    return ArchiveError(message, code="archive-unusable", retriable=True)


def damaged(file: str, what: str, entry: int | None = None) -> ArchiveError:
    """Something is not what was written there."""
    place = file if entry is None else f"{file}: entry {entry}"
    message = f"{place}: {what}: put it back from a copy of the archive's folder"
    return ArchiveError(message, code="archive-damaged", file=file, entry=entry)
