"""Writing the directory: roots by their holders, versions by its keeper, freshness by a machine.

Three kinds of keys, as The Update Framework has them. **Root** keys lie with several people, off line;
a threshold of them says whose keys count, and for how long. **Keepers** sign entries and versions, each
with a key of their own; a threshold of two means that nothing changes by one person's word. The
**clock's** key, on a machine that never sleeps, signs only which version is the newest until when; who
steals it can hold back news for that long, and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

from exchange.domain.directory import Body, Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory import Settings, encode_body, encode_settings, format_time
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.directory_metadata import (
    FRESH_FIELD,
    ISSUED_FIELD,
    PREVIOUS_FIELD,
    ROOT_FIELD,
    SETTINGS,
    TIMESTAMP,
    body_path,
    hashed,
)
from exchange.security.directory_roots import Role, parse
from exchange.security.errors import DirectoryRefused
from exchange.security.files import write_atomically
from exchange.security.keys import PrivateKey, PublicKey

ROOT_LIFETIME = timedelta(days=2 * 365)
LIST_LIFETIME = timedelta(days=20 * 365)
"""Of snapshots and lists: for clients of the framework. How old they may be the timestamp says."""
FRESH_FOR = timedelta(days=1)
VALID_FOR = timedelta(days=14)
_BIN_BITS = 4
_BIN_PREFIX = "bodies"


@dataclass(frozen=True, slots=True)
class Quorum:
    """Keys of a role, and how many of them must sign."""

    keys: tuple[PublicKey, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Holders:
    """Whose keys a root names."""

    root: Quorum
    keepers: Quorum
    clock: PublicKey


@dataclass(frozen=True, slots=True, repr=False)
class PublishingKeys:
    """Private keys that publish a version: of as many keepers as must sign, and the clock's."""

    keepers: tuple[PrivateKey, ...]
    clock: PrivateKey


def make_root(holders: Holders, number: int, at: datetime) -> bytes:
    """A root without signatures yet.

    Raises:
        DirectoryRefused: `directory-field-invalid`: a threshold is more than there are keys, or none.
    """
    root = Root(version=number, expires=_seconds(at + ROOT_LIFETIME), consistent_snapshot=True)
    roles = {
        Root.type: holders.root,
        Targets.type: holders.keepers,
        Snapshot.type: holders.keepers,
        Timestamp.type: Quorum((holders.clock,), 1),
    }
    for role, quorum in roles.items():
        keys = {key.keyid: key for key in map(_public, quorum.keys)}
        if not 1 <= quorum.threshold <= len(keys):
            message = f"{role}: {quorum.threshold} of {len(keys)} keys cannot sign: from 1 up to their number"
            raise DirectoryRefused(message, code="directory-field-invalid")
        for key in keys.values():
            root.add_key(key, role)
        root.roles[role].threshold = quorum.threshold
    return Metadata(root).to_bytes()


def sign_root(root: bytes, key: PrivateKey, before: bytes | None = None) -> bytes:
    """A root with one holder's signature more.

    Args:
        root: the root to be signed.
        key: of one of its holders, or of those of the root before it.
        before: the root before it, None for the first.

    Raises:
        DirectoryRefused: `directory-unreadable`; `root-key-unknown`: the key is no holder's.
    """
    metadata = parse(Root, root, "the root")
    signer = CryptoSigner(key)
    holders = {*metadata.signed.roles[Root.type].keyids}
    if before is not None:
        holders |= {*parse(Root, before, "the root before").signed.roles[Root.type].keyids}
    if signer.public_key.keyid not in holders:
        message = f"key {signer.public_key.keyid[:8]} is no root's holder's: sign with yours, or name the root before"
        raise DirectoryRefused(message, code="root-key-unknown")
    metadata.sign(signer, append=True)
    return metadata.to_bytes()


def successor(latest: Directory, bodies: Mapping[str, Body], issued: datetime) -> Directory:
    """The version after `latest` with other `bodies`; its digest is known once it is published."""
    return replace(
        latest,
        version=latest.version + 1,
        previous=latest.digest,
        digest=ZERO_DIGEST,
        issued=issued,
        bodies=bodies,
        entries={},
    )


