"""`exchange dev`: an installation on this machine that stays until it is told to go."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.output import Json, Output
from exchange.cli.places import dev_folder
from exchange.domain.errors import ConfigurationError
from exchange.embedded.bring_up import BroughtUp, Tell, observed
from exchange.embedded.demo_bodies import ECHO, demo_bodies
from exchange.embedded.installed import Installation
from exchange.embedded.kafka import running_brokers
from exchange.embedded.roles import running, waiting_for
from exchange.embedded.running import take_down
from exchange.settings import operator_settings
from exchange.system import now

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="An installation on this machine that stays: up, status, down."
)


@dataclass(frozen=True, slots=True)
class Process:
    """One process as `status` shows it; `waiting_for` is empty when it does its work."""

    name: str
    running: bool
    waiting_for: str


@dataclass(frozen=True, slots=True)
class Status:
    """An installation as it is now."""

    folder: Path
    bootstrap: str
    bodies: tuple[str, ...]
    processes: tuple[Process, ...]

    @property
    def ready(self) -> bool:
        """Whether every process does its work."""
        return all(process.running and not process.waiting_for for process in self.processes)


@app.command()
def up(*, json: Json = False) -> None:
    """Bring up Kafka, router, tracker, agents for nine bodies and the echo; what runs is left alone."""
    output = Output(as_json=json)
    folder = dev_folder(os.environ)
    with output.doing("bringing the installation up") as tell:
        asyncio.run(_up(folder, tell))
    _report(output, folder)


@app.command()
def status(*, json: Json = False) -> None:
    """Show what runs. Exit code 1 when something does not do its work."""
    _report(Output(as_json=json), dev_folder(os.environ))


@app.command()
def down(
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Also remove all its files: letters, keys, state.")] = False,
    json: Json = False,
) -> None:
    """End everything that `up` started; its data stays for the next time."""
    output = Output(as_json=json)
    installation = Installation.at(dev_folder(os.environ))
    with output.doing("ending the installation's processes"):
        ended = take_down(installation)
    if remove:
        shutil.rmtree(installation.folder, ignore_errors=True)
    kept = "removed" if remove else "kept"
    output.result(
        {"ended": ended, "folder": installation.folder, "data": kept},
        lambda console: console.print(f"{ended} processes ended; {installation.folder} {kept}"),
    )


async def _up(folder: Path, tell: Tell) -> None:
    async with BroughtUp(folder, (*demo_bodies(), ECHO), os.environ, now(), detached=True, tell=tell):
        pass


def _report(output: Output, folder: Path) -> None:
    installation = Installation.at(folder)
    if not installation.agents:
        message = f"{folder} holds no installation: start one with `exchange dev up`"
        raise ConfigurationError(message, code="installation-missing")
    found = _status(installation, os.environ)
    output.verdict(found, lambda console: _render(found, console), ok=found.ready)


def _status(installation: Installation, environ: Mapping[str, str]) -> Status:
    brokers = running_brokers(installation.kafka)
    kafka = Process("kafka", running=bool(brokers), waiting_for="")
    places = observed(installation, environ)
    up = {role: running(installation, role) for role in installation.roles}
    roles = (Process(role, runs, waiting_for(places[role]) if runs else "") for role, runs in up.items())
    bootstrap = operator_settings(installation.config("operator"), environ).kafka.bootstrap
    return Status(installation.folder, bootstrap, tuple(installation.served()), (kafka, *roles))


def _render(found: Status, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("process", "state"):
        table.add_column(heading)
    for process in found.processes:
        state = "[green]works[/]" if not process.waiting_for else f"[yellow]waits for {process.waiting_for}[/]"
        table.add_row(process.name, state if process.running else "[red]does not run[/]: exchange dev up")
    console.print(table)
    console.print(f"\nKafka at {found.bootstrap}, files in {found.folder}")
    console.print("Next: exchange send --as mfa --to minjust --title 'A first letter' FILE, then exchange letters")
