"""Addresses of the web, as settings and others' certificates name them: whatever they hold, looking raises nothing."""

from urllib.parse import SplitResult, urlsplit

_CHARACTERS = 2000


def web_address(text: str) -> SplitResult | None:
    """The parts of an address of http or https with a host; None when it is none."""
    if len(text) > _CHARACTERS or not text.isascii() or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        known = parts.port != 0
    except ValueError:  # brackets or a port that are none
        return None
    return parts if known and parts.scheme in {"http", "https"} and parts.hostname else None
