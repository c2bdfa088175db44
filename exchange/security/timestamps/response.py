"""What an authority answers (RFC 3161, 2.4.2): a status, and a token if it stamped.

Read with the reader of documents' signatures, since authorities write their CMS in BER's freedom; what the authority
signed inside (TSTInfo) has to be DER. No signature is looked at here.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exchange.domain.errors import WireError
from exchange.security.documents import ber
from exchange.security.documents.ber import Element
from exchange.security.documents.signed_data import SignedData, parse_signature
from exchange.security.timestamps.errors import TimestampError, refused
from exchange.security.timestamps.request import Imprint

RESPONSE_BYTES = 64 * 1024
"""Of a whole answer; tokens with all their certificates take 2 to 10 KB."""
TST_INFO = "1.2.840.113549.1.9.16.1.4"
_GRANTED, _WITH_CHANGES = 0, 1
_INTEGER, _BOOLEAN, _GENERALIZED_TIME, _UTF8 = 0x02, 0x01, 0x18, 0x0C
_MILLIS, _MICROS, _AUTHORITY, _EXTENSIONS, _CONTENT = 0x80, 0x81, 0xA0, 0xA1, 0xA0
_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{1,9}))?Z")
_INTEGER_BYTES = 32
_SECONDS_MAX = 24 * 3600


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says, whoever signed it.

    Attributes:
        der: the token itself, a CMS ContentInfo, as it came.
        signed_data: who signed it.
        content: the signed TSTInfo, DER.
        policy: the authority's, an object identifier.
        imprint: what was stamped.
        serial: the token's number at its authority.
        at: when, the middle of the authority's claim.
        accuracy: how far the true time may lie from `at`; zero where nothing is said.
        nonce: repeated from the request; None without one.
    """

    der: bytes
    signed_data: SignedData
    content: bytes
    policy: str
    imprint: Imprint
    serial: int
    at: datetime
    accuracy: timedelta
    nonce: int | None


def token_of(response: bytes) -> bytes:
    """The token out of an authority's answer (TimeStampResp).

    Raises:
        TimestampError: `timestamp-refused`: the answer is a refusal, in the authority's words; `timestamp-invalid`.
    """
    if len(response) > RESPONSE_BYTES:
        raise _invalid(f"an answer of {len(response)} bytes where {RESPONSE_BYTES} are the most")
    try:
        whole = ber.read(response)
        status, *token = ber.sequence(whole)
        code, *words = ber.sequence(status)
        granted = _integer(code) in {_GRANTED, _WITH_CHANGES}
        if granted and len(token) == 1 and token[0].tag == ber.SEQUENCE and whole.written == response:
            return token[0].written
        why = f"status {_integer(code)}{_words(words)}"
    except ValueError as error:
        raise _invalid(f"the authority's answer is none: {error}") from None
    if granted:
        raise _invalid("the authority's answer says granted and holds no token, or something else too")
    raise refused(why)


def read_token(der: bytes) -> Token:
    """Read a token.

    Raises:
        TimestampError: `timestamp-invalid`, whatever the bytes.
    """
    if len(der) > RESPONSE_BYTES:
        raise _invalid(f"{len(der)} bytes where {RESPONSE_BYTES} are the most")
    try:
        data = parse_signature(der)
        if data.content_type != TST_INFO or data.content is None:
            raise _invalid("a signature of something else, no token")
        content = ber.sequence(data.content, _CONTENT)[0].octets()
        return _info(der, data, content)
    except (WireError, ValueError, IndexError) as error:
        raise _invalid(f"no token: {error}") from None


def _info(der: bytes, data: SignedData, content: bytes) -> Token:
    info = ber.read(content)
    if ber.der(info) != content:
        message = "what is signed is not DER"
        raise ValueError(message)
    version, policy, imprint, serial, time, *rest = ber.sequence(info)
    if _integer(version) != 1:
        message = f"version {_integer(version)}"
        raise ValueError(message)
    optional = _optional(rest)
    return Token(
        der=der,
        signed_data=data,
        content=content,
        policy=ber.dotted(policy),
        imprint=Imprint.read(imprint),
        serial=_integer(serial),
        at=_time(time),
        accuracy=_accuracy(optional[ber.SEQUENCE]) if ber.SEQUENCE in optional else timedelta(0),
        nonce=_integer(optional[_INTEGER]) if _INTEGER in optional else None,
    )


def _optional(elements: list[Element]) -> dict[int, Element]:
    """Accuracy, ordering, nonce, the authority's name, extensions: each once, in this order, none that is critical."""
    order = [ber.SEQUENCE, _BOOLEAN, _INTEGER, _AUTHORITY, _EXTENSIONS]
    tags = [each.tag for each in elements]
    if tags != [tag for tag in order if tag in tags]:
        message = "something unknown behind the time"
        raise ValueError(message)
    found = {each.tag: each for each in elements}
    for extension in found[_EXTENSIONS].children() if _EXTENSIONS in found else ():
        if ber.sequence(extension)[1].tag == _BOOLEAN:
            message = "a critical extension that nobody knows here"
            raise ValueError(message)
    return found


def _integer(element: Element) -> int:
    if element.tag != _INTEGER or not 0 < len(element.content) <= _INTEGER_BYTES:
        message = "no number where one has to be"
        raise ValueError(message)
    return int.from_bytes(element.content, "big", signed=True)


def _time(element: Element) -> datetime:
    found = _TIME.fullmatch(element.content) if element.tag == _GENERALIZED_TIME else None
    if found is None:
        message = "a time of another form than YYYYMMDDhhmmss[.s]Z"
        raise ValueError(message)
    second = datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return second.replace(microsecond=int((found[2] or b"0").ljust(6, b"0")[:6]))


def _accuracy(element: Element) -> timedelta:
    parts = {each.tag: int.from_bytes(each.content[:4], "big") for each in element.children()}
    seconds, millis, micros = (parts.get(tag, 0) for tag in (_INTEGER, _MILLIS, _MICROS))
    if not parts.keys() <= {_INTEGER, _MILLIS, _MICROS} or seconds > _SECONDS_MAX or max(millis, micros) > 999:
        message = "an accuracy that is none"
        raise ValueError(message)
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)


def _words(parts: list[Element]) -> str:
    """What a refusal says in words, made safe to print."""
    texts = [text.content for part in parts if part.tag == ber.SEQUENCE for text in part.children()]
    said = b" ".join(texts)[:200].decode(errors="replace")
    return f" ({''.join(each if each.isprintable() else '?' for each in said)})" if said else ""


def _invalid(what: str) -> TimestampError:
    return TimestampError(f"time-stamp: {what}: ask the authority again, or take the file from where it was kept")
