"""A version of the directory out of its files: proven by signatures, or known by its digest alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from tuf.api.metadata import MetaFile, Snapshot, SuccinctRoles, TargetFile, Targets

from exchange.domain.directory import Body, Directory
from exchange.security.directory.entries import decode_body, decode_settings
from exchange.security.directory.metadata import (
    ISSUED_FIELD,
    SETTINGS,
    bins_of,
    body_of,
    body_path,
    differs,
    hashed,
    previous_of,
    read_list,
    read_snapshot,
    read_target,
    target_digest,
    time_of,
)
from exchange.security.directory.roots import Read, Roots, parse, unreadable, verify
from exchange.security.errors import DirectoryRefused


@dataclass(frozen=True, slots=True)
class Proven:
    """A version with what proves it.

    Attributes:
        directory: the version.
        root: number of the root under which it was signed.
        files: names and SHA-256 of the files that make it.
    """

    directory: Directory
    root: int
    files: Mapping[str, bytes]


class _Taking:
    """A `Read` that notes the names and digests of what was read."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.files: dict[str, bytes] = {}

    def __call__(self, name: str, digest: bytes | None = None, /) -> bytes:
        data = self._read(name, digest)
        self.files[name] = sha256(data).digest()
        return data


def read_version(
    version: int,
    read: Read,
    roots: Roots,
    known: Proven | None = None,
    digest: bytes | None = None,
    *,
    is_whole: bool = False,
) -> Proven:
    """A version of the directory, proven by its files.

    1. The snapshot is signed under the root that it names, and is that version.
    2. Targets and each list of bodies are signed, and are the very files that the snapshot names.
    3. Every entry is in the list where it belongs, and is the very file that the list names.
    4. No identifier and no certificate is listed for two bodies.

    Args:
        version: which.
        read: gives the files.
        roots: the roots, followed so far that the version's is among them.
        known: another version; entries that are the same are not read again.
        digest: of the version, where it is known; compared.
        is_whole: whether their files are compared all the same, as who knows no other version would do.

    Raises:
        DirectoryRefused: `directory-missing`, `directory-unreadable`, `directory-signature-invalid`,
            `directory-file-differs`, `directory-rolled-back`, and as `decode_body`.
    """
    taken = _Taking(read)
    files = taken.files
    # 1.
    name = f"{version}.snapshot.json"
    snapshot, number = read_snapshot(version, taken, roots, digest)
    if digest is not None and files[name] != digest:
        raise differs(name)
    root, fields = roots.root(number), snapshot.signed.unrecognized_fields
    # 2.
    targets = read_list(Targets.type, snapshot.signed, taken)
    verify(root, targets, Targets.type, Targets.type)
    bins = bins_of(targets.signed)
    settings = decode_settings(_target(SETTINGS, targets.signed, taken))
    # 3.
    entries = _entries(bins, snapshot.signed, targets.signed, taken)
    bodies = _bodies(entries, known, taken, is_whole=is_whole)
    # 4.
    _require_unique(bodies)
    directory = Directory(
        exchange=roots.exchange,
        version=version,
        digest=files[name],
        previous=previous_of(fields, version, name),
        issued=time_of(fields, ISSUED_FIELD, name),
        lanes=settings.lanes,
        journal_partitions=settings.journal_partitions,
        issuers=settings.issuers,
        bodies=bodies,
        entries={code: entry.digest for code, entry in entries.items()},
    )
    return Proven(directory, number, files)


@dataclass(frozen=True, slots=True)
class Link:
    """A version of the past, known by its digest alone.

    Attributes:
        previous: digest of the version before.
        files: names and SHA-256 of the files that make it, without those that were known.
        lists: the lists that it names.
    """

    previous: bytes
    files: Mapping[str, bytes]
    lists: Mapping[str, MetaFile]


