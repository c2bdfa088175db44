"""Finding entries by digests and origins: the same while they come, from runs, and after merging."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.archive import indexing
from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index, OriginHead, number_of, place_of_number
from exchange.archive.layout import DATABASE, place_file
from exchange.archive.writer import ArchiveWriter
from tests.archive.support import PARTITIONS, publish, record, records, statement

JOURNAL = records(1400)


@pytest.fixture(params=[50, 100_000], ids=["runs", "recent"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with many merged runs, and one with none."""
    monkeypatch.setattr(indexing, "RECENT", request.param)
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        for at in range(0, 1400, 100):
            writer.take(JOURNAL[at : at + 100])
            if at == 700:
                publish(writer, at)
    return tmp_path


def test_every_entry_is_found(folder: Path) -> None:
    """By its statement; a letter with the receipt for it, in order; whether in full tiles or not."""
    with Index(folder) as index:
        for number in range(700):
            place = index.place_of(statement(1, number))
            assert (place.partition, place.index, place.offset) == (1, number, 2 * number)
            assert place.journalled == record(1, number).journalled
            about = [place.index for place in index.places(statement(1, number))]
            expected = {0: [number], 1: [number, number + 1], 2: []}[number % 3]
            assert about == [each for each in expected if each < 700]


def test_unknown(folder: Path) -> None:
    """No such digest."""
    with Index(folder) as index:
        assert index.places(bytes(32)) == []
        with pytest.raises(ArchiveError) as caught:
            index.place_of(bytes(32))
        assert caught.value.code == "entry-missing"


def test_what_the_log_has_not_is_not_found(folder: Path) -> None:
    """An index that knows of more than its log: what is there is found, what is not is no place."""
    with ArchiveWriter(folder, PARTITIONS):
        pass
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("UPDATE logs SET size = 300 WHERE log = 0")
    with Index(folder) as index:
        assert index.place_of(statement(0, 299)).index == 299
        with pytest.raises(ArchiveError, match="no entry 300 of journal/0") as caught:
            index.place_of(statement(0, 300))
        assert caught.value.code == "entry-missing"


def test_the_same_beginning_is_not_the_same_digest(tmp_path: Path) -> None:
    """Who makes two digests that share 63 bits finds each by its own."""
    first, second = bytes(32), bytes(8) + b"\1" * 24
    with ArchiveWriter(tmp_path, 1) as writer:
        base = record(0, 0)
        values = [
            type(base)(0, at, base.digest, base.journalled, b"x", each, each) for at, each in enumerate((first, second))
        ]
        writer.take([*values[:1], *values[1:]])
    with Index(tmp_path) as index:
        assert [place.index for place in index.places(second)] == [1]
        assert index.place_of(second).index == 1


def test_origins(folder: Path) -> None:
    """Their newest entry that stands under heads, and since which leaf."""
    with Index(folder) as index:
        assert index.origin_heads() == [
            OriginHead(bytes([partition]) * 16, 400, partition, 399, 0) for partition in range(PARTITIONS)
        ]
        assert index.origin_heads(1) == []
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take([record(1, 700)])
        writer.add_heads(2000)
    with Index(folder) as index:
        assert [(head.partition, head.number, head.heads) for head in index.origin_heads(1)] == [
            (0, 700, 1),
            (1, 701, 1),
        ]


def test_beside_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that is open sees what comes, while runs are made and merged under it."""
    monkeypatch.setattr(indexing, "RECENT", 30)
    with ArchiveWriter(tmp_path, PARTITIONS) as writer, Index(tmp_path) as index:
        for at in range(0, 1400, 70):
            writer.take(JOURNAL[at : at + 70])
            last = JOURNAL[at + 69]
            assert last.statement is not None
            assert index.place_of(last.statement).offset == last.offset
            assert index.place_of(statement(0, 0)).index == 0


def test_a_run_is_removed_a_flush_after_it_was_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files stay, and none that nothing names after the next start."""
    monkeypatch.setattr(indexing, "RECENT", 10)
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        for at in range(0, 1400, 20):
            writer.take(JOURNAL[at : at + 20])
    assert len(list((tmp_path / "index").iterdir())) < 3 * indexing.MERGED
    (tmp_path / "index" / "999.run").write_bytes(b"left behind")
    (tmp_path / "index" / "7.run-journal").write_bytes(b"left behind")
    with ArchiveWriter(tmp_path, PARTITIONS):
        assert not {"999.run", "7.run-journal"} & {path.name for path in (tmp_path / "index").iterdir()}


def test_a_lost_run_is_said(folder: Path) -> None:
    """Not taken for an entry that never was; made again, all is found."""
    runs = list((folder / "index").iterdir())
    for run in runs:
        run.unlink()
    with Index(folder) as index:
        if runs:
            with pytest.raises(ArchiveError, match="rebuild the index") as caught:
                index.places(statement(0, 0))
            assert caught.value.code == "archive-unusable"
        with ArchiveWriter(folder, PARTITIONS) as writer:
            writer.rebuild_index()
        assert [place.index for place in index.places(statement(0, 1))] == [1, 2]


def test_a_lost_place_is_named(folder: Path) -> None:
    """Index and entry stay; where it was in Kafka is gone."""
    path = folder / place_file("journal/0", 1)
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.put_away()
    path.write_bytes(path.read_bytes()[:100])
    with Index(folder) as index, pytest.raises(ArchiveError, match="place/001: entry 300") as caught:
        index.place_of(statement(0, 300))
    assert caught.value.code == "archive-damaged"


def test_a_copy_where_nobody_may_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read as it lies; nothing is made beside it."""
    before = sorted(folder.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Index(folder) as index:
        assert index.place_of(statement(1, 699)).index == 699
        assert sorted(folder.iterdir()) == before


def test_no_archive(tmp_path: Path) -> None:
    """Said, not made."""
    with pytest.raises(ArchiveError, match=DATABASE) as caught, Index(tmp_path):
        pass
    assert caught.value.code == "archive-unusable"
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=50)
@given(st.integers(0, (1 << 20) - 1), st.integers(0, (1 << 40) - 1))
def test_places_as_numbers(partition: int, index: int) -> None:
    """One for each, within SQLite's integers."""
    number = number_of(partition, index)
    assert place_of_number(number) == (partition, index)
    assert number < 1 << 63
