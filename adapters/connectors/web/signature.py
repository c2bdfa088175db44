"""Signed requests, as Standard Webhooks 1.0.0 has them (https://www.standardwebhooks.com).

The receiver verifies with any library of that specification: HMAC-SHA256 with a secret that both know, over id,
time and body. The id of a push is its key. Other requests have `<method> <path>` as their id, so that a
signature is good for one request only.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from exchange.domain.errors import ConfigurationError

PREFIX = "whsec_"
_LEAST, _MOST = 24, 64
"""Bytes of a secret, as the specification has them."""


class RequestSigner:
    """Signs requests with a secret."""

    def __init__(self, secret: str) -> None:
        """Take a secret in the specification's form: `whsec_` and 24 to 64 bytes in base64.

        Raises:
            ConfigurationError: `secret-unusable`.
        """
        try:
            self._key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            self._key = b""
        if not secret.startswith(PREFIX) or not _LEAST <= len(self._key) <= _MOST:
            message = f"the secret must be {PREFIX} and {_LEAST} to {_MOST} bytes in base64: make one as the page says"
            raise ConfigurationError(message, code="secret-unusable")

    def headers(self, ident: str, at: datetime, body: Iterable[bytes]) -> dict[str, str]:
        """The three headers of a request whose body is these pieces."""
        stamp = str(int(at.timestamp()))
        mac = hmac.new(self._key, f"{ident}.{stamp}.".encode(), hashlib.sha256)
        for piece in body:
            mac.update(piece)
        return {
            "webhook-id": ident,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
        }
