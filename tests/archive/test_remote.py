"""An archive at an address: the same answers as of its folder, and whoever answers there may lie, or stop."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from exchange.archive.access import Archive, open_archive
from exchange.archive.addresses import ArchiveAddress
from exchange.archive.contents import Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import Kept
from exchange.archive.remote import ServedArchive
from exchange.archive.tokens import Tokens
from exchange.archive.writer import ArchiveWriter
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.statement import Content
from exchange.security.keys import KeyFiles
from exchange.services.archive.serving import log_app
from exchange.services.http.listening import Address
from tests.archive.support import PARTITIONS, content, publish, record, statement
from tests.services.archive.served import served
from tests.services.http.test_listening import certified

PROOF = b"what a keeper signed"
Answer = tuple[int, bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Letters, receipts, what proves a policy, two time-stamps."""
    folder = tmp_path_factory.mktemp("archive")
    proof = Kept(digest(PROOF), Content(b"", PROOF), is_proof=True)
    with ArchiveWriter(folder, PARTITIONS) as writer:
        for at in (1, 2):
            writer.take([record(0, number, with_content=True) for number in range(10 * at - 10, 10 * at)])
            publish(writer, at)
            Tokens(folder).keep((folder / "log/heads/checkpoint").read_bytes(), b"an answer %d" % at)
    Contents(folder).put([(record(0, 1).journalled, proof)])
    return folder


def refused(ask: Callable[[], object]) -> ArchiveError:
    """What comes of asking."""
    with pytest.raises(ArchiveError) as caught:
        ask()
    return caught.value


def told(archive: Archive) -> list[object]:
    """What everybody may ask."""
    with archive:
        return [
            archive.log.checkpoint(),
            archive.log.entry("journal/0", 7),
            archive.places(statement(0, 1)),
            archive.places(bytes(32)),
            archive.file(digest(PROOF)),
            archive.file(bytes(32)),
            archive.stamped(),
            [archive.stamp(size) for size in archive.stamped()],
        ]


def test_the_same_as_of_the_folder(folder: Path) -> None:
    """But for contents, which nobody gives."""
    with served(log_app(folder, with_entries=True)) as url:
        assert told(open_archive(ArchiveAddress(url))) == told(open_archive(folder))
        far, near = open_archive(ArchiveAddress(url)), open_archive(folder)
        commitment = record(0, 1, with_content=True).contents[0].commitment
        assert (far.gives_contents, far.content(commitment), far.file(commitment)) == (False, None, None)
        assert (near.gives_contents, near.content(commitment)) == (True, content(0, 1))
        far.__exit__(None, None, None)
        near.__exit__(None, None, None)


def test_certificates_of_callers(folder: Path, tmp_path: Path) -> None:
    """Entries are for whom the operator's authority let in."""
    server, client, stranger = (certified(tmp_path, name) for name in ("archive", "auditor", "stranger"))
    app = log_app(folder, with_entries=True)
    with served(app, Address("127.0.0.1", 0, server, client.certificate)) as url:
        with open_archive(ArchiveAddress(url, server.certificate, client)) as archive:
            assert archive.places(statement(0, 1))
        for files in (None, stranger):
            with open_archive(ArchiveAddress(url, server.certificate, files)) as archive:
                assert refused(lambda: archive.places(statement(0, 1))).code == "archive-unreachable"
        with open_archive(ArchiveAddress(url, stranger.certificate, client)) as archive:
            assert refused(archive.log.checkpoint).code == "archive-unreachable"


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    """Said before anybody is asked."""
    nothing = tmp_path / "nothing.pem"
    with pytest.raises(ConfigurationError) as caught:
        open_archive(ArchiveAddress("https://archive", nothing))
    assert caught.value.code == "ca-invalid"
    with pytest.raises(ConfigurationError) as caught:
        open_archive(ArchiveAddress("https://archive", None, KeyFiles(nothing, nothing)))
    assert caught.value.code == "key-file-missing"


