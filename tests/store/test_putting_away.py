"""Old letters go into archive files and come back: nothing is lost, nothing is there twice, whoever is killed when."""

import gzip
import itertools
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.domain.fact import LetterFact
from exchange.journal.facts import JournalRecord, read_fact
from exchange.store import queries, schema
from exchange.store.archive import Archive
from exchange.store.database import Store
from exchange.store.errors import ArchiveError
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import TOPIC, blocks, counts, fill, take

_TABLES = ("letters", "deliveries", "facts", "flags")
Whole = tuple[list[str], list[list[tuple[object, ...]]]]
"""Rows and tallies."""
_TALLIES = (schema.tally_days, schema.tally_routes, schema.tally_services)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An empty folder."""
    (tmp_path / "archive").mkdir()
    return Archive(tmp_path / "archive")


@pytest.fixture
def keeping(url: str, store: Store, archive: Archive) -> Iterator[Store]:
    """The store, by a tracker that puts away."""
    assert store.positions(TOPIC) == {}
    with Store(url, archive=archive) as opened:
        yield opened


def put_all_away(store: Store, journal: SyntheticJournal) -> int:
    """Everything that is finished; how many letters."""
    store.count_changes(TOPIC)
    after, letters = None, 0
    while (step := store.put_away(journal.now + timedelta(days=1), journal.now, after)) is not None:
        after, letters = step.after, letters + step.letters
    return letters


def rows(store: Store, archive: Archive) -> list[str]:
    """What the tables and the files say together, as lines; of a letter that is away, what its block says."""
    found = [line for line in store.dump() if json.loads(line)[0] in _TABLES]
    with store.reading() as connection:
        away = connection.execute(sa.select(schema.archived)).all()
    for row in away:
        block = archive.block(row.file, row.at)
        assert block is not None
        place = 0
        for line in block.lines:
            place = line[1] if line[0] == "letters" else place
            if place == row.place:
                found.append(json.dumps(line, ensure_ascii=False))
    return sorted(found)


def tallies(store: Store) -> list[list[tuple[object, ...]]]:
    """All tallies, counted now."""
    store.count_changes(TOPIC)
    with store.reading() as connection:
        return [sorted(map(tuple, connection.execute(sa.select(table)))) for table in _TALLIES]


@pytest.fixture(scope="module")
def whole(journal: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Rows and tallies where nothing was ever put away."""
    folder = tmp_path_factory.mktemp("whole")
    with Store(f"sqlite:///{folder}/whole.db") as store:
        store.migrate()
        fill(store, journal.records)
        return rows(store, Archive(folder)), tallies(store)


def test_put_away(keeping: Store, archive: Archive, journal: SyntheticJournal, whole: Whole) -> None:
    """Lists are empty, tallies and positions stay; the files hold every row, and gzip reads them."""
    fill(keeping, journal.records)
    assert put_all_away(keeping, journal) == 3
    with keeping.reading() as connection:
        assert counts(connection) == {}
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.facts)).scalar_one() == 0
    assert (rows(keeping, archive), tallies(keeping)) == whole
    assert put_all_away(keeping, journal) == 0


def test_found_by_every_id(keeping: Store, archive: Archive, journal: SyntheticJournal) -> None:
    """Who pastes an id is told when it was put away and where; whose letter it is, too."""
    fill(keeping, journal.records)
    letters = [fact for record in journal.records if isinstance(fact := read_fact(record), LetterFact)]
    put_all_away(keeping, journal)
    for letter in letters:
        for text in (letter.letter.hex(), letter.letter.hex()[:8].upper(), letter.message_id):
            with keeping.reading() as connection:
                assert queries.find(connection, text) == []
                (found,) = queries.put_away(connection, text)
            assert (found.digest, found.put_away) == (letter.letter, journal.now)
            assert found.bodies[0] == letter.sender
            block = archive.block(found.file, found.at)
            assert block is not None
            assert ["letters", letter.letter.hex()] in [[line[0], line[2]] for line in block.lines]
    with keeping.reading() as connection:
        assert queries.put_away(connection, "") == queries.put_away(connection, "nobody's") == []


