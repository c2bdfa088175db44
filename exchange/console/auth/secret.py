"""Random values that a browser holds, and what is derived from them.

The desk keeps digests only. What a page shows (the token of its forms) and what goes through an
identity provider (state, nonce, PKCE's verifier) are derived from the value in the cookie by HMAC, each
for its own purpose: none of them leads back to it, or to another, and nothing has to be stored for them.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

SECRET_BYTES = 32
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")

Random = Callable[[int], bytes]


def new_secret(random: Random) -> str:
    """256 random bits as text that cookies, addresses and headers may hold."""
    return _text(random(SECRET_BYTES))


def is_secret(text: str) -> bool:
    """Whether `text` may be one of `new_secret`."""
    return _FORM.fullmatch(text) is not None


def kept(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def derived(secret: str, purpose: str) -> str:
    """Another secret, that only who has this one can know."""
    return _text(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def same(given: str, expected: str) -> bool:
    """Whether two texts are equal; how long it takes tells nothing about where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
