"""Many deliveries at once: now, failures, routes, bodies, the service report."""

from datetime import datetime, timedelta

from starlette.responses import Response

from exchange.console.api import telling
from exchange.console.api.asking import Asked, answer, unknown
from exchange.console.api.overviews_model import Bodies, Failures, Report, Routes
from exchange.console.api.parameters import FailuresQuery, MonthQuery, Query, WindowQuery
from exchange.console.pages.certificates import certificates_of
from exchange.console.pages.notes import name_of, notes_of
from exchange.domain.directory import Body
from exchange.domain.paper import day_of
from exchange.store import queries
from exchange.store.months import window_of, window_of_day
from exchange.store.overviews import Month, Window


async def present(asked: Asked[Query]) -> Response:
    """How the exchange is now."""
    at = asked.desk.now()
    today = window_of_day(day_of(at))
    told = await asked.told(lambda connection: queries.now(connection, at, today, asked.body))
    return answer(asked.request, telling.present(told, at))


async def failures(asked: Asked[FailuresQuery]) -> Response:
    """What failed, by reason and route."""
    window, limit, reason = _window(asked.query, asked.desk.now()), asked.query.limit, asked.query.reason
    found = await asked.told(lambda connection: queries.failure_groups(connection, window, limit, asked.body, reason))
    notes = await notes_of(asked.request, asked.user, found)
    return answer(
        asked.request, Failures(items=tuple(telling.failure(each, notes.get(name_of(each))) for each in found))
    )


async def routes(asked: Asked[WindowQuery]) -> Response:
    """Sender × recipient."""
    window, limit = _window(asked.query, asked.desk.now()), asked.query.limit
    found = await asked.told(lambda connection: queries.routes(connection, window, limit, asked.body))
    return answer(asked.request, Routes(items=tuple(map(telling.route, found))))


async def report(asked: Asked[MonthQuery]) -> Response:
    """The service report of a month."""
    month = _month(asked)
    found = await asked.told(lambda connection: queries.report(connection, month, asked.body))
    return answer(asked.request, Report(month=str(month), items=tuple(map(telling.service, found))))


async def bodies(asked: Asked[Query]) -> Response:
    """Bodies of the directory; for a body administrator the own one."""
    directory = asked.desk.directory()
    last = await asked.told(queries.bodies_last_seen)
    items = tuple(
        telling.body(each, last.get(code))
        for code, each in sorted(directory.bodies.items())
        if asked.body in {None, code}
    )
    return answer(asked.request, Bodies(version=directory.version, items=items))


async def body(asked: Asked[Query]) -> Response:
    """One body as the exchange sees it."""
    code, at = asked.part("code"), asked.desk.now()
    found = _visible(asked, code)
    if found is None:
        message = f"the directory has no body '{code[:63]}': take its code from /api/v1/bodies"
        raise unknown(message)
    month = window_of(_month_of(day_of(at).isoformat()))

    summary = await asked.told(lambda connection: queries.body_summary(connection, code, month))
    return answer(asked.request, telling.body_detail(found, summary, certificates_of(found, at)))


def _visible(asked: Asked[Query], code: str) -> Body | None:
    return asked.desk.directory().bodies.get(code) if asked.body in {None, code} else None


def _window(query: WindowQuery, until: datetime) -> Window:
    return Window(until - timedelta(days=query.days), until)


def _month(asked: Asked[MonthQuery]) -> Month:
    return _month_of(asked.query.month or day_of(asked.desk.now()).isoformat())


def _month_of(text: str) -> Month:
    year, month = text.split("-")[:2]
    return Month(int(year), int(month))
