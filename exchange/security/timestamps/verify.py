"""Whether a time-stamp holds: the steps of RFC 3161, 2.2 and 2.3, as of the time that the token states.

Revocation is not asked for: an authority whose key was stolen may be made to say any time, which no list mends. That
is why a token is stamped again in time by another one (`docs/operate/time-stamps.md`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from exchange.security.crl import BROKEN
from exchange.security.documents import algorithms, ber, signed_data
from exchange.security.documents.algorithms import NotChecked
from exchange.security.documents.certificates import Carried, readable
from exchange.security.documents.signed_data import SignerInfo
from exchange.security.documents.verify import meant
from exchange.security.errors import KeyRefused
from exchange.security.keys import load_certificates
from exchange.security.timestamps.errors import TimestampError
from exchange.security.timestamps.request import Imprint
from exchange.security.timestamps.response import TST_INFO, Token, read_token, token_of
from exchange.security.validity import Validity

CLOCK_SECONDS = 300
"""How far an authority's clock and ours may be apart when it stamps."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token that holds.

    Attributes:
        token: what it says.
        authority: its signer's certificate.
        until: when the first certificate between the token and a trusted root ends; before, it has to be stamped again.
    """

    token: Token
    authority: x509.Certificate
    until: datetime


@dataclass(frozen=True, slots=True)
class Authorities:
    """Roots that are trusted to vouch for time-stamping authorities, at least one."""

    roots: tuple[x509.Certificate, ...]

    @classmethod
    def load(cls, *files: Path) -> Self:
        """Those of PEM files.

        Raises:
            KeyRefused: `certificate-file-missing`, `certificate-file-unreadable`.
        """
        roots = tuple(root for file in files for root in load_certificates(file))
        if not roots:
            message = "no root of a time-stamping authority is given: name the file that it publishes"
            raise KeyRefused(message, code="certificate-file-missing")
        return cls(roots)

    def verify(self, token: bytes, imprint: Imprint) -> Stamp:
        """Check a token, as of the time that it states.

        1. It can be read, and is of one signer.
        2. It is over this digest.
        3. What is signed are its kind, the digest of its content, and which certificate the signer meant.
        4. That certificate is there, and the signature holds for its key.
        5. It is for time-stamps only, and leads to a trusted root, at the time that the token states.

        Raises:
            TimestampError: `timestamp-invalid`.
        """
        read = read_token(token)
        if len(read.signed_data.signers) != 1:
            raise _invalid(f"it has {len(read.signed_data.signers)} signers where one has to be")
        (signer,) = read.signed_data.signers
        if read.imprint != imprint:
            raise _invalid("it is over something else")
        carried = tuple(readable(read.signed_data.certificates))
        certificate = next((each for each in carried if each.is_of(signer)), None)
        if certificate is None:
            raise _invalid("the certificate of its signer is not in it")
        try:
            _require_attributes(signer, read.content, certificate.certificate)
            _require_signature(signer, certificate.certificate)
        except NotChecked as error:
            raise _invalid(f"an algorithm that is not relied on ({error.reason})") from None
        except (ValueError, IndexError) as error:
            raise _invalid(f"its attributes are broken: {error}") from None
        path = self._path(certificate, carried, read.at)
        return Stamp(read, certificate.certificate, Validity.of(*path).not_after)

    def verify_response(self, response: bytes, data: bytes) -> Stamp:
        """Check an authority's answer that was kept with what it is over, by SHA-256.

        Raises:
            TimestampError: `timestamp-invalid`, `timestamp-refused`.
        """
        return self.verify(token_of(response), Imprint.of(data))

    def _path(self, certificate: Carried, carried: Sequence[Carried], at: datetime) -> list[x509.Certificate]:
        builder = PolicyBuilder().store(Store(list(self.roots))).time(at)
        verifier = builder.extension_policies(ca_policy=_ISSUERS, ee_policy=_AUTHORITIES).build_client_verifier()
        others = [each.certificate for each in carried if each is not certificate]
        try:
            return verifier.verify(certificate.certificate, others).chain
        except (VerificationError, *BROKEN) as error:
            message = f"its signer {certificate.name!r} was no authority that is trusted at {at:%Y-%m-%dT%H:%M:%SZ}"
            raise _invalid(f"{message} ({str(error)[:200]})") from None


def accept(response: bytes, imprint: Imprint, nonce: int, authorities: Authorities, now: datetime) -> Stamp:
    """Check an answer that was just asked for.

    Args:
        response: the answer (TimeStampResp).
        imprint: what was to be stamped.
        nonce: of the request.
        authorities: who is trusted.
        now: this machine's time, aware.

    Raises:
        TimestampError: `timestamp-refused`; `timestamp-invalid`: also an answer to another request, or a clock that
            is wrong, the authority's or ours.
    """
    stamp = authorities.verify(token_of(response), imprint)
    if stamp.token.nonce != nonce:
        raise _invalid("it answers another request")
    apart = abs(stamp.token.at - now)
    if apart > timedelta(seconds=CLOCK_SECONDS) + stamp.token.accuracy:
        raise _invalid(f"its time is {apart.total_seconds():.0f} s from this machine's: see which clock is wrong")
    return stamp


def _require_attributes(signer: SignerInfo, content: bytes, certificate: x509.Certificate) -> None:
    """The signed attributes are of this content and certificate (RFC 5652, 11; RFC 5816, 2.2.1)."""
    attributes = signer.attributes or {}
    kind, digest = attributes.get(signed_data.CONTENT_TYPE), attributes.get(signed_data.MESSAGE_DIGEST)
    if kind is None or digest is None or ber.dotted(kind) != TST_INFO:
        raise _invalid("its signer signed no token")
    if digest.octets() != _digest(algorithms.digest_of(signer.digest), content):
        raise _invalid("it was altered")
    named = []
    if signed_data.SIGNING_CERTIFICATE_V2 in attributes:
        named.append(meant(attributes[signed_data.SIGNING_CERTIFICATE_V2]))
    if signed_data.SIGNING_CERTIFICATE in attributes:  # RFC 2634 knows no other digest; many authorities still say so
        named.append((meant(attributes[signed_data.SIGNING_CERTIFICATE])[0], hashes.SHA1()))  # noqa: S303
    if not named or any(certificate.fingerprint(algorithm) != fingerprint for fingerprint, algorithm in named):
        raise _invalid("its signer meant another certificate, or did not say which")


def _require_signature(signer: SignerInfo, certificate: x509.Certificate) -> None:
    scheme = algorithms.scheme(signer.digest, signer.signature)
    try:
        scheme.verify(certificate.public_key(), signer.value, _digest(scheme.signed, signer.signed[0]))
    except BROKEN:
        raise _invalid("its signer's key cannot be used") from None
    except InvalidSignature:
        raise _invalid("its signature does not hold") from None


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _only_time_stamps(_policy: Policy, _certificate: x509.Certificate, usages: x509.ExtendedKeyUsage) -> None:
    if set(usages) != {ExtendedKeyUsageOID.TIME_STAMPING}:
        message = "its key is for other things than time-stamps"
        raise ValueError(message)


def _time_stamps_too(_policy: Policy, _certificate: x509.Certificate, usages: x509.ExtendedKeyUsage | None) -> None:
    allowed = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usages is not None and allowed.isdisjoint(usages):
        message = "an issuer's certificates are for other things than time-stamps"
        raise ValueError(message)


def _signs(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        message = "the key is for other things than signing"
        raise ValueError(message)


def _issues(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        message = "an issuer's certificate is none"
        raise ValueError(message)


def _certifies(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        message = "an issuer's key is for other things than certificates"
        raise ValueError(message)


_ISSUERS = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _issues)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _certifies)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _time_stamps_too)
)
"""Roots of authorities are older than the Web's rules about what has to be critical, and say less of themselves."""
_AUTHORITIES = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs)
    .require_present(x509.ExtendedKeyUsage, Criticality.CRITICAL, _only_time_stamps)
)
"""RFC 3161, 2.3."""


def _invalid(what: str) -> TimestampError:
    return TimestampError(f"the time-stamp does not hold: {what}: have it stamped again, by an authority you trust")
