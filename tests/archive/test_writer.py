"""One writer: the same logs whatever the batches were, nothing half taken, one head for each size."""

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.archive import writer as writing
from exchange.archive.contents import Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import DATABASE, Position
from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head
from exchange.tlog.merkle import EMPTY_ROOT, leaf_hash, root
from tests.archive.support import PARTITIONS, entries_of, files, publish, record, records, sign, take_rest
from tests.tlog.trees import tree_hashes

JOURNAL = records(1500, content_each=1)


def expected(partition: int) -> Head:
    """A log over the whole journal, in memory."""
    leaves = [leaf_hash(entry) for entry in entries_of(JOURNAL, partition)]
    return Head(len(leaves), root(len(leaves), tree_hashes(leaves)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Files of an archive that took the journal at once."""
    folder = tmp_path_factory.mktemp("whole")
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take(JOURNAL)
        publish(writer, 7)
        assert writer.logs == tuple(map(expected, range(PARTITIONS)))
    return files(folder)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 700), st.booleans(), st.booleans()), max_size=5))
def test_any_batches_give_the_same_files(
    whole: Mapping[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, bool, bool]],
) -> None:
    """However many records come at once, and whenever it is closed or put away."""
    folder = tmp_path_factory.mktemp("any")
    left = JOURNAL
    for size, is_put_away, is_closed in [*steps, (len(JOURNAL), False, True)]:
        with ArchiveWriter(folder, PARTITIONS) as writer:
            if left[:size]:
                writer.take(left[:size])
            left = left[size:]
            if is_put_away:
                writer.put_away()
            if not is_closed and left:
                writer.take(left[:1])
                left = left[1:]
    with ArchiveWriter(folder, PARTITIONS) as writer:
        publish(writer, 7)
        assert writer.logs == tuple(map(expected, range(PARTITIONS)))
    assert files(folder) == whole


def test_empty(tmp_path: Path) -> None:
    """Nothing was taken: no heads, no checkpoint, and it opens again."""
    for _ in range(2):
        with ArchiveWriter(tmp_path, PARTITIONS) as writer:
            assert writer.positions == {0: None, 1: None}
            assert writer.logs == (Head(0, EMPTY_ROOT),) * PARTITIONS
            assert writer.add_heads(5) is writer.heads is writer.unsigned is None


def test_positions(tmp_path: Path) -> None:
    """They are stored with what was taken; a value that is no record moves them and is no leaf."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take([record(0, 0), replace(record(0, 4), entry=None)])
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        assert writer.positions == {0: Position(8, record(0, 4).digest), 1: None}
        assert writer.logs[0].size == 1


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (record(0, 9), "the record at 0:18 is not behind 18"),
        (record(2, 0), "the journal has 2 partitions"),
        (replace(record(0, 0), partition=-1), "the journal has 2 partitions"),
        (replace(record(1, 50), entry=bytes(65_536)), "an entry of 65536 bytes"),
    ],
)
def test_wrong_records_are_refused_whole(tmp_path: Path, wrong: object, problem: str) -> None:
    """With the batch that they are in."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take([record(0, 9)])
        before = writer.logs, writer.positions
        with pytest.raises(ArchiveError, match=problem) as caught:
            writer.take([record(1, 3), wrong])  # type: ignore[list-item]
        assert caught.value.code == "archive-order"
        assert (writer.logs, writer.positions) == before


def test_one_writer(tmp_path: Path) -> None:
    """A second one is refused as long as the first is there."""
    with ArchiveWriter(tmp_path, PARTITIONS):
        with pytest.raises(ArchiveError) as caught, ArchiveWriter(tmp_path, PARTITIONS):
            pass
        assert (caught.value.code, caught.value.retriable) == ("archive-in-use", True)
    with ArchiveWriter(tmp_path, PARTITIONS):
        pass


def test_another_journal(tmp_path: Path) -> None:
    """The number of partitions never changes (rule 5.2); nor is a later version's folder touched."""
    with ArchiveWriter(tmp_path, PARTITIONS):
        pass
    with pytest.raises(ArchiveError, match="of a journal of 2 partitions, not 3") as caught, ArchiveWriter(tmp_path, 3):
        pass
    assert caught.value.code == "archive-other"
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ArchiveError, match="version 99") as caught, ArchiveWriter(tmp_path, PARTITIONS):
        pass
    assert caught.value.code == "archive-other"


