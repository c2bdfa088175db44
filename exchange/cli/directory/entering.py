"""The options that all commands share by which a keeper enters a change."""

from collections.abc import Callable
from functools import update_wrapper
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.directory.drafts import Desk
from exchange.cli.directory.panels import CHANGE
from exchange.cli.directory.standing import Done, render
from exchange.cli.output import Json, Output
from exchange.cli.places import Config

Reason = Annotated[str, typer.Option(help="Why, in words; stands in the directory for ever.")]
Keys = Annotated[
    list[Path], typer.Option("--key", help="Your keeper's key; several where one machine has them, for trying out.")
]
Clock = Annotated[Path | None, typer.Option("--clock", help="The clock's key, to put the version in force at once.")]
DraftOut = Annotated[
    Path, typer.Option("--draft", help="Where the draft goes, which another keeper approves.", metavar="FILE")
]
DRAFT = Path("draft.json")


def entering(app: typer.Typer) -> Callable[[Callable[..., Done]], None]:
    """Make a command of what a keeper enters: it gets the desk first, and has further options of its own."""
    return lambda work: _add(app, work)


def _add(app: typer.Typer, work: Callable[..., Done]) -> None:
    def command(
        *,
        key: Keys,
        clock: Clock = None,
        draft: DraftOut = DRAFT,
        config: Config = None,
        json: Json = False,
        **own: object,
    ) -> None:
        output = Output(as_json=json)
        done = work(Desk(config, key, clock, draft, output), **own)
        output.result(done, lambda console: render(done, console))

    options = [each for each in signature(command).parameters.values() if each.kind is Parameter.KEYWORD_ONLY]
    update_wrapper(command, work)
    vars(command)["__signature__"] = Signature([*list(signature(work).parameters.values())[1:], *options])
    app.command(name=work.__name__.rstrip("_"), rich_help_panel=CHANGE)(command)
