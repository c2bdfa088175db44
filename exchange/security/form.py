"""The shape of the one accepted signature (rule 1.4): CMS (RFC 5652) with CAdES attributes (ETSI EN 319 122-1).

    ContentInfo { signedData
      SignedData { 1, {sha256}, {id-data}, no certificates, no CRLs
        SignerInfo { 1, issuer and serial, sha256
          signed attributes    content-type, signing-time, message-digest, signing-certificate-v2
          algorithm            ecdsa-with-SHA256, or rsaEncryption (PKCS #1 v1.5)
          signature            over the signed attributes as a SET OF
          no unsigned attributes } } }

These are byte for byte what OpenSSL 3 makes with `openssl cms -sign -binary -cades -nosmimecap
-nocerts -md sha256 -outform DER`. For one certificate everything but signing time, digest and
signature value is fixed, so signing fills a template and verification renders the template again
and accepts only identical bytes: there is no second encoding to reason about. For the same reason a
signature that begins as one that held before need not be parsed: it is cut as that one was (`Frame`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exchange.domain.reason import Reason
from exchange.security import der
from exchange.security.errors import KeyRefused, SignatureFormError, SignatureRefused
from exchange.security.keys import PublicKey

_DIGEST_BYTES = 32
_TIME_BYTES = 13  # YYMMDDHHMMSSZ
SIGNING_YEARS = range(2000, 2050)
_CMS_BYTES_MAX = 8192
_CERTIFICATE_BYTES_MAX = 8192
_ECDSA_VALUE_BYTES = range(8, 73)  # DER of two integers of 1 to 33 bytes
_TIMES = 1024
"""So many signing times are remembered: letters of a busy second have the same."""


def _oid(content: str) -> bytes:
    return der.encode(der.OBJECT_IDENTIFIER, bytes.fromhex(content))


_DATA = _oid("2a864886f70d010701")
_SIGNED_DATA = _oid("2a864886f70d010702")
_CONTENT_TYPE = _oid("2a864886f70d010903")
_MESSAGE_DIGEST = _oid("2a864886f70d010904")
_SIGNING_TIME = _oid("2a864886f70d010905")
_SIGNING_CERTIFICATE_V2 = _oid("2a864886f70d010910022f")
_SIGNATURE_TIME_STAMP = _oid("2a864886f70d010910020e")
_VERSION_1 = bytes((der.INTEGER, 1, 1))
_SHA256 = der.encode(der.SEQUENCE, _oid("608648016503040201"))
_ECDSA_WITH_SHA256 = der.encode(der.SEQUENCE, _oid("2a8648ce3d040302"))
_RSA_ENCRYPTION = der.encode(der.SEQUENCE, _oid("2a864886f70d010101"), b"\x05\x00")

# What stands before each value that differs from signature to signature.
_BEFORE_SIGNER_INFOS = _VERSION_1 + der.encode(der.SET, _SHA256) + der.encode(der.SEQUENCE, _DATA)
_BEFORE_TIME = der.encode(der.SEQUENCE, _CONTENT_TYPE, der.encode(der.SET, _DATA)) + bytes.fromhex(
    "301c" + _SIGNING_TIME.hex() + "310f170d"
)
_BEFORE_DIGEST = bytes.fromhex("302f" + _MESSAGE_DIGEST.hex() + "31220420")
_BEFORE_ESS_HASH = bytes((der.OCTET_STRING, _DIGEST_BYTES))


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """A signature in the right shape; nothing of it is verified yet.

    Attributes:
        cms: the whole bytes.
        signer: SHA-256 of the signer's certificate, from the ESS attribute: what to look up.
        time: signing time as it is encoded (UTCTime).
        digest: SHA-256 of the statement, as claimed.
        value: the signature proper.
        signing_time: UTC, the signer's claim, whole seconds.
    """

    cms: bytes
    signer: bytes
    time: bytes
    digest: bytes
    value: bytes
    signing_time: datetime


def parse(cms: bytes) -> ParsedSignature:
    """Read the variable parts of a signature; costs about 7 µs, which `Frame.parse` saves.

    The parts that depend on the signer's certificate are skipped here and compared in
    `Verifier.verify`.

    Raises:
        SignatureFormError: for any other bytes whatever, naming the place.
    """
    if len(cms) > _CMS_BYTES_MAX:
        message = f"{len(cms)} bytes are no signature: at most {_CMS_BYTES_MAX}"
        raise SignatureFormError(message)
    try:
        return _parse(cms)
    except ValueError as error:
        raise SignatureFormError(str(error)) from error


def beginning(cms: bytes) -> bytes:
    """A signature up to its signing time: says whose it is and how long its value is; of other bytes anything."""
    return cms[: cms.find(_BEFORE_TIME) + len(_BEFORE_TIME)]


@dataclass(frozen=True, slots=True)
class Frame:
    """What all signatures of one certificate with one length of the value have in common.

    Attributes:
        signer: SHA-256 of the certificate.
        before: what stands before the time.
        after: what stands between digest and value.
        value_bytes: length of the value, which `before` and `after` state.
    """

    signer: bytes
    before: bytes
    after: bytes
    value_bytes: int

    def fill(self, time: bytes, digest: bytes, value: bytes) -> bytes:
        """The whole CMS."""
        return b"".join((self.before, time, _BEFORE_DIGEST, digest, self.after, value))

    def parse(self, cms: bytes) -> ParsedSignature | None:
        """What `parse` gives, without looking at each element; None when anything but the three values differs."""
        time_at = len(self.before)
        digest_at = time_at + _TIME_BYTES + len(_BEFORE_DIGEST)
        digest_end = digest_at + _DIGEST_BYTES
        time, digest = cms[time_at : time_at + _TIME_BYTES], cms[digest_at:digest_end]
        value = cms[digest_end + len(self.after) :]
        if len(value) != self.value_bytes or self.fill(time, digest, value) != cms:
            return None
        try:
            return ParsedSignature(cms, self.signer, time, digest, value, _signing_time(time))
        except ValueError:
            return None


def embed_certificate(cms: bytes, certificate: x509.Certificate) -> bytes:
    """Insert the signer's certificate: the same signature as CAdES B-B, for export.

    Raises:
        SignatureFormError: `cms` is not in the accepted form.
        SignatureRefused: `signer-unknown`, the certificate is not the one that signed.
    """
    return embed_certificates(cms, [certificate.public_bytes(serialization.Encoding.DER)])


def embed_certificates(
    cms: bytes, chain: Sequence[bytes], crls: Sequence[bytes] = (), time_stamp: bytes = b""
) -> bytes:
    """Insert certificates and revocation lists (DER), by which others check the signature without asking anybody.

    With a time-stamp it is CAdES B-T. Nothing is signed again: the signature is over other bytes than these.

    Args:
        cms: the signature.
        chain: the signer's certificate first, then those of its issuers.
        crls: the issuers' lists.
        time_stamp: a token (RFC 3161) over the signature value, as the authority wrote it; empty for none.

    Raises:
        SignatureFormError: `cms` is not in the accepted form.
        SignatureRefused: `signer-unknown`, the first certificate is not the one that signed.
    """
    if parse(cms).signer != hashlib.sha256(chain[0]).digest():
        raise SignatureRefused(Reason.SIGNER_UNKNOWN, "the certificate to embed is not the signer's")
    signer_infos = cms[_enter_signed_data(cms) :]
    if time_stamp:
        signer_infos = _with_unsigned(signer_infos, _SIGNATURE_TIME_STAMP, time_stamp)
    # DER wants the elements of a SET OF in the order of their bytes.
    sets = ((der.CONTEXT_0, chain), (der.CONTEXT_1, crls))
    inserted = b"".join(der.encode(tag, *sorted(elements)) for tag, elements in sets if elements)
    signed_data = der.encode(der.SEQUENCE, _BEFORE_SIGNER_INFOS, inserted, signer_infos)
    return der.encode(der.SEQUENCE, _SIGNED_DATA, der.encode(der.CONTEXT_0, signed_data))


class Template:
    """All bytes of a certificate's signatures but time, digest and signature value."""

    def __init__(self, certificate: x509.Certificate, public_key: PublicKey) -> None:
        """Lay out everything that `certificate` fixes.

        Raises:
            KeyRefused: `certificate-too-large`.
        """
        encoded = certificate.public_bytes(serialization.Encoding.DER)
        if len(encoded) > _CERTIFICATE_BYTES_MAX:
            message = f"a certificate of {len(encoded)} bytes: use one of at most {_CERTIFICATE_BYTES_MAX}"
            raise KeyRefused(message, code="certificate-too-large")
        issuer, serial = der.issuer_and_serial(certificate.tbs_certificate_bytes)
        self.signer = hashlib.sha256(encoded).digest()
        self._after_digest = _signing_certificate(self.signer, issuer, serial)
        attributes = len(_BEFORE_TIME) + _TIME_BYTES + len(_BEFORE_DIGEST) + _DIGEST_BYTES + len(self._after_digest)
        # The attributes travel as [0] but are signed as a SET OF (RFC 5652, 5.4).
        self._signed_head = der.header(der.SET, attributes) + _BEFORE_TIME
        signer = _VERSION_1 + der.encode(der.SEQUENCE, issuer, serial) + _SHA256
        self._before_time = signer + der.header(der.CONTEXT_0, attributes) + _BEFORE_TIME
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            self._algorithm, self.value_bytes = _ECDSA_WITH_SHA256, _ECDSA_VALUE_BYTES
        else:
            size = (public_key.key_size + 7) // 8
            self._algorithm, self.value_bytes = _RSA_ENCRYPTION, range(size, size + 1)
        self._signer_info_bytes = len(signer) + len(der.header(der.CONTEXT_0, attributes)) + attributes
        # ECDSA values differ in length, and with it all lengths around them; few lengths are possible.
        self._frames: dict[int, Frame] = {}

    def signed_bytes(self, time: bytes, digest: bytes) -> bytes:
        """What the signature value is over: the attributes as a SET OF."""
        return b"".join((self._signed_head, time, _BEFORE_DIGEST, digest, self._after_digest))

    def render(self, time: bytes, digest: bytes, value: bytes) -> bytes:
        """The whole CMS."""
        return self.frame(len(value)).fill(time, digest, value)

    def frame(self, value_bytes: int) -> Frame:
        """What is the same when the value has `value_bytes`."""
        frame = self._frames.get(value_bytes)
        if frame is None:
            frame = self._frames[value_bytes] = self._frame(value_bytes)
        return frame

    def _frame(self, value_bytes: int) -> Frame:
        after = self._after_digest + self._algorithm + der.header(der.OCTET_STRING, value_bytes)
        length = self._signer_info_bytes + len(after) - len(self._after_digest) + value_bytes
        before = self._before_time
        for tag, inside in (
            (der.SEQUENCE, b""),  # SignerInfo
            (der.SET, b""),  # signerInfos
            (der.SEQUENCE, _BEFORE_SIGNER_INFOS),  # SignedData
            (der.CONTEXT_0, b""),  # content
            (der.SEQUENCE, _SIGNED_DATA),  # ContentInfo
        ):
            length += len(inside)
            wrapper = der.header(tag, length) + inside
            length += len(wrapper) - len(inside)
            before = wrapper + before
        return Frame(self.signer, before, after, value_bytes)


