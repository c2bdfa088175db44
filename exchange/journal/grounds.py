"""Directories and policies that a journal proves by itself (rule 5.3).

Beside each `Basis` travel the files that prove its directory, as far as the lane had not journalled them
before, and the policy. What they say counts only after it was led to the auditor's own root.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace

from tuf.api.metadata import Snapshot

from exchange.domain.decision import Basis
from exchange.domain.directory import Directory
from exchange.domain.policy import parse_policy
from exchange.domain.statement import Content
from exchange.journal.examine import Ground
from exchange.security.directory_metadata import Proven, read_version
from exchange.security.directory_roots import Files, Roots, parse
from exchange.security.errors import DirectoryRefused
from exchange.security.trust import Trust

GroundKey = tuple[bytes, bytes]
"""Digests of directory and policy: what decisions name."""


class Grounds:
    """What decisions may stand on, by lane and by the digests that they name."""

    def __init__(self, root: bytes) -> None:
        """Nothing is proven yet; `root` is the auditor's own copy of the exchange's first root file."""
        self._roots = Roots(root)
        self._files = Files()
        self._last: Proven | None = None
        self._proven: dict[bytes, tuple[Proven, Trust]] = {}
        self._grounds: dict[GroundKey, Ground] = {}
        self._snapshots: defaultdict[int, set[bytes]] = defaultdict(set)
        self._journalled: defaultdict[int, set[bytes]] = defaultdict(set)

    def get(self, lane: int, key: GroundKey) -> Ground | None:
        """The ground that a lane's decision names; None when the lane has not journalled what proves it."""
        ground = self._grounds.get(key)
        if ground is None:
            return None
        if key[1] not in self._journalled[lane] or not self._is_journalled(lane, self._proven[key[0]][0]):
            return None
        return replace(ground, versions=lambda version: self._version(lane, version))

    def _version(self, lane: int, number: int) -> Directory | None:
        """A version that the lane has journalled, whether or not it ever stood on it."""
        for digest in self._snapshots[number] & self._journalled[lane]:
            try:
                trust = self._trust(number, digest)
            except DirectoryRefused:
                continue
            if trust is not None and self._is_journalled(lane, self._proven[digest][0]):
                return trust.directory
        return None

    def _is_journalled(self, lane: int, proven: Proven) -> bool:
        return self._journalled[lane].issuperset(proven.files.values())

    def prove(self, basis: Basis, contents: tuple[Content, ...]) -> Ground | None:
        """Take a basis into account; None while files are missing, which may come beside the lane's next one.

        1. Directory and policy are files whose digests the basis names, among what its lane journalled so far.
        2. The directory is the version that the basis names, proven by these files under the auditor's root.

        Raises:
            ConfigurationError: directory or policy cannot be used; its code says why.
        """
        for content in contents:
            digest = self._files.add(content.data)
            self._journalled[basis.place.lane].add(digest)
            self._note_snapshot(content.data, digest)
        key = (basis.directory_digest, basis.policy_digest)
        policy = self._files.get(basis.policy_digest)
        if key not in self._grounds and policy is not None:
            trust = self._trust(basis.directory_version, basis.directory_digest)
            if trust is not None:
                self._grounds[key] = Ground(trust.directory, parse_policy(policy), trust)
        ground = self.get(basis.place.lane, key)
        if ground is not None and ground.directory.version != basis.directory_version:
            message = f"version {ground.directory.version}, the basis says {basis.directory_version}"
            raise DirectoryRefused(message, code="basis-invalid")
        return ground

    def _note_snapshot(self, data: bytes, digest: bytes) -> None:
        """Letters name versions by their numbers alone; whether a snapshot counts is found out when it is asked for."""
        if b"snapshot" in data:
            with suppress(DirectoryRefused):
                self._snapshots[parse(Snapshot, data, "a snapshot").signed.version].add(digest)

    def _trust(self, version: int, digest: bytes) -> Trust | None:
        """Trust in a version of the directory; None while files are missing."""
        known = self._proven.get(digest)
        if known is not None:
            return known[1]
        try:
            self._roots.follow(self._files.read)
            proven = read_version(version, self._files.read, self._roots, self._last, digest)
        except DirectoryRefused as error:
            if error.code == "directory-missing":
                return None
            raise
        trust = Trust(proven.directory)
        self._last = proven
        self._proven[digest] = proven, trust
        return trust
