"""Routes: what goes from whom to whom, how fast, how much of it late; as a map of heat and as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Address

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.filters import own_body
from exchange.console.pages.sheets import EXPORTED_ROWS, bounded, keep_export, sheet
from exchange.domain.user import Right
from exchange.store import queries
from exchange.store.overviews import Route, Window

SPANS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
USUAL_SPAN = "7d"
ROUTES_SHOWN = 100
MAPPED_BODIES = 20
"""Senders and recipients with the most letters, that the map has room for."""
COLUMNS = (
    *("from", "to", "deliveries", "late", "failed"),
    *("fetched_p50", "fetched_p95", "fetched_p99"),
    *("registered_p50", "registered_p95", "registered_p99"),
)
_HEATS = 5
_LATE_STEPS = (0.0, 0.01, 0.05, 0.2)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Sender × recipient.

    Attributes:
        senders: rows.
        recipients: columns.
        cells: by both.
        most: the largest volume of a cell.
    """

    senders: tuple[str, ...]
    recipients: tuple[str, ...]
    cells: Mapping[tuple[str, str], Route]
    most: int

    def heat(self, route: Route) -> int:
        """How strong a cell's colour is, 1 to 5, by volume."""
        return 1 + min(_HEATS - 1, _HEATS * (route.volume - 1) // self.most)

    def lateness(self, route: Route) -> int:
        """How strong a cell's colour is, 0 to 4, by the share that was late."""
        return sum(route.late / route.volume > step for step in _LATE_STEPS)


@require()
async def routes(request: Request) -> Response:
    """The page; `age` says of how long, `by` what colours the map."""
    age = _age(request)
    by = "late" if request.query_params.get("by") == "late" else "volume"
    found = await _found(request, age, ROUTES_SHOWN + 1)
    routes, more = found[:ROUTES_SHOWN], len(found) > ROUTES_SHOWN
    return renderer_of(request).page(
        request, "routes.html", routes=routes, more=more, map=heat_map(routes), age=age, by=by
    )


@require(Right.EXPORT)
async def routes_as_csv(request: Request) -> Response:
    """The table as a file; times in seconds."""
    age = _age(request)
    await keep_export(request, {"age": age})
    rows = [tuple(_row(route)) for route in await _found(request, age, EXPORTED_ROWS + 1)]
    return sheet("routes", COLUMNS, bounded(rows))


ROUTES = (
    Address("/routes", routes, methods=["GET"]),
    Address("/routes.csv", routes_as_csv, methods=["GET"]),
)


def _age(request: Request) -> str:
    age = request.query_params.get("age", USUAL_SPAN)
    return age if age in SPANS else USUAL_SPAN


async def _found(request: Request, age: str, most: int) -> list[Route]:
    at, body = desk_of(request).now(), own_body(signed_in(request))
    window = Window(at - SPANS[age], at)
    return await ask(request, lambda connection: queries.routes(connection, window, most, body))


def _row(route: Route) -> Iterator[object]:
    yield from (route.sender, route.recipient, route.volume, route.late, route.failed)
    for taken in (route.delivery, route.registration):
        yield from (None, None, None) if taken is None else (taken.p50, taken.p95, taken.p99)


def heat_map(routes: list[Route]) -> HeatMap:
    """The map of the bodies with the most letters."""
    return HeatMap(
        senders=_largest({route.sender: 0 for route in routes}, [(route.sender, route.volume) for route in routes]),
        recipients=_largest(
            {route.recipient: 0 for route in routes}, [(route.recipient, route.volume) for route in routes]
        ),
        cells={(route.sender, route.recipient): route for route in routes},
        most=max((route.volume for route in routes), default=1),
    )


def _largest(volumes: dict[str, int], counted: list[tuple[str, int]]) -> tuple[str, ...]:
    for code, volume in counted:
        volumes[code] += volume
    largest = sorted(volumes, key=lambda code: (-volumes[code], code))[:MAPPED_BODIES]
    return tuple(sorted(largest))
