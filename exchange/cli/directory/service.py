"""`exchange directory serve`: keep the directory in force and on Kafka until told to end."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.directory.panels import RUN
from exchange.cli.output import Json
from exchange.cli.serving import serve as serve_process
from exchange.settings import directory_settings
from exchange.wiring.directory_service import run_directory

app = typer.Typer()


@app.command(rich_help_panel=RUN)
def serve(
    *,
    config: Annotated[Path, typer.Option("--config", help="Its configuration: docs/directory.md.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run the directory's service: put in force what keepers completed, and hand it to everybody by Kafka.

    It has the clock's key. It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C.
    """
    serve_process(run_directory(directory_settings(config, os.environ)))
