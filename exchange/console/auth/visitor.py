"""Who is asking: put beside each request at the entrance, looked at by every route.

    @require(Right.SEE_ACTS)
    async def audit(request: Request) -> Response: ...

A route that needs no right but a person who signed in has `@require()`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from exchange.console.auth.errors import AccessRefused
from exchange.domain.user import Right, User
from exchange.store.desk.accounts import Account
from exchange.store.desk.sessions import Session

Endpoint = Callable[[Request], Awaitable[Response]]

_STATE = "visitor"
"""The name in `request.state`."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a request comes from.

    Attributes:
        user: None for somebody who has not signed in.
        csrf: what each form brings back in its field `csrf`, each script in the header `X-CSRF-Token`; empty for
            machines, which have no browser that could be misled.
        session: of the browser; None for machines and strangers.
        account: whose it is; None likewise.
    """

    user: User | None
    csrf: str = ""
    session: Session | None = None
    account: Account | None = None

    @property
    def must_change_password(self) -> bool:
        """Whether somebody else knows this person's password."""
        return self.account is not None and self.account.is_temporary


NOBODY = Visitor(None)


def enter(request: Request, visitor: Visitor) -> None:
    """Say who a request comes from; the entrance alone does."""
    setattr(request.state, _STATE, visitor)


def visitor_of(request: Request) -> Visitor:
    """Who a request comes from; nobody, when it came past the entrance."""
    found = getattr(request.state, _STATE, NOBODY)
    return found if isinstance(found, Visitor) else NOBODY


def current_user(request: Request) -> User | None:
    """Who signed in; None when nobody did."""
    return visitor_of(request).user


def signed_in(request: Request, right: Right | None = None) -> User:
    """Who signed in and has the right.

    Raises:
        AccessRefused: `sign-in-needed`, 401; `right-missing`, 403.
    """
    user = current_user(request)
    if user is None:
        message = "nobody is signed in, or the session has ended: sign in"
        raise AccessRefused(message, code="sign-in-needed", status=HTTPStatus.UNAUTHORIZED)
    if right is not None and not user.may(right):
        roles = ", ".join(sorted(user.roles))
        message = f"'{right}' is not among the rights of {roles}: ask somebody who has it, or an administrator for it"
        raise AccessRefused(message, code="right-missing")
    return user


def require(right: Right | None = None) -> Callable[[Endpoint], Endpoint]:
    """Let a route be used only by people who signed in and have the right; raises as `signed_in`."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def guarded(request: Request) -> Response:
            """Refuse, or answer."""
            signed_in(request, right)
            return await endpoint(request)

        return guarded

    return decorate
