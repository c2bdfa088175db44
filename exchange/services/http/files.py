"""Files of letters on their way to whoever may have them: kept, never shown as a page of ours."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

FILE_HEADERS: Mapping[str, str] = MappingProxyType(
    {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
)
"""Whatever a browser makes of the bytes, they run nothing and load nothing."""
_NAME_LONGEST = 200


def attachment(name: str) -> str:
    """The header `Content-Disposition` by which a file is kept under a sender's name for it (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(plain_name(name), safe='')}"


def plain_name(name: str) -> str:
    """A name that no system takes for a path or a command."""
    safe = "".join(char if char.isprintable() and char not in '/\\:*?"<>|' else "_" for char in name)
    return safe.encode("utf-8", "replace").decode()[:_NAME_LONGEST].strip(". ") or "file"
