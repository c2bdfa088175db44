"""Object stores: what they say is told without a secret in it; addresses and files that are none are told at once."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from exchange.archive.access import open_archive
from exchange.archive.addresses import StoreAddress
from exchange.archive.contents import Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import CHECKPOINT_FILE, Kept
from exchange.archive.objects import ObjectLogReader, Objects, open_store
from exchange.archive.tokens import Tokens
from exchange.archive.writer import ArchiveWriter
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.statement import Content
from exchange.settings.archive import PublishSettings
from exchange.wiring.publication import publication_of
from tests.archive.support import PARTITIONS, publish, record

SECRETS = {"access_key_id": "AKIDSECRET", "secret_access_key": "s3cr3t"}


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that always answers so; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        """Reads a request to its end."""

        def handle_one_request(self) -> None:
            """Of whatever kind."""
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (403, b"<Error><Code>AccessDenied</Code><Message>AKIDSECRET</Message></Error>", "refused", "403, AccessDenied"),
        (401, b"", "refused", "401"),
        (500, b"<Error><Code>InternalError</Code></Error>", "away", "500, InternalError"),
        (404, b"<Error><Code>NoSuchBucket</Code></Error>", "away", "404, NoSuchBucket"),
        (400, b"oh <Code>AKIDSECRET s3cr3t", "away", "400"),
        (301, b"", "away", "GenericError"),
    ],
)
async def test_a_store_s_words_are_not_told(status: int, body: bytes, code: str, said: str) -> None:
    """Status and code alone: the rest may quote a key."""
    with answering(status, body) as endpoint:
        store = open_store("s3://bucket/prefix", {"endpoint": endpoint, **SECRETS})
        objects = Objects("s3://bucket/prefix", store)
        with pytest.raises(ArchiveError) as caught:
            await objects.create("log/a", b"x")
        with pytest.raises(ArchiveError) as listed:
            await objects.sizes("log")
    assert listed.value.code == caught.value.code
    assert (caught.value.code, caught.value.retriable) == (f"object-store-{code}", True)
    assert str(caught.value).startswith("s3://bucket/prefix/log/a: ")
    assert f"({said})" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS.values())
    assert caught.value.__suppress_context__


async def test_nobody_answers() -> None:
    """Nor is a folder there that was mounted before."""
    store = open_store("s3://bucket", {"endpoint": "http://127.0.0.1:9", **SECRETS})
    with pytest.raises(ArchiveError) as caught:
        await Objects("s3://bucket", store).read("log/a", 10)
    assert caught.value.code == "object-store-away"
    assert "error sending request" in str(caught.value)


async def test_plain_http_is_for_this_machine_alone() -> None:
    """A key is not shown on the way; neither is what was signed with it."""
    store = open_store("s3://bucket", {"endpoint": "http://store.example", **SECRETS})
    with pytest.raises(ArchiveError, match="builder error"):
        await Objects("s3://bucket", store).read("log/a", 10)


async def test_what_is_there_is_read_up_to_its_limit() -> None:
    """A file; none; one that is longer than it may be."""
    store = MemoryStore()
    objects = Objects("memory:///", store)
    obstore.put(store, "log/a", b"1234")
    assert (await objects.read("log/a", 4), await objects.read("log/b", 4)) == (b"1234", None)
    with pytest.raises(ArchiveError) as caught:
        await objects.read("log/a", 3)
    assert caught.value.code == "publication-differs"
    assert await objects.sizes("log") == {"log/a": 4}
    await objects.remove(["log/a"])
    await objects.remove(["log/a"])
    assert await objects.sizes("log") == {}


async def test_what_a_bucket_tells_over_plain_http() -> None:
    """Tiles may be kept for ever, checkpoints hardly."""
    store = MemoryStore()
    objects = Objects("memory:///", store)
    await objects.create("log/heads/tile/0/000", b"tile")
    await objects.replace("log/heads/checkpoint", b"note")
    told = [dict(obstore.get(store, path).attributes) for path in ("log/heads/tile/0/000", "log/heads/checkpoint")]
    assert told == [
        {"Content-Type": "application/octet-stream", "Cache-Control": "public, max-age=31536000, immutable"},
        {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "public, max-age=2"},
    ]


def test_a_reader_takes_no_more_than_a_checkpoint_is_long(tmp_path: Path) -> None:
    """Whatever stands there."""
    (tmp_path / "log/heads").mkdir(parents=True)
    (tmp_path / "log/heads/checkpoint").write_bytes(bytes(100_000))
    with pytest.raises(ArchiveError) as caught:
        ObjectLogReader(tmp_path.as_uri(), {}).checkpoint()
    assert caught.value.code == "archive-unreachable"


def test_an_archive_that_was_published(tmp_path: Path) -> None:
    """Logs, policies and time-stamps; neither what finds entries nor what people wrote."""
    folder, store = tmp_path / "archive", tmp_path / "store"
    store.mkdir()
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take([record(0, 0, with_content=True)])
        publish(writer, 1)
    proof = Kept(digest(b"a policy"), Content(b"", b"a policy"), is_proof=True)
    Contents(folder).put([(record(0, 0).journalled, proof)])
    Tokens(folder).keep((folder / CHECKPOINT_FILE).read_bytes(), b"answer")
    settings = PublishSettings(store.as_uri(), None, entries=True)
    asyncio.run(publication_of(settings, folder, CollectorRegistry()).once())
    with open_archive(StoreAddress(settings.url)) as archive, open_archive(folder) as own:
        assert (archive.log.checkpoint(), archive.log.entry("journal/0", 0)) == (
            own.log.checkpoint(),
            own.log.entry("journal/0", 0),
        )
        assert archive.stamped() == own.stamped() == [1]
        assert archive.stamp(1) == own.stamp(1)
        assert (archive.gives_contents, archive.file(bytes(32)), archive.content(bytes(32))) == (False, None, None)
        assert archive.file(proof.commitment) == own.file(proof.commitment) == b"a policy"
        (store / "proofs" / proof.commitment.hex()).write_bytes(b"another")
        for ask, code in (
            (lambda: archive.places(bytes(32)), "archive-not-served"),
            (lambda: archive.stamp(2), "entry-missing"),
            (lambda: archive.file(proof.commitment), "archive-answer-invalid"),
        ):
            with pytest.raises(ArchiveError) as caught:
                ask()
            assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "store"),
    [("s3://bucket", 'access_key_id = "AKID"'), ("az://account", ""), ("file:///nowhere/at/all", ""), ("gs://b", "")],
)
def test_a_wrong_address_is_told_at_the_start(tmp_path: Path, url: str, store: str) -> None:
    """And a key without its other half, or a file of keys that is not there."""
    file = tmp_path / "store.toml"
    file.write_text(store + '\nservice_account = "nowhere.json"\n' if url.startswith("gs") else store)
    with pytest.raises(ConfigurationError) as caught:
        publication_of(PublishSettings(url, file, entries=False), tmp_path, CollectorRegistry())
    assert caught.value.code == "object-store-invalid"
    assert str(caught.value).startswith(f"{url} cannot be used as an object store (")


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    settings = PublishSettings(tmp_path.as_uri(), None, entries=False)
    publication_of(settings, tmp_path, CollectorRegistry())
    for name in ("exchange.archive.objects", "exchange.services.archive.publication"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigurationError) as caught:
        publication_of(settings, tmp_path, CollectorRegistry())
    assert caught.value.code == "object-stores-missing"
