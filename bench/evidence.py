"""Evidence packages a second, out of an archive's folder: gathered, verified and written, with reports.

Beside the same without reports, in the same run: the PDF and the pages cost most; and with time-stamps of an authority
on this machine, one for each statement and one for the whole. A letter has two recipients, eight statements and two
files; another letter each time.
"""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from bench.report import Figure, report
from exchange import system
from exchange.console.evidence.printing import Reports
from exchange.console.evidence.stamping import stamp_by
from exchange.domain.event import Event
from exchange.embedded.time_authority import TimeAuthority, serving
from exchange.services.evidence.archived import EvidenceArchive
from exchange.services.evidence.container import Stamp
from exchange.services.evidence.gathering import gather
from exchange.services.evidence.package import Report, make_case, write_package
from exchange.settings.timestamps import TimestampSettings
from exchange.tlog.policy import parse_log_policy
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.filed import Filed
from tests.world import World

LETTERS = 30
FILES = (bytes(20_000), bytes(2_000))


async def run() -> None:
    """Packages a second."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        journal = SyntheticJournal(World(Path(name) / "world"))
        letters = [_course(journal, number) for number in range(LETTERS)]
        filed = Filed(journal, Path(name) / "archive")
        filed.take()
        bare = _seconds(filed, letters, lambda _: {})
        whole = _seconds(filed, letters, Reports())
        authority = TimeAuthority.prepared(Path(name) / "authority", system.now())
        with serving(authority) as url:
            stamp = stamp_by(TimestampSettings(url, authority.root, timedelta()))
            stamped = await asyncio.to_thread(_seconds, filed, letters, Reports(), stamp)
    report(Figure("evidence", LETTERS / whole, "packages/s", bare / whole, "without reports"))
    report(Figure("evidence.stamped", LETTERS / stamped, "packages/s", whole / stamped, "without time-stamps"))


def _course(journal: SyntheticJournal, number: int) -> bytes:
    letter = journal.letter("alpha", "beta", "gamma", message_id=f"m-{number}", files=FILES)
    for body in ("beta", "gamma"):
        journal.registered(body, letter, "alpha", str(number))
    journal.receipt("beta", letter, "alpha", Event.EXECUTOR_ASSIGNED)
    return letter.digest


def _seconds(filed: Filed, letters: list[bytes], reports: Report, stamp: Stamp | None = None) -> float:
    directory, policy = filed.journal.world.published, parse_log_policy(filed.policy)
    began = time.perf_counter()
    for letter in letters:
        with EvidenceArchive(filed.folder) as archive:
            gathered = gather(archive, letter, directory, policy)
        case = make_case(gathered, directory, filed.policy, (), stamped=stamp is not None)
        write_package(case, reports, stamp)
    return time.perf_counter() - began
