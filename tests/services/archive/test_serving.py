"""What of an archive is served: the logs' public parts, with the headers that C2SP asks for, and nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from exchange.archive.layout import Kept
from exchange.archive.tokens import Tokens
from exchange.archive.writer import ArchiveWriter
from exchange.domain.ids import digest
from exchange.domain.statement import Content
from exchange.services.archive import serving
from exchange.services.archive.serving import log_app
from tests.archive.support import PARTITIONS, publish, records, statement

PROOF = b"what a keeper signed"
RECORDS = records(600, content_each=50)
RECORDS[7] = replace(RECORDS[7], contents=(Kept(digest(PROOF), Content(b"", PROOF), is_proof=True),))
TILE = "/log/journal/0/tile/0/000"
BUNDLE = "/log/journal/0/tile/entries/000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with full and partial tiles."""
    folder = tmp_path_factory.mktemp("archive")
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take(RECORDS)
        publish(writer, 1)
    Tokens(folder).keep((folder / "log/heads/checkpoint").read_bytes(), b"an answer")
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


async def test_what_proves_the_directory(served: tuple[httpx.AsyncClient, bool]) -> None:
    """By its digest, for ever; what people wrote is nowhere, though its commitment is known."""
    answer = await served[0].get(f"/proofs/{digest(PROOF).hex()}")
    assert (answer.content, answer.headers["cache-control"]) == (PROOF, "public, max-age=31536000, immutable")
    assert answer.headers["etag"] == f'"{digest(PROOF).hex()}"'
    for kept in RECORDS[0].contents:
        assert (await served[0].get(f"/proofs/{kept.commitment.hex()}")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "given"),
    [
        ({"Range": "bytes=2-4"}, 206, PROOF[2:5]),
        ({"Range": "bytes=4-"}, 206, PROOF[4:]),
        ({"Range": "bytes=-3"}, 206, PROOF[-3:]),
        ({"Range": "bytes=0-99999"}, 206, PROOF),
        ({"Range": "bytes=99999-"}, 416, b""),
        ({"Range": "bytes=5-3"}, 416, b""),
        ({"Range": "bytes=-0"}, 416, b""),
        ({"Range": "bytes=-"}, 200, PROOF),
        ({"Range": "bytes=1-2,4-5"}, 200, PROOF),
        ({"Range": "pages=1-2"}, 200, PROOF),
        ({"Range": "bytes=2-4", "If-Range": '"another"'}, 200, PROOF),
        ({"If-None-Match": f'"{digest(PROOF).hex()}"'}, 304, b""),
        ({"If-None-Match": '"another"'}, 200, PROOF),
    ],
)
async def test_parts(served: tuple[httpx.AsyncClient, bool], asked: dict[str, str], status: int, given: bytes) -> None:
    """Ranges and tags as RFC 9110 has them."""
    answer = await served[0].get(f"/proofs/{digest(PROOF).hex()}", headers=asked)
    assert (answer.status_code, answer.content) == (status, given)


async def test_where_a_letter_is(served: tuple[httpx.AsyncClient, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, only where entries are given."""
    client, is_allowed = served
    path = f"/letters/{statement(0, 1).hex()}"
    answer = await client.get(path)
    if not is_allowed:
        assert (answer.status_code, answer.json()["code"]) == (404, "archive-not-served")
        return
    assert [(each["partition"], each["index"]) for each in answer.json()["places"]] == [(0, 1), (0, 2)]
    assert (answer.json()["more"], answer.headers["cache-control"]) == (False, "no-store")
    monkeypatch.setattr(serving, "PAGE", 1)
    first, second = (await client.get(path)).json(), (await client.get(f"{path}?after=1")).json()
    assert ([first["more"], second["more"]], first["places"] + second["places"]) == (
        [True, False],
        answer.json()["places"],
    )
    unknown = await client.get(f"/letters/{'0' * 64}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "entry-missing")
    wrong = await client.get(f"{path}?after=-1")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "api-parameter-invalid")


async def test_time_stamps(served: tuple[httpx.AsyncClient, bool], folder: Path) -> None:
    """A list that grows, and files that do not."""
    answer = await served[0].get("/tokens/sizes")
    assert (answer.json(), answer.headers["cache-control"]) == ({"sizes": [1], "more": False}, "public, max-age=2")
    assert (await served[0].get("/tokens/sizes?after=1")).json() == {"sizes": [], "more": False}
    for kind in ("checkpoint", "tsr"):
        path = f"tokens/{1:020}.{kind}"
        answer = await served[0].get(f"/{path}")
        assert answer.content == (folder / path).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
    assert (await served[0].get(f"/tokens/{2:020}.tsr")).json()["code"] == "entry-missing"


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
        assert (answer.status_code, answer.json()["code"]) == (500, "archive-damaged")
        assert str(tmp_path) not in answer.text
