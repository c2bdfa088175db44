"""A person's own account: roles, browsers that are signed in, password."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.door import Door
from exchange.console.auth.entrance import PASSWORD
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.passwords import LONGEST, SHORTEST
from exchange.console.auth.visitor import require, signed_in, visitor_of
from exchange.console.pages.rendering import Renderer
from exchange.console.pages.wording import _
from exchange.domain.user import RIGHTS, Right

ACCOUNT = "/account"
OTHERS = f"{ACCOUNT}/end-other-sessions"
FIELDS_AT_MOST = 20

RIGHT_TEXTS: Mapping[Right, str] = {
    Right.SEE_ALL: _("see the deliveries of every body"),
    Right.SEE_CONTENT: _("read the letters of the own body"),
    Right.REDRIVE: _("set letters going again"),
    Right.APPROVE: _("approve what another person asks for"),
    Right.SEE_ACTS: _("see who did or viewed what"),
    Right.REPLAY: _("replay the journal"),
    Right.EXPORT: _("export lists"),
}

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "sign-in-refused": ("f-old", _("The present password is wrong.")),
    "sign-in-too-often": ("f-old", _("Too many attempts failed: wait a little.")),
    "password-weak": ("f-new", _("The new password is guessed too easily: take several words.")),
    "password-repeated-wrong": ("f-again", _("The new password was typed in two different ways.")),
}
"""Field and words of each code."""


@dataclass(frozen=True, slots=True)
class AccountPages:
    """What the routes work with."""

    renderer: Renderer
    door: Door

    async def account(self, request: Request) -> Response:
        """Who somebody is here, and where else that is signed in."""
        user, visitor = signed_in(request), visitor_of(request)
        sessions = await self.door.sessions_of(user)
        rights = [RIGHT_TEXTS[right] for right in Right if any(right in RIGHTS[role] for role in user.roles)]
        is_local = visitor.account is not None and not visitor.account.issuer
        own = b"" if visitor.session is None else visitor.session.digest
        return self.renderer.page(
            request, "account.html", user=user, rights=rights, logins=sessions, own=own, is_local=is_local
        )

    async def end_others(self, request: Request) -> Response:
        """Sign out everywhere else."""
        user, session = signed_in(request), visitor_of(request).session
        await self.door.end_others(user, b"" if session is None else session.digest)
        return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)

    async def password(self, request: Request) -> Response:
        """The form for another password."""
        return self._form(request)

    async def change_password(self, request: Request) -> Response:
        """Change it, and sign out everywhere else."""
        visitor = visitor_of(request)
        form = await request.form(max_fields=FIELDS_AT_MOST)
        old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
        if visitor.session is None or visitor.account is None:
            message = "only a person who signed in has a password here: a program changes its token"
            raise AccessRefused(message, code="password-elsewhere", status=HTTPStatus.CONFLICT)
        if new != again:
            return self._form(request, "password-repeated-wrong", HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            await self.door.change_password(visitor.session, visitor.account, old[: LONGEST + 1], new)
        except AccessRefused as error:
            if error.code not in PROBLEMS:
                raise
            return self._form(request, error.code, error.status)
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)

    def _form(self, request: Request, code: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
        visitor = visitor_of(request)
        return self.renderer.page(
            request,
            "password.html",
            status.value,
            problems=[PROBLEMS[code]] if code else [],
            is_needed=visitor.must_change_password,
            shortest=SHORTEST,
            longest=LONGEST,
        )

    def routes(self) -> list[Route]:
        """Addresses, by what answers them."""
        everybody = require()
        return [
            Route(ACCOUNT, everybody(self.account), methods=["GET"]),
            Route(OTHERS, everybody(self.end_others), methods=["POST"]),
            Route(PASSWORD, everybody(self.password), methods=["GET"]),
            Route(PASSWORD, everybody(self.change_password), methods=["POST"]),
        ]
