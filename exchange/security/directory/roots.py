"""Whose keys sign the directory: the chain of roots, and reading The Update Framework's metadata."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Key, Metadata, Root, Signed, Snapshot, Targets, Timestamp

from exchange.security.errors import DirectoryRefused

Role = TypeVar("Role", Root, Timestamp, Snapshot, Targets)
NAME_FIELD = "x-name"
"""Of a key in a root: who holds it. The framework lets fields of our own pass, and signs them."""


class Read(Protocol):
    """Where files come from."""

    def __call__(self, name: str, digest: bytes | None = None, /) -> bytes:
        """Bytes of a file by its name, or by its SHA-256 where that is known; the caller compares them.

        Raises:
            DirectoryRefused: `directory-missing`.
        """
        ...


class Roots:
    """The chain of roots from the one that a reader was given; later ones are read when they are there."""

    def __init__(self, first: bytes) -> None:
        """Trust `first`, the bytes of `1.root.json`, whose SHA-256 is the exchange's id.

        Raises:
            DirectoryRefused: `directory-unreadable`, `directory-signature-invalid`.
        """
        root = parse(Root, first, "1.root.json")
        verify(root.signed, root, Root.type, "1.root.json")
        self.exchange = sha256(first).digest()
        self._roots = [root.signed]

    @property
    def number(self) -> int:
        """Of the newest root known."""
        return len(self._roots)

    def follow(self, read: Read) -> None:
        """Take the roots that came since.

        Raises:
            DirectoryRefused: `directory-unreadable`, `directory-signature-invalid`: the next root does not
                follow from the one before, which stays in force.
        """
        while True:
            name = f"{self.number + 1}.root.json"
            try:
                data = read(name)
            except DirectoryRefused as error:
                if error.code == "directory-missing":
                    return
                raise
            root = parse(Root, data, name)
            if root.signed.version != self.number + 1:
                raise unreadable(name, f"says that it is root {root.signed.version}")
            verify(self._roots[-1], root, Root.type, name)
            verify(root.signed, root, Root.type, name)
            self._roots.append(root.signed)

    def root(self, number: int) -> Root:
        """One of the roots.

        Raises:
            DirectoryRefused: `directory-rolled-back`: there is no such root.
        """
        if not 1 <= number <= self.number:
            message = f"root {number} is not here, {self.number} is the newest: fetch the missing root files"
            raise DirectoryRefused(message, code="directory-rolled-back")
        return self._roots[number - 1]


def clocks(root: Root) -> frozenset[str]:
    """Ids of the keys that sign timestamps."""
    return frozenset(root.roles[Timestamp.type].keyids)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a key, or held it."""

    name: str
    key: Key


def holder(key: Key) -> str:
    """Who holds a key, as the root names them; the beginning of its id when it does not."""
    name = key.unrecognized_fields.get(NAME_FIELD)
    return name if isinstance(name, str) and name else key.keyid[:8]


