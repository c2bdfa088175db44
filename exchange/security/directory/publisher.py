"""Publishing versions of the directory: who changes it, and what is written in which order.

Changes are drafts (`draft`) until enough keepers have signed; the last of them puts the lists
together to a version. It is in force once the clock's key has signed that it is the newest.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Targets, Timestamp

from exchange.domain.directory import Body, Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory.canonical_json import format_time
from exchange.security.directory.draft import LIST_LIFETIME, Draft, DraftState, look_at_draft
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.lists import Lists, seconds
from exchange.security.directory.metadata import FRESH_FIELD, ISSUED_FIELD, PREVIOUS_FIELD, ROOT_FIELD, TIMESTAMP
from exchange.security.directory.roots import Role, clocks, holder, parse
from exchange.security.errors import DirectoryRefused
from exchange.security.files import write_atomically
from exchange.security.keys import PrivateKey

FRESH_FOR = timedelta(days=1)
VALID_FOR = timedelta(days=14)
_LOCK = ".publishing"


@dataclass(frozen=True, slots=True, repr=False)
class PublishingKeys:
    """Private keys that publish a version: of as many keepers as must sign, and the clock's."""

    keepers: tuple[PrivateKey, ...]
    clock: PrivateKey


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
    """Writes versions into a folder; readers see each whole or not at all, and publishers wait for each other."""

    def __init__(self, folder: DirectoryFolder) -> None:
        """Publish into `folder`."""
        self._folder = folder

    def head(self) -> Directory:
        """The newest complete version, which the next one follows.

        Raises:
            DirectoryRefused: `directory-missing`: there is none yet; as `DirectoryFolder.version`.
        """
        head = self._folder.head()
        if head is None:
            message = f"{self._folder.folder} has no version yet: found the exchange first"
            raise DirectoryRefused(message, code="directory-missing")
        return head

    def draft(self, directory: Directory, key: PrivateKey, at: datetime) -> Draft:
        """The next version as one keeper enters it; nothing is written.

        Args:
            directory: the newest version with other bodies, those that changed with their next `Change` (see
                `changes.edited`), or other issuers.
            key: the keeper's.
            at: the time (UTC).

        Raises:
            DirectoryRefused: as `look`; `draft-empty`: nothing would change.
        """
        head = self.head()
        draft = Lists(self._folder, head, at).draft(directory).signed(key)
        if not draft.lists:
            raise DirectoryRefused("nothing would change: look at the entry in force", code="draft-empty")
        self.look(draft)
        return draft

    def name_of(self, key: PrivateKey) -> str:
        """The keeper's name, as the newest root has it.

        Raises:
            DirectoryRefused: `keeper-unknown`.
        """
        keyid = CryptoSigner(key).public_key.keyid
        self._folder.follow_roots()
        keys = self._folder.keepers()
        if keyid not in keys:
            message = f"key {keyid[:8]} is no keeper's: sign with yours, or have the next root name it"
            raise DirectoryRefused(message, code="keeper-unknown")
        return holder(keys[keyid])

    def require_clock(self, key: PrivateKey) -> None:
        """Make sure that a key is the clock's, before anything is written that it is to put in force.

        Raises:
            DirectoryRefused: `directory-signature-invalid`.
        """
        self._folder.follow_roots()
        keyid = CryptoSigner(key).public_key.keyid
        if keyid not in clocks(self._folder.newest_root()):
            message = f"key {keyid[:8]} is not the clock's: name the one that the newest root has for it"
            raise DirectoryRefused(message, code="directory-signature-invalid")

    def look(self, draft: Draft) -> DraftState:
        """What a draft would change, and who has signed it.

        Raises:
            DirectoryRefused: as `look_at_draft`: it may not be signed.
        """
        head = self.head()
        lists = self._folder.lists(head.version)
        return look_at_draft(draft, head, lists, self._folder.newest_root(), self._folder.read)

    def approve(self, draft: Draft, key: PrivateKey, at: datetime) -> tuple[Draft, Directory | None]:
        """One keeper's signature more; once there are enough, the version is written.

        It is in force when the clock's key has signed for it: see `stamp`.

        Args:
            draft: looked at by the keeper.
            key: of another keeper than those who signed before.
            at: the time (UTC), when the version is issued.

        Returns:
            The draft with the signature, and the version when it is complete.

        Raises:
            DirectoryRefused: as `look`; `draft-signed-before`: by the same keeper; all of
                `DirectoryFolder.version`: what readers would refuse is not written.
            OSError: the folder cannot be written; call again.
        """
        with self._alone():
            before = self.look(draft)
            signed = draft.signed(key)
            state = self.look(signed)
            if state.keepers == before.keepers:
                message = f"{', '.join(before.keepers)} signed already: somebody else has to approve"
                raise DirectoryRefused(message, code="draft-signed-before")
            if not state.complete:
                return signed, None
            return signed, self._write(signed, self.head(), key, at)

    def publish(self, directory: Directory, keys: PublishingKeys, at: datetime) -> Directory:
        """Sign, write and put in force the next version, by who has all keys: the founder, and tests.

        Args:
            directory: version and previous digest continue the newest one (see `successor`); its own
                digest is computed here. How entries may change is not looked at.
            keys: as the newest root names them.
            at: the time (UTC).

        Returns:
            The version as readers will read it, with its digest.

        Raises:
            DirectoryRefused: `directory-version-invalid` (does not continue the newest), and all of
                `DirectoryFolder.version`: what readers would refuse is not published.
            OSError: the folder cannot be written; readers still see the version before.
        """
        with self._alone():
            head = self._folder.head()
            expected = (1, ZERO_DIGEST) if head is None else (head.version + 1, head.digest)
            if (directory.version, directory.previous) != expected:
                message = f"version {directory.version} does not continue version {expected[0] - 1}: change that one"
                raise DirectoryRefused(message, code="directory-version-invalid")
            self.require_clock(keys.clock)
            draft = Lists(self._folder, head, at).draft(directory)
            for key in keys.keepers:
                draft = draft.signed(key)
            published = self._write(draft, head, keys.keepers[-1], directory.issued)
        self.stamp(keys.clock, at)
        return published

    def rotate(self, root: bytes) -> None:
        """Put the next root in force.

        Until a version is published under it, readers go on by the one that they have.

        Args:
            root: signed by the thresholds of the root before and of itself.

        Raises:
            DirectoryRefused: as `Roots.follow`: nothing was written.
            OSError: as `publish`; call again.
        """
        self._folder.follow_roots()
        number = self._folder.root_number + 1
        self._folder.require_following(number, root)
        write_atomically(self._folder.folder / f"{number}.root.json", root)

    def stamp(self, key: PrivateKey, at: datetime) -> Directory:
        """Say that the newest complete version is the newest, for another day: that puts it in force.

        Raises:
            DirectoryRefused: as `DirectoryFolder.version`; `directory-signature-invalid`: the key is not the clock's.
            OSError: the folder cannot be written.
        """
        with self._alone():
            self._folder.follow_roots()
            head = self.head()
            self._folder.require_grown(head.version)
            data = self._timestamp(head, key, at)
            self._folder.require_timestamp(data)
            write_atomically(self._folder.folder / TIMESTAMP, data)
        return head

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two keepers who approve at the same moment write one after the other; kill -9 releases it."""
        self._folder.folder.mkdir(parents=True, exist_ok=True)
        with (self._folder.folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, draft: Draft, head: Directory | None, key: PrivateKey, issued: datetime) -> Directory:
        """Write a version that enough keepers signed; the snapshot last, which makes it one."""
        self._folder.follow_roots()
        version, previous = (1, ZERO_DIGEST) if head is None else (head.version + 1, head.digest)
        lists = {} if head is None else dict(self._folder.lists(head.version))
        files = dict(draft.files)
        for role, data in draft.lists.items():
            number = parse(Targets, data, role).signed.version
            files[f"{number}.{role}.json"] = data
            lists[f"{role}.json"] = MetaFile(number, len(data), {"sha256": sha256(data).hexdigest()})
        fields = {
            ROOT_FIELD: self._folder.root_number,
            PREVIOUS_FIELD: previous.hex(),
            ISSUED_FIELD: format_time(issued),
        }
        expires = seconds(issued + LIST_LIFETIME)
        snapshot = Metadata(Snapshot(version=version, expires=expires, meta=lists, unrecognized_fields=fields))
        snapshot.sign(CryptoSigner(key))
        files[f"{version}.snapshot.json"] = snapshot.to_bytes()
        self._folder.require_version(version, files)
        if head is None:
            write_atomically(self._folder.folder / "1.root.json", self._folder.root)
        for name, data in files.items():
            write_atomically(self._folder.folder / name, data)
        return self._folder.version(version)

    def _timestamp(self, head: Directory, key: PrivateKey, at: datetime) -> bytes:
        file, snapshot = self._folder.folder / TIMESTAMP, self._folder.read(f"{head.version}.snapshot.json")
        # Only its number counts: after a new root nobody believes the old clock any more.
        number = 1 + (Metadata[Timestamp].from_bytes(file.read_bytes()).signed.version if file.exists() else 0)
        meta = MetaFile(head.version, len(snapshot), {"sha256": head.digest.hex()})
        fields = {FRESH_FIELD: format_time(at + FRESH_FOR)}
        timestamp = Timestamp(
            version=number, expires=seconds(at + VALID_FOR), snapshot_meta=meta, unrecognized_fields=fields
        )
        return _signed(timestamp, key)


def _signed(content: Role, key: PrivateKey) -> bytes:
    metadata = Metadata(content)
    metadata.sign(CryptoSigner(key))
    return metadata.to_bytes()
