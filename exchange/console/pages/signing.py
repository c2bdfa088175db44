"""Signing in and out: by a local account, or by an identity provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.door import Caller, Entered
from exchange.console.auth.entrance import SIGN_IN, SIGN_OUT
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.oidc import Provider
from exchange.console.auth.passwords import LONGEST
from exchange.console.auth.paths import HOME, local_path
from exchange.console.auth.people import People
from exchange.console.auth.secret import derived, new_secret
from exchange.console.auth.visitor import Visitor, enter, visitor_of
from exchange.console.pages.rendering import Renderer
from exchange.console.pages.wording import _

PROVIDER = f"{SIGN_IN}/provider"
BACK = f"{PROVIDER}/done"
FIELDS_AT_MOST = 20

REFUSALS: Mapping[str, str] = {
    "sign-in-refused": _("Sign-in and password do not fit, or the account is locked."),
    "sign-in-too-often": _("Too many attempts failed: wait a little, or use a browser that you signed in with before."),
    "provider-away": _("The identity provider does not answer: try again in a minute."),
    "provider-wrong": _("The identity provider is not set up as this console expects: tell its administrator."),
    "provider-refused": _("The identity provider did not let you in."),
    "provider-answer-wrong": _("The identity provider's answer was too late or not for this browser: sign in again."),
    "claims-unusable": _("The identity provider does not say who you are in a way that this console takes."),
    "role-missing": _("You have no role at this console: ask its administrator for one."),
    "login-taken": _("Somebody else has your sign-in here: ask the console's administrator."),
}
"""What is said of each code; the sign-in page says no more, whatever was wrong."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs people in and out."""

    renderer: Renderer
    people: People

    async def form(self, request: Request) -> Response:
        """The form; who is signed in already goes on."""
        wanted = local_path(request.query_params.get("next", HOME))
        if visitor_of(request).user is not None:
            return _sent(wanted)
        return self._page(request, wanted)

    async def sign_in(self, request: Request) -> Response:
        """Sign in by a password."""
        form = await request.form(max_fields=FIELDS_AT_MOST)
        wanted, login, password = (str(form.get(name, "")) for name in ("next", "login", "password"))
        wanted = local_path(wanted)
        if not login or not password or len(password) > LONGEST:
            return self._page(request, wanted, login, code="sign-in-refused", status=HTTPStatus.UNAUTHORIZED)
        try:
            entered = await self.people.door.sign_in(login, password, self._caller(request))
        except AccessRefused as error:
            return self._refused(request, wanted, login, error)
        return self._in(entered, wanted)

    async def begin(self, request: Request) -> Response:
        """Send a browser to the identity provider."""
        wanted = local_path(request.query_params.get("next", HOME))
        provider, entry = self._provider(), new_secret(self.people.random)
        try:
            address = await provider.begin(entry, f"{self.people.origin}{BACK}")
        except AccessRefused as error:
            return self._refused(request, wanted, "", error)
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        self.people.cookies.give_entry(response, entry, wanted)
        return response

    async def done(self, request: Request) -> Response:
        """A browser comes back from the identity provider."""
        provider, held = self._provider(), self.people.cookies.read(request.cookies)
        try:
            identity = await provider.end(held.entry, request.query_params, f"{self.people.origin}{BACK}")
            entered = await self.people.door.enter(identity, self._caller(request))
        except AccessRefused as error:
            return self._refused(request, held.next, "", error)
        return self._in(entered, held.next)

    async def sign_out(self, request: Request) -> Response:
        """End this browser's session, and show the way to end that of the identity provider."""
        session = visitor_of(request).session
        leave = ""
        if session is not None:
            await self.people.door.sign_out(session)
            if session.id_token and self.people.provider is not None:
                leave = await self._leave(session.id_token)
        enter(request, Visitor(None))
        response = self.renderer.page(request, "signed-out.html", leave=leave)
        self.people.cookies.take(response, self.people.cookies.session)
        # What pages the browser still keeps is nobody's business any more.
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def _leave(self, id_token: str) -> str:
        """Where the provider's own session ends; empty when it has no such place, or does not answer."""
        if self.people.provider is None:
            return ""
        try:
            return await self.people.provider.leave(id_token, f"{self.people.origin}{SIGN_IN}")
        except AccessRefused:
            return ""

    def _page(
        self, request: Request, wanted: str, login: str = "", *, code: str = "", status: HTTPStatus = HTTPStatus.OK
    ) -> Response:
        """The form, bound to this browser."""
        entry = self.people.cookies.read(request.cookies).entry or new_secret(self.people.random)
        enter(request, Visitor(None, derived(entry, "csrf")))
        context = {
            "wanted": wanted,
            "login": login[:LONGEST],
            "problem": REFUSALS.get(code, _("Sign-in failed.")) if code else "",
            "code": code,
            "provider": "" if self.people.provider is None else PROVIDER,
        }
        response = self.renderer.page(request, "sign-in.html", status.value, **context)
        self.people.cookies.give_entry(response, entry, wanted)
        return response

    def _refused(self, request: Request, wanted: str, login: str, error: AccessRefused) -> Response:
        response = self._page(request, wanted, login, code=error.code, status=error.status)
        if error.wait_seconds:
            response.headers["Retry-After"] = str(error.wait_seconds)
        return response

    def _in(self, entered: Entered, wanted: str) -> Response:
        response = _sent(wanted)
        self.people.cookies.give_session(response, entered.session)
        self.people.cookies.give_device(response, entered.device)
        return response

    def _caller(self, request: Request) -> Caller:
        held = self.people.cookies.read(request.cookies)
        return Caller(address_of(request), held.session, held.device)

    def _provider(self) -> Provider:
        """Raises: AccessRefused: `provider-missing`, 404."""
        if self.people.provider is None:
            message = "this console knows no identity provider: sign in by a local account, or add [console.oidc]"
            raise AccessRefused(message, code="provider-missing", status=HTTPStatus.NOT_FOUND)
        return self.people.provider

    def routes(self) -> list[Route]:
        """Addresses, by what answers them."""
        return [
            Route(SIGN_IN, self.form, methods=["GET"]),
            Route(SIGN_IN, self.sign_in, methods=["POST"]),
            Route(PROVIDER, self.begin, methods=["GET"]),
            Route(BACK, self.done, methods=["GET"]),
            Route(SIGN_OUT, self.sign_out, methods=["POST"]),
        ]


def address_of(request: Request) -> str:
    """The address that a request comes from; empty when the server does not know."""
    return request.client.host if request.client else ""


def _sent(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
