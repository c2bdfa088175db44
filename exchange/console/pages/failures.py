"""What failed, in groups by reason and route: the largest first."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.filters import own_body
from exchange.console.pages.notes import noted
from exchange.console.pages.sheets import EXPORTED_ROWS, bounded, keep_export, sheet
from exchange.domain.user import Right
from exchange.services.tasks.choosing import NEVER_TAKEN
from exchange.store import queries
from exchange.store.overviews import FailureGroup, Window

SPANS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30), "365d": timedelta(days=365)}
USUAL_SPAN = "7d"
GROUPS = 30
"""On the page; the file has all."""
_REASON_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Shown:
    """A group with the addresses that belong to it."""

    group: FailureGroup
    age: str

    @property
    def words(self) -> Mapping[str, str]:
        """The filter of the list that holds exactly this group's deliveries, by word."""
        group = self.group
        words = {"state": group.state.value, "reason": group.reason, "from": group.sender, "to": group.recipient}
        return {word: value for word, value in {**words, "moved": self.age}.items() if value}

    @property
    def may_go_again(self) -> bool:
        """Whether redelivering them can help: what the exchange itself refused only its sender mends."""
        return self.group.state not in NEVER_TAKEN

    @property
    def query(self) -> str:
        """The same as an address has it."""
        return urlencode(self.words)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the page's address asks for: `age` says since when, `reason` leaves only that one."""

    age: str
    reason: str

    @classmethod
    def of(cls, params: QueryParams) -> "Chosen":
        """Read an address's query; what is no age is the usual one."""
        age = params.get("age", USUAL_SPAN)
        return cls(age if age in SPANS else USUAL_SPAN, params.get("reason", "")[:_REASON_CHARACTERS])

    @property
    def words(self) -> Mapping[str, str]:
        """What differs from the usual, by word."""
        return {"age": "" if self.age == USUAL_SPAN else self.age, "reason": self.reason}

    @property
    def command(self) -> str:
        """The same list on the command line."""
        reason = f" --reason {shlex.quote(self.reason)}" if self.reason else ""
        return f"exchange failures --days {SPANS[self.age].days}{reason}"


@require()
async def failures(request: Request) -> Response:
    """The page."""
    chosen = Chosen.of(request.query_params)
    found = await _shown(request, chosen, GROUPS + 1)
    shown = found[:GROUPS]
    return renderer_of(request).page(
        request,
        "failures.html",
        groups=shown,
        more=len(found) > GROUPS,
        chosen=chosen,
        total=sum(each.group.number for each in shown),
        **await noted(request, [each.group for each in shown]),
    )


@require(Right.EXPORT)
async def failures_as_csv(request: Request) -> Response:
    """The groups as a file."""
    chosen = Chosen.of(request.query_params)
    await keep_export(request, chosen.words)
    groups = [shown.group for shown in await _shown(request, chosen, EXPORTED_ROWS + 1)]
    rows = [
        (each.number, each.state, each.reason, each.sender, each.recipient, each.first, each.last) for each in groups
    ]
    return sheet("failures", ("number", "state", "reason", "from", "to", "first", "last"), bounded(rows))


ROUTES = (
    Route("/failures", failures, methods=["GET"]),
    Route("/failures.csv", failures_as_csv, methods=["GET"]),
)


async def _shown(request: Request, chosen: Chosen, most: int) -> list[Shown]:
    at, body = desk_of(request).now(), own_body(signed_in(request))
    window = Window(at - SPANS[chosen.age], at)
    reason = chosen.reason
    groups = await ask(request, lambda connection: queries.failure_groups(connection, window, most, body, reason))
    return [Shown(group, chosen.age) for group in groups]
