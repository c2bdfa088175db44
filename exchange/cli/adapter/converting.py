"""`exchange adapter convert`: a letter in another format, and what is lost."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters.plugins import writing_format
from adapters.review import Loss, convert
from exchange import system
from exchange.agent.ports import DraftReceipt, Package
from exchange.cli.adapter.opening import nobody, package_at
from exchange.cli.output import Json, Output, shown
from exchange.domain.errors import ConfigurationError, DocumentError

app = typer.Typer(add_completion=False)


@app.command("convert")
def convert_letter(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A document, or a folder with one and its files.")],
    *,
    source: Annotated[str, typer.Option("--from", metavar="FORMAT", help="What it is written in.")],
    target: Annotated[str, typer.Option("--to", metavar="FORMAT", help="What to write.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write it into; made when missing.")] = Path("converted"),
    json: Json = False,
) -> None:
    """Write a letter of one format in another, and list what that has no place for.

    Formats: `exchange adapter profiles`.
    """
    theirs, ours, now = writing_format(source), writing_format(target), system.now()
    package = package_at(file, theirs, nobody(now))
    draft = theirs.parse(package, nobody(now))
    if isinstance(draft, DraftReceipt):
        message = "is a receipt: only letters are converted, receipts are told in the words of each format"
        raise DocumentError(message, code="document-unexpected", place=package.name)
    written, lost = convert(draft, ours, nobody(now), now, package.name)
    store(written, out)
    told = {"written": [out / name for name in written.files], "lost": lost}
    Output(as_json=json).result(told, lambda console: _render(written, out, lost, console))


def store(package: Package, folder: Path) -> None:
    """Write the files of a package into a folder, which is made when missing.

    Raises:
        ConfigurationError: `output-failed`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in package.files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        message = f"{folder} cannot be written ({error.strerror}): name another with --out"
        raise ConfigurationError(message, code="output-failed") from error


def _render(written: Package, folder: Path, lost: tuple[Loss, ...], console: Console) -> None:
    for name in written.files:
        console.print(f"[green]✓[/] {folder / name}", soft_wrap=True)
    for loss in lost:
        console.print(f"[yellow]{loss.how}:[/] {shown(loss.field)}")
    if not lost:
        console.print("Nothing is lost.")
