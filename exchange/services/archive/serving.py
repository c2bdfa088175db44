"""Serves an archive's logs over plain HTTP, as C2SP tlog-tiles has them: checkpoint, tiles, and bundles if allowed.

Nothing else of the folder can be asked for. Tiles never change, so anybody between may keep them; of a partial tile
that was superseded the beginning of a wider one is served. Bundles of the journal tell who wrote to whom: they are
served only where the operator says so. The log of heads names no one, and is always served whole.
"""

import asyncio
import re
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from exchange.archive.reading import LogReader
from exchange.domain.errors import ExchangeError
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile

CHECKPOINT_SECONDS = 2
"""How long a checkpoint may be kept by who fetched it."""
_CHECKPOINT = "log/heads/checkpoint"
_TILE = re.compile(
    r"log/(?P<log>heads|journal/(?:0|[1-9][0-9]{0,5}))/tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_BRIEFLY = {"Cache-Control": f"public, max-age={CHECKPOINT_SECONDS}", "X-Content-Type-Options": "nosniff"}
_BYTES = "application/octet-stream"


def log_app(folder: Path, *, with_entries: bool) -> Starlette:
    """The app; mounted at any address, under which paths are those of the archive's folder.

    Args:
        folder: the archive's.
        with_entries: whether entries of the journal are served, and not their hashes only.
    """

    async def answer(request: Request) -> Response:
        """A checkpoint, tile or bundle."""
        path = request.path_params["path"]
        if path == _CHECKPOINT:
            return await asyncio.to_thread(_checkpoint, folder)
        named = _TILE.fullmatch(path)
        tile = None if named is None else _tile(named["level"], named["index"], named["width"])
        if named is None or tile is None or (tile.level == ENTRIES and named["log"] != "heads" and not with_entries):
            return _missing()
        return await asyncio.to_thread(_served, folder, path, named["log"], tile)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])])


def _tile(level: str, index: str, width: str | None) -> Tile | None:
    """The tile that a path names, if that is its one name."""
    number = int(index.replace("x", "").replace("/", ""))
    tile = Tile(ENTRIES if level == "entries" else int(level), number, WIDTH if width is None else int(width))
    stem = f"tile/{level}/{index}" + ("" if width is None else f".p/{width}")
    return tile if tile.width <= WIDTH and tile.path == stem else None


def _checkpoint(folder: Path) -> Response:
    try:
        note = LogReader(folder).checkpoint()
    except ExchangeError as error:
        return _refused(error)
    return Response(note, media_type="text/plain; charset=utf-8", headers=_BRIEFLY)


def _served(folder: Path, path: str, log: str, tile: Tile) -> Response:
    file = folder / path
    if tile.width == WIDTH and file.is_file():  # partial ones may be removed while they are being sent
        return FileResponse(file, media_type=_BYTES, headers=_FOREVER)
    try:
        return Response(LogReader(folder).tile(log, tile), media_type=_BYTES, headers=_FOREVER)
    except ExchangeError as error:
        return _refused(error)


def _refused(error: ExchangeError) -> Response:
    """What is not there yet may be asked for again; what is damaged is for the operator, who is told by `check`."""
    return _missing() if error.code == "entry-missing" else PlainTextResponse(f"{error.code}\n", 500)


def _missing() -> Response:
    return PlainTextResponse("not found\n", 404)
