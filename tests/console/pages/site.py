"""Pages without a server: a browser of requests, and who sits at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from exchange.console.auth.visitor import Visitor, enter
from exchange.domain.user import Role, User

OPERATOR = User("aigul", "Айгүл Токтогулова", frozenset({Role.OPERATOR}))
AUDITOR = User("bakyt", "Бакыт Осмонов", frozenset({Role.AUDITOR}))
ADMINISTRATOR = User("cholpon", "Чолпон Асанова", frozenset({Role.BODY_ADMINISTRATOR}), "minjust")


class SignedIn:
    """Stands in the entrance's place: everybody is the same person."""

    def __init__(self, app: ASGIApp, user: User | None) -> None:
        """Stand before `app`; nobody is signed in when `user` is None."""
        self._app = app
        self._visitor = Visitor(user, csrf="the-token")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let everything in."""
        if scope["type"] == "http":
            enter(Request(scope), self._visitor)
        await self._app(scope, receive, send)


@asynccontextmanager
async def browser(app: ASGIApp, user: User | None = OPERATOR, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app` in which `user` is signed in."""
    transport = httpx.ASGITransport(SignedIn(app, user), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://console", headers={"Accept-Language": language}
    ) as client:
        yield client
