"""A draft in the hands of the keeper who is to approve it: looking at it, and signing."""

from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.directory.drafts import Desk, folder_of, read_draft
from exchange.cli.directory.entering import Clock, Keys
from exchange.cli.directory.panels import CHANGE
from exchange.cli.directory.standing import done_of, render, render_change, render_standing
from exchange.cli.output import Json, Output
from exchange.cli.own_keys import at_terminal
from exchange.cli.places import Config
from exchange.domain.errors import ConfigurationError
from exchange.security.directory.publisher import DirectoryPublisher

app = typer.Typer()

DraftFile = Annotated[Path, typer.Argument(metavar="DRAFT", help="A draft that a keeper entered.")]


@app.command(name="draft", rich_help_panel=CHANGE)
def show_draft(file: DraftFile, *, config: Config = None, json: Json = False) -> None:
    """Show what a draft would change, and who has signed it. Exit code 1 while too few have."""
    state = DirectoryPublisher(folder_of(config)).look(read_draft(file))
    done = done_of(state, draft=str(file))
    Output(as_json=json).verdict(done, lambda console: render(done, console), ok=state.complete)


@app.command(rich_help_panel=CHANGE)
def approve(
    file: DraftFile,
    *,
    key: Keys,
    digest: Annotated[str, typer.Option(help="Sign only the draft whose SHA-256 begins so; nothing is asked.")] = "",
    clock: Clock = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Approve what another keeper entered: it is shown, and signed when you say yes.

    Without a terminal nobody can be asked: then it is signed as it is, or, with --digest, as it was agreed.
    """
    output = Output(as_json=json)
    desk, draft = Desk(config, key, clock, file, output), read_draft(file)
    found = desk.look(draft)
    if not found.digest.hex().startswith(digest.lower()):
        message = f"{file} is the draft {found.digest.hex()}, not {digest[:64]}: ask who entered it for the right one"
        raise ConfigurationError(message, code="draft-differs")
    if not json:
        render_change(found, output.console)
        if not digest and at_terminal():
            typer.confirm("Sign this?", abort=True)
    done = desk.approve(draft, key)
    output.result(done, lambda console: render_standing(done, console))