def test_what_goes_on_stays(keeping: Store, journal: SyntheticJournal) -> None:
    """Letters of which something is awaited, and those that came into their state lately."""
    fill(keeping, journal.records[:6])
    keeping.count_changes(TOPIC)
    with keeping.reading() as connection:
        before = counts(connection)
    assert keeping.put_away(journal.records[0].journalled, journal.now) is None
    with keeping.reading() as connection:
        assert counts(connection) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=4)
@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_put_away_at_any_time(
    journal: SyntheticJournal,
    whole: Whole,
    tmp_path_factory: pytest.TempPathFactory,
    cuts: list[int],
) -> None:
    """Archive and tables together say what the journal says, whatever was put away when; late facts fetch back."""
    folder = tmp_path_factory.mktemp("any")
    archive = Archive(folder)
    with Store(f"sqlite:///{folder}/any.db", archive=archive) as store:
        store.migrate()
        for first, last in itertools.pairwise([0, *sorted(cuts), len(journal.records)]):
            if journal.records[first:last]:
                take(store, journal.records[first:last])
            put_all_away(store, journal)
        assert (rows(store, archive), tallies(store)) == whole


def test_a_rebuild_takes_the_files_over(
    keeping: Store, archive: Archive, journal: SyntheticJournal, whole: Whole
) -> None:
    """Dropped and filled again, the tables hold it all once more; the files are not written a second time."""
    fill(keeping, journal.records)
    put_all_away(keeping, journal)
    (name,) = archive.files()
    written = list(blocks(archive, name))
    keeping.drop()
    keeping.migrate()
    assert keeping.put_away(journal.now, journal.now) is None  # the journal was not read so far
    fill(keeping, journal.records)
    assert rows(keeping, archive) == whole[0]
    assert put_all_away(keeping, journal) == 3
    assert list(blocks(archive, name)) == written
    assert (rows(keeping, archive), tallies(keeping)) == whole


def test_without_an_archive(url: str, keeping: Store, journal: SyntheticJournal) -> None:
    """A tracker that does not know where letters are takes nothing more about them, and says what to do."""
    late = [record for record in journal.records if record.position == journal.records[-1].position]
    fill(keeping, journal.records[: -len(late)])
    put_all_away(keeping, journal)
    with Store(url) as other:
        assert other.put_away(journal.now, journal.now) is None
        with pytest.raises(ArchiveError, match=r"\[archive\]") as caught:
            take(other, _again(journal.records))
    assert (caught.value.code, caught.value.retriable) == ("archive-unknown", False)


def test_damaged_or_gone(keeping: Store, archive: Archive, journal: SyntheticJournal, tmp_path: Path) -> None:
    """Nothing is taken, nothing is cut; the message names the file and the byte."""
    fill(keeping, journal.records)
    put_all_away(keeping, journal)
    before = keeping.digest()
    (name,) = archive.files()
    file = tmp_path / "archive" / name
    whole = file.read_bytes()
    changed = gzip.compress(gzip.decompress(whole).replace(b"letters", b"lettres"), mtime=0)
    for data, code in (
        (whole[:-20], "old-letters-damaged"),
        (whole[:99] + b"\0" + whole[100:], "old-letters-damaged"),
        (changed, "old-letters-damaged"),
        (gzip.compress(b"no rows\n"), "old-letters-damaged"),
        (None, "archive-unavailable"),
    ):
        file.unlink()
        if data is not None:
            file.write_bytes(data)
        with pytest.raises(ArchiveError) as caught:
            take(keeping, _again(journal.records))
        assert (caught.value.code, caught.value.retriable) == (code, code == "archive-unavailable")
        assert keeping.digest() == before
        file.write_bytes(whole)


