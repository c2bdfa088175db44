"""Who is in the exchange, by whose word, and since when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.cli.directory.certificates import Certificate, described
from exchange.cli.directory.differences import Difference, differences, print_differences
from exchange.cli.directory.drafts import folder_of, listed_body
from exchange.cli.directory.panels import LOOK
from exchange.cli.exits import Exit
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config
from exchange.cli.words import local
from exchange.domain.directory import Body, BodyStatus, Change, Names
from exchange.domain.search import find_bodies
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.history import entry_steps

app = typer.Typer()

STYLES = {
    BodyStatus.CONNECTED: "green",
    BodyStatus.TESTING: "green",
    BodyStatus.SUSPENDED: "red",
    BodyStatus.LEFT: "dim",
}

Code = Annotated[str, typer.Argument(metavar="CODE", help="The body's code; `exchange directory search` finds it.")]


@dataclass(frozen=True, slots=True)
class Known:
    """A version of the directory and some of its bodies; `fresh_until`: after that a newer timestamp is overdue."""

    version: int
    digest: bytes
    issued: datetime
    fresh_until: datetime
    valid_until: datetime
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One body: its entry without the certificates' bytes, and these in words."""

    body: Body
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a body.

    Attributes:
        version: of the directory, the first that had it.
        status: of the body from then on.
        change: who changed it, when and why; None: listed when the exchange was founded.
        keepers: who signed it.
        differences: the fields that changed; all of them in the first entry.
    """

    version: int
    status: BodyStatus
    change: Change | None
    keepers: tuple[str, ...]
    differences: tuple[Difference, ...]


@app.command(name="list", rich_help_panel=LOOK)
def list_(
    *,
    status: Annotated[BodyStatus | None, typer.Option(help="Only bodies of this status.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only bodies of this kind.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the bodies of the newest version, and until when somebody vouches for it."""
    folder = folder_of(config)
    found = [
        body
        for body in folder.latest().bodies.values()
        if (status is None or body.status is status) and (kind is None or body.kind == kind)
    ]
    _tell(folder, found, json=json)


@app.command(rich_help_panel=LOOK)
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Of a name, in any language and order.")],
    *,
    config: Config = None,
    json: Json = False,
) -> None:
    """Find bodies by name in Kyrgyz, Russian or English, spelt as people spell; by code or identifier too.

    Exit code 1 when there is none.
    """
    folder = folder_of(config)
    found = find_bodies(folder.latest().bodies.values(), " ".join(words))
    _tell(folder, found, json=json)
    if not found:
        raise typer.Exit(Exit.FOUND)


@app.command(rich_help_panel=LOOK)
def show(code: Code, *, config: Config = None, json: Json = False) -> None:
    """Show all that the directory says of a body."""
    body = listed_body(folder_of(config).latest(), code)
    certificates = tuple(map(described, body.certificates))
    found = Shown(replace(body, certificates=()), certificates)
    Output(as_json=json).result(found, lambda console: _render_body(found, console))


@app.command(rich_help_panel=LOOK)
def history(code: Code, *, config: Config = None, json: Json = False) -> None:
    """What changed in a body's entry, by whom, when and why, and which keepers signed it; the youngest first."""
    folder = folder_of(config)
    listed_body(folder.latest(), code)
    entries = list(entry_steps(folder, code))
    before = [*(entry.body for entry in entries[1:]), None]
    steps = [
        Step(entry.version, entry.body.status, entry.body.change, entry.keepers, differences(earlier, entry.body))
        for entry, earlier in zip(entries, before, strict=True)
    ]
    Output(as_json=json).result(steps, lambda console: _render_history(steps, console))


def _tell(folder: DirectoryFolder, bodies: Iterable[Body], *, json: bool) -> None:
    directory, newest = folder.latest(), folder.newest()
    bare = tuple(replace(body, certificates=()) for body in bodies)
    moments = (directory.issued, newest.fresh_until, newest.valid_until)
    known = Known(directory.version, directory.digest, *moments, bare)
    Output(as_json=json).result(known, lambda console: _render(known, console))


def _render(known: Known, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("code", "status", "kind", "name"):
        table.add_column(heading, no_wrap=heading != "name")
    for body in known.bodies:
        table.add_row(body.code, _styled(body.status), shown(body.kind), shown(_name(body.names)))
    console.print(table)
    count = len(known.bodies)
    console.print(f"{count} {'body' if count == 1 else 'bodies'}; version {known.version} of {local(known.issued)}")
    if system.now() > known.fresh_until:
        console.print(f"[red]its timestamp is overdue; nothing is decided by it after {local(known.valid_until)}[/]")


def _render_body(found: Shown, console: Console) -> None:
    body = found.body
    rows = {
        "code": body.code,
        "кыргызча": body.names.ky,
        "по-русски": body.names.ru,
        "in English": body.names.en,
        "kind": body.kind,
        "SOATE": body.soate,
        "parent": body.parent,
        "gateway": body.gateway,
        "paper": "" if body.paper is None else str(body.paper),
        "identifiers": ", ".join(body.uids),
        "systems": ", ".join(body.systems),
        "formats": ", ".join(body.formats),
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("status", _styled(body.status))
    for name, value in rows.items():
        if value:
            table.add_row(name, shown(value))
    for contact in body.contacts:
        words = [contact.duty, contact.name, contact.email, contact.phone]
        table.add_row("contact", shown(", ".join(word for word in words if word)))
    for each in found.certificates:
        certificate, sha256 = each.lines()
        table.add_row("certificate", shown(certificate))
        table.add_row("", sha256)
    console.print(table)


def _render_history(steps: list[Step], console: Console) -> None:
    for step in steps:
        console.print(f"version {step.version}, {_told(step)}")
        print_differences(step.differences, console, first=step is steps[-1])


def _told(step: Step) -> str:
    change = step.change
    if change is None:
        return f"{_styled(step.status)}: listed when the exchange was founded"
    others = ", ".join(shown(name) for name in step.keepers if name != change.by) or "nobody"
    words = f"change {change.number} of {local(change.at)}, {_styled(step.status)} by {shown(change.by)}"
    return f"{words}, approved by {others}: {shown(change.reason)}"


def _styled(status: BodyStatus) -> str:
    return f"[{STYLES.get(status, 'default')}]{status.value}[/]"


def _name(names: Names) -> str:
    return names.ru or names.ky or names.en
