"""The search box: any id lands on its letter, a body's name on the body, words of a filter on the list."""

import asyncio
from http import HTTPStatus
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.filters import filter_of_text, own_body
from exchange.domain.search import find_bodies
from exchange.store import queries
from exchange.store.lists import DeliveryFilter

FOUND = 20
_MAX_TEXT = 200


@require()
async def search(request: Request) -> Response:
    """Straight to what was meant when only one thing can be; else a choice."""
    user, text = signed_in(request), request.query_params.get("q", "").strip()[:_MAX_TEXT]
    if words := filter_of_text(text):
        return _to(f"/letters?{urlencode(words)}")
    own = own_body(user)
    wanted = DeliveryFilter(body=own, text=text)
    found = await ask(request, lambda connection: queries.deliveries(connection, wanted, None, FOUND)) if text else None
    named = await ask(request, lambda connection: queries.put_away(connection, text))
    away = [one for one in named if any(map(user.may_see, one.bodies))]
    letters = {each.letter.digest: each.letter for each in found.items} if found else {}
    bodies = await asyncio.to_thread(find_bodies, desk_of(request).directory().bodies.values(), text)
    seen = [body for body in bodies if user.may_see(body.code)][:FOUND]
    if len(letters) == 1 and not away and not (seen and seen[0].code == text):
        return _to(f"/letters/{next(iter(letters)).hex()}")
    if len(seen) == 1 and not letters and not away:
        return _to(f"/bodies/{quote(seen[0].code)}")
    shown = {"letters": list(letters.values()), "away": away, "bodies": seen}
    return renderer_of(request).page(request, "search.html", text=text, **shown)


ROUTES = (Route("/search", search, methods=["GET"]),)


def _to(address: str) -> Response:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
