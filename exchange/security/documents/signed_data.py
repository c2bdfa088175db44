"""Detached signatures as files hold them: SignedData of CMS (RFC 5652) in DER, BER, PEM or base64.

Reads what a verifier needs, in the order of the standard's own types, and judges nothing.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from exchange.domain.errors import WireError
from exchange.security.documents import ber
from exchange.security.documents.ber import Element

SIGNATURE_BYTES = 1024 * 1024
SIGNERS = 32
CERTIFICATES = 64

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
MESSAGE_DIGEST_ENCODED = bytes.fromhex("06092a864886f70d010904")
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_TIME_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - RFC 3161's name of it
_SIGNED_DATA = "1.2.840.113549.1.7.2"

_CONTEXT_0, _CONTEXT_1, _KEY_IDENTIFIER = 0xA0, 0xA1, 0x80
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_ARMOUR = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----(.*?)-----END", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm's object identifier, and its parameters where it has some."""

    oid: str
    parameters: Element | None = None


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer of a SignedData.

    Attributes:
        issuer: the certificate issuer's name, DER; empty where `key_identifier` names the certificate.
        serial: the certificate's serial number.
        key_identifier: of the certificate's key; else empty.
        digest: of the content.
        attributes: signed ones by object identifier, each with its one value; None where nothing but the content
            itself is signed.
        signed: what the signature may be over: the attributes in the order of DER, which the standard wants, and in
            the order in which they stand. Empty without attributes.
        signature: its algorithm.
        value: the signature proper.
        has_time_stamp: whether a time-stamp token (RFC 3161) goes with it.
    """

    issuer: bytes
    serial: int
    key_identifier: bytes
    digest: Algorithm
    attributes: Mapping[str, Element] | None
    signed: tuple[bytes, ...]
    signature: Algorithm
    value: bytes
    has_time_stamp: bool

    @property
    def signing_time(self) -> datetime | None:
        """When the signer says that it was signed; None where nothing is said that the calendar has."""
        value = (self.attributes or {}).get(SIGNING_TIME)
        return None if value is None else _time(value)


@dataclass(frozen=True, slots=True)
class SignedData:
    """A signature file.

    Attributes:
        content_type: what kind of content is signed.
        certificates: those that lie beside.
        signers: who signed.
        content: the element that holds the content, unread; None where it is detached.
    """

    content_type: str
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]
    content: Element | None


def parse_signature(data: bytes) -> SignedData:
    """Read a signature file; content that lies inside is passed over.

    Raises:
        WireError: `signature-unreadable` for any other bytes whatever, saying what is wrong; `signature-too-large`
            beyond 1 MiB, 32 signers or 64 certificates.
    """
    if len(data) > SIGNATURE_BYTES:
        raise _too_large(f"{len(data)} bytes")
    try:
        return _signed_data(ber.read(_unwrapped(data)))
    except ValueError as error:
        message = f"no detached signature in CMS: {error}: export it again from the program that signed"
        raise WireError(message, code="signature-unreadable") from None


def algorithm(element: Element) -> Algorithm:
    """An AlgorithmIdentifier.

    Raises:
        ValueError: it is none.
    """
    oid, *parameters = ber.sequence(element)
    return Algorithm(ber.dotted(oid), parameters[0] if parameters else None)


def _unwrapped(data: bytes) -> bytes:
    """The binary form."""
    if data[:1] == bytes((ber.SEQUENCE,)):
        return data
    armoured = _ARMOUR.search(data)
    text = armoured[1] if armoured else data.removeprefix(_BYTE_ORDER_MARK)
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        message = "neither binary, nor PEM, nor base64"
        raise ValueError(message) from None


def _signed_data(content_info: Element) -> SignedData:
    kind, wrapped = _fields(content_info, ber.SEQUENCE, 2)
    if ber.dotted(kind) != _SIGNED_DATA:
        message = "another kind of CMS than SignedData"
        raise ValueError(message)
    (content,) = _fields(wrapped, _CONTEXT_0, 1)
    _, _, encapsulated, *rest = _fields(content, ber.SEQUENCE, 4)
    certificates = [each.written for part in rest if part.tag == _CONTEXT_0 for each in part.children()]
    signers = ber.sequence(rest[-1], ber.SET)
    if len(signers) > SIGNERS or len(certificates) > CERTIFICATES:
        raise _too_large(f"{len(signers)} signers and {len(certificates)} certificates")
    content_type, *inside = _fields(encapsulated, ber.SEQUENCE, 1)
    return SignedData(
        ber.dotted(content_type), tuple(certificates), tuple(map(_signer, signers)), next(iter(inside), None)
    )


def _signer(element: Element) -> SignerInfo:
    _, identifier, digest, *rest = _fields(element, ber.SEQUENCE, 5)
    signed = rest.pop(0) if rest[0].tag == _CONTEXT_0 else None
    signature, value, *unsigned = _at_least(rest, 2)
    issuer, serial, key_identifier = _identifier(identifier)
    unsigned_attributes = _attributes(unsigned[0]) if unsigned and unsigned[0].tag == _CONTEXT_1 else {}
    return SignerInfo(
        issuer=issuer,
        serial=serial,
        key_identifier=key_identifier,
        digest=algorithm(digest),
        attributes=None if signed is None else _attributes(signed),
        signed=() if signed is None else _signed_bytes(signed),
        signature=algorithm(signature),
        value=value.octets(),
        has_time_stamp=_TIME_STAMP_TOKEN in unsigned_attributes,
    )


def _identifier(element: Element) -> tuple[bytes, int, bytes]:
    """Issuer and serial number, or key identifier, of the signer's certificate."""
    if element.tag == _KEY_IDENTIFIER:
        return b"", 0, element.content
    issuer, serial = _fields(element, ber.SEQUENCE, 2)
    return ber.der(issuer), int.from_bytes(serial.content, "big", signed=True), b""


