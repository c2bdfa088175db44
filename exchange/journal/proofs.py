"""Directories, policies and revocation lists out of files: what decisions stand on, led to the auditor's root."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from cryptography import x509

from exchange.domain.decision import Basis
from exchange.domain.directory import Directory
from exchange.domain.policy import Policy, RevocationPolicy, parse_policy
from exchange.journal.examine import Ground
from exchange.journal.past import Past
from exchange.security.crl import Crl, Revocations, read_crl
from exchange.security.directory.roots import Roots
from exchange.security.directory.version import Proven, read_version
from exchange.security.errors import DirectoryRefused
from exchange.security.trust import Trust

GroundKey = tuple[bytes, bytes]
"""Digests of directory and policy: what decisions name."""


class Source(Protocol):
    """Where files come from; what they say counts only once it was proven."""

    def get(self, digest: bytes) -> bytes | None:
        """The file with that SHA-256."""
        ...

    def read(self, name: str, digest: bytes | None = None, /) -> bytes:
        """A file by its digest, or by its name where no digest is known.

        Raises:
            DirectoryRefused: `directory-missing`.
        """
        ...


class Proofs:
    """What is proven by files under a root, each once; not shared between threads."""

    def __init__(self, root: bytes, files: Source, past: Past) -> None:
        """Nothing is proven yet; `root` is the auditor's own copy of the exchange's first root file."""
        self._roots = Roots(root)
        self._files = files
        self._past = past
        self._last: Proven | None = None
        self._proven: dict[bytes, Proven] = {}
        self._trusts: dict[tuple[bytes, RevocationPolicy], Trust] = {}
        self._crls: dict[GroundKey, tuple[Crl, ...]] = {}

    @property
    def proven(self) -> Mapping[bytes, Proven]:
        """Versions of the directory by their digests."""
        return MappingProxyType(self._proven)

    def crls(self, key: GroundKey) -> tuple[Crl, ...]:
        """The revocation lists of a ground that was proven."""
        return self._crls.get(key, ())

    def ground(self, basis: Basis) -> Ground | None:
        """What a basis stands on; None while files are missing.

        Raises:
            ConfigurationError: directory, policy or a list cannot be used; its code says why.
        """
        data = self._files.get(basis.policy_digest)
        directory = self.directory(basis.directory_version, basis.directory_digest)
        if data is None or directory is None:
            return None
        policy = parse_policy(data)
        crls = self._read_crls(policy, directory)
        if crls is None:
            return None
        if any(crl.this_update > basis.decided + policy.clock_skew for crl in crls):
            message = "a revocation list was issued after the basis that names it"
            raise DirectoryRefused(message, code="basis-invalid")
        self._crls[basis.directory_digest, basis.policy_digest] = crls
        return Ground(directory, policy, self._trust(directory, policy.revocation, crls))

    def directory(self, version: int, digest: bytes) -> Directory | None:
        """A version of the directory; None while files are missing.

        Raises:
            DirectoryRefused: the files do not prove it.
        """
        known = self._proven.get(digest)
        if known is not None:
            return known.directory
        try:
            self._roots.follow(self._files.read)
            proven = read_version(version, self._files.read, self._roots, self._last, digest)
        except DirectoryRefused as error:
            if error.code == "directory-missing":
                return None
            raise
        self._last = proven
        self._proven[digest] = proven
        self._past.take(proven)
        return proven.directory

    def _trust(self, directory: Directory, revocation: RevocationPolicy, crls: tuple[Crl, ...]) -> Trust:
        """Trust is dear to make, and most policies say the same about revocation."""
        key = (directory.digest, revocation)
        if key not in self._trusts:
            self._trusts[key] = Trust(directory, Revocations(crls, revocation.when_stale))
        return self._trusts[key]

    def _read_crls(self, policy: Policy, directory: Directory) -> tuple[Crl, ...] | None:
        """The lists that a policy names; None while parts of them are missing."""
        issuers = [x509.load_der_x509_certificate(issuer) for issuer in directory.issuers]
        crls = []
        for digests in policy.revocation.crls:
            parts = [part for part in map(self._files.get, digests) if part is not None]
            if len(parts) < len(digests):
                return None
            crls.append(read_crl(b"".join(parts), issuers))
        return tuple(crls)
