"""The files that prove a version of the directory: a repository of The Update Framework (rules 3.2, 5.3).

    <n>.root.json             who may sign what; each is signed by its own threshold and by that before
    timestamp.json            which version is the newest, said again every day: silence is noticed
    <v>.snapshot.json         version v: which of the following make it; decisions name its SHA-256
    <n>.targets.json          lists `exchange.json`, what holds for the whole exchange
    <n>.bodies-<0 to f>.json  each lists the entries of about a sixteenth of the bodies
    <sha256>.exchange.json, bodies/<sha256>.<code>.json

Any client of TUF can fetch and check it. We read it with python-tuf's own types but not with its
client: that knows only the newest version and the machine's clock, and we are asked for any version
as of its time. ADR 0011 says more. Here each file is read by itself; `version` puts them together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp

from exchange.domain.ids import DIGEST_BYTES, ZERO_DIGEST, is_body_code
from exchange.security.directory.canonical_json import parse_time
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
        fresh_until=time_of(fields, FRESH_FIELD, TIMESTAMP),
        valid_until=timestamp.signed.expires,
    )


def read_lists(version: int, read: Read, roots: Roots) -> Mapping[str, MetaFile]:
    """The lists that a version names.

    Raises:
        DirectoryRefused: as `read_snapshot`.
    """
    return read_snapshot(version, read, roots)[0].signed.meta


def read_list_of(version: int, code: str, read: Read, roots: Roots) -> str:
    """The list that names a body's entry.

    Raises:
        DirectoryRefused: as `read_snapshot` and `read_list`.
    """
    snapshot, _ = read_snapshot(version, read, roots)
    return str(bins_of(read_list(Targets.type, snapshot.signed, read).signed).get_role_for_target(body_path(code)))


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


def read_snapshot(
    version: int, read: Read, roots: Roots, digest: bytes | None = None
) -> tuple[Metadata[Snapshot], int]:
    """A version's snapshot, and the number of the root under which it is signed.

    Raises:
        DirectoryRefused: `directory-missing`, `directory-unreadable`, `directory-signature-invalid`,
            `directory-rolled-back`.
    """
    name = f"{version}.snapshot.json"
    snapshot = parse(Snapshot, read(name, digest), name)
    number = _number(snapshot.signed.unrecognized_fields, ROOT_FIELD, name)
    verify(roots.root(number), snapshot, Snapshot.type, name)
    if snapshot.signed.version != version:
        raise unreadable(name, f"says that it is version {snapshot.signed.version}")
    return snapshot, number


def read_list(role: str, snapshot: Snapshot, read: Read) -> Metadata[Targets]:
    """The very list that a snapshot names; who signed it is not looked at.

    Raises:
        DirectoryRefused: `directory-missing`, `directory-unreadable`, `directory-file-differs`.
    """
    meta = snapshot.meta.get(f"{role}.json")
    if meta is None:
        raise unreadable(f"version {snapshot.version}", f"does not name {role}.json")
    name = f"{meta.version}.{role}.json"
    data = read(name, target_digest(meta, name))
    _require_same(meta, data, name)
    return parse(Targets, data, name)


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


def read_target(target: TargetFile, name: str, read: Read) -> bytes:
    """The very file that a list names.

    Raises:
        DirectoryRefused: as `read_list`.
    """
    data = read(name, target_digest(target, name))
    _require_same(target, data, name)
    return data


def _require_same(meta: MetaFile | TargetFile, data: bytes, name: str) -> None:
    target_digest(meta, name)
    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError as error:
        raise differs(name) from error


def target_digest(meta: MetaFile | TargetFile, name: str) -> bytes:
    """The SHA-256 by which a file is named; other digests, and none at all, are not enough."""
    try:
        value = bytes.fromhex((meta.hashes or {})["sha256"])
    except (KeyError, ValueError) as error:
        raise unreadable(name, "is named without its SHA-256") from error
    if len(value) != DIGEST_BYTES or meta.length is None:
        raise unreadable(name, "is named without its SHA-256 or size")
    return value


def previous_of(fields: Mapping[str, object], version: int, name: str) -> bytes:
    """The digest of the version before, as a snapshot names it.

    Raises:
        DirectoryRefused: `directory-unreadable`.
    """
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


def time_of(fields: Mapping[str, object], field: str, name: str) -> datetime:
    """A time among the fields of our own.

    Raises:
        DirectoryRefused: `directory-unreadable`.
    """
    value = fields.get(field)
    try:
        return parse_time(value if isinstance(value, str) else "")
    except ValueError as error:
        raise unreadable(name, f"{field} is no time like 2026-01-31T09:00:00.000000Z") from error


def differs(name: str) -> DirectoryRefused:
    """The refusal of a file that is not the one that was named."""
    message = f"{name} is not the file that the version names: fetch it again, from another reader's copy"
    return DirectoryRefused(message, code="directory-file-differs")
