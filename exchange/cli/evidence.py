"""`exchange evidence`: what proves a letter's course, as one package that anybody checks offline."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange.cli.audit_acts import NotJournalled, Reason, about_to, journalled
from exchange.cli.audit_log import log_of
from exchange.cli.letter_ids import letter_digest
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_auditor
from exchange.console.api.audits_model import AuditKind
from exchange.console.evidence.packing import Packing
from exchange.console.evidence.stamping import stamp_by
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.files import write_atomically
from exchange.services.evidence.commands import commands
from exchange.services.evidence.package import Case

app = typer.Typer(add_completion=False)


@app.command()
def evidence(  # noqa: PLR0913 - an option for each thing that is left out or put in
    letter: Annotated[str, typer.Argument(help="The letter's id; its beginning is enough where a tracker knows it.")],
    *,
    package: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The package, as in case.asice.")],
    withhold: Annotated[
        list[str] | None,
        typer.Option(help="Leave out `card`, `all`, or a file by its place (1, 2, …) or name; repeatable."),
    ] = None,
    body: Annotated[
        str, typer.Option(metavar="CODE", help="For a recipient: the letter, and what is about its delivery alone.")
    ] = "",
    acts: Annotated[
        bool, typer.Option("--acts", help="Put in who read or handled the letter at the console, with their sign-ins.")
    ] = False,
    unstamped: Annotated[
        bool, typer.Option("--unstamped", help="Do not ask the time-stamping authority of the configuration.")
    ] = False,
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Package all that was said about a letter, with what proves it and a report; print how to check it.

    Taken from the archive, which is only read. What is withheld leaves everything else proven. An archive that is
    read at its address gives no contents: then all are withheld.
    """
    output = Output(as_json=json)
    settings = as_auditor(config)
    log = log_of(settings)
    packing = Packing(
        log.place,
        log.policy,
        lambda: DirectoryFolder.at(settings.directory.folder, settings.directory.root),
        None if settings.timestamps is None or unstamped else stamp_by(settings.timestamps),
    )
    digest = letter_digest(letter, settings.store)
    said = about_to(AuditKind.EVIDENCE, _scope(withhold or (), body, acts=acts), reason, digest)
    with journalled(settings, said, output, skip=unkept) as outcome:
        with output.doing("reading the archive"):
            case = packing.case(digest, withhold or (), body, acts=acts)
        with output.doing("writing the package"):
            made = packing.package(case)
            write_atomically(package, made)
        outcome.made(f"level {case.level}, SHA-256 {hashlib.sha256(made).hexdigest()}")
    found = commands(case, package.name)
    result = {
        "letter": digest,
        "package": package,
        "level": case.level,
        "events": len(case.gathered.said),
        "withheld": [item.name for item in case.items if item.missing is not None],
        "commands": [*found.unpack, *found.signatures, *found.time_stamps, found.whole],
        "java": found.java,
    }
    output.result(result, lambda console: _render(case, package, found.whole, console))


def _scope(withheld: Sequence[str], body: str, *, acts: bool) -> str:
    """What is packed, for the journal."""
    words = ["a package", f"for {body}" if body else "", "with acts" if acts else ""]
    without = f"without {', '.join(withheld)}" if withheld else ""
    return " ".join(filter(None, [*words, without]))


def _render(case: Case, package: Path, whole: str, console: Console) -> None:
    console.print(f"letter {case.gathered.letter.hex()}: {len(case.gathered.said)} statements, level {case.level}")
    for event in case.index["events"]:
        console.print(f"  {event['decided'][:19]}Z  {event['body']}  {shown(event['event'])}  {shown(event['reason'])}")
    for item in case.items:
        if item.missing is not None:
            console.print(f"  item {item.place} of {case.stem(item.said)} is not in it: {item.missing}")
    console.print(f"written to {package}; its report.*.html say how it is checked with openssl. All of it:\n  {whole}")
