"""`exchange directory plan` and `apply`: from the directory to topics, rights and quotas at the brokers."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import typer
from rich.console import Console
from rich.table import Table

from exchange.bus.difference import Difference
from exchange.cli.directory.panels import RUN
from exchange.cli.exits import Exit
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_operator
from exchange.cli.rule_checks import reported_finding
from exchange.services.reconcile.cluster import Cluster
from exchange.services.reconcile.plan import RIGHT, Configure, Create, Give, Limit, Plan, Revoke, Step
from exchange.wiring.directory import latest_directory
from exchange.wiring.reconcile import must_be

app = typer.Typer()

WORDS: dict[type[Step], str] = {
    Revoke: "take away",
    Create: "create",
    Configure: "set",
    Limit: "limit",
    Give: "grant",
}
"""What each step does, for people."""


@dataclass(frozen=True, slots=True)
class Told:
    """A plan as it is told; `version` of the directory that it is for."""

    version: int
    changes: tuple[Difference, ...]
    reported: tuple[Difference, ...]
    resting: dict[str, str]


@app.command(rich_help_panel=RUN)
def plan(*, config: Config = None, json: Json = False) -> None:
    """Show what `apply` would change in topics, rights and quotas; changes nothing.

    Exit code 1 when it would change something.
    """
    version, planned = _planned(config, json=json, applied=False)
    _tell(version, planned, json=json, applied=False)
    if planned.steps:
        raise typer.Exit(Exit.FOUND)


@app.command(rich_help_panel=RUN)
def apply(*, config: Config = None, json: Json = False) -> None:
    """Make topics, rights and quotas at the brokers what the newest version of the directory says.

    May be called at any time, and again after it was killed: it changes what differs and nothing else. No topic is
    ever deleted.
    """
    version, done = _planned(config, json=json, applied=True)
    _tell(version, done, json=json, applied=True)


def _planned(config: Config, *, json: bool, applied: bool) -> tuple[int, Plan]:
    settings = as_operator(config)
    directory = latest_directory(settings.directory)
    wanted = must_be(settings, directory)
    cluster = Cluster(settings.kafka)
    with Output(as_json=json).doing("looking at the brokers") as tell:
        if not applied:
            return directory.version, asyncio.run(cluster.planned(wanted))
        return directory.version, asyncio.run(cluster.apply(wanted, lambda step: tell(_doing(step))))


def _doing(step: Step) -> str:
    return f"{WORDS[type(step)]}: {len(step.differences)}"


def _tell(version: int, planned: Plan, *, json: bool, applied: bool) -> None:
    resting = {topic: status.value for topic, status in planned.resting.items()}
    told = Told(version, planned.changes, planned.reported, resting)
    Output(as_json=json).result(
        told, lambda console: _render(told, planned.steps, console, applied=applied), ok=applied or not told.changes
    )


def _render(told: Told, steps: Sequence[Step], console: Console, *, applied: bool) -> None:
    if told.changes:
        table = Table(box=None, pad_edge=False)
        for heading in ("done" if applied else "to do", "what", "details"):
            table.add_column(heading)
        for what, subject, details in _rows(steps):
            table.add_row(what, shown(subject), "\n".join(map(shown, details)))
        console.print(table)
    for finding in map(reported_finding, told.reported):
        console.print(f"[yellow]for a person[/]: {shown(finding.subject)}: {shown(finding.problem)}")
        console.print(f"  next: {shown(finding.next_step)}")
    if told.resting:
        console.print(f"inboxes that keep their letters although their body is not in use: {len(told.resting)}")
    count = len(told.changes)
    verb = "changed" if applied else "to change"
    console.print(f"version {told.version} of the directory: {count or 'nothing'} {verb}")


def _rows(steps: Sequence[Step]) -> Iterator[tuple[str, str, list[str]]]:
    """A row for each principal or topic of a step."""
    for step in steps:
        for subject, group in groupby(step.differences, key=lambda each: each.subject):
            yield WORDS[type(step)], subject, [_words(each) for each in group]


def _words(change: Difference) -> str:
    """What changes, without the name that the row has already."""
    before, after = (text.removeprefix(f"{change.subject} ") for text in (change.found, change.expected))
    if change.setting == RIGHT:
        return after or before
    return f"{change.setting}: {before or 'none'} → {after or 'none'}"
