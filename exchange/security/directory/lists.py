"""The lists of a version that is to be: which of them are new, and what they say."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, TargetFile, Targets

from exchange.domain.directory import Directory
from exchange.security.directory.draft import LIST_LIFETIME, Draft, delegations_of
from exchange.security.directory.entries import Settings, encode_body, encode_settings
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import SETTINGS, bins_of, body_path, hashed


class Lists:
    """The lists of a version: those that say something else than before, or that others must sign.

    After a new root there is at least the list of lists: its version is to be the first one under it.
    """

    def __init__(self, folder: DirectoryFolder, head: Directory | None, at: datetime) -> None:
        """Look at those of `head`, None when there is no version yet; what is new is made at the time `at` (UTC).

        Raises:
            DirectoryRefused: as `DirectoryFolder.version`.
        """
        folder.follow_roots()
        self._folder = folder
        self._expires = seconds(at + LIST_LIFETIME)
        self._before: Mapping[str, MetaFile] = {} if head is None else folder.lists(head.version)
        self._same_root = head is not None and folder.signed_under(head.version) == folder.root_number
        self._entries = {} if head is None else head.entries
        self._settings = None if head is None else encode_settings(_settings_of(head))

    def draft(self, directory: Directory) -> Draft:
        """What is new, not yet signed."""
        settings = encode_settings(_settings_of(directory))
        files = {} if settings == self._settings else {SETTINGS: settings}
        targets = Targets(
            targets={SETTINGS: _target(SETTINGS, settings)},
            delegations=delegations_of(self._folder.newest_root()),
        )
        bins = bins_of(targets)
        listed: dict[str, dict[str, TargetFile]] = {role: {} for role in bins.get_roles()}
        for code, body in sorted(directory.bodies.items()):
            path, data = body_path(code), encode_body(body)
            listed[bins.get_role_for_target(path)][path] = _target(path, data)
            if self._entries.get(code) != sha256(data).digest():
                files[path] = data
        lists = {Targets.type: targets} | {role: Targets(targets=targets_) for role, targets_ in listed.items()}
        new = {role: self._list(role, content, targets) for role, content in lists.items()}
        named = {hashed(path, sha256(data).digest()): data for path, data in files.items()}
        return Draft({role: data for role, data in new.items() if data is not None}, named)

    def _list(self, role: str, content: Targets, by: Targets) -> bytes | None:
        """The next list, unsigned; None when the one before says the same and is signed by those who may."""
        before = self._before.get(f"{role}.json")
        if before is not None and self._says_the_same(role, before, content, by):
            return None
        content.version = 1 if before is None else before.version + 1
        content.expires = self._expires
        return Metadata(content).to_bytes()

    def _says_the_same(self, role: str, before: MetaFile, content: Targets, by: Targets) -> bool:
        present = Metadata[Targets].from_bytes(self._folder.read(f"{before.version}.{role}.json"))
        said = present.signed
        if said.targets != content.targets or said.delegations != content.delegations:
            return False
        if role == Targets.type:
            return self._same_root
        try:
            by.verify_delegate(role, present.signed_bytes, present.signatures)
        except RepositoryError:
            return False
        return True


def _settings_of(directory: Directory) -> Settings:
    return Settings(directory.lanes, directory.journal_partitions, directory.issuers)


def _target(path: str, data: bytes) -> TargetFile:
    return TargetFile(len(data), {"sha256": sha256(data).hexdigest()}, path)


def seconds(moment: datetime) -> datetime:
    """A time as the framework writes it."""
    return moment.replace(microsecond=0)
