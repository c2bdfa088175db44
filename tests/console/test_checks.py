"""Checks of the journal: what they find, one at a time, each with its beginning and result in the journal."""

import asyncio
import copy
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from exchange.console import checking
from exchange.console.checking import Checked, Checker, CheckRefused, LogSpan, Stretch
from exchange.console.checks import REMEMBERED, Check, CheckKind, Checks
from exchange.domain.errors import BusError
from exchange.domain.user import Role, User
from exchange.journal.findings import Report
from exchange.security.directory.folder import DirectoryFolder
from exchange.services.audit.crew import check_here
from exchange.services.audit.findings import Verified
from exchange.services.audit.service import verify
from exchange.services.http.problems import ApiRefused
from exchange.services.replay import Progress
from exchange.store.database import Store
from tests.audited import Archived
from tests.console.auth.people import Remembered
from tests.console.site import iter_ids
from tests.journal.synthetic import SyntheticJournal, busiest
from tests.services.journal_fake import FakeJournal, as_taken
from tests.services.tasks.place import JournalRecords
from tests.store.support import fill
from tests.world import NOW

AIDA = User("aida", "Aida", frozenset({Role.AUDITOR}))
STRETCH = Stretch(0, 0, 60)


def ignore(_done: int, _of: int) -> None:
    """Nobody watches."""


def checker(told: SyntheticJournal, store: Store, alter: int | None = None) -> Checker:
    """Reads the story's journal; `alter` the value of one record."""
    records = list(told.records)
    if alter is not None:
        value = records[alter].value
        records[alter] = dataclasses.replace(records[alter], value=value[:-1] + bytes([value[-1] ^ 1]))
    journal = FakeJournal(told.world.journal_partitions, [as_taken(each) for each in records])
    altered, world = copy.copy(told), told.world
    altered.records = records
    return Checker(
        journal.open,
        JournalRecords(altered).open,
        lambda: DirectoryFolder(world.folder / "directory", world.root),
        store,
    )


@pytest.fixture(scope="module")
def filled(told: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A tracker that took the whole story."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('filled')}/tracker.db")
    store.migrate()
    fill(store, told.records)
    return store


async def test_a_whole_verification(told: SyntheticJournal, filled: Store) -> None:
    """Sound as routers wrote it and the tracker took it, and not when a bit was turned."""
    seen: list[tuple[int, int]] = []
    found = await checker(told, filled).verify(lambda done, of: seen.append((done, of)))
    assert (found.sound, found.differences, found.report.records) == (True, 0, len(told.records))
    assert seen[-1][0] == len(told.records)
    assert not (await checker(told, filled, alter=4).verify(ignore)).sound


