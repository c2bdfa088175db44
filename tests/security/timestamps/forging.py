"""An authority of a few lines, which also makes what openssl's would not: wrong usages, attributes, times, signers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1, sha256
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange.security.documents.ber import encode
from exchange.security.keys import KeyPair
from exchange.security.timestamps import Imprint
from exchange.security.timestamps.renewal import Digests
from exchange.security.validity import Validity

ONLY = (ExtendedKeyUsageOID.TIME_STAMPING,)
DER = serialization.Encoding.DER
TST_INFO = "060b2a864886f70d0109100104"
SHA256 = "300b0609608648016503040201"
ECDSA = "300a06082a8648ce3d040302"
CONTENT_TYPE, DIGEST = "06092a864886f70d010903", "06092a864886f70d010904"
MEANT_V1, MEANT_V2 = "060b2a864886f70d010910020c", "060b2a864886f70d010910022f"


def issued(
    issuer: KeyPair,
    *,
    usages: tuple[x509.ObjectIdentifier, ...] | None = ONLY,
    critical: bool = True,
    ca: bool = False,
    signs: bool = True,
    validity: Validity | None = None,
) -> KeyPair:
    """A certificate of an authority, or of an issuer between, that need not be sound."""
    key = ec.generate_private_key(ec.SECP256R1())
    dates = validity or Validity(issuer.certificate.not_valid_before_utc, issuer.certificate.not_valid_after_utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "between" if ca else "authority")])
    never = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    usage = x509.KeyUsage(
        digital_signature=signs and not ca,
        key_cert_sign=signs and ca,
        crl_sign=ca,
        decipher_only=False,
        **dict.fromkeys(never, False),
    )
    builder = (
        x509.CertificateBuilder(issuer.certificate.subject, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(dates.not_before)
        .not_valid_after(dates.not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=critical)
    return KeyPair(key, builder.sign(issuer.key, hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class Forger:
    """Stamps whatever it is told to.

    Attributes:
        signer: whose key signs.
        chain: certificates that go along.
        signers: how often the signer's part stands in the token.
        behind: further fields of the TSTInfo, DER.
        version: of the TSTInfo.
        kind: object identifier of what is signed, in hexadecimal.
        attributes: signed ones in place of the right ones, by the encoded object identifier; None leaves one out.
        imprint: DER of the imprint, in place of the right one.
    """

    signer: KeyPair
    chain: tuple[KeyPair, ...] = ()
    signers: int = 1
    behind: bytes = b""
    kind: str = TST_INFO
    version: int = 1
    attributes: Mapping[str, bytes | None] = field(default_factory=lambda: MappingProxyType({}))
    imprint: bytes = b""

    def response(self, imprint: Imprint, at: datetime) -> bytes:
        """An answer that says granted."""
        return sequence(sequence(b"\x02\x01\x00"), self.token(imprint, at))

    def token(self, imprint: Imprint, at: datetime) -> bytes:
        """A token that states a time."""
        time = encode(0x18, f"{at:%Y%m%d%H%M%SZ}".encode())
        info = sequence(
            bytes((2, 1, self.version)),
            bytes.fromhex("06032a0304"),
            self.imprint or imprint.encoded,
            b"\x02\x01\x07",
            time,
            self.behind,
        )
        certificates = b"".join(each.certificate.public_bytes(DER) for each in (self.signer, *self.chain))
        data = sequence(
            b"\x02\x01\x03",
            encode(0x31, bytes.fromhex(SHA256)),
            sequence(bytes.fromhex(self.kind), encode(0xA0, encode(0x04, info))),
            encode(0xA0, certificates),
            encode(0x31, self._signer(info) * self.signers),
        )
        return sequence(bytes.fromhex("06092a864886f70d010702"), encode(0xA0, data))

    def _signer(self, info: bytes) -> bytes:
        certificate = self.signer.certificate
        found = {
            CONTENT_TYPE: bytes.fromhex(TST_INFO),
            DIGEST: encode(0x04, sha256(info).digest()),
            MEANT_V2: meant_v2(certificate),
            **self.attributes,
        }
        parts = sorted(
            sequence(bytes.fromhex(oid), encode(0x31, value)) for oid, value in found.items() if value is not None
        )
        assert isinstance(self.signer.key, ec.EllipticCurvePrivateKey)
        value = self.signer.key.sign(
            encode(0x31, b"".join(parts)), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        )
        serial = certificate.serial_number
        number = encode(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
        named = sequence(certificate.issuer.public_bytes(), number)
        return sequence(
            b"\x02\x01\x01",
            named,
            bytes.fromhex(SHA256),
            encode(0xA0, b"".join(parts)),
            bytes.fromhex(ECDSA),
            encode(0x04, value),
        )


def weak_imprint(data: bytes) -> bytes:
    """The SHA-1 of data, as an imprint in DER."""
    algorithm = sequence(bytes.fromhex("06052b0e03021a0500"))
    return sequence(algorithm, encode(0x04, sha1(data).digest()))  # noqa: S324


def meant_v1(certificate: x509.Certificate) -> bytes:
    """ESS signing certificate of RFC 2634."""
    return sequence(sequence(sequence(encode(0x04, sha1(certificate.public_bytes(DER)).digest()))))  # noqa: S324


def meant_v2(certificate: x509.Certificate) -> bytes:
    """ESS signing certificate of RFC 5035."""
    return sequence(sequence(sequence(encode(0x04, sha256(certificate.public_bytes(DER)).digest()))))


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE, DER."""
    return encode(0x30, b"".join(parts))


def digests_of(objects: Sequence[bytes]) -> Digests:
    """Digests of objects that are in memory."""
    return lambda algorithm: [hashlib.new(algorithm, data).digest() for data in objects]