def _signing_certificate(signer: bytes, issuer: bytes, serial: bytes) -> bytes:
    """ESS signing-certificate-v2 with SHA-256, its default, left out (RFC 5035, 3)."""
    names = der.encode(der.SEQUENCE, der.encode(der.CONTEXT_4, issuer))
    issuer_serial = der.encode(der.SEQUENCE, names, serial)
    certificate = der.encode(der.SEQUENCE, _BEFORE_ESS_HASH, signer, issuer_serial)
    value = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, certificate))
    return der.encode(der.SEQUENCE, _SIGNING_CERTIFICATE_V2, der.encode(der.SET, value))


def _enter_signed_data(cms: bytes) -> int:
    """Offset of the signerInfos."""
    end = len(cms)
    at = der.enter(cms, 0, der.SEQUENCE, end, "ContentInfo")
    at = der.skip(cms, at, _SIGNED_DATA, end, "contentType")
    at = der.enter(cms, at, der.CONTEXT_0, end, "content")
    at = der.enter(cms, at, der.SEQUENCE, end, "SignedData")
    return der.skip(cms, at, _BEFORE_SIGNER_INFOS, end, "SignedData's version, digest or content type")


def _with_unsigned(signer_infos: bytes, kind: bytes, value: bytes) -> bytes:
    """The one SignerInfo with an unsigned attribute behind its signature value."""
    end = len(signer_infos)
    at = der.enter(signer_infos, 0, der.SET, end, "signerInfos")
    at = der.enter(signer_infos, at, der.SEQUENCE, end, "SignerInfo")
    attribute = der.encode(der.SEQUENCE, kind, der.encode(der.SET, value))
    unsigned = der.encode(der.CONTEXT_1, attribute)
    return der.encode(der.SET, der.encode(der.SEQUENCE, signer_infos[at:], unsigned))


