"""`exchange audit times`: what outsiders' time-stamps prove of the archive's log."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange.cli.audit_acts import NotJournalled, Reason, about_to, journalled
from exchange.cli.audit_log import log_settings
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config
from exchange.console.api.audits_model import AuditKind
from exchange.domain.errors import ConfigurationError
from exchange.security.log_keys import read_log_policy
from exchange.security.timestamps import Authorities
from exchange.services.audit.times import TIME_TEXTS, Times, Timing
from exchange.settings import AuditorSettings
from exchange.system import now

Roots = Annotated[
    list[Path] | None,
    typer.Option(
        help="Roots of time-stamping authorities that you trust (PEM); several times. Default: [timestamps] roots."
    ),
]


def check_times(
    *,
    roots: Roots = None,
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Check every time-stamp over the archive's log, that the log only grew since each, and that the evidence lasts.

    Only reads. Exit code 1 when anything is found.
    """
    settings, log = log_settings(config)
    if not isinstance(log.place, Path):
        message = f"[archive] url = {log.place}: time-stamps are read in the archive's folder; set `folder`"
        raise ConfigurationError(message, code="archive-folder-needed")
    output = Output(as_json=json)
    trusted = Authorities.load(*(roots or _roots(settings)))
    with journalled(
        settings, about_to(AuditKind.TIMES, "the log's time-stamps", reason), output, skip=unkept
    ) as outcome:
        found = Timing(log.place, read_log_policy(log.policy), trusted, now()).check()
        outcome.found(f"{found.stamps} time-stamps, {found.batches} batches", sound=found.sound)
    output.verdict(found, lambda console: _render(found, console), ok=found.sound)


def _roots(settings: AuditorSettings) -> tuple[Path, ...]:
    """Those of the file, when the call names none."""
    if settings.timestamps is None:
        message = "nobody is named whose time-stamps count: give --roots FILE, the roots that the authority publishes"
        raise ConfigurationError(message, code="timestamp-roots-missing")
    return (settings.timestamps.roots,)


def _render(found: Times, console: Console) -> None:
    console.print(f"{found.stamps} time-stamps, {found.batches} batches of them")
    if found.first is not None and found.last is not None:
        console.print(f"  the first of {found.first.isoformat()}, the last of {found.last.isoformat()}")
    if found.until is not None:
        console.print(f"  to be renewed before {found.until:%Y-%m-%d}")
    for wrong in found.findings:
        console.print(f"[red]{wrong.code}[/]: {TIME_TEXTS[wrong.code]}\n  {wrong.file}: {shown(wrong.detail)}")
    if found.sound:
        console.print("[green]everything holds[/]: time-stamps, the log since each of them, evidence")
