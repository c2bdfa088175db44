"""A page's list as a file for spreadsheets: as the page filters it; who took which list out stands in the journal."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from io import StringIO
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from exchange.console.auth.acts import Act
from exchange.console.auth.visitor import signed_in
from exchange.console.desk import desk_of

EXPORTED_ROWS = 10_000
"""Of one file."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MAX_DETAIL = 500
MORE = f"more than {EXPORTED_ROWS} rows: narrow the filter, or go on by the API"


async def keep_export(request: Request, words: Mapping[str, str]) -> None:
    """Keep that the list of an address is taken out, by the words that filter it; empty ones filter nothing.

    Raises:
        AccessRefused: `act-not-kept`; nothing may be exported then.
    """
    query = urlencode({word: value for word, value in words.items() if value})
    detail = f"{request.url.path}?{query}" if query else request.url.path
    await desk_of(request).acts.record(Act("export", signed_in(request).login, detail=detail[:_MAX_DETAIL]))


def sheet(name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Response:
    """Rows as a file.

    Args:
        name: of the file, without its ending.
        columns: their names.
        rows: times with their offset, spans in seconds; None is an empty cell.
    """
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def bounded(rows: Sequence[tuple[object, ...]]) -> Sequence[tuple[object, ...]]:
    """Rows of a file to its bound, which a last line tells of when there are more."""
    return rows if len(rows) <= EXPORTED_ROWS else [*rows[:EXPORTED_ROWS], (MORE,)]


def cell(value: object) -> str:
    """Text that no spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else text