async def test_a_journal_that_is_too_long(
    told: SyntheticJournal, filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each partition the newest part is looked at, and the result says so."""
    monkeypatch.setattr(checking, "OFFSETS_AT_MOST", 3)
    whole = await checker(told, filled).verify(ignore)
    assert (whole.sound, whole.newest, whole.differences) == (True, checking.NEWEST, None)
    assert whole.report.records == len(told.records)
    monkeypatch.setattr(checking, "NEWEST", 6)
    part = await checker(told, filled).verify(ignore)
    assert part.sound
    assert 0 < part.report.records < whole.report.records
    last = max(at for at, each in enumerate(told.records) if each.position.partition == busiest(told))
    assert not (await checker(told, filled, alter=last).verify(ignore)).sound


async def test_what_takes_too_long(told: SyntheticJournal, filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is ended."""
    monkeypatch.setattr(checking, "SECONDS_AT_MOST", 0)
    for check in (checker(told, filled).replay(STRETCH, ignore), checker(told, filled).verify(ignore)):
        with pytest.raises(CheckRefused) as late:
            await check
        assert late.value.code == "check-out-of-time"


async def test_a_stretch(told: SyntheticJournal, filled: Store) -> None:
    """As far as the journal has it; each record a line; ticks are counted but not listed."""
    partition = busiest(told)
    stretch = Stretch(partition, 0, 60)
    own = [each for each in told.records if each.position.partition == partition]
    found = await checker(told, filled).replay(stretch, ignore)
    assert (found.sound, found.differences, found.report.records) == (True, None, len(own))
    assert [line.position for line in found.lines] == [each.position for each in own]
    none = await checker(told, filled).replay(Stretch(1, 10_000, 5), ignore)
    assert (none.report.records, none.lines, none.sound) == (0, (), True)
    altered = told.records.index(own[-1])
    assert not (await checker(told, filled, alter=altered).replay(stretch, ignore)).sound


class Held:
    """A checker that waits until it is let go, or fails."""

    def __init__(self) -> None:
        """Nothing was begun."""
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.error: Exception | None = None

    async def verify(self, tell: Progress) -> Checked:
        """Wait."""
        tell(1, 2)
        self.begun.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return Checked(Report(records=2), differences=1)

    @property
    def has_log(self) -> bool:
        """There is an archive."""
        return True

    async def verify_log(self, since: datetime, tell: Progress) -> Checked:
        """Wait likewise."""
        self.since = since
        await self.verify(tell)
        return Checked(Report(), log=Verified(heads=4, entries=9))

    async def replay(self, _: Stretch, tell: Progress) -> Checked:
        """Wait likewise."""
        return dataclasses.replace(await self.verify(tell), differences=None)


@asynccontextmanager
async def running(checks: Checks) -> AsyncIterator[None]:
    """While checks are done."""
    task = asyncio.create_task(checks.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ended(checks: Checks, check: Check) -> Check:
    """A check as soon as it is done."""
    while checks.is_busy:  # noqa: ASYNC110 - nobody but tests waits for it
        await asyncio.sleep(0)
    return checks.known[check.id]


@pytest.fixture
def acts() -> Remembered:
    """What is kept."""
    return Remembered()


async def test_the_log_of_some_days(acts: Remembered) -> None:
    """Beginning and result are acts, like those of every check."""
    held = Held()
    checks = Checks(held, acts, lambda: NOW, iter_ids().__next__)
    async with running(checks):
        check = await checks.begin(AIDA, LogSpan(7))
        held.go.set()
        done = await ended(checks, check)
    assert (done.verdict, done.kind, done.span, done.stretch) == ("sound", CheckKind.LOG, LogSpan(7), None)
    assert held.since == NOW - timedelta(days=7)
    assert [(act.action, act.detail) for act in acts.acts] == [
        ("verify-log", "the log of the last 7 days"),
        ("verify-log-result", "the log of the last 7 days: everything holds, 9 entries up to heads 4"),
    ]


async def test_the_log_is_verified(told: SyntheticJournal, filled: Store, tmp_path: Path) -> None:
    """In a thread, with the archive that is at hand; without one it is said so; too long is too long."""
    archived = Archived(tmp_path, told)
    archived.archive()
    opening = archived.opening()

    def verify_since(since: datetime, tell: Progress) -> Verified:
        return verify(opening, archived.keys.policy, check_here(opening), since=since, on_progress=tell)

    whole = checker(told, filled)
    with pytest.raises(CheckRefused) as refused:
        await whole.verify_log(NOW, ignore)
    assert (refused.value.code, whole.has_log) == ("check-log-missing", False)
    seen: list[tuple[int, int]] = []
    found = await Checker(whole._reader, whole._records, whole._folder, filled, verify_since).verify_log(
        NOW - timedelta(days=1), lambda done, of: seen.append((done, of))
    )
    assert found.sound
    assert found.log is not None
    assert found.log.entries == len(told.records)
    await asyncio.sleep(0)
    assert seen == [(len(told.records), len(told.records))]


async def test_beginning_and_result_are_acts(acts: Remembered) -> None:
    """Of one task, in the person's name; there is one check at a time."""
    held = Held()
    checks = Checks(held, acts, lambda: NOW, iter_ids().__next__)
    async with running(checks):
        check = await checks.begin(AIDA)
        await held.begun.wait()
        now = checks.known[check.id]
        assert (now.verdict, now.done, now.of, acts.actions) == ("running", 1, 2, ["verify"])
        with pytest.raises(ApiRefused) as busy:
            await checks.begin(AIDA, STRETCH)
        assert busy.value.code == "check-busy"
        held.go.set()
        done = await ended(checks, check)
        assert (done.verdict, done.kept) == ("found", True)
        after = await ended(checks, await checks.begin(AIDA, STRETCH))
        assert after.verdict == "sound"
    assert acts.actions == ["verify", "verify-result", "replay", "replay-result"]
    assert {(act.person, act.task) for act in acts.acts[:2]} == {("aida", check.id)}
    assert acts.acts[1].detail == "the whole journal: something was found, 2 records, 1 differences of the tracker"
    assert acts.acts[3].detail == "offsets 0:0-59: everything holds, 2 records"


@pytest.mark.parametrize(
    ("error", "code"), [(BusError("nobody answers"), "bus-unavailable"), (KeyError("content"), "console-failed")]
)
async def test_what_breaks_off(acts: Remembered, error: Exception, code: str) -> None:
    """Is told by its code, stands in the journal, and the next one may begin."""
    held = Held()
    held.error = error
    held.go.set()
    checks = Checks(held, acts, lambda: NOW, iter_ids().__next__)
    async with running(checks):
        done = await ended(checks, await checks.begin(AIDA))
        assert (done.verdict, done.code, done.kept) == ("broken-off", code, True)
        assert acts.acts[-1].detail == f"the whole journal: broken off, {code}"
        held.error = None
        assert (await ended(checks, await checks.begin(AIDA))).verdict == "found"


async def test_what_is_not_kept_is_not_begun(acts: Remembered) -> None:
    """A result that is not kept says so; only auditors begin any; the last few are remembered."""
    held = Held()
    checks = Checks(held, acts, lambda: NOW, iter_ids().__next__)
    async with running(checks):
        acts.fails = True
        with pytest.raises(Exception, match="full"):
            await checks.begin(AIDA)
        assert (checks.is_busy, held.begun.is_set(), len(checks.known)) == (False, False, 0)
        acts.fails = False
        check = await checks.begin(AIDA)
        await held.begun.wait()
        acts.fails = True
        held.go.set()
        assert not (await ended(checks, check)).kept
        acts.fails = False
        with pytest.raises(ApiRefused):
            await checks.begin(User("olga", "Olga", frozenset({Role.OPERATOR})))
        for _ in range(REMEMBERED):
            await ended(checks, await checks.begin(AIDA, STRETCH))
        assert (len(checks.known), check.id in checks.known) == (REMEMBERED, False)
