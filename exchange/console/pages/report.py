"""The service report of a month: target and actual by body and kind, with the breaches; to be printed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.filters import own_body
from exchange.console.pages.now import BUDGET
from exchange.console.pages.sheets import keep_export, sheet
from exchange.domain.paper import day_of
from exchange.domain.user import Right
from exchange.store import queries
from exchange.store.overviews import Month, Service, Total

TARGET = 1 - BUDGET
"""Share of deliveries that reach each stage by its deadline."""
MONTHS = 13
LINES = 50
"""On one page: a country has a line for each of a thousand bodies and each kind."""
BREACHES = 50
"""Lines below the target that are named, the worst ones."""
_MOST_LINES = 100_000
_NUMBER = re.compile(r"[0-9]{1,6}")
COLUMNS = ("to", "kind", "deliveries", "late", "failed", "in_time", "fetched_p95", "registered_p95")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Report:
    """Some of a month's lines, and what all of them come to.

    Attributes:
        breaches: of all lines those below the target, the worst first; one more than `BREACHES` when there are more.
    """

    month: date
    total: Total
    start: int
    services: tuple[Service, ...]
    breaches: tuple[Service, ...]

    @property
    def kept(self) -> float | None:
        """Share that was never late; None without letters."""
        return kept(self.total.volume, self.total.breached)

    @property
    def next(self) -> int | None:
        """Where the next page begins; None on the last."""
        behind = self.start + len(self.services)
        return behind if behind < self.total.lines else None


def kept(volume: int, breached: int) -> float | None:
    """Share of deliveries that were never late; None without any."""
    return 1 - breached / volume if volume else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page's address asks for: `month` as 2026-11; `body` and `kind` leave only these."""

    month: date
    body: str
    kind: str

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """By who asks and the address's query; of what is no month, the present one."""
        params, today = request.query_params, day_of(desk_of(request).now())
        own = own_body(signed_in(request))
        return cls(
            _month(params.get("month", ""), today), own or params.get("body", "")[:64], params.get("kind", "")[:16]
        )

    @property
    def words(self) -> Mapping[str, str]:
        """The same, by word."""
        return {"month": self.month.isoformat()[:7], "body": self.body, "kind": self.kind}

    def letters(self, **words: str) -> str:
        """Address of the list of the letters that a figure counts; `words` of its filter beside the report's own."""
        month, body, kind = self.words.values()
        wanted = {"month": month, "to": body, "kind": kind, **words}
        return f"/letters?{urlencode({word: value for word, value in wanted.items() if value})}"


@require()
async def report(request: Request) -> Response:
    """The page; `after` leaves so many lines out."""
    asked, today = Asked.of(request), day_of(desk_of(request).now())
    after = request.query_params.get("after", "")
    start = min(int(after), _MOST_LINES) if _NUMBER.fullmatch(after) else 0
    return renderer_of(request).page(
        request,
        "report.html",
        report=await _report(request, asked, LINES, start),
        months=list(_months(today)),
        asked=asked,
        body=asked.body,
        kind=asked.kind,
        own=own_body(signed_in(request)),
        kept=kept,
        target=TARGET,
        most=BREACHES,
        is_running=(asked.month.year, asked.month.month) == (today.year, today.month),
    )


@require(Right.EXPORT)
async def report_as_csv(request: Request) -> Response:
    """The report's lines as a file; times in seconds."""
    asked = Asked.of(request)
    await keep_export(request, asked.words)
    services = (await _report(request, asked)).services
    return sheet(f"report-{asked.words['month']}", COLUMNS, [tuple(_row(each)) for each in services])


ROUTES = (
    Route("/report", report, methods=["GET"]),
    Route("/report.csv", report_as_csv, methods=["GET"]),
)


async def _report(request: Request, asked: Asked, limit: int | None = None, start: int = 0) -> Report:
    which = (Month(asked.month.year, asked.month.month), asked.body or None, asked.kind or None)

    def question(connection: sa.Connection) -> Report:
        """What the database is asked."""
        lines = queries.report(connection, *which, limit, start)
        month, *concerned = which
        below = queries.breaches(connection, month, BUDGET, BREACHES + 1, *concerned)
        return Report(asked.month, queries.report_total(connection, *which), start, tuple(lines), tuple(below))

    return await ask(request, question)


def _row(each: Service) -> Iterator[object]:
    share = kept(each.volume, each.breached)
    yield from (each.body, each.kind, each.volume, each.breached, each.failed)
    yield "" if share is None else f"{share:.4f}"
    yield from (None if taken is None else taken.p95 for taken in (each.delivery, each.registration))


def _month(text: str, today: date) -> date:
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)


def _months(today: date) -> list[date]:
    """This month and those before it."""
    found = [today.replace(day=1)]
    while len(found) < MONTHS:
        last = found[-1]
        found.append(date(last.year - (last.month == 1), (last.month - 2) % 12 + 1, 1))
    return found
