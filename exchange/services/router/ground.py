"""What the router decides by, read from files and looked at again: the signed directory and the policy."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509

from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.policy import Policy, parse_policy
from exchange.domain.statement import Content
from exchange.journal.examine import Ground, Verifier
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.trust import Trust

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Footing:
    """A ground with the bytes that prove it, journalled beside the `Basis` (rule 5.3).

    Attributes:
        ground: directory, policy and trust.
        contents: the directory's document, its signature, the policy file, and the certificate (DER)
            that signed the directory; public, so without salts.
    """

    ground: Ground
    contents: tuple[Content, ...]


class FootingSource(Protocol):
    """Where footings come from: a folder today, a Kafka topic later."""

    def current(self) -> Footing:
        """The latest footing; cheap when nothing changed. Raises `ConfigurationError`."""
        ...

    def of(self, directory_digest: bytes) -> Footing:
        """The footing of an older version of the directory. Raises `ConfigurationError`."""
        ...


class FootingFiles:
    """Directory folder and policy file, looked at again every two seconds.

    A newer version that cannot be used is reported and not taken: traffic goes on by the one before.
    """

    def __init__(
        self, directory: Path, policy: Path, roots: Sequence[x509.Certificate], monotonic: Callable[[], float]
    ) -> None:
        """Nothing is read before `current`; `monotonic` gives seconds that only grow."""
        self._monotonic = monotonic
        self._folder = DirectoryFolder(directory, roots)
        self._policy = policy
        self._roots = roots
        self._footing: Footing | None = None
        self._looked = 0.0

    def current(self) -> Footing:
        """The latest usable footing.

        Raises:
            ConfigurationError: there never was a usable one.
        """
        now = self._monotonic()
        if self._footing is None:
            self._footing, self._looked = self._read(None), now
        elif now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                self._footing = self._read(self._footing)
            except ConfigurationError as error:
                log.warning("directory or policy not taken, the one before stays: %s: %s", error.code, error)
        return self._footing

    def of(self, directory_digest: bytes) -> Footing:
        """The footing that the present policy makes of an older version of the directory.

        Raises:
            ConfigurationError: `directory-missing`, no version in the folder has that digest; as `current`.
        """
        directory = self.current().ground.directory
        while directory.digest != directory_digest:
            if directory.version == 1:
                message = f"no directory with digest {directory_digest.hex()}: restore the folder from another's copy"
                raise ConfigurationError(message, code="directory-missing")
            directory = self._folder.version(directory.version - 1)
        policy_bytes = _read_file(self._policy)
        return self._footing_of(directory, parse_policy(policy_bytes), policy_bytes, Trust(directory, self._roots))

    def _read(self, known: Footing | None) -> Footing:
        policy_bytes = _read_file(self._policy)
        policy = parse_policy(policy_bytes)
        directory = self._folder.latest(None if known is None else known.ground.directory)
        if known is not None and known.ground.directory is directory and known.ground.policy == policy:
            return known
        return self._footing_of(directory, policy, policy_bytes, self._trust(known, directory))

    def _footing_of(self, directory: Directory, policy: Policy, policy_bytes: bytes, trust: Verifier) -> Footing:
        proof = self._folder.proof(directory.version)
        ground = Ground(directory, policy, trust)
        files = (proof.document, proof.signature, policy_bytes, proof.certificate)
        return Footing(ground, tuple(Content(b"", data) for data in files))

    def _trust(self, known: Footing | None, directory: Directory) -> Trust:
        if known is not None and known.ground.directory is directory and isinstance(known.ground.trust, Trust):
            return known.ground.trust
        return Trust(directory, self._roots)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): check the path in the service's configuration"
        raise ConfigurationError(message, code="policy-missing") from error