@dataclass(frozen=True, slots=True)
class KeysOfRole:
    """Ids of keys, of which `threshold` must sign; `holders` are their holders' names, in the same order."""

    name: str
    threshold: int
    keys: tuple[str, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootState:
    """A root on its way through a ceremony.

    Attributes:
        number: which root.
        digest: SHA-256 of the file as it is now; of a complete first root it is the exchange's id.
        expires: until when it holds, once enough have signed.
        roles: whose keys it names.
        signed: who has signed of its own holders, and of those of the root before.
    """

    number: int
    digest: bytes
    expires: datetime
    roles: tuple[KeysOfRole, ...]
    signed: tuple[KeysOfRole, ...]

    @property
    def complete(self) -> bool:
        """Whether enough have signed."""
        return all(len(group.keys) >= group.threshold for group in self.signed)


def look_at_root(data: bytes, before: bytes | None = None) -> RootState:
    """Where a root stands, signed or not yet.

    Args:
        data: the root file.
        before: the root before it, None for the first.

    Raises:
        DirectoryRefused: `directory-unreadable`; `directory-version-invalid`: it is not the next one.
    """
    metadata = parse(Root, data, "the root")
    root = metadata.signed
    earlier = None if before is None else parse(Root, before, "the root before").signed
    if earlier is not None and root.version != earlier.version + 1:
        message = f"root {root.version} does not follow root {earlier.version}: name the one before it"
        raise DirectoryRefused(message, code="directory-version-invalid")
    roles = tuple(_group(name, role.threshold, role.keyids, root.keys) for name, role in sorted(root.roles.items()))
    groups = [("its holders", root), *([("holders of the root before", earlier)] if earlier else [])]
    signed = []
    for name, by in groups:
        result = by.get_verification_result(Root.type, metadata.signed_bytes, metadata.signatures)
        signed.append(_group(name, by.roles[Root.type].threshold, sorted(result.signed), by.keys))
    return RootState(root.version, sha256(data).digest(), root.expires, roles, tuple(signed))


def _group(name: str, threshold: int, keyids: Iterable[str], keys: Mapping[str, Key]) -> KeysOfRole:
    ids = tuple(keyids)
    return KeysOfRole(name, threshold, ids, tuple(holder(keys[keyid]) for keyid in ids))


class Files:
    """Files by their digests, as a journal carries them; its `read` is a `Read`."""

    def __init__(self) -> None:
        """None yet."""
        self._files: dict[bytes, bytes] = {}
        self._roots: dict[str, bytes] = {}

    def add(self, data: bytes) -> bytes:
        """Take a file; its digest. Only roots are known by name, too."""
        digest = sha256(data).digest()
        self._files[digest] = data
        if data.startswith(_METADATA):
            try:
                root = Metadata[Root].from_bytes(data).signed
            except (RepositoryError, RecursionError):
                return digest
            if root.type == Root.type:
                self._roots.setdefault(f"{root.version}.root.json", data)
        return digest

    def get(self, digest: bytes) -> bytes | None:
        """The file with that digest."""
        return self._files.get(digest)

    def read(self, name: str, digest: bytes | None = None) -> bytes:
        """A file by its digest, or a root by its name.

        Raises:
            DirectoryRefused: `directory-missing`.
        """
        data = self._roots.get(name) if digest is None else self._files.get(digest)
        if data is None:
            raise DirectoryRefused(f"{name} was not journalled", code="directory-missing")
        return data


_METADATA = b'{"signatures"'


def parse(kind: type[Role], data: bytes, name: str) -> Metadata[Role]:
    """The framework's metadata in a file, of that kind; nothing of it is verified yet.

    Raises:
        DirectoryRefused: `directory-unreadable`.
    """
    try:
        metadata = Metadata[Role].from_bytes(data)
    except (RepositoryError, RecursionError) as error:
        raise unreadable(name, "is no metadata of the framework") from error
    if not isinstance(metadata.signed, kind):
        raise unreadable(name, f"is of kind '{metadata.signed.type}'")
    return metadata


def verify(by: Root | Targets, metadata: Metadata[Any], role: str, name: str) -> None:
    """Make sure that as many signed as `by` wants for `role`.

    Raises:
        DirectoryRefused: `directory-signature-invalid`.
    """
    signed: Signed = metadata.signed
    file = f"{name} (version {signed.version})"
    try:
        result = by.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    except (RepositoryError, ValueError) as error:
        message = f"{file}: nobody is named who may sign it: fetch it again"
        raise DirectoryRefused(message, code="directory-signature-invalid") from error
    if not result:
        missing = "1 signature" if result.missing == 1 else f"{result.missing} signatures"
        others = ", ".join(sorted(map(holder, result.unsigned.values())))[:_NAMES_CHARACTERS] or "nobody"
        step = "have them sign it with `exchange root sign`" if role == Root.type else "fetch it again"
        message = f"{file} lacks {missing} ({result.threshold} must sign), not signed by {others}: {step}"
        raise DirectoryRefused(message, code="directory-signature-invalid")


_NAMES_CHARACTERS = 200


def unreadable(name: str, what: str) -> DirectoryRefused:
    """The refusal of a file that is not what it should be."""
    return DirectoryRefused(f"{name} {what}: fetch it again, from another reader's copy")
