"""Checks of a journal that plays no part, so that their pages are not empty."""

from datetime import datetime

from exchange.console.checking import Checked, Stretch
from exchange.console.checks import Checks
from exchange.domain.delivery import Position
from exchange.domain.ids import digest
from exchange.journal.findings import Finding, FindingCode, Report
from exchange.journal.stretch import Line
from exchange.services.audit.findings import TreeCode, Verified, Wrong
from exchange.services.replay import Progress
from tests.console.auth.people import Remembered

CHECK = "a-seeded-check"


class SeededChecker:
    """Finds something in every stretch."""

    def __init__(self, now: datetime) -> None:
        """At that moment."""
        self._now = now

    async def verify(self, tell: Progress) -> Checked:
        """Everything holds."""
        tell(1, 1)
        return Checked(Report(records=1), differences=0)

    @property
    def has_log(self) -> bool:
        """There is an archive."""
        return True

    async def verify_log(self, _since: datetime, tell: Progress, /) -> Checked:
        """One entry of many was altered."""
        tell(9, 9)
        seen = Verified(log="exchange/5f", heads=9, entries=9, witnesses=2, witnessed=True)
        seen.kinds.update(["letter", "tick"])
        seen.add(Wrong(TreeCode.ENTRY_ALTERED, "journal/0", 3, "log/journal/0/tile/entries/000.p/9", "altered"))
        return Checked(Report(), log=seen)

    async def replay(self, stretch: Stretch, tell: Progress, /) -> Checked:
        """Two records, and something wrong with one."""
        tell(stretch.count, stretch.count)
        first, second = (Position(stretch.partition, stretch.first + number) for number in range(2))
        report = Report(records=2)
        report.kinds.update(["letter", "receipt"])
        report.add(Finding(FindingCode.NOT_TAKABLE, second, 0, 8, "signature-invalid"))
        about = digest(b"a letter")
        return Checked(
            report,
            (
                Line(first, self._now, "letter", 0, 7, about, "mfa", "", ()),
                Line(second, self._now, "receipt", 0, 8, about, "minjust", "", (FindingCode.NOT_TAKABLE,)),
            ),
        )


def seeded_checks(now: datetime) -> Checks:
    """Checks of which none was begun."""
    return Checks(SeededChecker(now), Remembered(), lambda: now, lambda: CHECK)
