"""`exchange echo`: answer every letter, so that bodies can try whether theirs arrive."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.settings.agent import agent_settings
from exchange.wiring.echo import run_echo

app = typer.Typer(add_completion=False)


@app.command()
def echo(
    *,
    config: Annotated[Path, typer.Option("--config", help="As an agent's, with one body and no folder.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run the echo: a body that registers each letter and sends one reply, for `exchange body selftest`.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; nothing is lost by kill -9 either.
    """
    serve(run_echo(agent_settings(config, os.environ)))
