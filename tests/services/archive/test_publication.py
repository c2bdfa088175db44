"""What is public goes into an object store, whole wherever that is stopped, and waits for a store that is away.

The stores are obstore's own: a folder, and one in memory.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import CHECKPOINT_FILE
from exchange.archive.objects import ObjectLogReader, Objects
from exchange.archive.publishing import SUPERSEDED
from exchange.archive.renewals import RENEWALS
from exchange.archive.tokens import Tokens
from exchange.archive.writer import ArchiveWriter
from exchange.services.archive.again import AGAIN_SECONDS, AGAIN_SECONDS_MAX
from exchange.services.archive.publication import (
    LOOK_SECONDS,
    Publication,
    PublicationMetrics,
)
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Note
from tests.archive.support import PARTITIONS, POLICY, SIGNER, files, publish, record, records, take_rest

JOURNAL = records(1100)
FULL_TILE = "log/journal/0/tile/0/000"
NAME = "exchange_archive_publication"


class Killed(BaseException):
    """The process is gone."""


class Store(Objects):
    """Of obstore, which dies, or is away, before so many files were put."""

    def __init__(self, store: LocalStore | MemoryStore) -> None:
        """It is well; `left`: so many files are put yet."""
        super().__init__("memory:///", store)
        self.store = store
        self.left: int | None = None
        self.error: BaseException = Killed()
        self.put: list[str] = []
        self.removed: list[str] = []

    def there(self) -> dict[str, bytes]:
        """All that it has."""
        paths = [each["path"] for chunk in obstore.list(self.store) for each in chunk]
        return {path: bytes(obstore.get(self.store, path).bytes()) for path in sorted(paths)}

    async def create(self, path: str, data: bytes) -> None:
        """Count."""
        self._before(path)
        await super().create(path, data)

    async def replace(self, path: str, data: bytes) -> None:
        """Count."""
        self._before(path)
        await super().replace(path, data)

    async def remove(self, paths: object) -> None:
        """Note them."""
        assert isinstance(paths, set)
        self.removed += sorted(paths)
        await super().remove(paths)

    def _before(self, path: str) -> None:
        if self.left == 0:
            raise self.error
        self.left = None if self.left is None else self.left - 1
        self.put.append(path)


@dataclass
class Desk:
    """An archive's folder, and a store."""

    folder: Path
    objects: Store
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def process(self, *, with_entries: bool = True) -> Publication:
        """A new one."""
        self.registry = CollectorRegistry()
        metrics = PublicationMetrics(self.registry)
        return Publication(self.folder, lambda: self.objects, metrics, system.now, with_entries=with_entries)

    def value(self, name: str, **labels: str) -> float | None:
        """Of a metric."""
        return self.registry.get_sample_value(f"{NAME}_{name}", labels)

    def grow(self, entries: int, at: int) -> None:
        """Let the archive take so many of the journal's entries in all, and keep a checkpoint."""
        with ArchiveWriter(self.folder, PARTITIONS) as writer:
            take_rest(writer, JOURNAL[:entries], step=1000)
            publish(writer, at)

    def public(self) -> dict[str, bytes]:
        """What of the folder is public, without partial tiles of before."""
        return {path: data for path, data in files(self.folder).items() if "/place/" not in path}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with full tiles of both partitions."""
    folder = tmp_path_factory.mktemp("template") / "archive"
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take(JOURNAL[:600])
        publish(writer, 1)
    return folder


@pytest.fixture(params=["memory", "folder"])
def desk(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Desk:
    """With an empty store."""
    shutil.copytree(template, tmp_path / "archive")
    store = MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "store", mkdir=True)
    return Desk(tmp_path / "archive", Store(store))


@pytest.fixture
def memory(template: Path, tmp_path: Path) -> Desk:
    """One that loses nothing that it holds in memory."""
    shutil.copytree(template, tmp_path / "archive")
    return Desk(tmp_path / "archive", Store(MemoryStore()))


def require_whole(store: Store) -> None:
    """All that the store's checkpoint is over can be read there and proves it."""
    if CHECKPOINT_FILE not in store.there():
        return
    reader = ObjectLogReader("memory:///", {})
    reader._store = store.store
    checkpoint = Checkpoint.parse(Note.parse(reader.checkpoint()).text)
    for number, head in enumerate(reader.heads(checkpoint).logs):
        assert len(list(reader.entries(f"journal/{number}", 0, head.size))) == head.size
        if head.size:
            reader.proof(number, head.size - 1, POLICY)


