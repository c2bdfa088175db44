"""The ASGI application: pages, API and files put together."""

from functools import partial

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from exchange.console.api.rates import Rates
from exchange.console.api.routes import api_routes
from exchange.console.auth.entrance import Entrance
from exchange.console.desk import Desk
from exchange.console.pages.account import AccountPages
from exchange.console.pages.all import PAGE_ROUTES
from exchange.console.pages.errors import error_page, status_of
from exchange.console.pages.rendering import Renderer
from exchange.console.pages.signing import Signing
from exchange.console.pages.static import STATIC_PATH, static_files
from exchange.console.pages.visit import Preferences
from exchange.console.refusals import Refusals
from exchange.console.shield import Shield
from exchange.console.stream.following import Following
from exchange.domain.errors import ExchangeError
from exchange.services.http.problems import problem


def create_app(desk: Desk, registry: CollectorRegistry) -> Starlette:
    """The console of a desk; metrics go to `registry`.

    Whoever answers finds the desk by `desk_of(request)` and who asks by `exchange.console.auth.current_user`.
    """
    renderer = Renderer(desk.now, lambda: desk.directory().bodies)
    refusals = Refusals(partial(error_page, renderer))
    api = api_routes(Following(desk.hub), Rates())
    routes: list[BaseRoute] = [Mount(STATIC_PATH, static_files()), *api, *PAGE_ROUTES]
    if desk.people is not None:
        routes += Signing(renderer, desk.people).routes() + AccountPages(renderer, desk.people.door).routes()
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Shield, desk, refusals, registry),
            Middleware(Preferences),
            Middleware(Entrance, desk.identify, desk.people),
        ],
        exception_handlers={HTTPException: refusals.answer, ExchangeError: refusals.answer},
    )
    app.state.desk = desk
    app.state.renderer = renderer
    return app


def create_api(desk: Desk, registry: CollectorRegistry) -> Starlette:
    """The API of a desk alone: for commands on a machine that reaches the database itself."""
    refusals = Refusals(lambda _, error: problem(error, status_of(error)))
    app = Starlette(
        routes=api_routes(Following(desk.hub), Rates()),
        middleware=[Middleware(Shield, desk, refusals, registry), Middleware(Entrance, desk.identify, None)],
        exception_handlers={HTTPException: refusals.answer, ExchangeError: refusals.answer},
    )
    app.state.desk = desk
    return app
