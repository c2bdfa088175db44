"""What proves a version of the directory: a repository of The Update Framework (rules 3.2, 5.3).

    <n>.root.json             who may sign what; each is signed by its own threshold and by that before
    timestamp.json            which version is the newest, said again every day: silence is noticed
    <v>.snapshot.json         version v: which of the following make it; decisions name its SHA-256
    <n>.targets.json          lists `exchange.json`, what holds for the whole exchange
    <n>.bodies-<0 to f>.json  each lists the entries of about a sixteenth of the bodies
    <sha256>.exchange.json, bodies/<sha256>.<code>.json

Any client of TUF can fetch and check it. We read it with python-tuf's own types but not with its
client: that knows only the newest version and the machine's clock, and we are asked for any version
as of its time. ADR 0011 says more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp

from exchange.domain.directory import Body, Directory
from exchange.domain.ids import DIGEST_BYTES, ZERO_DIGEST, is_body_code
from exchange.security.directory.entries import decode_body, decode_settings, parse_time
from exchange.security.directory.roots import Read, Roots, parse, unreadable, verify
from exchange.security.errors import DirectoryRefused

SETTINGS = "exchange.json"
TIMESTAMP = "timestamp.json"
ROOT_FIELD, PREVIOUS_FIELD, ISSUED_FIELD, FRESH_FIELD = "x-root", "x-previous", "x-issued", "x-fresh-until"
"""Fields of our own in the framework's metadata, which it lets pass and signs."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What the timestamp says.

    Attributes:
        number: of the timestamp itself; only grows.
        version: of the directory, with the digest of its snapshot.
        fresh_until: after this time a newer timestamp is overdue.
        valid_until: after this time nothing may be decided by the directory.
    """

    number: int
    version: int
    digest: bytes
    fresh_until: datetime
    valid_until: datetime


def read_timestamp(data: bytes, root: Root) -> Newest:
    """What a timestamp says, signed as `root` wants it.

    Raises:
        DirectoryRefused: `directory-unreadable`, `directory-signature-invalid`.
    """
    timestamp = parse(Timestamp, data, TIMESTAMP)
    verify(root, timestamp, Timestamp.type, TIMESTAMP)
    meta, fields = timestamp.signed.snapshot_meta, timestamp.signed.unrecognized_fields
    return Newest(
        number=timestamp.signed.version,
        version=meta.version,
        digest=target_digest(meta, TIMESTAMP),
        fresh_until=_time(fields, FRESH_FIELD, TIMESTAMP),
        valid_until=timestamp.signed.expires,
    )


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
    version: int, read: Read, roots: Roots, known: Proven | None = None, digest: bytes | None = None
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

    Raises:
        DirectoryRefused: `directory-missing`, `directory-unreadable`, `directory-signature-invalid`,
            `directory-file-differs`, `directory-rolled-back`, and as `decode_body`.
    """
    taken = _Taking(read)
    files = taken.files
    # 1.
    name = f"{version}.snapshot.json"
    snapshot, number = _snapshot(version, taken, roots, digest)
    if digest is not None and files[name] != digest:
        raise _differs(name)
    root, fields = roots.root(number), snapshot.signed.unrecognized_fields
    # 2.
    targets = _listed(Targets.type, snapshot.signed, taken)
    verify(root, targets, Targets.type, Targets.type)
    bins = bins_of(targets.signed)
    settings = decode_settings(_target(SETTINGS, targets.signed, taken))
    # 3.
    entries = _entries(bins, snapshot.signed, targets.signed, taken)
    bodies: dict[str, Body] = {}
    for code, entry in sorted(entries.items()):
        if known is not None and known.directory.entries.get(code) == entry.digest:
            files[entry.name] = entry.digest
            bodies[code] = known.directory.bodies[code]
        else:
            bodies[code] = decode_body(_taken(entry.target, entry.name, taken), code)
    # 4.
    _require_unique(bodies)
    directory = Directory(
        exchange=roots.exchange,
        version=version,
        digest=files[name],
        previous=_previous(fields, version, name),
        issued=_time(fields, ISSUED_FIELD, name),
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
        raise _differs(name)
    for listing, meta in snapshot.signed.meta.items():
        if f"{meta.version}.{listing}" in known:
            continue
        role = listing.removesuffix(_JSON)
        for path, target in _listed(role, snapshot.signed, taken).signed.targets.items():
            file = hashed(path if path == SETTINGS else body_path(body_of(path)), target_digest(target, role))
            if file not in known:
                _taken(target, file, taken)
    return Link(_previous(snapshot.signed.unrecognized_fields, version, name), taken.files, snapshot.signed.meta)


def read_lists(version: int, read: Read, roots: Roots) -> Mapping[str, MetaFile]:
    """The lists that a version names.

    Raises:
        DirectoryRefused: as `read_version`.
    """
    return _snapshot(version, read, roots)[0].signed.meta


def read_list_of(version: int, code: str, read: Read, roots: Roots) -> str:
    """The list that names a body's entry.

    Raises:
        DirectoryRefused: as `read_version`.
    """
    snapshot, _ = _snapshot(version, read, roots)
    return str(bins_of(_listed(Targets.type, snapshot.signed, read).signed).get_role_for_target(body_path(code)))


def body_path(code: str) -> str:
    """A body's entry as the lists name it."""
    return f"{_BODIES}{code}{_JSON}"


def body_of(path: str) -> str:
    """The body whose entry a list names.

    Raises:
        DirectoryRefused: `directory-unreadable`: no file may be made of another name.
    """
    code = path.removeprefix(_BODIES).removesuffix(_JSON)
    if not is_body_code(code) or body_path(code) != path:
        raise unreadable("the list", f"names '{path[:80]}', which is no body's entry")
    return code


def hashed(path: str, digest: bytes) -> str:
    """The file's name of a listed path: contents never change under a name."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{digest.hex()}.{name}"


_BODIES, _JSON = "bodies/", ".json"


def _snapshot(version: int, read: Read, roots: Roots, digest: bytes | None = None) -> tuple[Metadata[Snapshot], int]:
    """A version's snapshot, and the number of the root under which it is signed."""
    name = f"{version}.snapshot.json"
    snapshot = parse(Snapshot, read(name, digest), name)
    number = _number(snapshot.signed.unrecognized_fields, ROOT_FIELD, name)
    verify(roots.root(number), snapshot, Snapshot.type, name)
    if snapshot.signed.version != version:
        raise unreadable(name, f"says that it is version {snapshot.signed.version}")
    return snapshot, number


def _listed(role: str, snapshot: Snapshot, read: Read) -> Metadata[Targets]:
    meta = snapshot.meta.get(f"{role}.json")
    if meta is None:
        raise unreadable(f"version {snapshot.version}", f"does not name {role}.json")
    name = f"{meta.version}.{role}.json"
    data = read(name, target_digest(meta, name))
    _require_same(meta, data, name)
    return parse(Targets, data, name)


def _target(path: str, targets: Targets, read: Read) -> bytes:
    target = targets.targets.get(path)
    if target is None:
        raise unreadable("the list", f"does not name {path}")
    return _taken(target, hashed(path, target_digest(target, path)), read)


def _taken(target: TargetFile, name: str, read: Read) -> bytes:
    data = read(name, target_digest(target, name))
    _require_same(target, data, name)
    return data


def bins_of(targets: Targets) -> SuccinctRoles:
    """The lists of bodies that a list of lists names.

    Raises:
        DirectoryRefused: `directory-unreadable`.
    """
    bins = None if targets.delegations is None else targets.delegations.succinct_roles
    if bins is None or bins.number_of_bins > _BINS_MAX:
        raise unreadable(f"{targets.version}.targets.json", "does not say who lists the bodies")
    return bins


_BINS_MAX = 256


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
        listed = _listed(role, snapshot, read)
        verify(targets, listed, role, role)
        for path, target in listed.signed.targets.items():
            code = body_of(path)
            if bins.get_role_for_target(path) != role:
                raise unreadable(role, f"lists '{path[:80]}', which does not belong there")
            digest = target_digest(target, role)
            entries[code] = _Entry(target, digest, hashed(path, digest))
    return entries


def _require_same(meta: MetaFile | TargetFile, data: bytes, name: str) -> None:
    target_digest(meta, name)
    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError as error:
        raise _differs(name) from error


def target_digest(meta: MetaFile | TargetFile, name: str) -> bytes:
    """The SHA-256 by which a file is named; other digests, and none at all, are not enough."""
    try:
        value = bytes.fromhex((meta.hashes or {})["sha256"])
    except (KeyError, ValueError) as error:
        raise unreadable(name, "is named without its SHA-256") from error
    if len(value) != DIGEST_BYTES or meta.length is None:
        raise unreadable(name, "is named without its SHA-256 or size")
    return value


def _previous(fields: Mapping[str, object], version: int, name: str) -> bytes:
    value = fields.get(PREVIOUS_FIELD)
    try:
        previous = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        previous = b""
    if len(previous) != DIGEST_BYTES or (previous == ZERO_DIGEST) != (version == 1):
        raise unreadable(name, f"{PREVIOUS_FIELD} is not the digest of the version before")
    return previous


def _number(fields: Mapping[str, object], field: str, name: str) -> int:
    value = fields.get(field)
    if type(value) is not int:
        raise unreadable(name, f"{field} is no number")
    return value


def _time(fields: Mapping[str, object], field: str, name: str) -> datetime:
    value = fields.get(field)
    try:
        return parse_time(value if isinstance(value, str) else "")
    except ValueError as error:
        raise unreadable(name, f"{field} is no time like 2026-01-31T09:00:00.000000Z") from error


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


def _differs(name: str) -> DirectoryRefused:
    message = f"{name} is not the file that the version names: fetch it again, from another reader's copy"
    return DirectoryRefused(message, code="directory-file-differs")
