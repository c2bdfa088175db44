"""An answer of bytes as RFC 9110 has it: whole, a part of it, or that what the caller has is still it."""

import re
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
"""One range; of several the whole is given, as anybody may."""


def whole_or_part(request: Request, data: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Bytes under their SHA-256 as entity tag.

    Args:
        request: may ask for a range, or name the tag that it has.
        data: all of it.
        media_type: of it.
        headers: of every answer.
    """
    tag = f'"{sha256(data).hexdigest()}"'
    told = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or asked[0] == "bytes=-" or request.headers.get("if-range", tag) != tag:
        return Response(data, media_type=media_type, headers=told)
    first, behind = _bounds(asked[1], asked[2], len(data))
    if first >= behind:
        told["Content-Range"] = f"bytes */{len(data)}"
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=told)
    told["Content-Range"] = f"bytes {first}-{behind - 1}/{len(data)}"
    return Response(data[first:behind], HTTPStatus.PARTIAL_CONTENT, told, media_type)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first byte, and the one behind the last; equal or crossed when there is nothing of that."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), size if not last else min(size, int(last) + 1)
