"""Who is who on the wire of an embedded cluster."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from exchange.security.keys import KeyFiles


@dataclass(frozen=True, slots=True)
class ClusterTls:
    """The identities of a cluster's brokers and of its administrator.

    Attributes:
        keystore: PEM file of the brokers' private key (PKCS#8, no password) and certificate, for
            server and client authentication and valid for 127.0.0.1 (`Authority.broker`).
        admin: The administrator's; it also asks whether the cluster is up.
        ca: PEM certificate of the only root that brokers and administrator trust.
    """

    keystore: Path
    admin: KeyFiles
    ca: Path

    @property
    def super_users(self) -> list[str]:
        """Principals to which no access rule applies: the brokers' and the administrator's."""
        return sorted({_common_name(self.keystore), _common_name(self.admin.certificate)})

    def admin_context(self) -> ssl.SSLContext:
        """TLS as the administrator, trusting only `ca`."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.admin.certificate, self.admin.key)
        return context


def _common_name(file: Path) -> str:
    """The CN of the first certificate in a PEM file: its Kafka principal."""
    subject = x509.load_pem_x509_certificate(file.read_bytes()).subject
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
