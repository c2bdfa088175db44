"""Packages as they lie in a folder: looking at them without reading, reading them unchanged."""

import contextlib
import os
import stat
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.formats.files import extension
from exchange.domain.errors import DocumentError

PACKAGE_BYTES = 64 * 1024 * 1024
PACKAGE_FILES = 1000
LOCK = ".lock"
DONE = ".done"

_BEFORE = (".", "~")
_AFTER = (".tmp", ".part", ".filepart", "~")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a package saw.

    Attributes:
        files: name, size in bytes and time of change in nanoseconds of each file, by name.
        changed_ns: the latest of these times.
    """

    files: tuple[tuple[str, int, int], ...]
    changed_ns: int

    @property
    def is_done(self) -> bool:
        """Whether the package itself says that it is whole."""
        return any(name == DONE for name, _, _ in self.files)

    @property
    def size(self) -> int:
        """All bytes of the package."""
        return sum(size for _, size, _ in self.files)


def is_unfinished(name: str) -> bool:
    """Whether something of that name is still being written.

    As writers call it: `.tmp`; WinSCP `.filepart`; browsers and others `.part`; rsync a dot and a random
    ending; lftp and desktops a dot; editors `~` at either end. SFTP servers show such names like others.
    """
    return name.startswith(_BEFORE) or name.lower().endswith(_AFTER)


def entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Entries of a folder; what disappears while we look, a rename perhaps, is not there."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                yield entry.name, entry.stat(follow_symlinks=False)


def look_again(path: Path, lone_files: Container[str]) -> Look | None:
    """Look at what was sound before; None when it no longer is."""
    try:
        return look_at(path, lone_files)
    except DocumentError:
        return None


def look_at(path: Path, lone_files: Container[str]) -> Look:
    """Look at a package without reading it; a file with an extension of `lone_files` is one.

    Raises:
        DocumentError: `package-unsound`: links, folders in folders, devices, other lone files;
            `package-unreadable` for want of rights.
        FileNotFoundError: it is gone.
    """
    try:
        return _look_at(path, lone_files)
    except PermissionError as error:
        raise _unreadable(path) from error


def _look_at(path: Path, lone_files: Container[str]) -> Look:
    status = path.stat(follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        if extension(path.name) not in lone_files:
            message = "a lone file of this kind is no package: put it into a folder with the document that names it"
            raise DocumentError(message, code="package-unsound", place=path.name)
        return Look(((path.name, status.st_size, status.st_mtime_ns),), status.st_mtime_ns)
    if not stat.S_ISDIR(status.st_mode):
        raise DocumentError("a link or a device is no package: copy the files", code="package-unsound", place=path.name)
    found = sorted(entries(path))
    for name, inner in found:
        if not stat.S_ISREG(inner.st_mode):
            message = "a folder, link or device inside a package: a package holds plain files only"
            raise DocumentError(message, code="package-unsound", place=f"{path.name}/{name}")
    files = tuple((name, inner.st_size, inner.st_mtime_ns) for name, inner in found)
    return Look(files, max((changed for _, _, changed in files), default=status.st_mtime_ns))


def read_files(path: Path, look: Look, lone_files: Container[str]) -> Mapping[str, bytes] | None:
    """Files of a complete package; None when it changed meanwhile.

    Raises:
        DocumentError: `package-too-large`, or `package-unreadable` for want of rights.
    """
    check_size(look.size, len(look.files), path.name)
    files = {}
    try:
        with _opened(path) as folder:
            for name, size, _ in look.files:
                if name == DONE:
                    continue
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
                with os.fdopen(descriptor, "rb") as file:
                    files[name] = file.read(size + 1)
        unchanged = look_again(path, lone_files) == look
    except PermissionError as error:
        raise _unreadable(path) from error
    except (FileNotFoundError, NotADirectoryError):
        return None
    return files if unchanged else None


def check_size(size: int, files: int, place: str) -> None:
    """Refuse a package of so many bytes and files before it is read.

    Raises:
        DocumentError: `package-too-large`.
    """
    if size > PACKAGE_BYTES or files > PACKAGE_FILES:
        message = f"{size} bytes in {files} files: at most {PACKAGE_BYTES} in {PACKAGE_FILES} are taken"
        raise DocumentError(message, code="package-too-large", place=place)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The folder that a package's files lie in.

    Held open while they are read: a folder that the EDMS swaps meanwhile for a link would lead to
    files that only the agent may read.
    """
    lone = not stat.S_ISDIR(path.stat(follow_symlinks=False).st_mode)
    flags = os.O_RDONLY | os.O_DIRECTORY
    folder = os.open(path.parent, flags) if lone else os.open(path, flags | os.O_NOFOLLOW)
    try:
        yield folder
    finally:
        os.close(folder)


def _unreadable(path: Path) -> DocumentError:
    message = "the agent may not read it: give it the right, then move the package back to 'out'"
    return DocumentError(message, code="package-unreadable", place=path.name)