def _attributes(element: Element) -> dict[str, Element]:
    """Attributes that have one value, which all that are looked at here must; others are nobody's concern.

    Raises:
        ValueError: one stands there twice (RFC 5652, 11): which of them counts, nobody could say.
    """
    found: dict[str, Element] = {}
    for attribute in element.children():
        kind, values = _fields(attribute, ber.SEQUENCE, 2)
        oid = ber.dotted(kind)
        if oid in found:
            message = f"the attribute {oid} stands there twice"
            raise ValueError(message)
        found[oid] = next(iter(ber.sequence(values, ber.SET)), kind)
    return found


def _signed_bytes(element: Element) -> tuple[bytes, ...]:
    """The attributes as a SET OF (RFC 5652, 5.4); their tag in the file is another."""
    attributes = [ber.der(attribute) for attribute in element.children()]
    return tuple(ber.encode(ber.SET, b"".join(order)) for order in (sorted(attributes), attributes))


def _time(value: Element) -> datetime | None:
    text = value.content.decode("ascii", "replace")
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(value.tag, "no time")
    if value.tag == _GENERALIZED_TIME:
        text = re.sub(r"\.[0-9]+Z", "Z", text)
    try:
        time = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    # Two digits of a year are those of 1950 to 2049 (RFC 5280, 4.1.2.5.1), which Python takes for 1969 to 2068.
    late = value.tag == _UTC_TIME and time.year >= 2050
    return time.replace(year=time.year - 100) if late else time


def _fields(element: Element, tag: int, least: int) -> list[Element]:
    return _at_least(ber.sequence(element, tag), least)


def _at_least(elements: tuple[Element, ...] | list[Element], least: int) -> list[Element]:
    if len(elements) < least:
        message = f"{len(elements)} elements where {least} are due"
        raise ValueError(message)
    return list(elements)


def _too_large(what: str) -> WireError:
    message = (
        f"a signature file of {what}: at most {SIGNATURE_BYTES} bytes, {SIGNERS} signers and {CERTIFICATES}"
        " certificates: detach it from its content"
    )
    return WireError(message, code="signature-too-large")
