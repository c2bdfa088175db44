"""The console's cookies: what a browser holds, and on which terms.

    session   who is signed in; another one at each sign-in
    entry     before that: what the sign-in form and the way through an identity provider are bound to
    device    that somebody signed in from this browser before

Over TLS their names begin with `__Host-`: a browser takes them from this very host only, never over
plain HTTP or from a neighbour under the same domain (RFC 6265bis, 4.1.3.2).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from exchange.console.auth.paths import HOME, local_path
from exchange.console.auth.secret import derived, is_secret

ENTRY_LASTS = timedelta(hours=1)
DEVICE_LASTS = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Held:
    """What a browser brought, each empty when it is not there or is none of ours."""

    session: str = ""
    entry: str = ""
    next: str = HOME
    device: str = ""


class Cookies:
    """Names and terms of the cookies at one address."""

    def __init__(self, *, over_tls: bool) -> None:
        """Args: over_tls: whether browsers reach the console by https."""
        prefix = "__Host-exchange-" if over_tls else "exchange-"
        self._over_tls = over_tls
        self.session, self.entry, self.device = f"{prefix}session", f"{prefix}entry", f"{prefix}device"

    def read(self, cookies: Mapping[str, str]) -> Held:
        """What is in a request."""
        entry, _, path = cookies.get(self.entry, "").partition(".")
        return Held(
            session=_secret(cookies.get(self.session, "")),
            entry=_secret(entry),
            next=_path(path),
            device=_secret(cookies.get(self.device, "")),
        )

    def give_session(self, response: Response, secret: str) -> None:
        """Sign a browser in; its entry is used up."""
        self._set(response, self.session, secret, None)
        self.take(response, self.entry)

    def give_entry(self, response: Response, secret: str, path: str) -> None:
        """Bind what comes next to this browser, with where it wants to go."""
        value = f"{secret}.{base64.urlsafe_b64encode(path.encode()).decode().rstrip('=')}"
        self._set(response, self.entry, value, ENTRY_LASTS)

    def give_device(self, response: Response, secret: str) -> None:
        """Know the browser again."""
        self._set(response, self.device, secret, DEVICE_LASTS)

    def take(self, response: Response, *names: str) -> None:
        """Have the browser forget cookies."""
        for name in names:
            response.delete_cookie(name, path="/", secure=self._over_tls, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, lasts: timedelta | None) -> None:
        seconds = None if lasts is None else int(lasts.total_seconds())
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._over_tls, httponly=True, samesite="lax"
        )


def form_token(held: Held, *, is_signed_in: bool) -> str:
    """What the forms of a page bring back; empty for a browser that holds nothing."""
    secret = held.session if is_signed_in else held.entry
    return derived(secret, "csrf") if secret else ""


def _secret(text: str) -> str:
    return text if is_secret(text) else ""


def _path(text: str) -> str:
    try:
        return local_path(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (binascii.Error, ValueError):
        return HOME
