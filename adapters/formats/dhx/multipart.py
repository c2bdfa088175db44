"""SOAP with attachments: `multipart/related`, of which DHX uses an envelope and one attachment.

The standard library reads the headers. It does not split the body: it would make an object of every line, which for
a body of empty lines is fifty times its size.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser
from urllib.parse import unquote

from adapters.formats.dhx.contents import decode_base64
from exchange.domain.errors import DocumentError

PARTS = 10
HEADER_BYTES = 8 * 1024

_RELATED = "multipart/related"
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_AS_IT_IS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message: its `Content-ID` without brackets, its media type with parameters, its decoded bytes."""

    content_id: str
    content_type: str
    data: bytes


def split(content_type: str, body: bytes, place: str) -> tuple[Part, ...]:
    """The parts of a `multipart/related` body, the root first.

    Args:
        content_type: the HTTP header of that name.
        body: as it came.
        place: for messages.

    Raises:
        DocumentError: `document-malformed`: no such message, too many parts, an unknown or wrong encoding.
    """
    headers = HeaderParser().parsestr(f"Content-Type: {' '.join(content_type[:HEADER_BYTES].split())}\n\n")
    boundary = str(headers.get_param("boundary", ""))
    if headers.get_content_type() != _RELATED or not _BOUNDARY.fullmatch(boundary):
        raise _malformed(f"no {_RELATED} with a boundary: send the envelope with the capsule attached", place)
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("ascii")) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    # Text and mark of the end alternate; before the first delimiter and after the last there is nothing to read.
    pieces = delimiter.split(body, maxsplit=PARTS + 1)
    texts, closed = pieces[2::2], pieces[1::2]
    if b"--" not in closed:
        raise _malformed(
            f"the last part does not end, or there are more than {PARTS}: send envelope and capsule", place
        )
    parts = [_part(text, place) for text in texts[: closed.index(b"--")]]
    if not parts:
        raise _malformed("the message has no parts: send envelope and capsule", place)
    start = _bare(str(headers.get_param("start", "")))
    return tuple(sorted(parts, key=lambda part: not start or part.content_id != start))


def join(parts: Sequence[Part]) -> tuple[str, bytes]:
    """A message of the parts, the first being the root: content type and body, the same for the same parts.

    The root stands as it is, all others in base64, as DHX demands.
    """
    root, *others = parts
    pieces = [_head(root, "8bit") + root.data, *(_head(part, "base64") + _base64(part.data) for part in others)]
    boundary = "dhx-" + hashlib.sha256(b"".join(pieces)).hexdigest()
    line = b"--" + boundary.encode("ascii")
    body = b"".join(line + b"\r\n" + piece + b"\r\n" for piece in pieces) + line + b"--\r\n"
    return f'{_RELATED}; type="text/xml"; start="<{root.content_id}>"; boundary="{boundary}"', body


def named(parts: Sequence[Part], reference: str) -> Part | None:
    """The part that a `cid:` reference names; some senders leave `cid:` out."""
    wanted = unquote(_bare(reference).removeprefix("cid:"))
    return next((part for part in parts if wanted and part.content_id == wanted), None)


def _part(text: bytes, place: str) -> Part:
    end = _HEADER_END.search(text[:HEADER_BYTES])
    if end is None:
        raise _malformed("a part has no end of its headers: write an empty line behind them", place)
    headers = BytesHeaderParser().parsebytes(text[: end.start()])
    data = _decoded(text[end.end() :], _value(headers, "Content-Transfer-Encoding").lower(), place)
    return Part(_bare(_value(headers, "Content-ID")), _value(headers, "Content-Type"), data)


def _decoded(data: bytes, encoding: str, place: str) -> bytes:
    if encoding in _AS_IT_IS:
        return data
    try:
        if encoding == "base64":
            return decode_base64(data)
    except binascii.Error:
        raise _malformed("a part is not the base64 that its header says", place) from None
    raise _malformed("a part has an unknown Content-Transfer-Encoding: write base64", place)


def _value(headers: Message, name: str) -> str:
    return str(headers.get(name, "")).strip()


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")


def _head(part: Part, encoding: str) -> bytes:
    lines = (
        f"Content-Type: {part.content_type}",
        f"Content-Transfer-Encoding: {encoding}",
        f"Content-ID: <{part.content_id}>",
    )
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).rstrip().replace(b"\n", b"\r\n")


def _malformed(fault: str, place: str) -> DocumentError:
    return DocumentError(fault, code="document-malformed", place=place)
