"""What leaves the console as evidence is signed by the console's own body, so that openssl alone checks it.

The key is the one of its statements. A signed list is never taken for a statement: statements are frames that begin
with a zero byte (`exchange.wire.avro`), lists are text.
"""

from collections.abc import Callable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.directory import Directory
from exchange.security.cades import Signer
from exchange.security.form import embed_certificate


class Seal:
    """Signs texts. For any number of threads."""

    def __init__(
        self, key: Callable[[], Signer], directory: Callable[[], Directory], now: Callable[[], datetime]
    ) -> None:
        """Nothing is read yet.

        Args:
            key: the key that lies in place, read anew each time.
            directory: the newest version known here; it lists the issuers.
            now: the clock.
        """
        self._key = key
        self._directory = directory
        self._now = now

    def sign(self, text: str) -> bytes:
        """Detached CMS signature (DER) of a text's UTF-8, the certificate put in (CAdES B-B).

        Raises:
            ConfigurationError: the key or the clock cannot be used.
        """
        signer = self._key()
        return embed_certificate(signer.sign(text.encode(), self._now()), signer.certificate)

    def issuers(self) -> bytes:
        """Certificates of the issuers that the directory lists, as PEM."""
        return b"".join(
            x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in self._directory().issuers
        )