def require_grown(before: Mapping[str, MetaFile], after: Mapping[str, MetaFile], version: int) -> None:
    """Make sure that no list is older than in the version before, or gone: that would undo what two keepers signed.

    Raises:
        DirectoryRefused: `directory-rolled-back`.
    """
    for name, earlier in before.items():
        later = after.get(name)
        same = later is not None and later.version == earlier.version and later.hashes == earlier.hashes
        if later is None or not (same or later.version > earlier.version):
            message = f"version {version} brings back an older {name} than the version before it had"
            raise DirectoryRefused(f"{message}: ask the keepers who did that", code="directory-rolled-back")


def read_link(version: int, digest: bytes, read: Read, known: Mapping[str, bytes]) -> Link:
    """A version by the digest that a proven one names: its files follow from it, without a signature.

    Args:
        version: which.
        digest: SHA-256 of its snapshot.
        read: gives the files.
        known: names and SHA-256 of files that need not be looked at again.

    Raises:
        DirectoryRefused: `directory-missing`, `directory-unreadable`, `directory-file-differs`.
    """
    taken = _Taking(read)
    name = f"{version}.snapshot.json"
    snapshot = parse(Snapshot, taken(name, digest), name)
    if taken.files[name] != digest:
        raise differs(name)
    for listing, meta in snapshot.signed.meta.items():
        if f"{meta.version}.{listing}" in known:
            continue
        role = listing.removesuffix(".json")
        for path, target in read_list(role, snapshot.signed, taken).signed.targets.items():
            file = hashed(path if path == SETTINGS else body_path(body_of(path)), target_digest(target, role))
            if file not in known:
                read_target(target, file, taken)
    return Link(previous_of(snapshot.signed.unrecognized_fields, version, name), taken.files, snapshot.signed.meta)


def _target(path: str, targets: Targets, read: Read) -> bytes:
    target = targets.targets.get(path)
    if target is None:
        raise unreadable("the list", f"does not name {path}")
    return read_target(target, hashed(path, target_digest(target, path)), read)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A body's entry as a list names it, and its file."""

    target: TargetFile
    digest: bytes
    name: str


def _entries(bins: SuccinctRoles, snapshot: Snapshot, targets: Targets, read: Read) -> dict[str, _Entry]:
    """The entries that all lists name, by body; each is in the list where it belongs."""
    entries = {}
    for role in bins.get_roles():
        listed = read_list(role, snapshot, read)
        verify(targets, listed, role, role)
        for path, target in listed.signed.targets.items():
            code = body_of(path)
            if bins.get_role_for_target(path) != role:
                raise unreadable(role, f"lists '{path[:80]}', which does not belong there")
            digest = target_digest(target, role)
            entries[code] = _Entry(target, digest, hashed(path, digest))
    return entries


def _bodies(entries: Mapping[str, _Entry], known: Proven | None, taken: _Taking, *, is_whole: bool) -> dict[str, Body]:
    """What the entries say; those that a known version has, too, are not decoded again."""
    bodies = {}
    for code, entry in sorted(entries.items()):
        if known is None or known.directory.entries.get(code) != entry.digest:
            bodies[code] = decode_body(read_target(entry.target, entry.name, taken), code)
            continue
        if is_whole:
            read_target(entry.target, entry.name, taken)
        taken.files[entry.name] = entry.digest
        bodies[code] = known.directory.bodies[code]
    return bodies


def _require_unique(bodies: Mapping[str, Body]) -> None:
    """An identifier or a certificate that two bodies share would speak for the wrong one."""
    owners: dict[str | bytes, str] = {}
    for code, mark in _marks(bodies):
        if mark in owners:
            message = f"bodies.{code} has a uid or certificate that bodies.{owners[mark]} has: list it once"
            raise DirectoryRefused(message, code="directory-field-invalid")
        owners[mark] = code


def _marks(bodies: Mapping[str, Body]) -> Iterator[tuple[str, str | bytes]]:
    for code, body in bodies.items():
        for uid in body.uids:
            yield code, uid
        for certificate in body.certificates:
            yield code, certificate.der
