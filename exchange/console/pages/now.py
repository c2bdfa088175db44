"""The first page: what is overdue, failing, silent or running out now; beside it how far the roll-out is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages import task_words
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.certificates import SOON, Expiring, expiring
from exchange.console.pages.failures import SPANS, Shown
from exchange.console.pages.filters import own_body
from exchange.domain.delivery import Actor
from exchange.domain.directory import Body
from exchange.domain.paper import day_of
from exchange.domain.rollout import RollOut, count_roll_out
from exchange.domain.task import UNDER_WAY
from exchange.services.tasks.office import Told
from exchange.settings.territory import territory
from exchange.store import queries
from exchange.store.months import window_of_day
from exchange.store.overviews import DayOf, FailureGroup, Now, Window

BUDGET = 0.005
"""Share of deliveries that may be late over `SPAN`: the objective of `config/prometheus/recording.yml`."""
SPAN = timedelta(days=30)
_GROUPS = 5
_TASKS = 20


@dataclass(frozen=True, slots=True)
class Present:
    """What the first page shows.

    Attributes:
        days: deliveries of the last 30 days, by day; none for who sees one body only.
        groups: of the largest failures of the week.
        tasks: that somebody set going and that have not ended; None for who may not look at tasks.
        last: when each body of the oldest letters spoke last, to the minute.
    """

    at: datetime
    now: Now
    days: list[DayOf]
    groups: list[Shown]
    expiring: tuple[Expiring, ...]
    roll_out: RollOut
    tasks: list[Told] | None
    last: Mapping[str, datetime]

    @property
    def minutes(self) -> int:
        """How old today is, as a list's filter says it: the letters of today are no older."""
        return max(1, (self.at - window_of_day(day_of(self.at)).since) // timedelta(minutes=1))

    @property
    def overdue(self) -> int:
        """Deliveries whose awaited stage is late."""
        return sum(self.now.overdue.values())

    @property
    def failing(self) -> int:
        """Deliveries in a failing state."""
        return sum(self.now.failing.values())

    @property
    def for_operators(self) -> int:
        """Those that wait for an operator."""
        return self.now.failing.get(Actor.OPERATOR, 0)

    @property
    def budget_left(self) -> float | None:
        """Share that is left of the late deliveries that a month allows; 0 or less: all used up. None: no letters."""
        volume, late = sum(day.volume for day in self.days), sum(day.late for day in self.days)
        return 1 - late / (volume * BUDGET) if volume else None


@require()
async def now(request: Request) -> Response:
    """The first page."""
    seen, own = await present(request), own_body(signed_in(request))
    return renderer_of(request).page(request, "now.html", present=seen, own=own, task_words=task_words)


async def present(request: Request) -> Present:
    """How the exchange is, as far as who asks may see it.

    Raises:
        StoreError: the database does not answer.
    """
    desk, body = desk_of(request), own_body(signed_in(request))
    at, directory = desk.now(), desk.directory()
    bodies = [each for each in directory.bodies.values() if body in {None, each.code}]
    under_way = None
    if desk.tasks is not None and body is None:
        under_way = await desk.tasks.listed(signed_in(request), UNDER_WAY, None, _TASKS)

    def failed(connection: sa.Connection) -> list[FailureGroup]:
        """The largest failures of the week."""
        return queries.failure_groups(connection, Window(at - SPANS["7d"], at), _GROUPS, body)

    def question(connection: sa.Connection) -> Present:
        """What the database is asked."""
        seen = queries.now(connection, at, window_of_day(day_of(at)), body)
        return Present(
            at=at,
            now=seen,
            days=_whole(queries.days(connection, Window(at - SPAN, at)), at) if body is None else [],
            groups=[Shown(group, "7d") for group in failed(connection)],
            expiring=expiring(bodies, at, SOON),
            roll_out=_roll_out(directory.bodies.values(), at),
            tasks=under_way,
            last=queries.bodies_last_seen(connection, [one.body for one in seen.oldest]),
        )

    return await ask(request, question)


ROUTES = (Route("/", now, methods=["GET"]),)


def _whole(days: list[DayOf], at: datetime) -> list[DayOf]:
    """All days of the span, those without letters too: a picture of single days would lie about the time between."""
    known, last = {each.day: each for each in days}, day_of(at)
    span = (last - timedelta(days=back) for back in range(SPAN.days, -1, -1))
    return [known.get(day, DayOf(day, 0, 0, 0)) for day in span]


def _roll_out(bodies: Iterable[Body], at: datetime) -> RollOut:
    return count_roll_out(bodies, _names(), day_of(at))


@cache
def _names() -> Mapping[str, str]:
    return territory().names
