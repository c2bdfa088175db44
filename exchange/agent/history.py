"""Trust by directory version: everybody verifies as of the version that a decision names (rule 3.2)."""

import threading

from exchange.domain.directory import Directory
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.trust import Trust

VERSIONS_KEPT = 16


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
        trust = self._trusts[directory.version] = Trust(directory)
        for version in sorted(self._trusts)[:-VERSIONS_KEPT]:
            del self._trusts[version]
        return trust
