"""Where the cluster is and who we are: mutual TLS, always."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.bus.line import ORDINARY, Line
from exchange.bus.patience import wait_between_updates
from exchange.domain.errors import ConfigurationError
from exchange.security.keys import KeyFiles, load_key_pair, load_passphrase


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How a process reaches Kafka; the certificate's common name is its principal.

    Attributes:
        bootstrap: `host:port` of some brokers, separated by commas.
        ca: PEM certificates of the transport roots, the only ones that are trusted (section 8): one, or
            two while the exchange goes over from one to the next.
        certificate: PEM certificate of this principal.
        key: its PEM private key, mode 0600.
        passphrase: file with the key's passphrase, None when the key is not encrypted.
        line: what lies between us and the brokers.
    """

    bootstrap: str
    ca: Path
    certificate: Path
    key: Path
    passphrase: Path | None = None
    line: Line = ORDINARY

    @property
    def files(self) -> KeyFiles:
        """Our key and certificate."""
        return KeyFiles(self.key, self.certificate, self.passphrase)

    def ssl_context(self) -> ssl.SSLContext:
        """TLS 1.3 with our certificate, trusting nothing but `ca`.

        Raises:
            KeyRefused: as `load_key_pair`.
            ConfigurationError: `ca-invalid`.
        """
        load_key_pair(self.files)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            context.load_verify_locations(self.ca)
        except (OSError, ssl.SSLError) as error:
            message = f"{self.ca} is no PEM certificate that could be read: put the exchange's transport root there"
            raise ConfigurationError(message, code="ca-invalid") from error
        # Without a passphrase OpenSSL would ask for one on the terminal; the key was seen not to need any.
        passphrase = "" if self.passphrase is None else load_passphrase(self.passphrase)
        context.load_cert_chain(self.certificate, self.key, passphrase)
        return context


def aiokafka_options(settings: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that every client of aiokafka takes.

    Raises:
        KeyRefused, ConfigurationError: as `KafkaSettings.ssl_context`.
    """
    wait_between_updates()
    return {
        "bootstrap_servers": settings.bootstrap,
        "security_protocol": "SSL",
        "ssl_context": settings.ssl_context(),
        "request_timeout_ms": settings.line.answer_seconds * 1000,
        "metadata_max_age_ms": settings.line.metadata_seconds * 1000,
    }


def confluent_options(settings: KafkaSettings) -> dict[str, Any]:
    """Configuration that every client of confluent-kafka takes.

    Raises:
        KeyRefused: as `load_key_pair`.
    """
    load_key_pair(settings.files)
    passphrase = {} if settings.passphrase is None else {"ssl.key.password": load_passphrase(settings.passphrase)}
    return passphrase | {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": "ssl",
        "ssl.ca.location": str(settings.ca),
        "ssl.certificate.location": str(settings.certificate),
        "ssl.key.location": str(settings.key),
        # librdkafka otherwise prints every refused connection on standard error.
        "log_level": 0,
    }
