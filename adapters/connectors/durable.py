"""Files that survive a power cut, and moves that never overwrite."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.domain.errors import ExchangeError


class ConnectorError(ExchangeError):
    """A connector cannot reach its EDMS now; the same call may succeed later."""

    code = "connector-failed"
    retriable = True


@contextmanager
def connector_errors(doing: str) -> Iterator[None]:
    """Turn the system's errors into the tree's, saying what was being done.

    Raises:
        ConnectorError: `disk-full` or `connector-failed`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            message = f"{doing}: no space left for {error.filename or 'the file'}; make room, then it goes on by itself"
            raise ConnectorError(message, code="disk-full") from error
        message = f"{doing}: {error.strerror or error} ({error.filename or 'no path'}); check folder and rights"
        raise ConnectorError(message) from error


def write_file(path: Path, data: bytes) -> None:
    """Create a file that must not exist yet, and make its content durable."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make creations, renames and removals in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_path(folder: Path, name: str) -> Path:
    """A path in `folder` that does not exist: `name`, else `name-2`, `name-3` and so on.

    Only one process moves things into a folder, so what is free stays free.
    """
    path, number = folder / name, 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{name}-{number}"
    return path


def move(source: Path, target: Path) -> None:
    """Rename durably; both must be on one file system."""
    source.rename(target)
    for folder in dict.fromkeys((target.parent, source.parent)):
        sync_folder(folder)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents durably; nothing happens where it exists."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def discard(folder: Path) -> None:
    """Remove a folder of our own making, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)
