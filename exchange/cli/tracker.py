"""`exchange tracker`: fold the journal into the state of every delivery."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.settings import tracker_settings
from exchange.wiring.tracker import run_tracker

app = typer.Typer(add_completion=False)


@app.command()
def tracker(
    *,
    config: Annotated[Path, typer.Option("--config", help="Its configuration: docs/operator.md.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run the tracker: one process per database follows the journal.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; nothing is lost by kill -9 either.
    """
    settings = tracker_settings(config, os.environ)
    serve(run_tracker(settings))
