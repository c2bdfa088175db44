"""The list of letters: filtered by its address, live, exported as it is filtered."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.filters import ListFilter, own_body
from exchange.console.pages.saving import saved_views
from exchange.console.pages.sheets import EXPORTED_ROWS, MORE, keep_export, sheet
from exchange.domain.user import Right
from exchange.store import queries
from exchange.store.lists import Counted, Cursor, DeliveryFilter, Page
from exchange.store.views import Listed

ROWS = 50
_EXPORT_STEP = 1_000
COLUMNS = (
    "letter",
    "message_id",
    "journalled",
    "from",
    "to",
    "kind",
    "urgency",
    "state",
    "since",
    "next",
    "stage",
    "due",
    "late",
    "reason",
    "reg_number",
    "reg_date",
)


@dataclass(frozen=True, slots=True)
class LetterList:
    """What the page shows: some rows, and how many there are."""

    page: Page[Listed]
    counted: Counted


@require()
async def letters(request: Request) -> Response:
    """A page of the list."""
    user, now = signed_in(request), desk_of(request).now()
    filters = ListFilter.of(request.query_params)
    wanted = filters.wanted(user, now)
    after = request.query_params.get("after", "")
    cursor = Cursor.read(after, wanted.order) if after else None

    def question(connection: sa.Connection) -> LetterList:
        """What the database is asked."""
        page = queries.deliveries(connection, wanted, cursor, ROWS)
        return LetterList(page, queries.counted(connection, wanted, cursor, page))

    found = await ask(request, question)
    return renderer_of(request).page(
        request,
        "letters.html",
        filters=filters,
        found=found,
        is_first=cursor is None,
        own=own_body(user),
        saved=await saved_views(request),
    )


@require(Right.EXPORT)
async def letters_as_csv(request: Request) -> Response:
    """The list as a file, as it is filtered, to a bound that its last line tells of."""
    user, now = signed_in(request), desk_of(request).now()
    filters = ListFilter.of(request.query_params)
    wanted = filters.wanted(user, now)
    await keep_export(request, filters.words)
    rows = await ask(request, lambda connection: list(_rows(connection, wanted)))
    return sheet("letters", COLUMNS, rows)


ROUTES = (
    Route("/letters", letters, methods=["GET"]),
    Route("/letters.csv", letters_as_csv, methods=["GET"]),
)


def _rows(connection: sa.Connection, wanted: DeliveryFilter) -> Iterator[tuple[object, ...]]:
    written, after = 0, None
    while True:
        page = queries.deliveries(connection, wanted, after, _EXPORT_STEP)
        yield from (tuple(_row(listed)) for listed in page.items)
        written, after = written + len(page.items), page.after
        if after is None:
            return
        if written >= EXPORTED_ROWS:
            yield (MORE,)
            return


def _row(listed: Listed) -> Iterator[object]:
    letter, delivery = listed.letter, listed.delivery
    yield letter.digest.hex()
    yield letter.message_id
    yield letter.journalled
    yield letter.sender
    yield listed.recipient
    yield letter.kind
    yield letter.urgency
    yield delivery.state.value
    yield delivery.since
    yield delivery.next.value
    yield delivery.stage
    yield delivery.due
    yield " ".join(sorted(delivery.late))
    yield delivery.reason
    yield delivery.reg_number
    yield delivery.reg_date
