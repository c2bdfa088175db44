"""Reading logs from a folder, over HTTP and from an object store: the same bytes, the same refusals."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from exchange import system
from exchange.archive.errors import ArchiveError
from exchange.archive.objects import ObjectLogReader, Objects, open_store
from exchange.archive.reading import LogReader, TileReader
from exchange.archive.remote import RemoteLogReader
from exchange.archive.writer import ArchiveWriter
from exchange.services.archive.publication import Publication, PublicationMetrics
from exchange.services.archive.serving import log_app
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import leaf_hash, root
from exchange.tlog.note import Note
from exchange.tlog.tiles import ENTRIES, Tile
from tests.archive.support import PARTITIONS, POLICY, entries_of, publish, records

JOURNAL = records(1100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints, and records that none is over."""
    folder = tmp_path_factory.mktemp("archive")
    with ArchiveWriter(folder, PARTITIONS) as writer:
        for at in (0, 500):
            writer.take(JOURNAL[at : at + 500])
            publish(writer, at)
        writer.take(JOURNAL[1000:])
    return folder


class Served(httpx.BaseTransport):
    """An app, asked without sockets by who is not asynchronous."""

    def __init__(self, app: Starlette) -> None:
        """Nothing is asked yet."""
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Its whole answer."""
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app)) as client:
            answer = await client.get(request.url, headers=request.headers)
            return httpx.Response(answer.status_code, stream=httpx.ByteStream(answer.content))


@pytest.fixture(scope="module")
def published(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same in a store."""
    url = tmp_path_factory.mktemp("published").as_uri()
    metrics = PublicationMetrics(CollectorRegistry())
    work = Publication(folder, lambda: Objects(url, open_store(url, {})), metrics, system.now, with_entries=True)
    asyncio.run(work.once())
    return url


@pytest.fixture(params=["folder", "http", "objects"])
def reader(request: pytest.FixtureRequest, folder: Path) -> Iterator[TileReader]:
    """Each of them."""
    if request.param == "folder":
        yield LogReader(folder)
        return
    if request.param == "objects":
        yield ObjectLogReader(request.getfixturevalue("published"), {})
        return
    with httpx.Client(transport=Served(log_app(folder, with_entries=True))) as client:
        yield RemoteLogReader("http://archive/", client)


def newest(reader: TileReader) -> Checkpoint:
    """The checkpoint's text."""
    return Checkpoint.parse(Note.parse(reader.checkpoint()).text)


def test_all_entries(reader: TileReader) -> None:
    """Those that the newest checkpoint is over, from anywhere to anywhere."""
    assert (reader.size("heads"), reader.size("journal/0"), reader.size("journal/1")) == (2, 500, 500)
    wanted = entries_of(JOURNAL, 1)[:500]
    assert list(reader.entries("journal/1", 0, 500)) == wanted
    assert list(reader.entries("journal/1", 250, 260)) == wanted[250:260]
    assert list(reader.entries("journal/1", 7, 7)) == []
    assert reader.entry("journal/1", 499) == wanted[499]


def test_heads_and_trees(reader: TileReader) -> None:
    """Each log's tree has the root that the heads name, and they that of the checkpoint."""
    checkpoint = newest(reader)
    heads = reader.heads(checkpoint)
    assert heads == Heads.parse(reader.entry("heads", 1))
    assert root(2, reader.tree("heads", 2).hashes) == checkpoint.root
    for log, head in enumerate(heads.logs):
        assert root(head.size, reader.tree(f"journal/{log}", head.size).hashes) == head.root


def test_an_older_checkpoint_is_still_read(reader: TileReader) -> None:
    """Its partial tiles, or the beginnings of those that superseded them."""
    first = Heads.parse(reader.entry("heads", 0))
    assert root(1, reader.tree("heads", 1).hashes) == leaf_hash(bytes(first))
    assert root(first.logs[0].size, reader.tree("journal/0", first.logs[0].size).hashes) == first.logs[0].root
    for size in (3, 200, 250, 256, 300, 499):
        got = b"".join(
            reader.tile("journal/0", Tile(0, index, min(256, size - 256 * index))) for index in range(-(-size // 256))
        )
        assert got == b"".join(map(leaf_hash, entries_of(JOURNAL, 0)[:size])), size
        assert reader.bundle("journal/0", 0, size) == entries_of(JOURNAL, 0)[: min(size, 256)]


@pytest.mark.parametrize("index", [0, 255, 256, 499])
def test_proofs(reader: TileReader, index: int) -> None:
    """They hold for their own entry, by the policy."""
    proof = reader.proof(1, index, POLICY)
    assert proof.verify(entries_of(JOURNAL, 1)[index], POLICY).checkpoint == newest(reader)
    assert reader.proof(1, index) == proof


def test_what_is_not_there(reader: TileReader) -> None:
    """Beyond the checkpoint, in no log, below no zero."""
    for call in (
        lambda: reader.entry("journal/0", 500),
        lambda: reader.entry("journal/0", -1),
        lambda: list(reader.entries("journal/0", 10, 501)),
        lambda: reader.entry("journal/2", 0),
        lambda: reader.entry("../secrets", 0),
        lambda: reader.tree("journal/00", 3),
        lambda: reader.tile("journal/0", Tile(3, 0, 1)),
        lambda: reader.bundle("journal/0", 9, 500),
        lambda: reader.proof(0, 500),
        lambda: reader.proof(2, 0),
        lambda: reader.proof(-1, 0),
        lambda: reader.heads(Checkpoint("exchange/aa", 0, bytes(32))),
    ):
        with pytest.raises(ArchiveError) as caught:
            call()
        assert caught.value.code == "entry-missing"


def test_other_heads_are_noticed(reader: TileReader) -> None:
    """A checkpoint of another root does not go with these logs."""
    with pytest.raises(ArchiveError) as caught:
        reader.heads(Checkpoint("exchange/aa", 2, bytes(32)))
    assert (caught.value.code, caught.value.entry) == ("archive-damaged", 1)


def test_an_empty_archive(tmp_path: Path) -> None:
    """Nothing was signed yet."""
    with pytest.raises(ArchiveError) as caught:
        LogReader(tmp_path).checkpoint()
    assert caught.value.code == "entry-missing"


def answered(status: int, data: bytes) -> RemoteLogReader:
    """A reader of something that always answers so."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, stream=httpx.ByteStream(data)))
    return RemoteLogReader("http://archive", httpx.Client(transport=transport))


@pytest.mark.parametrize(
    ("status", "data"),
    [(200, bytes(70_000)), (302, b""), (500, b"oh")],
    ids=["long", "moved", "error"],
)
def test_something_else_answers(status: int, data: bytes) -> None:
    """Too much, a redirection, an error: refused with a code."""
    with pytest.raises(ArchiveError) as caught:
        answered(status, data).checkpoint()
    assert (caught.value.code, caught.value.retriable) == ("archive-unreachable", True)


def test_nobody_answers() -> None:
    """Nor does an address that is none."""
    with httpx.Client(timeout=1) as client:
        for url in ("http://127.0.0.1:9", "nowhere"):
            with pytest.raises(ArchiveError) as caught:
                RemoteLogReader(url, client).tile("heads", Tile(ENTRIES, 0, 1))
            assert caught.value.code == "archive-unreachable"
