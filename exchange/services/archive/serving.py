"""Serves an archive over plain HTTP: its logs as C2SP tlog-tiles has them, and what they are checked with.

What is served lies under the paths of `exchange.archive.layout`, and nothing else can be asked for:

* checkpoint, tiles, the log of heads, stamped checkpoints with their time-stamps: these name no one;
* files that prove the directory, policies and revocation lists, by their digest: no letter has anything there;
* bundles of the journal, and where entries about a letter are: who wrote to whom, only where the operator says so.

What people wrote is never served (ADR 0021). Most of it never changes, so anybody between may keep it; of a partial
tile that was superseded the beginning of a wider one is served.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from exchange.archive.answers import PAGE, PlaceAnswer, PlacesAnswer, StampedAnswer
from exchange.archive.contents import Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index
from exchange.archive.layout import CHECKPOINT_FILE, HEADS, STAMPED_FILE, Place, cache_rule
from exchange.archive.reading import LogReader
from exchange.archive.tokens import Tokens
from exchange.domain.errors import ExchangeError
from exchange.services.archive.parts import whole_or_part
from exchange.services.http.problems import ApiRefused, problem, status_of
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile

_TILE = re.compile(
    r"log/(?P<log>heads|journal/(?:0|[1-9][0-9]{0,5}))/tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_PROOF = re.compile(r"proofs/([0-9a-f]{64})")
_LETTER = re.compile(r"letters/([0-9a-f]{64})")
_TOKEN = re.compile(r"tokens/([0-9]{20})\.(checkpoint|tsr)")
_AFTER = re.compile(r"[0-9]{1,16}")
_BYTES, _JSON, _TEXT = "application/octet-stream", "application/json", "text/plain; charset=utf-8"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

log = logging.getLogger(__name__)


def log_app(folder: Path, *, with_entries: bool) -> Starlette:
    """The app; mounted at any address, under which paths are those of the archive's folder.

    Args:
        folder: the archive's.
        with_entries: whether entries of the journal are served, and not their hashes only.
    """
    served = _Served(folder, with_entries=with_entries)

    async def answer(request: Request) -> Response:
        """A file, or a list."""
        return await asyncio.to_thread(served.answer, request)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])])


class _Served:
    """What of a folder is served; each request opens what it needs."""

    def __init__(self, folder: Path, *, with_entries: bool) -> None:
        self._folder = folder
        self._with_entries = with_entries
        self._patterns: list[tuple[re.Pattern[str], Callable[[Request, re.Match[str]], Response]]] = [
            (re.compile(re.escape(CHECKPOINT_FILE)), self._checkpoint),
            (_TILE, self._tile),
            (_PROOF, self._proof),
            (_LETTER, self._letter),
            (re.compile(re.escape(STAMPED_FILE)), self._stamped),
            (_TOKEN, self._token),
        ]

    def answer(self, request: Request) -> Response:
        path = request.path_params["path"]
        try:
            for pattern, give in self._patterns:
                if (named := pattern.fullmatch(path)) is not None:
                    return give(request, named)
            raise _missing("there is nothing of that name")
        except ApiRefused as error:
            return problem(error, error.status)
        except ExchangeError as error:
            return _refused(error)

    def _checkpoint(self, request: Request, _named: re.Match[str]) -> Response:
        return _given(request, LogReader(self._folder).checkpoint(), _TEXT)

    def _tile(self, request: Request, named: re.Match[str]) -> Response:
        name, tile = named["log"], _tile_of(named["level"], named["index"], named["width"])
        if tile is None:
            raise _missing("a tile has one name")
        if tile.level == ENTRIES and name != HEADS:
            self._require_entries()
        file = self._folder / named[0]
        if tile.width == WIDTH and file.is_file():  # partial ones may be removed while they are being sent
            return FileResponse(file, media_type=_BYTES, headers=_headers(named[0]))
        return _given(request, LogReader(self._folder).tile(name, tile), _BYTES)

    def _proof(self, request: Request, named: re.Match[str]) -> Response:
        data = Contents(self._folder).proof(bytes.fromhex(named[1]))
        if data is None:
            raise _missing("no version of the directory, and no policy, has such a file")
        return _given(request, data, _BYTES)

    def _letter(self, request: Request, named: re.Match[str]) -> Response:
        self._require_entries()
        after = _after(request)
        with Index(self._folder) as index:
            places = index.places(bytes.fromhex(named[1]))
        if not places:
            raise _missing("the log has nothing about this letter: compare its id, or wait")
        page = [*map(_place, places[after : after + PAGE])]
        return _given(request, msgspec.json.encode(PlacesAnswer(page, after + PAGE < len(places))), _JSON)

    def _stamped(self, request: Request, _named: re.Match[str]) -> Response:
        after = _after(request)
        sizes = [size for size in Tokens(self._folder).sizes() if size > after]
        return _given(request, msgspec.json.encode(StampedAnswer(sizes[:PAGE], len(sizes) > PAGE)), _JSON)

    def _token(self, request: Request, named: re.Match[str]) -> Response:
        stamped = Tokens(self._folder).read(int(named[1]))
        is_note = named[2] == "checkpoint"
        return _given(request, stamped.note if is_note else stamped.response, _TEXT if is_note else _BYTES)

    def _require_entries(self) -> None:
        if not self._with_entries:
            message = "entries of the journal are not handed out here: set `entries = true` in [serve]"
            raise ApiRefused(message, code="archive-not-served", status=HTTPStatus.NOT_FOUND)


def _tile_of(level: str, index: str, width: str | None) -> Tile | None:
    """The tile that a path names, if that is its one name."""
    number = int(index.replace("x", "").replace("/", ""))
    tile = Tile(ENTRIES if level == "entries" else int(level), number, WIDTH if width is None else int(width))
    stem = f"tile/{level}/{index}" + ("" if width is None else f".p/{width}")
    return tile if tile.width <= WIDTH and tile.path == stem else None


def _place(place: Place) -> PlaceAnswer:
    return PlaceAnswer(place.partition, place.index, place.offset, (place.journalled - _EPOCH) // _MICROSECOND)


def _after(request: Request) -> int:
    """Behind what the next page of a list is asked for."""
    text = request.query_params.get("after", "0")
    if not _AFTER.fullmatch(text):
        message = f"after: '{text[:20]}' is no number: leave it out, or take it from the page before"
        raise ApiRefused(message, code="api-parameter-invalid")
    return int(text)


def _given(request: Request, data: bytes, media_type: str) -> Response:
    return whole_or_part(request, data, media_type, _headers(request.path_params["path"]))


def _headers(path: str) -> dict[str, str]:
    return {"Cache-Control": cache_rule(path), "X-Content-Type-Options": "nosniff"}


def _missing(what: str) -> ApiRefused:
    return ApiRefused(what, code="entry-missing", status=HTTPStatus.NOT_FOUND)


def _refused(error: ExchangeError) -> Response:
    """What is not there yet may be asked for again; what is damaged is for the operator. No path of ours is told."""
    if error.code == "entry-missing":
        return problem(_missing("it is not there, or not yet"), HTTPStatus.NOT_FOUND)
    log.warning("not served: %s", error, extra={"code": error.code})
    told = ArchiveError("the archive cannot give it: its operator sees why", code=error.code, retriable=error.retriable)
    return problem(told, status_of(told))
