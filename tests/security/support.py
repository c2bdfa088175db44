"""What the tests of security share: a fixed time, odd certificates, a directory, openssl."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Names
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.keys import KeyPair, PrivateKey
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity
from tests.patience import PATIENCE

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
STATEMENT = b"\x00\x00\x00\x00\x07what the body says"
WIDE = Validity(datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC))


def encoded(certificate: x509.Certificate) -> bytes:
    """DER of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def certify(
    issuer: KeyPair | None,
    name: str,
    *,
    purpose: Purpose = Purpose.STATEMENT,
    validity: Validity = WIDE,
    key: PrivateKey | None = None,
    usages: tuple[x509.ObjectIdentifier, ...] | None = None,
    commitment: bool = True,
    ca: bool = False,
    vouches: bool = False,
    serial: int | None = None,
) -> KeyPair:
    """A certificate that need not be sound; without `issuer` a root; one that `vouches` is a leaf that says CA."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing_key = issuer.key if issuer else key
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=commitment and not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
        .add_extension(x509.BasicConstraints(ca=ca or vouches, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages or purpose.usages), critical=False)
    return KeyPair(key, builder.sign(signing_key, hashes.SHA256()))


def certify_root(name: str = "a root", validity: Validity = WIDE) -> KeyPair:
    """A root of its own."""
    return certify(None, name, validity=validity, ca=True)


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A fresh RSA key."""
    return rsa.generate_private_key(65537, bits)


def listing(pair: KeyPair, revoked: datetime | None = None) -> ListedCertificate:
    """A pair's certificate as the directory lists it."""
    return ListedCertificate(encoded(pair.certificate), CertificateUse.STATEMENT, revoked)


def body(code: str, *certificates: ListedCertificate | KeyPair, uids: tuple[str, ...] = ()) -> Body:
    """A connected body with statement certificates."""
    listed = tuple(
        item
        if isinstance(item, ListedCertificate)
        else ListedCertificate(encoded(item.certificate), CertificateUse.STATEMENT)
        for item in certificates
    )
    names = Names(ky=f"{code} кыргызча", ru=f"{code} по-русски", en=f"{code} in English")
    return Body(code, names, "ministry", BodyStatus.CONNECTED, uids, "", listed)


def directory(root: KeyPair, *bodies: Body, version: int = 1, previous: bytes = ZERO_DIGEST) -> Directory:
    """A directory of `bodies` under `root`."""
    return Directory(
        exchange=bytes(range(32)),
        version=version,
        digest=ZERO_DIGEST,
        previous=previous,
        issued=NOW,
        lanes=4,
        journal_partitions=4,
        issuers=(encoded(root.certificate),),
        bodies={entry.code: entry for entry in bodies},
    )


def write_pair(folder: Path, stem: str, pair: KeyPair) -> tuple[Path, Path]:
    """PEM files of a pair, for openssl: certificate, key."""
    certificate, key = folder / f"{stem}.crt.pem", folder / f"{stem}.key.pem"
    certificate.write_bytes(pair.certificate.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        pair.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run openssl; the caller looks at the return code."""
    return subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
