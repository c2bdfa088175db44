"""What of an archive is served: the logs' public parts, with the headers that C2SP asks for, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from exchange.archive.writer import ArchiveWriter
from exchange.services.archive.serving import log_app
from tests.archive.support import PARTITIONS, publish, records

TILE = "/log/journal/0/tile/0/000"
BUNDLE = "/log/journal/0/tile/entries/000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with full and partial tiles."""
    folder = tmp_path_factory.mktemp("archive")
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take(records(600))
        publish(writer, 1)
    return folder


@pytest.fixture(params=[True, False], ids=["with entries", "without"])
async def served(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, bool]]:
    """Both ways."""
    transport = httpx.ASGITransport(log_app(folder, with_entries=request.param))
    async with httpx.AsyncClient(transport=transport, base_url="http://archive") as client:
        yield client, request.param


async def test_checkpoint(served: tuple[httpx.AsyncClient, bool], folder: Path) -> None:
    """Text, kept for a moment only."""
    answer = await served[0].get("/log/heads/checkpoint")
    assert answer.content == (folder / "log/heads/checkpoint").read_bytes()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=2"


@pytest.mark.parametrize("path", [TILE, "/log/journal/1/tile/0/001.p/44", "/log/heads/tile/entries/000.p/1"])
async def test_tiles(served: tuple[httpx.AsyncClient, bool], folder: Path, path: str) -> None:
    """Bytes that never change."""
    answer = await served[0].get(path)
    assert answer.content == (folder / path[1:]).read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "immutable" in answer.headers["cache-control"]


async def test_part_of_a_tile(served: tuple[httpx.AsyncClient, bool], folder: Path) -> None:
    """By a range (RFC 9110), and by the name of a narrower one."""
    whole = (folder / TILE[1:]).read_bytes()
    answer = await served[0].get(TILE, headers={"Range": "bytes=32-63"})
    assert (answer.status_code, answer.content) == (206, whole[32:64])
    assert (await served[0].get(f"{TILE}.p/3")).content == whole[:96]


async def test_entries_are_served_only_where_allowed(served: tuple[httpx.AsyncClient, bool], folder: Path) -> None:
    """They tell who wrote to whom."""
    client, is_allowed = served
    for path, file in ((BUNDLE, BUNDLE), (f"{BUNDLE}.p/256", BUNDLE), (f"{BUNDLE}.p/7", BUNDLE)):
        answer = await client.get(path)
        is_served = is_allowed and not path.endswith("256")
        assert answer.status_code == (200 if is_served else 404)
        if is_served:
            assert (folder / file[1:]).read_bytes().startswith(answer.content)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/archive.sqlite",
        "/contents/2026-11.sqlite",
        "/log/journal/0/place/000",
        "/log/journal/0/checkpoint",
        "/log/journal/00/tile/0/000",
        "/log/journal/7/tile/0/000",
        "/log/journal/0/tile/0/x000/000",
        "/log/journal/0/tile/0/000.p/0",
        "/log/journal/0/tile/0/000.p/999",
        "/log/journal/0/tile/0/077",
        "/log/journal/0/tile/64/000",
        "/log/journal/0/tile/0/%2e%2e/000",
        "/log/heads/../../archive.sqlite",
        "/log/heads/tile/0/000%0a",
    ],
)
async def test_nothing_else(served: tuple[httpx.AsyncClient, bool], path: str) -> None:
    """Neither what is private, nor what has another name, nor what is not there."""
    assert (await served[0].get(path)).status_code == 404


async def test_nothing_can_be_sent(served: tuple[httpx.AsyncClient, bool]) -> None:
    """It is read only."""
    assert (await served[0].post("/log/heads/checkpoint")).status_code == 405


async def test_before_the_first_checkpoint_and_with_a_torn_tile(tmp_path: Path) -> None:
    """Not there yet; not what it should be."""
    transport = httpx.ASGITransport(log_app(tmp_path, with_entries=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://archive") as client:
        assert (await client.get("/log/heads/checkpoint")).status_code == 404
        (tmp_path / "log/journal/0/tile/0").mkdir(parents=True)
        (tmp_path / TILE[1:]).write_bytes(bytes(31))
        answer = await client.get(f"{TILE}.p/9")
        assert (answer.status_code, answer.text) == (500, "archive-damaged\n")
