"""Proxies of ours in front of the console, and nobody else, say whose requests they bring."""

from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def behind(proxies: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Stand behind proxies: who calls is the last in `X-Forwarded-For` that is none of them.

    Without it all callers behind a proxy share one address, and with it the patience for sign-ins that fail.

    Args:
        proxies: addresses and networks; none: every request is his from whose address it comes.
        app: is told the caller as ASGI's `client`.
    """
    if not proxies:
        return app
    inner: Any = app  # uvicorn's own types of ASGI are not Starlette's
    trusting: Any = ProxyHeadersMiddleware(inner, list(proxies))
    told: ASGIApp = trusting
    return told
