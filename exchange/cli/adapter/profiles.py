"""`exchange adapter profiles` and `profile`: the ready ones to begin with, and what one says."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapters.plugins import connectors, formats
from adapters.profile import Profile
from exchange import system
from exchange.agent.ports import ArrivedReceipt, Format
from exchange.cli.adapter.opening import nobody, opened
from exchange.cli.output import Json, Output, shown
from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.delivery import NEGATIVE
from exchange.domain.event import Event
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.reason import Reason
from exchange.resources import resource

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """A profile that comes with the exchange; `about` is its first comment."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a profile says.

    Attributes:
        told: events that the document system is told of, each with the documents that tell it.
        silent: events for which its format has no word, and those that the profile keeps back.
    """

    file: Path
    format: str
    connector: str
    told: dict[str, str]
    silent: tuple[str, ...]


@app.command("profiles")
def list_profiles(*, json: Json = False) -> None:
    """List the ready profiles, and the formats and connectors that a profile may name."""
    ready = [Ready(file.stem, _about(file)) for file in sorted(resource("config", "agents").glob("*.toml"))]
    found = {"profiles": ready, "formats": sorted(formats()), "connectors": sorted(connectors())}
    Output(as_json=json).result(found, lambda console: _render(ready, console))


@app.command("profile")
def show_profile(
    name: Annotated[str, typer.Argument(help="A ready profile to print, or a file to look at.")], *, json: Json = False
) -> None:
    """Print a ready profile, to begin with; or say what a profile of yours does with each event."""
    ready = resource("config", "agents") / f"{Path(name).name}.toml"
    if not Path(name).exists() and ready.exists() and Path(name).name == name:
        typer.echo(ready.read_text(encoding="utf-8"), nl=False)
        return
    said = said_by(opened(Path(name), "", os.environ, system.now()).profile)
    Output(as_json=json).result(said, lambda console: _render_said(said, console))


def said_by(profile: Profile) -> Said:
    """What a profile says; each event is tried on its format."""
    fmt = profile.open_format()
    written = {event: _tried(fmt, event) for event in Event}
    told = {event.value: files for event, files in written.items() if files}
    silent = tuple(event.value for event, files in written.items() if not files)
    return Said(profile.file, profile.format.name, profile.connector.name, told, silent)


def _tried(fmt: Format, event: Event) -> str:
    now = system.now()
    reason = Reason.REFUSED_BY_RECIPIENT.value if event in NEGATIVE else ""
    card = ReceiptCard(reg_number="1", reg_date=now.date(), reason_text="…", source_format="")
    receipt = ArrivedReceipt(
        ZERO_DIGEST, ZERO_DIGEST, "m-1", LetterCard(document_id="d-1"), "recipient", event, now, reason, "", card
    )
    package = fmt.render_receipt(receipt, "sender", nobody(now))
    return "" if package is None else ", ".join(package.files)


def _about(file: Path) -> str:
    comments = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    return comments[0].removeprefix("# ") if comments else ""


def _render(ready: list[Ready], console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in ready:
        table.add_row(each.name, shown(each.about))
    console.print(table)
    console.print(f"\nFormats: {', '.join(sorted(formats()))}\nConnectors: {', '.join(sorted(connectors()))}")
    console.print("Next: exchange adapter profile NAME > edms.toml")


def _render_said(said: Said, console: Console) -> None:
    console.print(f"{said.file}: {said.format} by {said.connector}")
    table = Table("event", "told by", box=None, pad_edge=False)
    for event, files in said.told.items():
        table.add_row(event, shown(files))
    console.print(table)
    console.print(f"not told: {', '.join(said.silent) or 'nothing'}")
    console.print(f"Next: exchange adapter check --config {said.file} FILE")
