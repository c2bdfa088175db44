"""`exchange canary`: a letter each minute, so that somebody notices when letters stop."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.settings.agent import canary_settings
from exchange.wiring.canary import run_canary

app = typer.Typer(add_completion=False)


@app.command()
def canary(
    *,
    config: Annotated[Path, typer.Option("--config", help="As an agent's, with one body, no folder, and [canary].")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run the canary: a letter to the echo each minute, and in its metrics how long each step took.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; nothing is lost by kill -9 either.
    """
    serve(run_canary(canary_settings(config, os.environ)))
