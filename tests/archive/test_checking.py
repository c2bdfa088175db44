"""A byte that is not what was written, in any file of the archive, is found; file and entry are named."""

import shutil
from pathlib import Path

import pytest

from exchange.archive import indexing
from exchange.archive.checking import Fault, check
from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index
from exchange.archive.layout import DATABASE
from exchange.archive.writer import ArchiveWriter
from tests.archive.support import PARTITIONS, POLICY, publish, records, statement

JOURNAL = records(1200, content_each=100)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with full and partial tiles, a run and contents."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "RECENT", 600)
        with ArchiveWriter(folder, PARTITIONS) as writer:
            for at in range(0, 1200, 400):
                writer.take(JOURNAL[at : at + 400])
                publish(writer, at)
        with ArchiveWriter(folder, PARTITIONS):  # removes partial tiles of earlier checkpoints
            pass
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def faults(folder: Path) -> list[Fault]:
    """All that are found."""
    return list(check(folder, lambda *_: None, POLICY))


def flip(file: Path, at: int) -> None:
    """Turn one bit of a file over."""
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_nothing_is_wrong(whole: Path) -> None:
    """And it is told how far it is."""
    told: list[tuple[str, int, int]] = []
    assert list(check(whole, lambda *progress: told.append(progress), POLICY)) == []
    assert ("journal/1", 512, 512) in told


def test_any_file(folder: Path) -> None:
    """Each one in turn: in its middle, at its end, and gone."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path: path.relative_to(folder).as_posix() for path in files}
    kept = [path for path in files if names[path] != "archive.lock" and not names[path].endswith(("-wal", "-shm"))]
    assert len(kept) > 20
    for path in kept:
        data = path.read_bytes()
        if path.suffix == ".sqlite":
            continue  # not every byte of these says something: see below
        for at in (len(data) // 2, len(data) - 1):
            flip(path, at)
            assert [fault.file for fault in faults(folder)] == [names[path]], (names[path], at)
            path.write_bytes(data)
        path.unlink()
        if names[path] != "log/heads/checkpoint":
            assert names[path] in [fault.file for fault in faults(folder)]
        path.write_bytes(data)
    assert faults(folder) == []


@pytest.mark.parametrize("entry", [0, 255, 256, 300, 511])
def test_the_entry_is_named(folder: Path, entry: int) -> None:
    """Whether its bytes are altered, or its hash."""
    wanted = next(each.entry for each in JOURNAL[2 * entry :])
    assert wanted is not None
    bundle = folder / f"log/journal/0/tile/entries/{entry // 256:03}"
    data = bundle.read_bytes()
    flip(bundle, data.index(wanted))
    assert [(fault.file, fault.entry) for fault in faults(folder)] == [(f"{bundle.relative_to(folder)}", entry)]
    bundle.write_bytes(data)
    tile = folder / f"log/journal/0/tile/0/{entry // 256:03}"
    flip(tile, entry % 256 * 32)
    assert [(fault.file, fault.entry) for fault in faults(folder) if fault.file != DATABASE] == [
        (f"{tile.relative_to(folder)}", entry)
    ]


@pytest.mark.parametrize("entry", [550, 599])
def test_an_entry_of_the_database(folder: Path, entry: int) -> None:
    """What is not yet in full tiles is hashed again at each start; so is its place."""
    database = folder / DATABASE
    data = database.read_bytes()
    wanted = JOURNAL[2 * entry]
    assert wanted.entry is not None
    flip(database, data.rindex(wanted.entry))
    with pytest.raises(ArchiveError) as caught, ArchiveWriter(folder, PARTITIONS):
        pass
    assert (caught.value.code, caught.value.file, caught.value.entry) == ("archive-damaged", str(database), entry)
    assert (DATABASE, entry) in [(fault.file, fault.entry) for fault in faults(folder)]
    database.write_bytes(data)
    flip(database, data.rindex(statement(0, entry)[:16]))
    assert DATABASE in [fault.file for fault in faults(folder)]


def test_contents(folder: Path) -> None:
    """An item that is not what was committed to."""
    file = folder / "contents/2026-11.sqlite"
    flip(file, file.read_bytes().index(b"what people wrote"))
    (fault,) = faults(folder)
    assert (fault.file, "is not what was committed to" in fault.what) == ("contents/2026-11.sqlite", True)


@pytest.mark.parametrize(
    "file",
    ["log/journal/0/tile/0/001", "log/journal/1/tile/entries/001", "log/journal/1/place/001", "log/heads/checkpoint"],
)
def test_a_disk_that_lied(folder: Path, file: str) -> None:
    """What was synced, and the disk lost or tore, is found at the next start."""
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: len(data) // 2])
    with pytest.raises(ArchiveError, match=file) as caught, ArchiveWriter(folder, PARTITIONS):
        pass
    assert caught.value.code == "archive-damaged"


def test_a_database_that_is_none(folder: Path) -> None:
    """Not taken for an empty one."""
    (folder / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(ArchiveError, match=DATABASE) as caught, ArchiveWriter(folder, PARTITIONS):
        pass
    assert caught.value.code == "archive-damaged"


def test_a_log_that_went_back(folder: Path) -> None:
    """A database of an earlier day does not go with the checkpoint that was kept."""
    (folder / DATABASE).unlink()
    with pytest.raises(ArchiveError) as caught, ArchiveWriter(folder, PARTITIONS):
        pass
    assert caught.value.code == "archive-damaged"


def test_partial_tiles_are_written_again(folder: Path) -> None:
    """They are derived: whatever became of them, a start makes them anew."""
    (file,) = (folder / "log/journal/0/tile/0/002.p").iterdir()
    file.write_bytes(b"torn")
    assert [fault.file for fault in faults(folder)] == [file.relative_to(folder).as_posix()]
    with ArchiveWriter(folder, PARTITIONS):
        pass
    assert faults(folder) == []


def test_the_index_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the same, out of the places alone."""
    monkeypatch.setattr(indexing, "RECENT", 100)
    with Index(folder) as index:
        before = [index.places(statement(0, number)) for number in range(600)]
    for file in (folder / "index").iterdir():
        file.unlink()
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.rebuild_index()
    with Index(folder) as index:
        assert [index.places(statement(0, number)) for number in range(600)] == before
    assert faults(folder) == []
