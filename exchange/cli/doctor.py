"""`exchange doctor`: is everything as it must be?"""

import asyncio
import os
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from exchange.cli.checks import examine
from exchange.cli.exits import Exit
from exchange.cli.findings import Check, Severity
from exchange.cli.output import Json, Output
from exchange.cli.places import Config, config_file
from exchange.embedded.bring_up import observed
from exchange.embedded.installation import Installation
from exchange.embedded.roles import waiting_for
from exchange.settings import operator_settings
from exchange.system import now

app = typer.Typer()


@app.command()
def doctor(*, config: Config = None, json: Json = False) -> None:
    """Check keys, certificates, directory, Kafka, TLS, clock, topics, copies, rights, quotas, disk, processes.

    Nothing is changed. Exit code 1 when there is a finding; each comes with its next step.
    """
    output = Output(as_json=json)
    file = config_file(config, "operator", os.environ)
    settings = operator_settings(file, os.environ)
    with output.doing("looking") as tell:
        checks = asyncio.run(examine(settings, _processes(file.absolute().parent), now, tell))
    healthy = not any(check.findings for check in checks)
    output.result(checks, lambda console: _render(checks, console), ok=healthy)
    if not healthy:
        raise typer.Exit(Exit.FOUND)


def _processes(folder: Path) -> dict[str, str]:
    """What the processes of an installation wait for, when the configuration belongs to one."""
    installation = Installation.at(folder)
    if not installation.bodies:
        return {}
    return {role: waiting_for(observe) for role, observe in observed(installation, os.environ).items()}


def _render(checks: list[Check], console: Console) -> None:
    for check in checks:
        if check.skipped:
            console.print(f"[dim]- {check.name}: not looked at, {escape(check.skipped)}[/]")
        elif not check.findings:
            console.print(f"[green]✓[/] {check.name}")
        else:
            console.print(f"[red]✗[/] {check.name}")
        for finding in check.findings:
            colour = "red" if finding.severity is Severity.ERROR else "yellow"
            console.print(f"    [{colour}]{finding.severity}\\[{finding.code}][/] {escape(finding.subject)}: ", end="")
            console.print(f"{escape(finding.problem)}\n      next: {escape(finding.next_step)}")