def test_heads(tmp_path: Path) -> None:
    """One leaf when a log grew, none when not; time never goes back; `after` stands in the first alone (rule 5.4)."""
    lost = Checkpoint("exchange/zz", 9, bytes(32))
    with ArchiveWriter(tmp_path, PARTITIONS, after=lost) as writer:
        writer.take([record(0, 0)])
        first = writer.add_heads(100)
        assert first is not None
        assert (first.time, first.after, first.logs) == (100, lost, writer.logs)
        assert writer.add_heads(101) is None
        writer.take([record(1, 0)])
        second = writer.add_heads(50)
        assert second is not None
        assert (second.time, second.after) == (100, None)
        assert writer.heads == second


def test_a_head_without_checkpoint_is_found_again(tmp_path: Path) -> None:
    """Whoever died between the leaf and its checkpoint signs that size, and no other leaf for it."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take([record(0, 0)])
        heads = writer.add_heads(1)
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        assert writer.unsigned == heads
        writer.keep_checkpoint(sign(writer))
        assert writer.unsigned is None
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        assert (writer.unsigned, writer.heads) == (None, heads)


def test_only_its_own_checkpoints(tmp_path: Path) -> None:
    """None of another tree, none older than the one that is kept, none of no heads."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take([record(0, 0)])
        writer.add_heads(1)
        old = sign(writer)
        writer.take([record(0, 1)])
        publish(writer, 2)
        for note in (
            old,
            old.replace(b"\n1\n", b"\n2\n"),
            old.replace(b"\n1\n", b"\n3\n"),
            old.replace(b"\n1\n", b"\n0\n"),
        ):
            with pytest.raises(ArchiveError) as caught:
                writer.keep_checkpoint(note)
            assert caught.value.code == "archive-order"
        assert LogReader(tmp_path).checkpoint() == sign(writer)


def test_partial_tiles_are_those_of_late_checkpoints(tmp_path: Path) -> None:
    """Superseded ones go after a while, and what a killed writer left goes at the next start."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        for at in range(1, 20):
            writer.take([record(0, at)])
            publish(writer, at)
    widths = sorted(int(path.name) for path in (tmp_path / "log/journal/0/tile/0/000.p").iterdir())
    assert widths == [*range(12, 20)]
    with ArchiveWriter(tmp_path, PARTITIONS):
        (last,) = (tmp_path / "log/journal/0/tile/0/000.p").iterdir()
    assert last.name == "19"


def test_a_full_database_takes_nothing(tmp_path: Path) -> None:
    """With space again the same batch is taken."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take(JOURNAL[:10])
        before = writer.logs, writer.positions
        (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
        writer._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ArchiveError) as caught:
            writer.take(JOURNAL[10:])
        assert (caught.value.code, caught.value.retriable) == ("archive-full", True)
        assert (writer.logs, writer.positions) == before
        writer._connection.execute("PRAGMA max_page_count = 1000000")
        writer.take(JOURNAL[10:])
        assert writer.logs == tuple(map(expected, range(PARTITIONS)))


def test_a_full_disk_keeps_what_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Mapping[str, bytes]
) -> None:
    """Tiles that cannot be written stay in the database; a batch that comes meanwhile is refused whole."""
    monkeypatch.setattr(writing, "PUT_AWAY_BYTES", 1)
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take(JOURNAL[:1400])
        with monkeypatch.context() as full:
            full.setattr(os, "write", no_space)
            for _ in range(2):
                with pytest.raises(ArchiveError) as caught:
                    writer.take(JOURNAL[1400:])
                assert (caught.value.code, caught.value.retriable) == ("archive-full", True)
            assert writer.logs[0].size == 700
        take_rest(writer, JOURNAL, step=100)
        publish(writer, 7)
    assert files(tmp_path) == whole


def no_space(*_: object) -> int:
    """What a full disk says."""
    raise OSError(28, "No space left on device")


def test_contents_are_kept(tmp_path: Path) -> None:
    """In the month of their entries; one that comes twice is there once."""
    with ArchiveWriter(tmp_path, PARTITIONS) as writer:
        writer.take(JOURNAL[:200])
    contents = Contents(tmp_path)
    assert contents.months() == ["2026-11", "2026-10"]
    for each in JOURNAL[:200]:
        (kept,) = each.contents
        assert contents.get(kept.commitment, each.journalled) == kept.content
