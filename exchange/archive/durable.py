"""Writing many files so that each is there whole or not at all, whatever happens when."""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from exchange.archive.errors import ArchiveError, disk_error
from exchange.archive.layout import TEMPORARY
from exchange.security.files import sync_folder

_MODE = 0o644
_SYNCING = 16


class Files:
    """The files of an archive's folder. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        """Throw away what was begun and not ended before.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`; so do all others.
        """
        self.folder = folder
        self._drafts = folder / TEMPORARY
        self._made: set[Path] = set()
        self._synced: set[Path] = set()
        try:
            shutil.rmtree(self._drafts, ignore_errors=True)
            self._drafts.mkdir(parents=True)
        except OSError as error:
            raise disk_error(error, str(self._drafts)) from error

    def make_folders(self, *names: str) -> None:
        """Make folders, durably, whose files others write."""
        with _naming(self.folder):
            for name in names:
                (self.folder / name).mkdir(exist_ok=True)
            sync_folder(self.folder)
            sync_folder(self.folder.parent)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files at their paths, durably: all their bytes first, then the names, then the folders."""
        drafts = [self._drafts / str(number) for number in range(len(files))]
        targets = [self.folder / path for path in files]
        folders: set[Path] = set()
        with ThreadPoolExecutor(_SYNCING, "archive-sync") as pool:  # a disk syncs many at once as fast as a few
            list(pool.map(_draft, drafts, targets, files.values()))
            for draft, target in zip(drafts, targets, strict=True):
                with _naming(target):
                    self._make(target.parent)
                    draft.replace(target)
                    folders |= self._unsynced(target.parent)
            list(pool.map(_sync_named, sorted(folders)))

    def write_derived(self, files: Mapping[str, bytes]) -> None:
        """The same without waiting for the disk: what can be made again, and is whole while the machine runs."""
        draft = self._drafts / "derived"
        for path, data in files.items():
            target = self.folder / path
            with _naming(target):
                self._make(target.parent)
                _write(draft, data, is_synced=False)
                draft.replace(target)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove derived files, and the folders of partial tiles that become empty; who is gone already is gone."""
        for path in paths:
            target = self.folder / path
            with suppress(OSError):
                target.unlink(missing_ok=True)
                target.parent.rmdir()
                self._made.discard(target.parent)

    def _make(self, folder: Path) -> None:
        if folder not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def _unsynced(self, folder: Path) -> set[Path]:
        """Which folders must be synced for a new file in one to be found after a power cut.

        The first time all above it, too: somebody may have made them without waiting for the disk.
        """
        if folder in self._synced:
            return {folder}
        self._synced.add(folder)
        above = folder.relative_to(self.folder).parents
        return {folder, *(self.folder / each for each in above)}


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what a disk says into our error, with the file's name."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, str(path)) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that no second writer gets, and that dies with the process (flock on a file, which stays).

    Raises:
        ArchiveError: `archive-in-use`, retriable.
    """
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another process writes to {path.parent}: an archive has one writer; end that one first"
            raise ArchiveError(message, code="archive-in-use", retriable=True) from error
        yield
    finally:
        os.close(descriptor)


def _draft(draft: Path, target: Path, data: bytes) -> None:
    with _naming(target):
        _write(draft, data, is_synced=True)


def _sync_named(folder: Path) -> None:
    with _naming(folder):
        sync_folder(folder)


def _write(path: Path, data: bytes, *, is_synced: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        if is_synced:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
