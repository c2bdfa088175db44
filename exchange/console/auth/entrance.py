"""The entrance: every request passes here, and nothing behind it is reached by who may not.

1. Who asks: a program by its bearer token, and then no cookie counts; a person by the session's cookie.
2. Nobody: only the open addresses, those of signing in; a page's visitor is sent there and comes back.
3. A person whose password somebody else knows: only to change it, or to leave.
4. What changes something and comes from a browser must come from our own page: `origin`.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.origin import SAFE, require_own_origin, require_token
from exchange.console.auth.paths import HOME, local_path
from exchange.console.auth.people import People
from exchange.console.auth.tokens import ConsoleTokens
from exchange.console.auth.visitor import NOBODY, Visitor, enter

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
PASSWORD = "/account/password"  # noqa: S105 - an address
OPEN = (SIGN_IN, f"{SIGN_IN}/", "/static/", "/api/v1/openapi.json", "/api/v1/docs")
"""Addresses for everybody; those that end with a slash with all below them."""

Identify = Callable[[Request], Awaitable[Visitor]]
"""Which program a request comes from; `NOBODY` when it brings no token that we know."""


class Entrance:
    """ASGI middleware around everything that the console serves."""

    def __init__(self, app: ASGIApp, identify: Identify, people: People | None) -> None:
        """Stand before `app`.

        Args:
            app: what is entered.
            identify: which program a request comes from.
            people: who may sign in; None where only programs come.
        """
        self._app = app
        self._identify = identify
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it.

        Raises:
            AccessRefused: `sign-in-needed`, `password-change-needed`, `request-foreign`, `form-token-wrong`.
        """
        request = Request(scope, receive)
        visitor = await recognised(request, self._identify, self._people)
        enter(request, visitor)
        if (response := _elsewhere(request, visitor)) is not None:
            await response(scope, receive, send)
            return
        is_program = visitor.user is not None and visitor.session is None
        if self._people is not None and not is_program and request.method not in SAFE:
            require_own_origin(request, self._people.origin)
            receive = await require_token(request, visitor.csrf)
        await self._app(scope, receive, send)


async def recognised(request: Request, identify: Identify, people: People | None, *, is_use: bool = True) -> Visitor:
    """Who a request comes from, by what it brings now: a program by its token, else a person by the session.

    Args:
        request: a new one, or one whose answer goes on.
        identify: which program it comes from.
        people: who may sign in; None where only programs come.
        is_use: whether this counts as a use of the session.
    """
    visitor = await identify(request)
    if people is None or visitor.user is not None or "authorization" in request.headers:
        return visitor
    return await people.visitor(request, is_use=is_use)


def machines(tokens: ConsoleTokens) -> Identify:
    """Knows programs by the token that they send (RFC 6750)."""

    async def identify(request: Request) -> Visitor:
        """Whose token the request brings."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = tokens.user_of(token.strip()) if scheme.lower() == "bearer" else None
        return NOBODY if user is None else Visitor(user)

    return identify


def _elsewhere(request: Request, visitor: Visitor) -> Response | None:
    """Where a visitor has to go first; None who may go on.

    Raises:
        AccessRefused: it is no page, so nobody can be sent anywhere.
    """
    if is_open(request.url.path):
        return None
    if visitor.user is None:
        if _can_be_sent(request):
            return RedirectResponse(_sign_in(request), HTTPStatus.SEE_OTHER)
        message = "nobody is signed in, or the session has ended: sign in, or send a token"
        raise AccessRefused(message, code="sign-in-needed", status=HTTPStatus.UNAUTHORIZED)
    if visitor.must_change_password and request.url.path not in {PASSWORD, SIGN_OUT}:
        if _can_be_sent(request):
            return RedirectResponse(PASSWORD, HTTPStatus.SEE_OTHER)
        message = "the password was given by somebody else: change it first, at /account/password"
        raise AccessRefused(message, code="password-change-needed")
    return None


def is_open(path: str) -> bool:
    """Whether everybody may ask for it."""
    return path in OPEN or any(path.startswith(each) for each in OPEN if each.endswith("/"))


def _can_be_sent(request: Request) -> bool:
    """Whether it is a person's browser that goes to a page, not a script that fetches something."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    return request.method in SAFE and wants_page and "hx-request" not in request.headers


def _sign_in(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = local_path(f"{request.url.path}{query}")
    return SIGN_IN if wanted == HOME else f"{SIGN_IN}?next={quote(wanted, safe='')}"
