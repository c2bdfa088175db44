"""Versions of the directory in a folder, as `metadata` lays them out (rules 3.2, 5.3).

Every version names the digest of the one before, and decisions name version and digest, so none is
ever taken away. Readers look again from time to time; there is nothing to watch or to lock: a version
exists once `timestamp.json` names it, which is written last.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from tuf.api.metadata import Key, MetaFile, Root, Targets

from exchange.domain.directory import Directory
from exchange.security.directory.metadata import TIMESTAMP, Newest, read_list_of, read_lists, read_timestamp
from exchange.security.directory.roots import Holder, Roots, holder
from exchange.security.directory.version import Proven, read_version, require_grown
from exchange.security.errors import DirectoryRefused

FILE_BYTES_MAX = 1024 * 1024
"""A list of 10,000 bodies has an eighth of that, and Kafka takes twice."""


class DirectoryFolder:
    """Reads versions; any number of readers beside one publisher. Not for use by two threads at once."""

    def __init__(self, folder: Path, root: bytes) -> None:
        """Use `folder` under the trust of `root`, the bytes of the exchange's first root file.

        Raises:
            DirectoryRefused: `directory-unreadable`, `directory-signature-invalid`: it is no such file.
        """
        self.folder = folder
        self.root = root
        self._roots = Roots(root)
        self._newest: Newest | None = None
        self._proven: Proven | None = None

    @classmethod
    def at(cls, folder: Path, root: Path) -> "DirectoryFolder":
        """The directory in `folder` under the root file that a configuration names.

        Raises:
            DirectoryRefused: as the constructor; `directory-missing`: there is no such root file.
        """
        return cls(folder, read_root(root))

    @property
    def exchange(self) -> bytes:
        """Id of the exchange: SHA-256 of its first root (rule 1.2)."""
        return self._roots.exchange

    @property
    def root_number(self) -> int:
        """Of the newest root that was read."""
        return self._roots.number

    def keepers(self) -> Mapping[str, Key]:
        """Public keys of the keepers by id, as the newest root names them."""
        root = self.newest_root()
        return {keyid: root.keys[keyid] for keyid in root.roles[Targets.type].keyids}

    def holders(self) -> dict[str, Holder]:
        """All who ever held a key, by its id."""
        roots = (self._roots.root(number) for number in range(1, self._roots.number + 1))
        return {keyid: Holder(holder(key), key) for root in roots for keyid, key in root.keys.items()}

    def follow_roots(self) -> None:
        """Read the roots that came since.

        Raises:
            DirectoryRefused: as `Roots.follow`.
        """
        self._roots.follow(self.read)

    def require_following(self, number: int, root: bytes) -> None:
        """Make sure that readers will accept `root` as the next one, which it is not yet.

        Raises:
            DirectoryRefused: as `Roots.follow`; `directory-version-invalid`: it is not root `number`.
        """
        roots = Roots(self.root)
        roots.follow(lambda name, _=None: root if name == f"{number}.root.json" else self.read(name))
        if roots.number < number:
            message = f"this is not root {number}, the next one: sign that"
            raise DirectoryRefused(message, code="directory-version-invalid")

    def newest_root(self) -> Root:
        """The newest root that was read."""
        return self._roots.root(self._roots.number)

    def head(self) -> Directory | None:
        """The newest complete version, also when no timestamp names it yet; None when there is none.

        Raises:
            DirectoryRefused: as `version`.
        """
        numbers = [
            int(name) for path in self.folder.glob("*.snapshot.json") if (name := path.name.split(".")[0]).isdecimal()
        ]
        return self.version(max(numbers)) if numbers else None

    def require_version(self, number: int, files: Mapping[str, bytes]) -> None:
        """Make sure that readers will accept a version once `files` are there, which they are not yet.

        Raises:
            DirectoryRefused: as `version`.
        """
        too_large = [name for name, data in files.items() if len(data) > FILE_BYTES_MAX]
        if too_large:
            message = f"{too_large[0]} is larger than {FILE_BYTES_MAX} bytes: put less into it"
            raise DirectoryRefused(message, code="directory-field-invalid")
        read_version(
            number, lambda name, _=None: files.get(name) or self.read(name), self._roots, self._proven, is_whole=True
        )

    def require_timestamp(self, data: bytes) -> None:
        """Make sure that readers will accept a timestamp that is not yet there.

        Raises:
            DirectoryRefused: as `newest`.
        """
        read_timestamp(data, self.newest_root())

    def require_grown(self, number: int) -> None:
        """Make sure that a version takes back no list of the one before it.

        Raises:
            DirectoryRefused: `directory-rolled-back`; as `version`.
        """
        if number > 1:
            require_grown(self.lists(number - 1), self.lists(number), number)

    def lists(self, number: int) -> Mapping[str, MetaFile]:
        """The lists that a version names, for who publishes the next one.

        Raises:
            DirectoryRefused: as `version`.
        """
        return read_lists(number, self.read, self._roots)

    def list_of(self, number: int, code: str) -> str:
        """The list that names a body's entry in a version.

        Raises:
            DirectoryRefused: as `version`.
        """
        return read_list_of(number, code, self.read, self._roots)

    def signed_under(self, number: int) -> int:
        """Number of the root under which a version was signed.

        Raises:
            DirectoryRefused: as `version`.
        """
        return self._prove(number).root

    def newest(self) -> Newest:
        """What the timestamp says, signed under the newest root; valid no longer than that root.

        Raises:
            DirectoryRefused: `directory-missing` (no version at all), `directory-unreadable`,
                `directory-signature-invalid`, `directory-rolled-back` (older than one that was read before).
        """
        self._roots.follow(self.read)
        root = self.newest_root()
        newest = read_timestamp(self.read(TIMESTAMP), root)
        if self._newest is not None and newest.number < self._newest.number:
            raise _rolled_back(f"timestamp {newest.number} is older than {self._newest.number}, which was read before")
        self._newest = newest
        return replace(newest, valid_until=min(newest.valid_until, root.expires))

    def latest(self, known: Directory | None = None) -> Directory:
        """The newest version; cheap when `known` is still it.

        Args:
            known: the version that the caller uses now. What is returned continues it, version by
                version: an older or another history is refused.

        Raises:
            DirectoryRefused: as `newest` and `version`; `directory-rolled-back` (older than `known`, or
                not its continuation), `directory-file-differs` (not the version that the timestamp names).
        """
        newest = self.newest()
        if known is not None and newest.version < known.version:
            raise _rolled_back(f"{self.folder} ends with version {newest.version}, {known.version} is in use")
        if known is None:
            known = self.version(newest.version)
        for number in range(known.version + 1, newest.version + 1):
            follower = self.version(number)
            if follower.previous != known.digest:
                raise _rolled_back(f"version {number} does not continue version {known.version} as it was read")
            self.require_grown(number)
            known = follower
        if known.digest != newest.digest:
            message = f"version {newest.version} is not the one that {TIMESTAMP} names: restore the folder"
            raise DirectoryRefused(message, code="directory-file-differs")
        if (root := self._prove(newest.version).root) != self._roots.number:
            message = f"version {newest.version} is signed under root {root}, {self._roots.number} is in force"
            raise DirectoryRefused(f"{message}: publish one under it", code="directory-signature-invalid")
        return known

    def version(self, number: int) -> Directory:
        """One version, proven under the root that was in force when it was issued.

        Raises:
            DirectoryRefused: as `exchange.security.directory.version.read_version`.
        """
        return self._prove(number).directory

    def files(self, number: int) -> Mapping[str, bytes]:
        """Names and SHA-256 of all files that prove a version, roots too.

        Raises:
            DirectoryRefused: as `version`.
        """
        proven = self._prove(number)
        roots = (f"{root}.root.json" for root in range(1, proven.root + 1))
        return {name: sha256(self.read(name)).digest() for name in roots} | dict(proven.files)

    def _prove(self, number: int) -> Proven:
        digest = sha256(self.read(f"{number}.snapshot.json")).digest()
        if self._proven is None or self._proven.directory.digest != digest:
            self._roots.follow(self.read)
            self._proven = read_version(number, self.read, self._roots, self._proven)
        return self._proven

    def read(self, name: str, _digest: bytes | None = None) -> bytes:
        """A file's bytes; in a folder its name is enough.

        Raises:
            DirectoryRefused: `directory-missing`.
        """
        try:
            with (self.folder / name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                return file.read(min(size, FILE_BYTES_MAX) + 1)
        except OSError as error:
            message = f"{self.folder / name} cannot be read ({error.strerror}): restore it from another reader's copy"
            raise DirectoryRefused(message, code="directory-missing") from error


def read_root(path: Path) -> bytes:
    """The exchange's first root file, as its reader was given it by hand.

    Raises:
        DirectoryRefused: `directory-missing`.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): put the exchange's first root file there"
        raise DirectoryRefused(message, code="directory-missing") from error


def _rolled_back(what: str) -> DirectoryRefused:
    message = f"{what}: restore the folder from another reader's copy"
    return DirectoryRefused(message, code="directory-rolled-back")