async def test_everything_public_and_nothing_else(desk: Desk) -> None:
    """Byte for byte as it lies in the folder; what it says of itself."""
    process = desk.process()
    assert await process.once() == LOOK_SECONDS
    assert desk.objects.there() == desk.public()
    assert (desk.value("size"), desk.value("files_total")) == (1, len(desk.public()))
    assert desk.value("timestamp_seconds") == pytest.approx(system.now().timestamp(), abs=600)
    put = list(desk.objects.put)
    assert put[-1] == CHECKPOINT_FILE
    first_bundle = next(at for at, path in enumerate(put) if "/entries/" in path)
    assert all("/entries/" in path for path in put[first_bundle:-1])
    assert await process.once() == LOOK_SECONDS
    assert desk.objects.put == put
    assert process.waiting_for == ""


async def test_entries_of_the_journal_only_where_the_operator_says_so(memory: Desk) -> None:
    """The log of heads is whole without; of the journal there are hashes."""
    await memory.process(with_entries=False).once()
    there = memory.objects.there()
    assert there == {
        path: data for path, data in memory.public().items() if "/entries/" not in path or "/heads/" in path
    }
    assert FULL_TILE in there


async def test_killed_before_each_file(memory: Desk) -> None:
    """Whatever is there is whole, and the next process brings the rest; nothing is put under another name."""
    for count in range(len(memory.public())):
        memory.objects = Store(MemoryStore())
        memory.objects.left = count
        with pytest.raises((Killed, BaseExceptionGroup)):
            await memory.process().once()
        assert CHECKPOINT_FILE not in memory.objects.there()
        memory.objects.left = None
        assert await memory.process().once() == LOOK_SECONDS
        assert memory.objects.there() == memory.public()


async def test_killed_while_it_grows(memory: Desk) -> None:
    """The checkpoint of before stays whole until the next one is."""
    await memory.process().once()
    memory.grow(1100, 2)
    before = memory.objects.there()
    for count in range(0, 12, 3):
        memory.objects = Store(MemoryStore())
        for path, data in before.items():
            obstore.put(memory.objects.store, path, data)
        memory.objects.left = count
        with pytest.raises((Killed, BaseExceptionGroup)):
            await memory.process().once()
        require_whole(memory.objects)
        memory.objects.left = None
        await memory.process().once()
        require_whole(memory.objects)
        assert memory.public().items() <= memory.objects.there().items()


async def test_a_store_that_is_away_is_asked_ever_more_rarely(memory: Desk) -> None:
    """What was put is not put again when it is back; the metric and the health word tell."""
    process = memory.process()
    memory.objects.error = ArchiveError("no route", code="object-store-away", retriable=True)
    memory.objects.left = 4
    pauses = [await process.once() for _ in range(9)]
    assert (pauses[:3], pauses[-1]) == ([AGAIN_SECONDS, 2 * AGAIN_SECONDS, 4 * AGAIN_SECONDS], AGAIN_SECONDS_MAX)
    assert process.waiting_for == "object-store-away: no route"
    assert (memory.value("failures_total", code="object-store-away"), memory.value("timestamp_seconds")) == (9, 0)
    memory.objects.left = None
    assert await process.once() == LOOK_SECONDS
    assert (process.waiting_for, memory.objects.there()) == ("", memory.public())


async def test_full_tiles_that_were_put_are_not_put_again(memory: Desk) -> None:
    """By the process that was stopped on its way; unless the store's checkpoint is another one than it knew."""
    process = memory.process()
    memory.objects.error = ArchiveError("no route", code="object-store-away", retriable=True)
    memory.objects.left = len(memory.public()) - 1
    await process.once()
    assert FULL_TILE in memory.objects.put
    memory.objects.put.clear()
    memory.objects.left = None
    await process.once()
    assert FULL_TILE not in memory.objects.put
    memory.objects.put.clear()
    obstore.delete(memory.objects.store, [CHECKPOINT_FILE, FULL_TILE])
    await process.once()
    assert FULL_TILE in memory.objects.put
    assert memory.objects.there() == memory.public()


async def test_a_full_tile_is_never_written_over(desk: Desk) -> None:
    """One with other bytes is named, and the checkpoint over it is not put."""
    for other in (b"somebody else's", bytes(8192)):
        obstore.put(desk.objects.store, FULL_TILE, other)
        process = desk.process()
        assert await process.once() == AGAIN_SECONDS
        assert process.waiting_for.startswith(f"publication-differs: {desk.objects}/{FULL_TILE}: ")
        assert desk.value("failures_total", code="publication-differs") == 1
        there = desk.objects.there()
        assert there[FULL_TILE] == other
        assert CHECKPOINT_FILE not in there


def signed(origin: str, size: int, root: bytes) -> bytes:
    """A checkpoint, as far as anybody looks here."""
    text = str(Checkpoint(origin, size, root))
    return f"{text}\n{SIGNER.sign(text)}".encode()


