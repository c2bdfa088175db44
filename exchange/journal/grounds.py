"""Directories and policies that a journal proves by itself (rule 5.3).

Beside each `Basis` travel the files that prove its directory, as far as the lane had not journalled them
before, the policy, and the revocation lists that the policy names. What they say counts only after it was led to the
auditor's own root, lists through the issuers that the directory names.
"""

import itertools
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace

from tuf.api.metadata import Snapshot

from exchange.domain.decision import Basis
from exchange.domain.directory import Directory
from exchange.domain.statement import Content
from exchange.journal.examine import Ground
from exchange.journal.past import Past
from exchange.journal.proofs import GroundKey, Proofs
from exchange.security.crl import Crl
from exchange.security.directory.roots import Files, parse
from exchange.security.directory.version import Proven
from exchange.security.errors import DirectoryRefused


class Grounds:
    """What decisions may stand on, by lane and by the digests that they name."""

    def __init__(self, root: bytes) -> None:
        """Nothing is proven yet; `root` is the auditor's own copy of the exchange's first root file."""
        self._files = Files()
        self._past = Past()
        self._proofs = Proofs(root, self._files, self._past)
        self._grounds: dict[GroundKey, Ground] = {}
        self._snapshots: defaultdict[int, set[bytes]] = defaultdict(set)
        self._journalled: defaultdict[int, set[bytes]] = defaultdict(set)

    def get(self, lane: int, key: GroundKey) -> Ground | None:
        """The ground that a lane's decision names; None when the lane has not journalled what proves it."""
        ground = self._grounds.get(key)
        if ground is None:
            return None
        needed = {key[1], *itertools.chain.from_iterable(ground.policy.revocation.crls)}
        if not (needed <= self._journalled[lane] and self._is_journalled(lane, self._proofs.proven[key[0]])):
            return None
        return replace(ground, versions=lambda version: self._version(lane, version))

    def _version(self, lane: int, number: int) -> Directory | None:
        """A version that the lane has journalled, whether or not it ever stood on it.

        Of several snapshots with one number only that of the one past counts.
        """
        for digest in sorted(self._snapshots[number] & self._journalled[lane]):
            with suppress(DirectoryRefused):
                self._proofs.directory(number, digest)
        proven = self._proofs.proven.get(self._past.digest(number) or b"")
        return proven.directory if proven is not None and self._is_journalled(lane, proven) else None

    def contradictions(self) -> list[str]:
        """Where what was proven since this was asked before tells of more than one past of the directory."""
        return self._past.contradictions()

    def _is_journalled(self, lane: int, proven: Proven) -> bool:
        return self._journalled[lane].issuperset(proven.files.values())

    def crls(self, basis: Basis) -> tuple[Crl, ...]:
        """The revocation lists of a basis that was proven."""
        return self._proofs.crls((basis.directory_digest, basis.policy_digest))

    def prove(self, basis: Basis, contents: tuple[Content, ...]) -> Ground | None:
        """Take a basis into account; None while files are missing, which may come beside the lane's next one.

        1. Directory and policy are files whose digests the basis names, among what its lane journalled so far.
        2. The directory is the version that the basis names, proven by these files under the auditor's root.
        3. The revocation lists that the policy names are among these files, each signed by an issuer that
           the directory lists, and none issued after the basis.

        Raises:
            ConfigurationError: directory, policy or a list cannot be used; its code says why.
        """
        for content in contents:
            digest = self._files.add(content.data)
            self._journalled[basis.place.lane].add(digest)
            self._note_snapshot(content.data, digest)
        key = (basis.directory_digest, basis.policy_digest)
        if key not in self._grounds:
            ground = self._proofs.ground(basis)
            if ground is not None:
                self._grounds[key] = ground
        ground = self.get(basis.place.lane, key)
        if ground is not None and ground.directory.version != basis.directory_version:
            message = f"version {ground.directory.version}, the basis says {basis.directory_version}"
            raise DirectoryRefused(message, code="basis-invalid")
        return ground

    def _note_snapshot(self, data: bytes, digest: bytes) -> None:
        """Letters name versions by their numbers alone; whether a snapshot counts is found out when it is asked for."""
        if b"snapshot" in data:
            with suppress(DirectoryRefused):
                snapshot = parse(Snapshot, data, "a snapshot").signed
                self._snapshots[snapshot.version].add(digest)
                self._past.note(digest, snapshot)
