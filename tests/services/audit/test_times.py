"""What time-stamps prove of an archive's log, and who notices when they are contradicted."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.archive.renewals import Renewals
from exchange.archive.tokens import Tokens
from exchange.security.keys import KeyPair
from exchange.security.timestamps import Authorities, Imprint
from exchange.security.timestamps.renewal import next_chain
from exchange.security.validity import Validity
from exchange.services.audit.times import TIME_TEXTS, TimeCode, Times, Timing
from exchange.tlog.heads import Heads
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal, story
from tests.security.support import DAY, certify_root
from tests.security.timestamps.forging import Forger, issued
from tests.world import World


class Stamped:
    """An archive of a story in two parts, with a time-stamp over each."""

    def __init__(
        self, folder: Path, journal: SyntheticJournal, root: KeyPair, *, late: timedelta = timedelta(0)
    ) -> None:
        """Stamp the first part so late."""
        self.folder, self.root = folder, root
        self.archived = Archived(folder, journal)
        self.now = datetime.now(UTC)
        half = len(journal.records) // 2
        for records, after in ((journal.records[:half], late), (journal.records[half:], timedelta(0))):
            self.stamp(self.archived.archive(records), after)

    @property
    def made(self) -> datetime:
        """When the archive says that its last heads were made."""
        size = self.archived.reader.tree("heads", self.size).size
        return datetime.fromtimestamp(Heads.parse(self.archived.reader.entry("heads", size - 1)).time, UTC)

    @property
    def size(self) -> int:
        """Of the log of heads."""
        return self.archived.keys.policy.open(self.archived.reader.checkpoint()).checkpoint.size

    def stamp(self, note: bytes, after: timedelta = timedelta(0)) -> None:
        """By an authority whose certificate lasts a year from the machine's time."""
        signer = issued(self.root, validity=Validity(self.made - DAY, self.now + 365 * DAY))
        Tokens(self.folder).keep(note, Forger(signer).response(Imprint.of(note), self.made + after))

    def begin_batch(self) -> None:
        """Of all time-stamps."""
        renewals = Renewals(self.folder)
        batch = renewals.begin(renewals.kept.sizes())
        signer = issued(self.root, validity=Validity(self.now - DAY, self.now + 365 * DAY))
        batch.keep(Forger(signer).response(next_chain(batch.digests, [], "sha256"), self.now), begins_chain=True)

    def check(self, later: timedelta = timedelta(0)) -> Times:
        """As an auditor does."""
        authorities = Authorities((self.root.certificate,))
        return Timing(self.folder, self.archived.keys.policy, authorities, self.now + later).check()


@pytest.fixture(scope="module")
def root() -> KeyPair:
    """Vouches for the authority."""
    return certify_root("root of an authority")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story."""
    return story(World(tmp_path_factory.mktemp("times")))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, journal: SyntheticJournal, root: KeyPair) -> Stamped:
    """Honest."""
    return Stamped(tmp_path_factory.mktemp("original"), journal, root)


@pytest.fixture
def stamped(original: Stamped, tmp_path: Path) -> Stamped:
    """A copy to spoil."""
    shutil.copytree(original.folder, tmp_path / "archive")
    copy = object.__new__(Stamped)
    copy.__dict__.update(original.__dict__)
    copy.folder = tmp_path / "archive"
    return copy


def codes(report: Times) -> list[TimeCode]:
    """What was found."""
    return [wrong.code for wrong in report.findings]


def test_an_honest_archive(stamped: Stamped) -> None:
    """Two time-stamps, then a batch of both; until when all holds."""
    report = stamped.check()
    assert (report.sound, report.stamps, report.batches) == (True, 2, 0)
    assert report.first is not None
    assert report.last is not None
    assert report.first < report.last
    stamped.begin_batch()
    report = stamped.check()
    assert (report.sound, report.stamps, report.batches) == (True, 2, 1)
    assert report.until is not None
    assert report.until >= stamped.now + 364 * DAY


def test_an_altered_time_stamp(stamped: Stamped) -> None:
    """It is named, and its batch with it."""
    stamped.begin_batch()
    file = min(stamped.folder.glob("tokens/*.tsr"))
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    report = stamped.check()
    assert codes(report) == [TimeCode.STAMP_INVALID, TimeCode.EVIDENCE_INVALID]
    assert report.findings[0].file == f"tokens/{file.name}"
    assert file.name in report.findings[1].detail


def test_a_log_that_was_rebuilt(stamped: Stamped, journal: SyntheticJournal, tmp_path: Path) -> None:
    """The operator leaves a letter out and signs all anew: what was stamped of the old log proves it."""
    rebuilt = Archived(tmp_path / "rebuilt", journal)
    rebuilt.keys = stamped.archived.keys
    rebuilt.archive(journal.records[:2] + journal.records[3:])
    shutil.rmtree(stamped.folder / "log")
    shutil.copytree(rebuilt.folder / "log", stamped.folder / "log")
    assert set(codes(stamped.check())) == {TimeCode.STAMPED_OTHER}


def test_a_log_that_was_cut_off(stamped: Stamped, journal: SyntheticJournal, tmp_path: Path) -> None:
    """It has less than was stamped."""
    short = Archived(tmp_path / "short", journal)
    short.keys = stamped.archived.keys
    short.archive(journal.records[: len(journal.records) // 2])
    shutil.rmtree(stamped.folder / "log")
    shutil.copytree(short.folder / "log", stamped.folder / "log")
    report = stamped.check()
    assert (codes(report), report.stamps) == ([TimeCode.STAMPED_OTHER], 1)


def test_an_archive_that_writes_as_of_yesterday(journal: SyntheticJournal, root: KeyPair, tmp_path: Path) -> None:
    """An outsider stamped the log a day later than the next heads say that they were made; or a day before its last."""
    late = Stamped(tmp_path / "late", journal, root, late=timedelta(days=1))
    report = late.check()
    assert codes(report) == [TimeCode.TIME_DIFFERS]
    assert "heads after it" in report.findings[0].detail
    early = Stamped(tmp_path / "early", journal, root, late=timedelta(days=-1, hours=1))
    assert "its last heads say" in early.check().findings[0].detail


def test_evidence_that_ended(stamped: Stamped) -> None:
    """Single time-stamps, and a batch, which nobody renewed."""
    assert codes(stamped.check(366 * DAY)) == [TimeCode.EVIDENCE_INVALID] * 2
    stamped.begin_batch()
    report = stamped.check(366 * DAY)
    assert (codes(report), report.findings[0].file) == ([TimeCode.EVIDENCE_INVALID], "renewals/0001")


def test_every_finding_has_its_words() -> None:
    """For people, beside the code."""
    assert set(TIME_TEXTS) == set(TimeCode)
