"""What a look comes to: findings, each with what is wrong, where, and what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console

from exchange.cli.output import shown
from exchange.domain.errors import ExchangeError


class Severity(StrEnum):
    """An error keeps something from working now, a warning will or may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be; `code` is stable."""

    severity: Severity
    code: str
    subject: str
    problem: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Check:
    """One look; `skipped` says why it could not be taken."""

    name: str
    findings: tuple[Finding, ...] = ()
    skipped: str = ""


def finding_of(error: ExchangeError, subject: str) -> Finding:
    """An error's own message already names the next step."""
    return Finding(Severity.ERROR, error.code, subject, str(error), "do what the message says, then look again")


def render(checks: Iterable[Check], console: Console) -> None:
    """Print looks for people."""
    for check in checks:
        if check.skipped:
            console.print(f"[dim]- {check.name}: not looked at, {shown(check.skipped)}[/]")
        elif not check.findings:
            console.print(f"[green]✓[/] {check.name}")
        else:
            console.print(f"[red]✗[/] {check.name}")
        for finding in check.findings:
            colour = "red" if finding.severity is Severity.ERROR else "yellow"
            console.print(f"    [{colour}]{finding.severity}\\[{finding.code}][/] {shown(finding.subject)}: ", end="")
            console.print(f"{shown(finding.problem)}\n      next: {shown(finding.next_step)}")
