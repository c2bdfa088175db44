"""`exchange audit replay` without Kafka: the archive's log verified, and every delivery's state folded out of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from rich.console import Console

from exchange.cli.audit_log import log_of, render_verified
from exchange.cli.output import shown
from exchange.cli.words import short
from exchange.journal.deliveries import Standing
from exchange.security.directory.folder import read_root
from exchange.security.log_keys import read_log_policy
from exchange.services.audit.crew import check_here
from exchange.services.audit.findings import Verified
from exchange.services.audit.material import Opening
from exchange.services.audit.service import verify
from exchange.services.audit.states import Folded, fold
from exchange.settings import AuditorSettings


@dataclass(frozen=True, slots=True)
class ReplayedLog:
    """What came of it; states are folded only of a log in which nothing was found."""

    verified: Verified
    folded: Folded | None

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return self.verified.sound


def replay_log(settings: AuditorSettings, tell: Callable[[str], None], at: datetime | None, body: str) -> ReplayedLog:
    """Verify the log, then fold it.

    Args:
        settings: the auditor's.
        tell: shows how far it is.
        at: heads that were made later are left out.
        body: whose deliveries are listed; empty: none.

    Raises:
        ConfigurationError: `archive-not-named`.
        ExchangeError: as `verify` and `fold`.
    """
    log = log_of(settings)
    policy = read_log_policy(log.policy)
    opening = Opening(log.place, settings.directory.folder, read_root(settings.directory.root))
    verified = verify(
        opening,
        policy,
        check_here(opening),
        until=at,
        on_progress=lambda done, of: tell(f"verifying: {done} of {of} entries"),
    )
    if not verified.sound:
        return ReplayedLog(verified, None)
    progress = partial(_tell_heads, tell)
    return ReplayedLog(verified, fold(opening(), policy, progress, at=at, body=body))


def _tell_heads(tell: Callable[[str], None], done: int, of: int) -> None:
    tell(f"folding: {done} of {of} heads")


def render_log(found: ReplayedLog, console: Console) -> None:
    """What came of it, for people."""
    render_verified(found.verified, console)
    folded = found.folded
    if folded is None:
        console.print("states are not folded: see to what was found first")
        return
    for state, count in sorted(folded.states.items()):
        console.print(f"  {count} {state}")
    render_deliveries(folded.deliveries, console)
    console.print("not compared with a tracker")


def render_deliveries(deliveries: Iterable[Standing], console: Console) -> None:
    """Where they stood."""
    for each in deliveries:
        delivery = each.delivery
        late = f", late: {', '.join(sorted(delivery.late))}" if delivery.late else ""
        parties = f"{each.sender or 'refused'} to {shown(each.recipient)}"
        console.print(f"  {short(each.letter)} {parties}: {delivery.state} since {delivery.since.isoformat()}{late}")
