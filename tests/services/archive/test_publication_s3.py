"""Publication over HTTP to a real S3 server, which is away, killed, slow, or answers what nobody wants.

Between them stands a door on this machine that hands bytes on, or does not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import CHECKPOINT_FILE
from exchange.archive.objects import ObjectLogReader, Objects, open_store
from exchange.archive.writer import ArchiveWriter
from exchange.services.archive.again import AGAIN_SECONDS
from exchange.services.archive.publication import LOOK_SECONDS, Publication, PublicationMetrics
from tests.archive.support import PARTITIONS, POLICY, entries_of, publish, records
from tests.java.s3 import BUCKET, KEYS, S3Server, s3_server
from tests.patience import PATIENCE

pytestmark = [pytest.mark.server, pytest.mark.timeout(2 * PATIENCE)]

JOURNAL = records(700)
URL = f"s3://{BUCKET}/main"


@dataclass
class Door:
    """Where the store is reached; `behind` None: it is away."""

    port: int = 0
    behind: int | None = None
    answer: bytes = b""
    """What is said to every request, if anything."""
    is_silent: bool = False
    is_slow: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def turn(self, behind: int | None = None, answer: bytes = b"", *, is_silent: bool = False) -> None:
        """Do something else from now on; who is connected is cut off."""
        self.behind, self.answer, self.is_silent = behind, answer, is_silent
        self.heard.clear()
        for each in self._open:
            each.close()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody comes."""
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._pass(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_silent:
            await reader.read(1)
            self.heard.set()
            await reader.read()
        elif self.answer:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 " + self.answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        elif self.behind is not None:
            back, forth = await asyncio.open_connection("127.0.0.1", self.behind)
            self._open.add(forth)
            await asyncio.gather(self._pump(reader, forth), self._pump(back, writer))
            self._open.discard(forth)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(4096):
                if self.is_slow:
                    await asyncio.sleep(0.02)
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def opened() -> AsyncIterator[Door]:
    """A door that nobody stands behind yet."""
    door = Door()
    async with await asyncio.start_server(door, "127.0.0.1", 0) as server:
        door.port = server.sockets[0].getsockname()[1]
        yield door
        door.turn()


class Killing(Objects):
    """Kills the server before the fifth file."""

    server: S3Server
    count = 0

    async def create(self, path: str, data: bytes) -> None:
        """Count them."""
        self.count += 1
        if self.count == 5:
            self.server.process.kill()
            self.server.process.wait()
        await super().create(path, data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive's, with full tiles and partial ones, and a checkpoint over less than it has."""
    folder = tmp_path / "archive"
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take(JOURNAL[:600])
        publish(writer, 1)
        writer.take(JOURNAL[600:])
    return folder


def options(door: Door, **others: str) -> dict[str, str]:
    """How the store is reached."""
    return {"endpoint": f"http://127.0.0.1:{door.port}", "region": "us-east-1", **KEYS, **others}


def read(door: Door) -> list[bytes]:
    """All entries of a partition, as an auditor reads them out of the store, with a proof of the last."""
    reader = ObjectLogReader(URL, options(door))
    size = reader.size("journal/1")
    reader.proof(1, size - 1, POLICY)
    return list(reader.entries("journal/1", 0, size))


async def test_faults_of_a_real_store(folder: Path, tmp_path: Path) -> None:
    """Each is told by its code and passes; what the store has is whole at every moment."""
    registry = CollectorRegistry()

    def failures(code: str) -> float:
        return registry.get_sample_value("exchange_archive_publication_failures_total", {"code": code}) or 0

    async with opened() as door:
        kind: type[Objects] = Killing
        process = Publication(
            folder,
            lambda: kind(URL, open_store(URL, options(door))),
            PublicationMetrics(registry),
            system.now,
            with_entries=True,
        )
        assert await process.once() == AGAIN_SECONDS  # away at the start
        assert failures("object-store-away") == 1
        door.turn(answer=b"500 Internal Server Error")
        await process.once()
        assert "(500)" in process.waiting_for
        door.turn(answer=b"403 Forbidden")
        await process.once()
        assert (failures("object-store-away"), failures("object-store-refused")) == (2, 1)
        assert not any(secret in process.waiting_for for secret in KEYS.values())

        store = tmp_path / "store"
        with s3_server(store) as Killing.server:
            door.turn(Killing.server.port)
            await process.once()  # killed in the middle
            assert failures("object-store-away") == 3
            assert Killing.server.process.returncode
        kind = Objects
        with s3_server(store) as server:
            door.turn(server.port)
            objects = Objects(URL, open_store(URL, options(door)))
            assert await objects.read(CHECKPOINT_FILE, 10_000) is None
            assert await process.once() == LOOK_SECONDS
            assert process.waiting_for == ""
            assert await asyncio.to_thread(read, door) == entries_of(JOURNAL, 1)[:300]

            with ArchiveWriter(folder, PARTITIONS) as writer:
                publish(writer, 2)
            door.is_slow = True
            assert await process.once() == LOOK_SECONDS
            door.is_slow = False
            assert await asyncio.to_thread(read, door) == entries_of(JOURNAL, 1)


async def test_a_real_store_keeps_what_it_has(folder: Path, tmp_path: Path) -> None:
    """Other bytes are never written over a file, and a stranger's not at all."""
    path = "log/journal/0/tile/0/000"
    tile = (folder / path).read_bytes()
    async with opened() as door:
        with s3_server(tmp_path / "store") as server:
            door.turn(server.port)
            objects = Objects(URL, open_store(URL, options(door)))
            await objects.create(path, tile)
            with pytest.raises(ArchiveError) as caught:
                await objects.create(path, bytes(8192))
            assert caught.value.code == "publication-differs"
            assert await objects.read(path, 10_000) == tile
            stranger = Objects(URL, open_store(URL, options(door, secret_access_key="another")))
            with pytest.raises(ArchiveError, match="403, SignatureDoesNotMatch") as caught:
                await stranger.create(path, bytes(8192))
            assert caught.value.code == "object-store-refused"
            await objects.remove([path])
            assert path not in await objects.sizes("log/journal/0/tile/0")


async def test_it_ends_when_it_is_asked_to_and_the_store_says_nothing(folder: Path) -> None:
    """Whatever it waits for."""
    async with opened() as door:
        door.turn(is_silent=True)
        process = Publication(
            folder,
            lambda: Objects(URL, open_store(URL, options(door))),
            PublicationMetrics(CollectorRegistry()),
            system.now,
            with_entries=True,
        )
        task = asyncio.create_task(process.run())
        async with asyncio.timeout(PATIENCE):
            await door.heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
