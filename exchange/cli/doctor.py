"""`exchange doctor`: is everything as it must be?"""

import asyncio
import os
from pathlib import Path

import typer

from exchange.cli.checks import examine
from exchange.cli.findings import render
from exchange.cli.output import Json, Output
from exchange.cli.places import Config, config_file
from exchange.embedded.bring_up import observed
from exchange.embedded.installed import Installation
from exchange.embedded.roles import waiting_for
from exchange.settings import operator_settings
from exchange.system import now

app = typer.Typer(add_completion=False)


@app.command()
def doctor(*, config: Config = None, json: Json = False) -> None:
    """Check keys, certificates, directory, Kafka, TLS, clock, topics, copies, log, rights, quotas, disk, processes.

    Nothing is changed. Exit code 1 when there is a finding; each comes with its next step.
    """
    output = Output(as_json=json)
    file = config_file(config, "operator", os.environ)
    settings = operator_settings(file, os.environ)
    with output.doing("looking") as tell:
        checks = asyncio.run(examine(settings, _processes(file.absolute().parent), now, tell))
    healthy = not any(check.findings for check in checks)
    output.verdict(checks, lambda console: render(checks, console), ok=healthy)


def _processes(folder: Path) -> dict[str, str]:
    """What the processes of an installation wait for, when the configuration belongs to one."""
    installation = Installation.at(folder)
    if not installation.agents:
        return {}
    return {role: waiting_for(observe) for role, observe in observed(installation, os.environ).items()}
