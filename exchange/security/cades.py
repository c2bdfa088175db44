"""Signing statements and verifying their signatures (rule 1.4); the bytes are laid out in `form`.

Signing time is UTCTime and so from 2000 to 2049 here; RFC 5652, 11.3 wants another type from 2050
on, which is then a new form of rule 1.4. It is the signer's claim and proves nothing: a spooled
statement is rightly older than the decision about it (rule 3.2), and a wrong clock must not lose a
letter. Nothing but its being a date is checked.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from exchange.domain.errors import ConfigurationError
from exchange.domain.reason import Reason
from exchange.security.errors import KeyRefused, SignatureFormError, SignatureRefused
from exchange.security.form import SIGNING_YEARS, Frame, ParsedSignature, Template
from exchange.security.keys import PrivateKey, PublicKey, certified_key


class Signer:
    """Signs statements with one key; may be shared by threads."""

    def __init__(self, certificate: x509.Certificate, private_key: PrivateKey) -> None:
        """Build the template of `certificate`.

        Raises:
            KeyRefused: `key-unsupported`, `key-too-weak`, `key-certificate-mismatch`, `certificate-too-large`.
        """
        public_key = certified_key(certificate, "the signer's certificate")
        if public_key != private_key.public_key():
            message = "the certificate is of another key: give the signer a matching pair"
            raise KeyRefused(message, code="key-certificate-mismatch")
        self.certificate = certificate
        self._template = Template(certificate, public_key)
        self._sign = signing(private_key)

    @property
    def signer(self) -> bytes:
        """SHA-256 of the certificate: the name under which verifiers look it up."""
        return self._template.signer

    def sign(self, statement: bytes, at: datetime) -> bytes:
        """Detached signature of `statement`.

        The same statement, time and key give the same bytes: ECDSA nonces are deterministic
        (RFC 6979), so signing again after a crash changes nothing.

        Args:
            statement: the exact bytes.
            at: signing time, aware; fractions of a second are dropped.

        Raises:
            ConfigurationError: `signing-time-invalid`, a year outside 2000 to 2049.
        """
        at = at.astimezone(UTC)
        if at.year not in SIGNING_YEARS:
            message = f"signing time {at:%Y-%m-%d} is outside 2000 to 2049: set the clock"
            raise ConfigurationError(message, code="signing-time-invalid")
        time = at.strftime("%y%m%d%H%M%SZ").encode()
        digest = hashlib.sha256(statement).digest()
        return self._template.render(time, digest, self._sign(self._template.signed_bytes(time, digest)))


class Verifier:
    """Verifies signatures of one certificate; may be shared by threads.

    Says nothing about the certificate itself: see `exchange.security.chain`.
    """

    def __init__(self, certificate: x509.Certificate) -> None:
        """Build the template of `certificate`.

        Raises:
            KeyRefused: `key-unsupported`, `key-too-weak`, `certificate-too-large`.
        """
        public_key = certified_key(certificate, "the listed certificate")
        self.certificate = certificate
        self._template = Template(certificate, public_key)
        self._check = checking(public_key)

    @property
    def signer(self) -> bytes:
        """SHA-256 of the certificate: the name under which a signature refers to it."""
        return self._template.signer

    def frame(self, parsed: ParsedSignature) -> Frame:
        """What further signatures like one that was verified have in common with it."""
        return self._template.frame(len(parsed.value))

    def verify(self, parsed: ParsedSignature, statement: bytes) -> None:
        """Check that `parsed` is this certificate's signature of `statement`.

        1. The form: the template filled with the parsed values gives the identical bytes.
        2. The digest is the statement's.
        3. The signature value holds over the signed attributes.

        Raises:
            SignatureRefused: `signature-form`, `statement-altered`, `signature-invalid`.
        """
        if len(parsed.value) not in self._template.value_bytes:
            raise SignatureFormError("the signature value has no length of the signer's key")
        if self._template.render(parsed.time, parsed.digest, parsed.value) != parsed.cms:
            raise SignatureFormError("issuer, serial number or algorithm is not the signer's")
        if hashlib.sha256(statement).digest() != parsed.digest:
            raise SignatureRefused(Reason.STATEMENT_ALTERED)
        try:
            self._check(parsed.value, self._template.signed_bytes(parsed.time, parsed.digest))
        except InvalidSignature as error:
            raise SignatureRefused(Reason.SIGNATURE_INVALID) from error


def signing(key: PrivateKey) -> Callable[[bytes], bytes]:
    """Signs bytes with a key, by SHA-256; the same bytes get the same signature."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        return partial(key.sign, signature_algorithm=algorithm)
    return partial(key.sign, padding=padding.PKCS1v15(), algorithm=hashes.SHA256())


def checking(key: PublicKey) -> Callable[[bytes, bytes], None]:
    """Checks a signature (first) of bytes (second) with a key; raises `InvalidSignature`."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return partial(key.verify, signature_algorithm=ec.ECDSA(hashes.SHA256()))
    return partial(key.verify, padding=padding.PKCS1v15(), algorithm=hashes.SHA256())
