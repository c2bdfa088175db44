"""The audit trail taken along: the filtered list as CSV or JSON, signed, in one file with all that checks it.

acts.csv (or acts.json)     the list
acts.csv.p7s                the signature of the console's own body over exactly these bytes (CMS, DER)
issuers.crt.pem             the issuers that the directory lists; an auditor has them from the issuers, too

The journal keeps that it was taken, with the SHA-256 of the list.
"""

import csv
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO, StringIO
from types import MappingProxyType

import msgspec
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from exchange.console.api import telling
from exchange.console.api.acts_model import ActsExport, ActTold
from exchange.console.auth.acts import Act
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.act_filters import ActList
from exchange.console.pages.asking import ask
from exchange.console.pages.sheets import cell
from exchange.console.seals import Seal
from exchange.domain.paper import BISHKEK
from exchange.domain.user import Right
from exchange.services.http.problems import ApiRefused
from exchange.store import queries
from exchange.store.lists import ActFilter

EXPORTED_ROWS = 10_000
_STEP = 1_000
_MAX_WORDS = 500
COLUMNS = (
    "position",
    "journalled",
    "said",
    "action",
    "person",
    "second",
    "reason",
    "detail",
    "task",
    "letter",
    "recipient",
    "body",
    "statement",
)
ISSUERS = "issuers.crt.pem"


@require(Right.SEE_ACTS)
async def exported(request: Request) -> Response:
    """The list as it is filtered; `as` is csv or json."""
    user, desk = signed_in(request, Right.EXPORT), desk_of(request)
    kind = request.query_params.get("as", "csv")
    if kind not in _WRITERS:
        message = f"as: '{kind[:16]}' is none of {', '.join(_WRITERS)}: choose one of them"
        raise ApiRefused(message, code="api-parameter-invalid")
    seal = desk.seal
    if seal is None:
        message = "'export' must be signed, and this process has no key: ask the console's own process"
        raise AccessRefused(message, code="act-not-kept", status=HTTPStatus.SERVICE_UNAVAILABLE)
    filters, at, name = ActList.of(request.query_params), desk.now(), f"acts.{kind}"
    words = filters.query()

    def question(connection: sa.Connection) -> tuple[str, int, bytes]:
        """What the database is asked, in the thread that also signs."""
        rows, complete = _rows(connection, filters.wanted)
        about = ActsExport(at=at, person=user.login, filter=words, complete=complete, items=tuple(rows))
        text = _WRITERS[kind](about)
        return sha256(text.encode()).hexdigest(), len(rows), _packed(seal, name, text, at)

    digest, number, packed = await ask(request, question)
    detail = f"/audit/export {name}: {number} acts, sha256 {digest}, filter {words or 'none'}"
    await desk.acts.record(Act("export", user.login, detail=detail[:_MAX_WORDS]))
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.zip"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(packed, media_type="application/zip", headers=headers)


def _rows(connection: sa.Connection, wanted: ActFilter) -> tuple[list[ActTold], bool]:
    """All that the filter leaves, to the bound; and whether that is all."""
    rows: list[ActTold] = []
    after = None
    while len(rows) < EXPORTED_ROWS:
        page = queries.acts(connection, wanted, after, _STEP)
        rows += map(telling.act, page.items)
        after = page.after
        if after is None:
            return rows, True
    return rows, False


def _csv(told: ActsExport) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([cell(getattr(each, column)) for column in COLUMNS] for each in told.items)
    if not told.complete:
        writer.writerow([f"more than {EXPORTED_ROWS} acts: narrow the filter, or go on by the API"])
    return out.getvalue()


def _json(told: ActsExport) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=1).decode()


_WRITERS: Mapping[str, Callable[[ActsExport], str]] = MappingProxyType({"csv": _csv, "json": _json})


def _packed(seal: Seal, name: str, text: str, at: datetime) -> bytes:
    files = {name: text.encode(), f"{name}.p7s": seal.sign(text), ISSUERS: seal.issuers()}
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            info = zipfile.ZipInfo(path, at.astimezone(BISHKEK).timetuple()[:6])
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()