def _again(records: list[JournalRecord]) -> list[JournalRecord]:
    """A letter of these, journalled once more."""
    letter = next(record for record in records if isinstance(read_fact(record), LetterFact))
    place = type(letter.position)(letter.position.partition, 10_000)
    return [JournalRecord(place, letter.journalled, letter.value)]


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
import sqlalchemy as sa
from exchange.store.archive import Archive
from exchange.store.database import Store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Torn(Archive):
    def append(self, name, at, lines):
        block = super().append(name, at, lines)
        os.truncate(self._folder / name, (at + block.end) // 2)  # what a power cut leaves
        die()

def put_away(folder, point, moment):
    archive = (Torn if point == "torn" else Archive)(folder / "archive")
    store = Store(sys.argv[2].format(folder=folder), archive=archive)
    if point.isdigit():
        left = iter(range(int(point)))
        sa.event.listen(store._engine, "before_cursor_execute", lambda *_: next(left, None) is None and die())
    if point == "commit":
        sa.event.listen(store._engine, "commit", die)
    if point == "fsync":
        os.fsync = die
    store.put_away(moment, moment)
    die()

for folder in map(Path, sys.argv[3:]):
    child = os.fork()
    if not child:
        put_away(folder, folder.name, datetime.fromisoformat(sys.argv[1]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def kill(journal: SyntheticJournal, url: str, folders: Sequence[Path]) -> None:
    """Let processes put away, and kill each where its folder's name says."""
    moment = (journal.now + timedelta(days=1)).isoformat()
    subprocess.run([sys.executable, "-c", KILLED, moment, url, *map(str, folders)], check=True)


@pytest.mark.server
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_killed_on_postgresql(
    url: str,
    store: Store,
    journal: SyntheticJournal,
    whole: Whole,
    tmp_path: Path,
) -> None:
    """One process after the other is killed over the same tables and files; the last one ends the work."""
    fill(store, journal.records)
    store.count_changes(TOPIC)
    (tmp_path / "archive").mkdir()
    for point in ("fsync", "torn", "commit", "12", "after"):
        (tmp_path / point).mkdir()
        (tmp_path / point / "archive").symlink_to(tmp_path / "archive")
        kill(journal, url, [tmp_path / point])
    archive = Archive(tmp_path / "archive")
    with Store(url, archive=archive) as keeping:
        put_all_away(keeping, journal)
        assert (rows(keeping, archive), tallies(keeping)) == whole
    (name,) = archive.files()
    (block,) = blocks(archive, name)
    assert (tmp_path / "archive" / name).stat().st_size == block.end


def test_killed_between_any_two_steps(journal: SyntheticJournal, whole: Whole, tmp_path: Path) -> None:
    """Before and within the file, before and after its sync, before each statement, before and after the commit."""
    first = tmp_path / "first"
    (first / "archive").mkdir(parents=True)
    with Store(f"sqlite:///{first}/tracker.db") as store:
        store.migrate()
        fill(store, journal.records)
        store.count_changes(TOPIC)
        assert store.is_shared is False
    points = ["torn", "fsync", "commit", "after", *map(str, range(1, 40, 9))]
    folders = [tmp_path / point for point in points]
    for folder in folders:
        shutil.copytree(first, folder)
    kill(journal, "sqlite:///{folder}/tracker.db", folders)
    lengths = Counter[int]()
    for folder in folders:
        archive = Archive(folder / "archive")
        with Store(f"sqlite:///{folder}/tracker.db", archive=archive) as store:
            lengths[sum((folder / "archive" / name).stat().st_size for name in archive.files())] += 1
            put_all_away(store, journal)
            assert (rows(store, archive), tallies(store)) == whole, folder.name
            (name,) = archive.files()
            (block,) = blocks(archive, name)
            assert (folder / "archive" / name).stat().st_size == block.end
    assert len(lengths) == 3, "some before the file, one within it, some behind"