@pytest.mark.parametrize(
    ("there", "what"),
    [
        (signed(SIGNER.name, 2, bytes(32)), "it is over 2 heads of exchange/aa, and here are 1"),
        (signed("exchange/bb", 1, bytes(32)), "it is over 1 heads of exchange/bb, and here are 1"),
        (signed(SIGNER.name, 1, bytes(32)), "it is over 1 other heads"),
        (b"<html>", "it is no checkpoint (note-invalid)"),
        (bytes(100_000), "it has more than"),
    ],
    ids=["more", "another", "forked", "none", "long"],
)
async def test_a_store_of_another_log(memory: Desk, there: bytes, what: str) -> None:
    """A folder that is behind, another archive's place, one that was written by others: nothing is put."""
    obstore.put(memory.objects.store, CHECKPOINT_FILE, there)
    process = memory.process()
    assert await process.once() == AGAIN_SECONDS
    assert process.waiting_for.startswith("publication-differs: ")
    assert what in process.waiting_for
    assert memory.objects.there() == {CHECKPOINT_FILE: there}


async def test_partial_tiles_go_when_no_checkpoint_of_late_needs_them(memory: Desk) -> None:
    """Those of a log that rests stay; so does what leads to the newest ones, and a new process sweeps as well."""
    await memory.process().once()
    process = memory.process()
    numbers = range(300, 300 + SUPERSEDED + 3)
    for number in numbers:
        with ArchiveWriter(memory.folder, PARTITIONS) as writer:  # one partition grows, the other rests
            writer.take([record(0, number)])
            publish(writer, number)
        assert await process.once() == LOOK_SECONDS
        require_whole(memory.objects)
    gone = {f"log/journal/0/tile/{level}/001.p/{number - 256}" for level in ("0", "entries") for number in (300, 301)}
    assert gone <= set(memory.objects.removed)
    assert not any("journal/1" in path for path in memory.objects.removed)
    assert memory.public().items() <= memory.objects.there().items()
    assert len(memory.objects.there()) <= len(memory.public()) + 10 * SUPERSEDED


async def test_who_may_not_remove_leaves_them(memory: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, and ends nothing."""

    async def refuse(_self: Objects, _paths: object) -> None:
        message = "locked"
        raise ArchiveError(message, code="object-store-refused")

    monkeypatch.setattr(Objects, "remove", refuse)
    process = memory.process()
    for number in range(300, 301 + SUPERSEDED):
        with ArchiveWriter(memory.folder, PARTITIONS) as writer:
            writer.take([record(0, number)])
            publish(writer, number)
        assert await process.once() == LOOK_SECONDS
    assert memory.value("failures_total", code="object-store-refused") == 1


async def test_time_stamps_and_their_renewals(memory: Desk) -> None:
    """Each behind what it is over; one that was made again is put again, one that is none yet is not."""
    tokens = Tokens(memory.folder)
    note = (memory.folder / CHECKPOINT_FILE).read_bytes()
    size = tokens.keep(note, b"answer")
    tokens.file(size + 1, "checkpoint").write_bytes(b"the authority was not asked yet")
    batch = memory.folder / RENEWALS / "0001"
    batch.mkdir(parents=True)
    names = [tokens.file(size, kind) for kind in ("checkpoint", "tsr")]
    (batch / "objects").write_text("".join(f"{'0' * 64}  tokens/{name.name}\n" for name in names))
    process = memory.process()
    await process.once()
    assert not any(path.startswith(RENEWALS) for path in memory.objects.there())
    (batch / "1-1.tsr").write_bytes(b"answer over the batch")
    memory.objects.put.clear()
    await process.once()
    assert memory.objects.put == [f"{RENEWALS}/0001/objects", f"{RENEWALS}/0001/1-1.tsr"]
    stem = f"tokens/{size:020}"
    assert {path for path in memory.objects.there() if path.startswith("tokens")} == {
        f"{stem}.checkpoint",
        f"{stem}.tsr",
    }
    tokens.keep(note, b"another answer")
    memory.objects.put.clear()
    await memory.process().once()
    assert memory.objects.put == [f"{stem}.tsr"]
    assert memory.objects.there()[f"{stem}.tsr"] == b"another answer"


async def test_an_archive_that_signed_nothing_yet(tmp_path: Path) -> None:
    """There is nothing to put, and nothing is late."""
    desk = Desk(tmp_path, Store(MemoryStore()))
    assert await desk.process().once() == LOOK_SECONDS
    assert desk.objects.there() == {}


async def test_a_damaged_folder_ends_nothing(memory: Desk) -> None:
    """It is told and tried again: the archive itself says what is to be done."""
    tile = memory.folder / "log/heads/tile/entries/000.p/1"
    tile.write_bytes(b"torn")
    process = memory.process()
    assert await process.once() == AGAIN_SECONDS
    assert process.waiting_for.startswith(("archive-damaged", "tile-invalid"))
    assert CHECKPOINT_FILE not in memory.objects.there()
