"""Files inside a capsule: `ZipBase64Content` is base64 of gzip of the bytes."""

import base64
import binascii
import gzip
import string
import zlib

from exchange.domain.errors import DocumentError

FILES_BYTES = 64 * 1024 * 1024
"""Of all files of a capsule together, unpacked: a small gzip may hold any number of zeros."""

_GZIP = 16 + zlib.MAX_WBITS


def unpack(text: str, place: str, limit: int = FILES_BYTES) -> bytes:
    """The bytes of a file.

    Args:
        text: the element's text; blanks and line breaks within base64 do not count.
        place: for messages.
        limit: most bytes that the file may have.

    Raises:
        DocumentError: `file-content-invalid`: no base64, no whole gzip, or something behind it;
            `document-too-large` beyond `limit`.
    """
    try:
        packed = decode_base64(text.encode("ascii"))
        unpacker = zlib.decompressobj(_GZIP)
        data = unpacker.decompress(packed, limit + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise _invalid("is not base64 of gzip", place) from None
    if len(data) > limit:
        message = f"the capsule's files have more than {FILES_BYTES} bytes: send fewer or smaller ones"
        raise DocumentError(message, code="document-too-large", place=place)
    if not unpacker.eof:
        raise _invalid("ends before the file does", place)
    if unpacker.unused_data:
        raise _invalid("goes on after the end of the file", place)
    return data


def decode_base64(data: bytes) -> bytes:
    """What base64 stands for, blanks and line breaks apart.

    Raises:
        binascii.Error: it is none.
    """
    return base64.b64decode(data.translate(None, string.whitespace.encode("ascii")), validate=True)


def pack(data: bytes) -> str:
    """The reverse of `unpack`; the same bytes always give the same text."""
    return base64.b64encode(gzip.compress(data, mtime=0)).decode("ascii")


def _invalid(fault: str, place: str) -> DocumentError:
    message = f"the content {fault}: pack each file with gzip, then write that in base64"
    return DocumentError(message, code="file-content-invalid", place=place)
