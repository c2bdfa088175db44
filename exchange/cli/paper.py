"""`exchange paper`: the clerk's desk of the paper bridge, which carries bodies that are not connected yet."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapters.paper.desk import Delivery, Desk, Said
from adapters.paper.format import NAME
from exchange import system
from exchange.cli.output import Json, Output, shown
from exchange.cli.words import local
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.event import Event
from exchange.domain.paper import day_of
from exchange.domain.rollout import RAION_DIGITS
from exchange.security.directory.folder import DirectoryFolder
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.settings.territory import territory

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Letters on paper: what was printed, and the receipts for it."
)

Bridge = Annotated[Path, typer.Option("--config", help="The configuration of the bridge's agent.")]
Day = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Only letters printed on that day.")]


@dataclass(frozen=True, slots=True)
class Listed:
    """A printed letter as the delivery lists have it.

    Attributes:
        raion: the first digits of its recipients' codes; empty for central bodies.
        closed: whether the clerk has told the sender of its end.
    """

    raion: str
    raion_name: str
    recipient: str
    recipient_name: str
    sender: str
    number: str
    letter: str
    handed: datetime
    closed: bool
    folder: Path


COLUMNS = ("recipient", "recipient_name", "sender", "number", "letter", "handed", "closed")
"""Of a list in CSV; a last one is left for the signature of who takes the letter."""


@app.command(name="list")
def list_(
    *,
    config: Bridge,
    day: Day = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only letters without a receipt.")] = False,
    lists: Annotated[
        Path | None, typer.Option("--csv", metavar="FOLDER", help="Write a delivery list for each raion into it.")
    ] = None,
    json: Json = False,
) -> None:
    """List printed letters by raion."""
    settings = agent_settings(config, os.environ)
    directory = DirectoryFolder.at(settings.directory.folder, settings.directory.root).latest()
    found = [
        listed
        for listed in _listed(_desk(settings).deliveries(), directory)
        if (day is None or day_of(listed.handed) == day.date()) and not (waiting and listed.closed)
    ]
    output = Output(as_json=json)
    if lists is not None:
        for file in write_lists(found, lists):
            output.note(f"written: {file}")
    output.result(found, lambda console: _render(found, console))


@app.command()
def received(
    code: Annotated[str, typer.Argument(metavar="CODE", help="What the letter's QR code says.")],
    *,
    config: Bridge,
    number: Annotated[str, typer.Option(help="The registration number that the recipient gave it.")] = "",
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Of the registration. Default: today.")
    ] = None,
    refused: Annotated[str, typer.Option(metavar="REASON", help="The recipient did not take it: why.")] = "",
    clerk: Annotated[str, typer.Option(help="Who says so.")] = "",
    json: Json = False,
) -> None:
    """Close the delivery of a printed letter: registered by its recipient, or refused. The sender is told."""
    if bool(number) == bool(refused):
        message = "give either the registration --number or why it was --refused"
        raise ConfigurationError(message, code="paper-word-missing")
    now = system.now()
    desk = _desk(agent_settings(config, os.environ))
    delivery = desk.find(code)
    if refused:
        said = Said(Event.REFUSED, now, clerk, reason=refused)
    else:
        registered: date = day_of(now) if day is None else day.date()
        said = Said(Event.REGISTERED, now, clerk, number, registered)
    desk.close(delivery, said)
    slip = delivery.slip
    words = (
        f"{said.event.value}: letter {slip.letter[:8]} of {slip.sender} to {slip.recipient}; the agent tells the sender"
    )
    Output(as_json=json).result({"letter": slip.letter, **_told(said)}, lambda console: console.print(shown(words)))


def write_lists(found: Iterable[Listed], folder: Path) -> list[Path]:
    """Write one CSV for each raion and day, and return the files.

    Raises:
        OSError: the folder cannot be written.
    """
    lists: dict[Path, list[Listed]] = {}
    for listed in found:
        name = f"{day_of(listed.handed)}-{listed.raion or 'central'}.csv"
        lists.setdefault(folder / name, []).append(listed)
    folder.mkdir(parents=True, exist_ok=True)
    for file, rows in lists.items():
        with file.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([*COLUMNS, "signature"])
            writer.writerows([*(_cell(getattr(row, column)) for column in COLUMNS), ""] for row in rows)
    return sorted(lists)


def _desk(settings: AgentSettings) -> Desk:
    """The desk of the bodies that the agent carries on paper."""
    carried = [body for body in settings.bodies if body.edms is not None and body.edms.format.name == NAME]
    folders = {body.code: body.folder for body in carried if body.folder is not None}
    if not folders:
        message = f"the agent carries no body on paper: give a [[body]] a profile of the format '{NAME}' with a folder"
        raise ConfigurationError(message, code="paper-bridge-missing")
    return Desk(folders)


def _listed(deliveries: Iterable[Delivery], directory: Directory) -> list[Listed]:
    """By raion, in these by recipient."""
    names = territory().names
    listed = []
    for delivery in deliveries:
        slip = delivery.slip
        body = directory.bodies.get(slip.recipient)
        raion = "" if body is None else body.soate[:RAION_DIGITS]
        listed.append(
            Listed(
                raion,
                names.get(f"{raion}000000", raion),
                slip.recipient,
                "" if body is None else body.names.ru,
                slip.sender,
                slip.number,
                slip.letter,
                delivery.handed,
                delivery.closed,
                delivery.folder,
            )
        )
    return sorted(listed, key=lambda each: (each.raion, each.recipient, each.handed))


def _cell(value: object) -> str:
    """A value for a spreadsheet, which would take a stranger's text that begins like a formula for one."""
    match value:
        case bool():
            return "yes" if value else ""
        case datetime():
            return local(value)
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _told(said: Said) -> dict[str, object]:
    return {"event": said.event.value, "number": said.number, "date": said.day, "reason": said.reason}


def _render(found: list[Listed], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("raion", "to", "from", "number", "letter", "printed", "receipt"):
        table.add_column(heading, no_wrap=heading != "number")
    for each in found:
        number, receipt = shown(each.number), "yes" if each.closed else "waits"
        raion = shown(each.raion_name or "central bodies")
        table.add_row(raion, each.recipient, shown(each.sender), number, each.letter[:8], local(each.handed), receipt)
    console.print(table)
    closed = sum(each.closed for each in found)
    console.print(f"{len(found)} printed, {closed} with a receipt")
