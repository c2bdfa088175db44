"""Directories and policies that a journal proves by itself (rule 5.3).

Beside each `Basis` travel the directory file, its signature, the policy file and the certificate that
signed. What they say counts only after it was led to the auditor's own trust root.
"""

from collections.abc import Sequence

from cryptography import x509

from exchange.domain.decision import Basis
from exchange.domain.ids import digest
from exchange.domain.policy import parse_policy
from exchange.domain.statement import Content
from exchange.journal.examine import Ground
from exchange.security.directory_folder import DirectoryProof, verify_proof
from exchange.security.errors import DirectoryRefused
from exchange.security.trust import Trust

GroundKey = tuple[bytes, bytes]
"""Digests of directory and policy: what decisions name."""


class Grounds:
    """What decisions may stand on, by the digests that they name."""

    def __init__(self, roots: Sequence[x509.Certificate]) -> None:
        """Nothing is proven yet; the first of the auditor's trust roots gives the exchange its id."""
        self._roots = list(roots)
        self._trusts: dict[bytes, Trust] = {}
        self._grounds: dict[GroundKey, Ground] = {}

    def get(self, key: GroundKey) -> Ground | None:
        """The ground that a decision names; None when nothing proved it."""
        return self._grounds.get(key)

    def prove(self, basis: Basis, contents: tuple[Content, ...]) -> Ground:
        """Take a basis into account.

        1. Directory and policy are the bytes whose digests the basis names.
        2. The directory was signed for that by a certificate led to a root when it was issued.
        3. It is of the auditor's exchange and of the version that the basis names.

        Raises:
            ConfigurationError: directory or policy cannot be used; its code says why.
            SignatureRefused: the directory's signature or certificate does not hold.
        """
        if len(contents) != _ITEMS:
            raise _refused(f"{len(contents)} items of contents, {_ITEMS} are due")
        document, signature, policy, certificate = (content.data for content in contents)
        key = (basis.directory_digest, basis.policy_digest)
        if (digest(document), digest(policy)) != key:
            raise _refused("directory or policy is not the one whose digest the basis names")
        if key not in self._grounds:
            trust = self._trusts.get(key[0])
            if trust is None:
                directory = verify_proof(DirectoryProof(document, signature, certificate), self._roots)
                trust = self._trusts[key[0]] = Trust(directory, self._roots)
            self._grounds[key] = Ground(trust.directory, parse_policy(policy), trust)
        ground = self._grounds[key]
        if ground.directory.version != basis.directory_version:
            raise _refused(f"version {ground.directory.version}, the basis says {basis.directory_version}")
        return ground


_ITEMS = 4


def _refused(what: str) -> DirectoryRefused:
    return DirectoryRefused(what, code="basis-invalid")