def saying(answer: Callable[[str], Answer]) -> ASGIApp:
    """An archive that answers what somebody likes, by path and query."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        """One answer."""
        status, body = answer(f"{scope['path']}?{scope['query_string'].decode()}")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


def places(*numbers: int, more: bool = False) -> bytes:
    """A page of places."""
    each = [{"partition": 0, "index": number, "offset": 0, "journalled": 0} for number in numbers]
    return json.dumps({"places": each, "more": more}).encode()


def endless(asked: str) -> Answer:
    """Always one more."""
    return 200, places(int(asked.rpartition("=")[2]), more=True)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _: (200, b"no JSON"), "archive-answer-invalid"),
        (lambda _: (200, places(1)[:-9]), "archive-answer-invalid"),
        (lambda _: (200, b'{"places": [{"partition": -1}], "more": false}'), "archive-answer-invalid"),
        (lambda _: (200, places(10**17)), "archive-answer-invalid"),
        (lambda _: (200, places(1, 1)), "archive-answer-invalid"),
        (lambda _: (200, places(more=True)), "archive-answer-invalid"),
        (endless, "archive-answer-invalid"),
        (lambda _: (200, bytes(300_000)), "archive-unreachable"),
        (lambda _: (404, b"not found"), "archive-not-served"),
        (lambda _: (404, b'{"code": "archive-not-served"}'), "archive-not-served"),
        (lambda _: (302, b""), "archive-unreachable"),
        (lambda _: (500, b"oh"), "archive-unreachable"),
    ],
    ids=[
        "no JSON",
        "torn",
        "negative",
        "huge",
        "twice",
        "empty",
        "endless",
        "long",
        "none",
        "closed",
        "moved",
        "error",
    ],
)
def test_lies_about_places(answer: Callable[[str], Answer], code: str) -> None:
    """Each has its name."""
    with served(saying(answer)) as url, ServedArchive(ArchiveAddress(url)) as archive:
        caught = refused(lambda: archive.places(bytes(32)))
    assert caught.code == code


@pytest.mark.parametrize(
    ("ask", "body", "code"),
    [
        (lambda archive: archive.file(digest(PROOF)), b"another policy", "archive-answer-invalid"),
        (lambda archive: archive.file(digest(PROOF)), bytes(2_000_000), "archive-unreachable"),
        (lambda archive: archive.stamped(), b'{"sizes": [7, 7], "more": false}', "archive-answer-invalid"),
        (lambda archive: archive.stamped(), b'{"sizes": ["seven"], "more": false}', "archive-answer-invalid"),
        (lambda archive: archive.stamp(7), bytes(100_000), "archive-unreachable"),
    ],
    ids=["digest", "long", "order", "form", "stamp"],
)
def test_other_lies(ask: Callable[[ServedArchive], object], body: bytes, code: str) -> None:
    """A file has its digest, and a list its order."""
    with served(saying(lambda _: (200, body))) as url, ServedArchive(ArchiveAddress(url)) as archive:
        caught = refused(lambda: ask(archive))
    assert caught.code == code


def test_a_stamp_that_was_named_is_gone() -> None:
    """Said by name."""
    with served(saying(lambda _: (404, b""))) as url, ServedArchive(ArchiveAddress(url)) as archive:
        assert archive.stamped() == []
        assert refused(lambda: archive.stamp(7)).code == "entry-missing"


@contextmanager
def stopping() -> Iterator[str]:
    """A server that promises more than it gives, and ends."""
    ready: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Half of it."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + bytes(31))
        await writer.drain()
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    ready.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(server.wait_closed())
        loop.close()


def test_an_answer_that_stops_in_the_middle() -> None:
    """Is none, and may be asked for again."""
    with stopping() as url, ServedArchive(ArchiveAddress(url)) as archive:
        for ask in (archive.log.checkpoint, lambda: archive.places(bytes(32)), lambda: archive.file(bytes(32))):
            caught = refused(ask)
            assert (caught.code, caught.retriable) == ("archive-unreachable", True)
