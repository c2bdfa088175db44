"""The exchange's own authority: two roots and what they issue.

The statement root vouches for what is kept for decades; the transport root for connections, which
can be changed in an afternoon. Two roots, and no intermediates, make it impossible that one is
taken for the other: a statement key opens no connection even where somebody forgets to check usages.
A body's keys are its own: `certify` answers its request. Whole pairs of keys and certificates are made
for services, and for bodies of installations on one machine.

    <folder>/ca/statement.{key,crt}.pem                     vouches for what bodies say
    <folder>/ca/transport.{key,crt}.pem                     the only trust of brokers and clients (section 8)
    <folder>/bodies/<code>/statement.{key,crt}.pem          CN = body code
    <folder>/bodies/<code>/transport.{key,crt}.pem          CN = body code = Kafka principal
    <folder>/services/<svc-name>/transport.{key,crt}.pem    CN = svc-name = Kafka principal
    <folder>/services/svc-broker/keystore.pem               key and certificate in one, as Kafka wants it
    <folder>/directory/                                     keys of the directory: see `directory.keys`

Keys are unencrypted PKCS#8 with mode 0600. What is there and still good is used again, so a second
start changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exchange.domain.directory import CertificateUse, ListedCertificate
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import SERVICE_PREFIX, body_code
from exchange.security.certificates import certify_leaf, certify_root, hosts_of
from exchange.security.directory.keys import DirectoryKeys
from exchange.security.errors import KeyRefused
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import KeyFiles, KeyPair, PrivateKey, load_key_pair, require_strong
from exchange.security.purpose import PURPOSES, Purpose
from exchange.security.validity import Validity, seconds

BROKER = "svc-broker"
BROKER_HOSTS = ("localhost", "127.0.0.1", "::1")
_ROOT_LIFETIME = timedelta(days=3650)
_LEAF_LIFETIME = timedelta(days=365)
_BACKDATING = timedelta(hours=1)  # clocks of a body and the broker differ
_RENEW_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BodyFiles:
    """What a body's agent needs, with the two purposes apart."""

    statement: KeyFiles
    transport: KeyFiles