def _parse(cms: bytes) -> ParsedSignature:
    end = len(cms)
    at = der.enter(cms, _enter_signed_data(cms), der.SET, end, "signerInfos")
    at = der.enter(cms, at, der.SEQUENCE, end, "SignerInfo")
    at = der.skip(cms, at, _VERSION_1, end, "SignerInfo's version")
    _, at = der.open_element(cms, at, der.SEQUENCE, end, "issuerAndSerialNumber")
    at = der.skip(cms, at, _SHA256, end, "digestAlgorithm")
    at, attributes_end = der.open_element(cms, at, der.CONTEXT_0, end, "signedAttrs")
    time_at = der.skip(cms, at, _BEFORE_TIME, attributes_end, "content-type or signing-time")
    time_end = time_at + _TIME_BYTES
    digest_at = der.skip(cms, time_end, _BEFORE_DIGEST, attributes_end, "message-digest")
    digest_end = digest_at + _DIGEST_BYTES
    signer_at = _enter_signing_certificate(cms, digest_end, attributes_end)
    signer_end = signer_at + _DIGEST_BYTES
    der.enter(cms, signer_end, der.SEQUENCE, attributes_end, "issuerSerial")
    _, at = der.open_element(cms, attributes_end, der.SEQUENCE, end, "signatureAlgorithm")
    value_at = der.enter(cms, at, der.OCTET_STRING, end, "signature")
    time = cms[time_at:time_end]
    return ParsedSignature(
        cms=cms,
        signer=cms[signer_at:signer_end],
        time=time,
        digest=cms[digest_at:digest_end],
        value=cms[value_at:],
        signing_time=_signing_time(time),
    )


def _enter_signing_certificate(cms: bytes, at: int, end: int) -> int:
    """Offset of the certificate's hash."""
    at = der.enter(cms, at, der.SEQUENCE, end, "signing-certificate-v2")
    at = der.skip(cms, at, _SIGNING_CERTIFICATE_V2, end, "signing-certificate-v2's type")
    at = der.enter(cms, at, der.SET, end, "signing-certificate-v2's values")
    at = der.enter(cms, at, der.SEQUENCE, end, "SigningCertificateV2")
    at = der.enter(cms, at, der.SEQUENCE, end, "SigningCertificateV2's certs")
    at = der.enter(cms, at, der.SEQUENCE, end, "ESSCertIDv2")
    return der.skip(cms, at, _BEFORE_ESS_HASH, end, "certHash")


@lru_cache(_TIMES)
def _signing_time(time: bytes) -> datetime:
    digits = time[:12]
    if not digits.isdigit() or time[12:] != b"Z":
        message = "signing-time is not YYMMDDHHMMSSZ"
        raise ValueError(message)
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    if year + 2000 not in SIGNING_YEARS:
        message = "signing-time is outside 2000 to 2049"
        raise ValueError(message)
    return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
