"""Who looks at a page, in which language and theme, and where."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from exchange.console.auth.visitor import visitor_of
from exchange.console.pages.language import LANGUAGES, Language, choose_language
from exchange.domain.user import Right, User

LANGUAGE_COOKIE = "lang"
THEME_COOKIE = "theme"
_COOKIE_SECONDS = 365 * 86_400


class Theme(StrEnum):
    """Light or dark, or as the visitor's system has it."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


_THEMES = frozenset(theme.value for theme in Theme)
_PREFERENCES = {LANGUAGE_COOKIE: LANGUAGES, THEME_COOKIE: _THEMES}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page.

    Attributes:
        user: None before signing in.
        csrf: what forms send back as `csrf`; empty before signing in.
        path: of the page, as sent.
        query: what follows `?`, without it.
        swap: True when a script asks for a part of the page, to put it into the page that is there.
    """

    user: User | None
    language: Language
    theme: Theme
    now: datetime
    csrf: str
    path: str
    query: str
    swap: bool

    @classmethod
    def of(cls, request: Request, now: datetime) -> "Visit":
        """By the request's cookies and headers, and who the entrance says it is."""
        theme = request.cookies.get(THEME_COOKIE, "")
        visitor = visitor_of(request)
        return cls(
            user=visitor.user,
            language=choose_language(
                request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", "")
            ),
            theme=Theme(theme) if theme in _THEMES else Theme.AUTO,
            now=now,
            csrf=visitor.csrf,
            path=request.url.path,
            query=request.url.query,
            swap=request.headers.get("hx-request") == "true",
        )

    def may(self, right: str) -> bool:
        """Whether who looks has the right of that name."""
        return self.user is not None and self.user.may(Right(right))

    def with_preference(self, name: str, value: str) -> str:
        """The address of this page in another language or theme."""
        start = f"{self.query}&" if self.query else ""
        return f"?{start}{urlencode({name: value})}"


class Preferences:
    """Keeps `?lang=` and `?theme=` of any page as cookies, and sends the visitor on to the page without them."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that brings a preference; everything else is the application's."""
        response = _kept(Request(scope)) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (response or self._app)(scope, receive, send)


def _kept(request: Request) -> Response | None:
    chosen = {
        name: value
        for name, value in request.query_params.multi_items()
        if value in _PREFERENCES.get(name, frozenset())
    }
    if not chosen or request.url.path.startswith("/api/"):
        return None
    rest = [(name, value) for name, value in request.query_params.multi_items() if name not in _PREFERENCES]
    # A path that begins with two slashes would be another host's address.
    path = "/" + request.url.path.lstrip("/\\")
    response = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, status_code=303)
    for name, value in chosen.items():
        response.set_cookie(
            name, value, max_age=_COOKIE_SECONDS, httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
    return response