class Authority:
    """Issues certificates; its roots lie in a folder."""

    def __init__(self, folder: Path, *, now: datetime, validity: Validity | None = None) -> None:
        """Take the roots of `folder` into use, or make them.

        Args:
            folder: where everything is kept, laid out as in the module's text.
            now: present time (UTC); decides which existing material is still good.
            validity: of the roots, when they have to be made (default: 10 years).

        Raises:
            KeyRefused: an existing root is exposed or corrupt; nothing is replaced.
        """
        self.folder = folder
        self._now = now
        validity = validity or Validity(now - _BACKDATING, now + _ROOT_LIFETIME)
        self._statement = self._root("statement", validity)
        self._transport = self._root("transport", validity)

    @property
    def statement_root(self) -> Path:
        """PEM certificate of the root that statement certificates lead to."""
        return self.folder / "ca" / "statement.crt.pem"

    @property
    def directory(self) -> DirectoryKeys:
        """Keys of the directory."""
        return DirectoryKeys(self.folder / "directory")

    @property
    def transport_root(self) -> Path:
        """PEM certificate of the root that brokers and clients trust."""
        return self.folder / "ca" / "transport.crt.pem"

    def body(self, code: str, *, validity: Validity | None = None) -> BodyFiles:
        """Statement and transport certificates of a body.

        Args:
            code: the body's code, which becomes the certificates' common name.
            validity: fixed dates; existing material with other dates is replaced. Without it: one
                year from now, and existing material is kept until a day before it ends.

        Raises:
            ConfigurationError: `body-code-invalid`.
            KeyRefused: an existing file is exposed or corrupt.
        """
        folder = self.folder / "bodies" / body_code(code)
        return BodyFiles(
            statement=self._leaf(folder, "statement", code, Purpose.STATEMENT, validity),
            transport=self._leaf(folder, "transport", code, Purpose.CLIENT, validity),
        )

    def statement(self, code: str) -> KeyFiles:
        """Statement certificate of a body that connects as somebody else: one of the exchange's own services.

        Raises:
            ConfigurationError: `body-code-invalid`.
            KeyRefused: an existing file is exposed or corrupt.
        """
        return self._leaf(self.folder / "bodies" / body_code(code), "statement", code, Purpose.STATEMENT, None)

    def statement_pair(self, code: str) -> KeyPair:
        """A statement certificate of a body, with a key that lies in no file: for stories of a whole country.

        Raises:
            ConfigurationError: `body-code-invalid`.
        """
        key, root = ec.generate_private_key(ec.SECP256R1()), self._statement
        return KeyPair(
            key, certify_leaf(key.public_key(), body_code(code), Purpose.STATEMENT, self._from_now(root), root)
        )

    def certify(self, csr: x509.CertificateSigningRequest, code: str, use: CertificateUse) -> x509.Certificate:
        """A certificate, for a year, of the key that a body's request names.

        Args:
            csr: of which only the key is taken; see `enrolment_rules` for what must hold of it.
            code: the body's code, which becomes the certificate's common name.
            use: what it is for.

        Raises:
            ConfigurationError: `body-code-invalid`.
            KeyRefused: `key-unsupported`, `key-too-weak`.
        """
        purpose = PURPOSES[use]
        root = self._root_for(purpose)
        key = require_strong(csr.public_key(), f"the {use} key of {code}")
        return certify_leaf(key, body_code(code), purpose, self._from_now(root), root)

    def revocation_list(self, listed: Iterable[ListedCertificate], next_update: datetime) -> bytes:
        """What the directory says is revoked, as others' software reads it: a whole list (CRL, RFC 5280, 5), DER.

        Args:
            listed: certificates of the directory; the list has what the statement root issued and is revoked by now.
            next_update: when the next list is due, which may say the same.
        """
        number = x509.CRLNumber(int(self._now.timestamp()))  # grows with time, as a list's number has to
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._statement.certificate.subject)
        builder = builder.last_update(seconds(self._now)).next_update(seconds(next_update))
        key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._statement.key.public_key())
        builder = builder.add_extension(number, critical=False).add_extension(key, critical=False)
        for each in listed:
            if each.revoked is not None and each.revoked <= self._now:
                certificate = x509.load_der_x509_certificate(each.der)
                if certificate.issuer == self._statement.certificate.subject:
                    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
                    builder = builder.add_revoked_certificate(entry.revocation_date(seconds(each.revoked)).build())
        return builder.sign(self._statement.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def service(self, name: str, *, validity: Validity | None = None) -> KeyFiles:
        """Transport certificate of a service; `name` starts with `svc-`.

        Raises:
            ConfigurationError: `service-name-invalid`.
            KeyRefused: an existing file is exposed or corrupt.
        """
        folder = self.folder / "services" / _service_name(name)
        return self._leaf(folder, "transport", name, Purpose.CLIENT, validity)

    def broker(self, *, hosts: tuple[str, ...] = BROKER_HOSTS, validity: Validity | None = None) -> Path:
        """The brokers' `keystore.pem` (private key, certificate), valid for `hosts`: names or addresses."""
        folder = self.folder / "services" / BROKER
        files = self._leaf(folder, "transport", BROKER, Purpose.SERVER, validity, hosts)
        keystore = folder / "keystore.pem"
        write_atomically(keystore, files.key.read_bytes() + files.certificate.read_bytes(), mode=PRIVATE)
        return keystore

    def _root(self, name: str, validity: Validity) -> KeyPair:
        files = _files(self.folder / "ca", name)
        present = _existing(files)
        if present is not None and present.certificate.not_valid_after_utc > self._now:
            return present
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = certify_root(key, f"Exchange {name} root", validity)
        _write(files, key, certificate)
        return KeyPair(key, certificate)

    def _leaf(
        self,
        folder: Path,
        stem: str,
        name: str,
        purpose: Purpose,
        validity: Validity | None,
        hosts: tuple[str, ...] = (),
    ) -> KeyFiles:
        root = self._root_for(purpose)
        files = _files(folder, stem)
        present = _existing(files)
        if present is not None and self._is_good(present.certificate, root, validity, hosts):
            return files
        key = ec.generate_private_key(ec.SECP256R1())
        validity = validity or self._from_now(root)
        _write(files, key, certify_leaf(key.public_key(), name, purpose, validity, root, hosts))
        return files

    def _root_for(self, purpose: Purpose) -> KeyPair:
        return self._transport if purpose.connects else self._statement

    def _from_now(self, root: KeyPair) -> Validity:
        """A year, if the root lasts so long."""
        last = min(self._now + _LEAF_LIFETIME, root.certificate.not_valid_after_utc)
        return Validity(self._now - _BACKDATING, last)

    def _is_good(
        self, certificate: x509.Certificate, root: KeyPair, validity: Validity | None, hosts: tuple[str, ...]
    ) -> bool:
        """Whether an existing certificate is what would be issued now."""
        try:
            certificate.verify_directly_issued_by(root.certificate)
        except (ValueError, InvalidSignature):
            return False
        if set(hosts) != set(hosts_of(certificate)):
            return False
        present = Validity.of(certificate)
        if validity is not None:
            return present == Validity(seconds(validity.not_before), seconds(validity.not_after))
        return present.covers(self._now) and present.covers(self._now + _RENEW_BEFORE)


def _service_name(name: str) -> str:
    tail = name.removeprefix(SERVICE_PREFIX)
    if tail == name:
        message = f"'{name[:80]}' is no service name: it starts with '{SERVICE_PREFIX}'"
        raise ConfigurationError(message, code="service-name-invalid")
    body_code(tail)  # the rest follows the same rule, so it is safe as a folder and a common name
    return name


def _files(folder: Path, stem: str) -> KeyFiles:
    return KeyFiles(folder / f"{stem}.key.pem", folder / f"{stem}.crt.pem")


def _existing(files: KeyFiles) -> KeyPair | None:
    """The pair of files, or None when it was never fully written; anything else is for a person to see."""
    try:
        return load_key_pair(files)
    except KeyRefused as error:
        if error.code in {"key-file-missing", "certificate-file-missing", "key-certificate-mismatch"}:
            return None
        raise


def _write(files: KeyFiles, key: PrivateKey, certificate: x509.Certificate) -> None:
    """Key first: after a crash in between the pair does not match and is made again."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(files.key, private, mode=PRIVATE)
    write_atomically(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
