"""Where a browser is sent after it signed in: never to another site."""

import re
from urllib.parse import urlsplit

HOME = "/"
_LONGEST = 2048
# Browsers take a backslash for a slash, and leave out tabs and line ends before they look.
_PLAIN = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def local_path(text: str) -> str:
    """`text` when it is a path of this console, with its query; else the first page."""
    if len(text) > _LONGEST or _PLAIN.fullmatch(text) is None:
        return HOME
    parts = urlsplit(text)
    return HOME if parts.scheme or parts.netloc else text
