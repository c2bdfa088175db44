"""People who come with a browser."""

from dataclasses import dataclass

from starlette.requests import Request

from exchange.console.auth.cookies import Cookies, form_token
from exchange.console.auth.door import Door
from exchange.console.auth.oidc import Provider
from exchange.console.auth.secret import Random
from exchange.console.auth.visitor import Visitor


@dataclass(frozen=True, slots=True)
class People:
    """Who may sign in, and how.

    Attributes:
        door: lets them in and out.
        origin: how browsers reach the console: scheme, host and port.
        random: so many bytes, fit for keys.
        provider: by which people sign in beside local accounts; None without one.
    """

    door: Door
    origin: str
    random: Random
    provider: Provider | None = None

    @property
    def cookies(self) -> Cookies:
        """Names and terms of what a browser holds."""
        return Cookies(over_tls=self.origin.startswith("https:"))

    async def visitor(self, request: Request, *, is_use: bool = True) -> Visitor:
        """Whose browser a request comes from; `is_use` as for `Door.visit`."""
        held = self.cookies.read(request.cookies)
        found = await self.door.visit(held.session, is_use=is_use) if held.session else None
        if found is None:
            return Visitor(None, form_token(held, is_signed_in=False))
        session, account = found
        return Visitor(account.user, form_token(held, is_signed_in=True), session, account)
