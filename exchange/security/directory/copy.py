"""A reader's own copy of the directory, made from files as they come from somewhere: a topic, a medium.

Whoever hands over the files is not believed. A version is taken into the folder only whole and proven, and
only when it continues the one that is there: junk, an older state or another past change nothing, and the
folder serves when nobody can be reached. Files named by their digest are kept as soon as they come.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from exchange.domain.directory import Directory
from exchange.domain.ids import ZERO_DIGEST, is_body_code
from exchange.security.directory.folder import FILE_BYTES_MAX, DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP, Newest, read_lists, read_timestamp
from exchange.security.directory.roots import Roots, clocks
from exchange.security.directory.version import Proven, read_link, read_version, require_grown
from exchange.security.errors import DirectoryRefused
from exchange.security.files import write_atomically

STAGED_BYTES = 512 * 1024 * 1024
"""Of files that wait for the rest of their version."""
_METADATA = re.compile(r"[1-9][0-9]{0,9}\.(root|snapshot|targets|bodies-[0-9a-f]{1,4})\.json")
_ENTRY = re.compile(r"(bodies/)?([0-9a-f]{64})\.([a-z0-9-]+)\.json")


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A timestamp, and the root under which it was signed."""

    newest: Newest
    root: int


class DirectoryCopy:
    """Takes files one by one, and versions whole. For one task."""

    def __init__(self, folder: Path, root: bytes) -> None:
        """Copy into `folder` under the trust of `root`, the bytes of the exchange's first root file.

        Raises:
            DirectoryRefused: `directory-unreadable`, `directory-signature-invalid`: it is no such file.
        """
        self._folder = DirectoryFolder(folder, root)
        self._staged: dict[str, bytes] = {}
        self._size = 0

    @property
    def folder(self) -> Path:
        """Where the copy lies."""
        return self._folder.folder

    @property
    def root(self) -> bytes:
        """The exchange's first root file."""
        return self._folder.root

    @property
    def complete(self) -> bool:
        """Whether nothing waits for the rest of its version."""
        return not self._staged

    def newest(self) -> Newest | None:
        """What the copy's timestamp says; None while there is none that can be used."""
        try:
            return self._folder.newest()
        except DirectoryRefused:
            return None

    def offer(self, name: str, data: bytes) -> None:
        """A file that somebody says is one of the directory's.

        Raises:
            DirectoryRefused: `directory-file-refused`: no file of a directory has that name, digest or size, or
                too much waits; nothing is kept of it.
            OSError: the folder cannot be written.
        """
        entry = _ENTRY.fullmatch(name)
        if entry is not None and (name == f"{entry[2]}.exchange.json" or (entry[1] and is_body_code(entry[3]))):
            if sha256(data).hexdigest() != entry[2] or len(data) > FILE_BYTES_MAX:
                raise _refused(name, "its name is not its digest, or it is too large")
            if not (self._folder.folder / name).exists():
                write_atomically(self._folder.folder / name, data)
            return
        if name != TIMESTAMP and _METADATA.fullmatch(name) is None:
            raise _refused(name, "the directory has no such files")
        if len(data) > FILE_BYTES_MAX or self._size + len(data) > STAGED_BYTES:
            raise _refused(name, "it is too large, or too much waits for the rest of its version")
        self._size += len(data) - len(self._staged.get(name, b""))
        self._staged[name] = data

    def take(self) -> Directory | None:
        """Take what is whole; the newest version when there is something new to stand on, else None.

        1. The roots continue those that are known, and the timestamp is signed under the newest.
        2. It is not older than the one that is here.
        3. The version that it names is proven by its files.
        4. The versions between it and the one that is here are those that it names as its past.

        Raises:
            DirectoryRefused: `directory-missing` (files are still to come), `directory-rolled-back` (2, 4), and as
                `DirectoryFolder.latest`. The folder is as before.
            OSError: the folder cannot be written; call again.
        """
        if TIMESTAMP not in self._staged:
            return None
        # 1.
        roots = self._followed()
        newest = read_timestamp(self._staged[TIMESTAMP], roots.root(roots.number))
        # 2.
        before = self._stamped(roots)
        if before is not None and self._is_older(newest, before, roots):
            message = f"timestamp {newest.number} of version {newest.version} is older than what is here"
            raise DirectoryRefused(f"{message}: ask who runs the directory", code="directory-rolled-back")
        # 3.
        proven = read_version(newest.version, self._read, roots, None, newest.digest)
        if proven.root != roots.number:
            message = f"version {newest.version} is signed under root {proven.root}, {roots.number} is in force"
            raise DirectoryRefused(f"{message}: publish one under it", code="directory-signature-invalid")
        # 4.
        known = (0, ZERO_DIGEST) if before is None else (before.newest.version, before.newest.digest)
        names = [f"{number}.root.json" for number in range(1, roots.number + 1)]
        self._install(names, self._past(proven, known, roots))
        return proven.directory

    def _followed(self) -> Roots:
        """The roots that are here or came; what came and does not follow is dropped, or it would stay in the way."""
        roots = Roots(self._folder.root)
        while True:
            try:
                roots.follow(self._read)
            except DirectoryRefused:
                dropped = self._staged.pop(f"{roots.number + 1}.root.json", None)
                if dropped is None:
                    raise
                self._size -= len(dropped)
            else:
                return roots

    def _stamped(self, roots: Roots) -> "_Stamped | None":
        """The timestamp that is here, by whichever root it was signed under; None before a first one was taken whole.

        Not the newest snapshot that lies here: who is killed while files are put in place takes them again.
        """
        try:
            data = self._folder.read(TIMESTAMP)
        except DirectoryRefused:
            return None
        for number in range(roots.number, 0, -1):
            try:
                return _Stamped(read_timestamp(data, roots.root(number)), number)
            except DirectoryRefused:
                continue
        return None

    @staticmethod
    def _is_older(newest: Newest, before: "_Stamped", roots: Roots) -> bool:
        """Numbers of timestamps count while the same key signs them: a stolen one may have said any number."""
        same_clock = clocks(roots.root(roots.number)) == clocks(roots.root(before.root))
        return newest.version < before.newest.version or (same_clock and newest.number < before.newest.number)

    def _past(self, proven: Proven, known: tuple[int, bytes], roots: Roots) -> dict[str, bytes]:
        """Names and SHA-256 of all files since the known version."""
        files = dict(proven.files)
        number, previous = proven.directory.version, proven.directory.previous
        lists = read_lists(number, self._read, roots)
        while number > known[0] + 1:
            number -= 1
            link = read_link(number, previous, self._read, files)
            require_grown(link.lists, lists, number + 1)
            files |= link.files
            previous, lists = link.previous, link.lists
        if (number, proven.directory.digest) != known and (number != known[0] + 1 or previous != known[1]):
            message = f"what came has another past than version {known[0]}, which is here"
            raise DirectoryRefused(f"{message}: ask who runs the directory", code="directory-rolled-back")
        if number == known[0] + 1 and known[0]:
            require_grown(read_lists(known[0], self._read, roots), lists, number)
        return files

    def _install(self, roots: Iterable[str], files: Mapping[str, bytes]) -> None:
        """Roots, lists and entries before the snapshots that name them, and the timestamp last."""
        snapshots = {name: digest for name, digest in files.items() if ".snapshot." in name}
        lists = {name: digest for name, digest in files.items() if name not in snapshots}
        for name in roots:
            self._put(name, self._read(name))
        for part in (lists, dict(sorted(snapshots.items(), key=_number))):
            for name, digest in part.items():
                self._put(name, self._read(name, digest))
        self._put(TIMESTAMP, self._staged[TIMESTAMP])
        self._staged.clear()
        self._size = 0

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder.folder / name
        if not (path.exists() and path.read_bytes() == data):
            write_atomically(path, data)

    def _read(self, name: str, digest: bytes | None = None) -> bytes:
        """What came, else what is here; of files whose digest is known the one that has it."""
        data = self._staged.get(name)
        if data is None or (digest is not None and sha256(data).digest() != digest):
            return self._folder.read(name)
        return data


def _refused(name: str, why: str) -> DirectoryRefused:
    message = f"'{name[:100]}' is not taken into the directory's copy, {why}: ask who runs the directory"
    return DirectoryRefused(message, code="directory-file-refused")


def _number(named: tuple[str, bytes]) -> int:
    return int(named[0].partition(".")[0])
