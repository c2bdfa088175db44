"""`exchange adapter check`: what a format makes of real files, offline."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.table import Column, Table

from adapters.ports import WritingFormat
from adapters.review import Review, review
from exchange import system
from exchange.agent.ports import DraftLetter, Format, Package
from exchange.cli.adapter.opening import ENCODINGS, Opened, opened, package_at
from exchange.cli.output import Json, Output, shown
from exchange.cli.signatures import signature_line
from exchange.security.documents import SignatureReport, signature_reports

app = typer.Typer(add_completion=False)

Config = Annotated[Path, typer.Option("--config", help="A profile, or an agent's configuration.")]
BodyCode = Annotated[str, typer.Option("--body", metavar="CODE", help="Which of an agent's bodies; the first.")]

SOURCE_LINES = 120
SOURCES = (".xml", ".json", ".ini", ".ltr")


@dataclass(frozen=True, slots=True)
class Checked(Review):
    """A review with what becomes of the document's own signatures."""

    signatures: tuple[SignatureReport, ...] = ()


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Documents, or folders with one each.")],
    *,
    config: Config,
    body: BodyCode = "",
    source: Annotated[bool, typer.Option(help="Show the documents beside what was understood.")] = True,
    json: Json = False,
) -> None:
    """Parse real files and show what was understood beside the source, what is lost, and what rule is broken.

    Nothing is sent or moved. Exit code 1 when a file is refused.
    """
    ground = opened(config, body, os.environ, system.now())
    fmt, writer = ground.profile.open_format(), ground.profile.open_unmapped()
    packages = [package_at(file, fmt, ground.directory) for file in files]
    looked = [(package, _checked(package, fmt, writer, ground)) for package in packages]
    whole = not any(found.faults for _, found in looked)

    def render(console: Console) -> None:
        for package, found in looked:
            _render(package, found, console, source=source)
        _render_hints(ground, console, writes=isinstance(writer, WritingFormat))

    Output(as_json=json).verdict([found for _, found in looked], render, ok=whole)


def _checked(package: Package, fmt: Format, writer: Format, ground: Opened) -> Checked:
    now = system.now()
    found = review(fmt, writer, package, ground.directory, now)
    draft = None if found.faults else fmt.parse(package, ground.directory)
    signed = isinstance(draft, DraftLetter) and signature_reports(draft.card, draft.files, ground.anchors, now)
    return Checked(**{each.name: getattr(found, each.name) for each in fields(found)}, signatures=signed or ())


def _render(package: Package, found: Checked, console: Console, *, source: bool) -> None:
    mark, word = ("[red]✗[/]", "refused") if found.faults else ("[green]✓[/]", "understood")
    console.print(f"{mark} {shown(found.package)}: {word}")
    for fault in found.faults:
        console.print(f"  [red]{shown(fault)}[/]")
    if found.code:
        console.print(f"  Next: docs/errors.md, {found.code}")
    texts = _sources(package) if source else []
    understood = Table(
        Column("field", overflow="fold"), Column("understood", overflow="fold"), box=None, pad_edge=False
    )
    for field, text in found.understood.items():
        if text:
            understood.add_row(shown(field), shown(text))
    if texts:
        beside = Table("source", "letter", box=None, pad_edge=False, expand=True)
        beside.columns[0].ratio, beside.columns[1].ratio = 3, 2
        beside.add_row(Group(*map(_numbered, texts)), understood)
        console.print(beside)
    elif found.understood:
        console.print(understood)
    for extra in found.carried:
        console.print(f"  carried as it is, not understood: {shown(extra.path)}")
    for report in found.signatures:
        console.print(f"  {signature_line(report)}")
    for loss in found.lost:
        console.print(f"  [yellow]{loss.how} when it is written again:[/] {shown(loss.place)}, {shown(loss.field)}")


def _sources(package: Package) -> list[str]:
    """The documents of a package as text."""
    return [_text(data) for name, data in package.files.items() if name.lower().endswith(SOURCES)]


def _text(data: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def _numbered(text: str) -> Table:
    """A document with its line numbers, its beginning where it is long."""
    lines = Table(box=None, pad_edge=False, show_header=False)
    lines.add_column(justify="right", style="dim")
    lines.add_column(overflow="fold")
    for number, line in enumerate(text.splitlines()[:SOURCE_LINES], 1):
        lines.add_row(str(number), shown(line))
    return lines


def _render_hints(ground: Opened, console: Console, *, writes: bool) -> None:
    if not ground.known:
        console.print("Addressees were not looked up: name an agent's configuration that has a copy of the directory.")
    if not writes:
        console.print(f"{ground.profile.format.name} is only written for people: nothing is said of losses.")
