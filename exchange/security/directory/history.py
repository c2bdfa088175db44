"""How an entry came to be what it is: each change with the keepers who signed it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from securesystemslib.exceptions import UnverifiedSignatureError
from tuf.api.metadata import Metadata, Targets

from exchange.domain.directory import Body
from exchange.security.directory.entries import decode_body
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import body_path, hashed, target_digest
from exchange.security.directory.roots import Holder, parse
from exchange.security.errors import DirectoryRefused


@dataclass(frozen=True, slots=True)
class EntryStep:
    """An entry as it once was.

    Attributes:
        body: the entry.
        version: of the directory, the first that had it.
        digest: its SHA-256, by which the next one names it.
        keepers: names of those who signed the list that named it first, sorted.
    """

    body: Body
    version: int
    digest: bytes
    keepers: tuple[str, ...]


def entry_steps(folder: DirectoryFolder, code: str) -> Iterator[EntryStep]:
    """A body's entries from the newest to the first, those of every list that ever named it.

    Raises:
        DirectoryRefused: `directory-missing` or `directory-file-differs` (a file of the past is not there any more,
            or altered), as `DirectoryFolder.version`.
    """
    version = folder.latest().version
    role = folder.list_of(version, code)
    names = folder.holders()
    digest = b""
    keepers: tuple[str, ...] = ()

    def step(number: int) -> EntryStep:
        """The entry that list `number` was the first to name."""
        first = _version_of(folder, role, number, version)
        return EntryStep(_entry(folder, code, digest), first, digest, keepers)

    for number in range(folder.lists(version)[f"{role}.json"].version, 0, -1):
        name = f"{number}.{role}.json"
        metadata = parse(Targets, folder.read(name), name)
        target = metadata.signed.targets.get(body_path(code))
        before = b"" if target is None else target_digest(target, name)
        if digest and before != digest:
            yield step(number + 1)
        digest = before
        keepers = tuple(sorted(names[keyid].name for keyid in metadata.signatures if _holds(keyid, metadata, names)))
        if not digest:
            return
    if digest:
        yield step(1)


def _version_of(folder: DirectoryFolder, role: str, number: int, latest: int) -> int:
    """The version with which a list came: numbers of lists only grow from version to version."""

    def listed(version: int) -> int:
        return folder.lists(version)[f"{role}.json"].version

    return 1 + bisect_left(range(1, latest + 1), number, key=listed)


def _holds(keyid: str, metadata: Metadata[Targets], holders: Mapping[str, Holder]) -> bool:
    """Whether a signature is one of somebody who held that key: who keeps the folder may have written any name."""
    if keyid not in holders:
        return False
    try:
        holders[keyid].key.verify_signature(metadata.signatures[keyid], metadata.signed_bytes)
    except UnverifiedSignatureError:
        return False
    return True


def _entry(folder: DirectoryFolder, code: str, digest: bytes) -> Body:
    name = hashed(body_path(code), digest)
    data = folder.read(name)
    if sha256(data).digest() != digest:
        message = f"{name} is not the entry that the list named: restore it from another reader's copy"
        raise DirectoryRefused(message, code="directory-file-differs")
    return decode_body(data, code)
