"""`exchange audit verify`, as a whole: begins, goes on from where it was, and ends."""

from datetime import datetime
from pathlib import Path

from exchange.archive.errors import ArchiveError
from exchange.services.audit.crew import Check
from exchange.services.audit.findings import TreeCode, Verified, Wrong
from exchange.services.audit.heads import span_between
from exchange.services.audit.pieces import OpenMaterial
from exchange.services.audit.ports import HEADS, journal_log
from exchange.services.audit.state import Standing, keep, load
from exchange.services.audit.verify import Progress, Verification, goes_on, look_at_tiles, open_checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.frontier import Frontier
from exchange.tlog.policy import LogPolicy


def _ignore(_done: int, _of: int) -> None:
    """Nobody watches."""


def verify(
    open_material: OpenMaterial,
    policy: LogPolicy,
    check: Check,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    state: Path | None = None,
    on_progress: Progress = _ignore,
) -> Verified:
    """Verify an archive's logs, all of them or what was added to them in a time.

    Args:
        open_material: opens the archive.
        policy: whose word about the log counts.
        check: who checks pieces, see `exchange.services.audit.crew`.
        since: entries that came to the log before are believed to be what the roots say.
        until: entries that came later are left out.
        state: a file from which it goes on, if it is there, and into which it writes how far it came. It belongs to
            one log and one range.
        on_progress: told how many of how many entries are done.

    Raises:
        ExchangeError: the archive cannot be read.
    """
    standing = (None if state is None else load(state)) or Standing()
    material, report = open_material(), standing.report
    seen, wrong = open_checkpoint(material.log, policy)
    if seen is None or (back := goes_on(standing, seen.checkpoint)):
        return _with(report, wrong + ([] if seen is None else back))
    checkpoint, is_fresh = seen.checkpoint, not report.log
    report.log, report.heads = checkpoint.origin, checkpoint.size
    report.witnesses, report.witnessed = len(seen.witnesses), seen.witnessed
    try:
        span = span_between(material.log, checkpoint.size, since, until)
        if is_fresh:
            standing.begun = span.first
            standing.heads = Frontier.of(span.first, material.log.tree(HEADS, checkpoint.size).hashes)
        running = Verification(material, checkpoint, span.behind(standing.heads.size), standing)
        running.run(check, on_progress, lambda at: None if state is None else keep(state, at))
    except (LogRefused, ArchiveError) as error:
        file = f"log/{HEADS}"
        return _with(report, [*wrong, Wrong(TreeCode.FILE_UNREADABLE, HEADS, -1, file, f"{error.code}: {error}")])
    if since is None and until is None and not running.is_hopeless:
        for partition, tree in enumerate(running.trees):
            wrong += look_at_tiles(tree, journal_log(partition))
    return _with(running.end(), wrong)


def _with(report: Verified, wrong: list[Wrong]) -> Verified:
    for each in wrong:
        report.add(each)
    return report