class DirectoryPublisher:
    """Writes versions into a folder, one publisher at a time; readers see each whole or not at all."""

    def __init__(self, folder: DirectoryFolder) -> None:
        """Publish into `folder`."""
        self._folder = folder

    def publish(self, directory: Directory, keys: PublishingKeys, at: datetime) -> Directory:
        """Sign and write the next version.

        Args:
            directory: version and previous digest continue the newest one (see `successor`); its own
                digest is computed here.
            keys: as the newest root names them.
            at: the time (UTC).

        Returns:
            The version as readers will read it, with its digest.

        Raises:
            DirectoryRefused: `directory-version-invalid` (does not continue the newest), and all of
                `DirectoryFolder.version`: what readers would refuse is not published.
            OSError: the folder cannot be written; readers still see the version before.
        """
        latest = self._latest()
        expected = (1, ZERO_DIGEST) if latest is None else (latest.version + 1, latest.digest)
        if (directory.version, directory.previous) != expected:
            message = f"version {directory.version} does not continue version {expected[0] - 1}: change that one"
            raise DirectoryRefused(message, code="directory-version-invalid")
        if latest is None:
            write_atomically(self._folder.folder / "1.root.json", self._folder.root)
        return self._write(directory, latest, keys, at)

    def rotate(self, root: bytes, keys: PublishingKeys, at: datetime) -> Directory:
        """Put the next root in force, and publish a version that says the same under it.

        Until that version is there, readers go on by the one that they have.

        Args:
            root: signed by the thresholds of the root before and of itself.
            keys: as the new root names them.
            at: the time (UTC).

        Raises:
            DirectoryRefused: as `Roots.follow`: nothing was written; as `publish`.
            OSError: as `publish`; call again.
        """
        latest = self._folder.latest()
        number = self._folder.root_number + 1
        self._folder.require_following(number, root)
        write_atomically(self._folder.folder / f"{number}.root.json", root)
        return self._write(successor(latest, latest.bodies, at), latest, keys, at)

    def stamp(self, key: PrivateKey, at: datetime) -> None:
        """Say again which version is the newest, for another day.

        Raises:
            DirectoryRefused: as `DirectoryFolder.latest`.
            OSError: the folder cannot be written.
        """
        latest = self._folder.latest()
        self._stamp(latest.version, self._folder.read(f"{latest.version}.snapshot.json"), key, at)

    def _write(self, directory: Directory, latest: Directory | None, keys: PublishingKeys, at: datetime) -> Directory:
        self._folder.follow_roots()
        snapshot = Snapshot(
            version=directory.version,
            expires=_seconds(at + LIST_LIFETIME),
            meta=_Lists(self._folder, latest, keys.keepers, at).write(directory),
            unrecognized_fields={
                ROOT_FIELD: self._folder.root_number,
                PREVIOUS_FIELD: directory.previous.hex(),
                ISSUED_FIELD: format_time(directory.issued),
            },
        )
        data = _signed(snapshot, *keys.keepers)
        write_atomically(self._folder.folder / f"{directory.version}.snapshot.json", data)
        published = self._folder.version(directory.version)
        self._stamp(published.version, data, keys.clock, at)
        return published

    def _stamp(self, version: int, snapshot: bytes, key: PrivateKey, at: datetime) -> None:
        file = self._folder.folder / TIMESTAMP
        # Only its number counts: after a new root nobody believes the old clock any more.
        number = 1 + (Metadata[Timestamp].from_bytes(file.read_bytes()).signed.version if file.exists() else 0)
        meta = MetaFile(version, len(snapshot), {"sha256": sha256(snapshot).hexdigest()})
        fields = {FRESH_FIELD: format_time(at + FRESH_FOR)}
        timestamp = Timestamp(
            version=number, expires=_seconds(at + VALID_FOR), snapshot_meta=meta, unrecognized_fields=fields
        )
        write_atomically(file, _signed(timestamp, key))

    def _latest(self) -> Directory | None:
        return self._folder.latest() if (self._folder.folder / TIMESTAMP).exists() else None


class _Lists:
    """The files of a version below its snapshot: those that changed are written, the others named again."""

    def __init__(
        self, folder: DirectoryFolder, latest: Directory | None, keepers: Sequence[PrivateKey], at: datetime
    ) -> None:
        self._folder = folder
        self._keepers = keepers
        self._expires = _seconds(at + LIST_LIFETIME)
        self._before: Mapping[str, MetaFile] = {} if latest is None else folder.lists(latest.version)

    def write(self, directory: Directory) -> dict[str, MetaFile]:
        """Write what is new; the lists by name for the snapshot."""
        keys, threshold = self._folder.keepers()
        bins = SuccinctRoles(list(keys), threshold, _BIN_BITS, _BIN_PREFIX)
        settings = encode_settings(Settings(directory.lanes, directory.journal_partitions, directory.issuers))
        targets = Targets(
            targets={SETTINGS: self._target(SETTINGS, settings)},
            delegations=Delegations(dict(keys), succinct_roles=bins),
        )
        listed: dict[str, dict[str, TargetFile]] = {role: {} for role in bins.get_roles()}
        for code, body in sorted(directory.bodies.items()):
            path = body_path(code)
            listed[bins.get_role_for_target(path)][path] = self._target(path, encode_body(body))
        lists = {Targets.type: targets} | {role: Targets(targets=targets_) for role, targets_ in listed.items()}
        return {f"{role}.json": self._list(role, content, targets) for role, content in lists.items()}

    def _target(self, path: str, data: bytes) -> TargetFile:
        digest = sha256(data).digest()
        file = self._folder.folder / hashed(path, digest)
        if not file.exists():
            write_atomically(file, data)
        return TargetFile(len(data), {"sha256": digest.hex()}, path)

    def _list(self, role: str, content: Targets, by: Targets) -> MetaFile:
        """The list's place in the snapshot; written when it says something else, or others must sign it than before."""
        before = self._before.get(f"{role}.json")
        if before is not None and self._says_the_same(role, before, content, by):
            return before
        content.version = 1 if before is None else before.version + 1
        content.expires = self._expires
        data = _signed(content, *self._keepers)
        write_atomically(self._folder.folder / f"{content.version}.{role}.json", data)
        return MetaFile(content.version, len(data), {"sha256": sha256(data).hexdigest()})

    def _says_the_same(self, role: str, before: MetaFile, content: Targets, by: Targets) -> bool:
        present = Metadata[Targets].from_bytes(self._folder.read(f"{before.version}.{role}.json"))
        said = present.signed
        if said.targets != content.targets or said.delegations != content.delegations:
            return False
        if role == Targets.type:
            return True  # the same keepers are named by it
        try:
            by.verify_delegate(role, present.signed_bytes, present.signatures)
        except RepositoryError:
            return False
        return True


def _signed(content: Role, *keys: PrivateKey) -> bytes:
    metadata = Metadata(content)
    for key in keys:
        metadata.sign(CryptoSigner(key), append=True)
    return metadata.to_bytes()


def _public(key: PublicKey) -> Key:
    return SSlibKey.from_crypto(key)


def _seconds(moment: datetime) -> datetime:
    """A time as the framework writes it."""
    return moment.replace(microsecond=0)
