"""What a certificate may be used for.

A key for statements never signs documents and opens no connection, and the reverse (rule 1.4,
section 8). The extended key usage keeps them apart: a certificate without the statement usage of
this project is no statement certificate, whoever issued it.

Our own usage hangs under an arc that needs no registration: 2.25.<UUID as a number> (ITU-T X.667).

Statement certificates carry `emailProtection` beside our own usage. OpenSSL's
`cms -verify` asks for it by default ("smimesign"), so anybody can check a signature of the exchange
with a stock tool and no odd flag. It gives nothing away here: ours is the usage that our own
verification asks for, and other software that trusts this root for mail would still find no mail,
since a statement starts with 0x00.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange.domain.directory import CertificateUse

ARC = "2.25.107290019016386115960636239826129751690"
STATEMENT_USAGE = x509.ObjectIdentifier(f"{ARC}.1")
ENCRYPTION_USAGE = x509.ObjectIdentifier(f"{ARC}.2")


class Purpose(Enum):
    """Purposes of certificates; the value is the extended key usage that the purpose demands."""

    STATEMENT = STATEMENT_USAGE
    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    SERVER = ExtendedKeyUsageOID.SERVER_AUTH
    ENCRYPTION = ENCRYPTION_USAGE

    @property
    def signs(self) -> bool:
        """Whether signatures of this purpose are kept as evidence (then `contentCommitment` is due)."""
        return self is Purpose.STATEMENT

    @property
    def encrypts(self) -> bool:
        """Whether content keys are wrapped for the key (section 7): it then signs nothing, not even a handshake."""
        return self is Purpose.ENCRYPTION

    @property
    def connects(self) -> bool:
        """Whether it is shown when connections are opened."""
        return self is Purpose.CLIENT or self is Purpose.SERVER

    @property
    def usages(self) -> tuple[x509.ObjectIdentifier, ...]:
        """Extended key usages of a certificate that is issued for this purpose."""
        if self.signs:
            return (self.value, ExtendedKeyUsageOID.EMAIL_PROTECTION)
        if self is Purpose.SERVER:  # brokers connect to one another too
            return (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
        return (self.value,)


PURPOSES: Mapping[CertificateUse, Purpose] = MappingProxyType(
    {
        CertificateUse.STATEMENT: Purpose.STATEMENT,
        CertificateUse.TRANSPORT: Purpose.CLIENT,
        CertificateUse.ENCRYPTION: Purpose.ENCRYPTION,
    }
)
"""Of a body's certificates, by the use that the directory lists them for."""
