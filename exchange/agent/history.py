"""Trust by directory version: everybody verifies as of the version that a decision names (rule 3.2)."""

import threading

from exchange.domain.directory import Directory
from exchange.domain.policy import GROUP_VERSIONS
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.trust import Trust

VERSIONS_KEPT = 1 + GROUP_VERSIONS
"""Beside the newest: the one by which a letter was decided, and all before it that its group may name (ADR 0013)."""


class TrustHistory:
    """The directory's versions as `Trust`s, built once each; may be shared by threads.

    One of them reads the folder at a time; a version that was read is there for all without waiting.
    """

    def __init__(self, folder: DirectoryFolder) -> None:
        """Read the newest version.

        Raises:
            DirectoryRefused: there is none, or it must not be used.
        """
        self._folder = folder
        self._lock = threading.Lock()
        self._trusts: dict[int, Trust] = {}
        self._latest = self._keep(folder.latest())

    @property
    def directory(self) -> Directory:
        """The newest version known here."""
        return self._latest.directory

    def refresh(self) -> Directory:
        """Look for a newer version; reads files.

        Raises:
            DirectoryRefused: what is there now does not continue what was there; the known stays in use.
        """
        with self._lock:
            found = self._folder.latest(self.directory)
            if found.version != self.directory.version:
                self._latest = self._keep(found)
        return self.directory

    def at(self, version: int) -> Trust:
        """Trust of one version; reads files the first time.

        Raises:
            DirectoryRefused: there is no such version, or it must not be used.
        """
        trust = self._trusts.get(version)
        if trust is None:
            with self._lock:
                trust = self._keep(self._folder.version(version))
        return trust

    def _keep(self, directory: Directory) -> Trust:
        """Put away what was read first, not what is oldest: who reads an inbox of last month needs those of then."""
        trust = self._trusts[directory.version] = Trust(directory)
        others = [version for version in self._trusts if version != max(self._trusts)]
        for version in others[: max(0, len(others) - VERSIONS_KEPT)]:
            del self._trusts[version]
        return trust
