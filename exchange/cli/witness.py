"""`exchange witness`: cosign logs that only grow."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.settings.witness import witness_settings
from exchange.wiring.witness import run_witness

app = typer.Typer(add_completion=False)


@app.command()
def witness(
    *,
    config: Annotated[Path, typer.Option("--config", help="Its configuration: docs/witness.md.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run a witness: it remembers how far it saw each log, and cosigns what only grew from there.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; what it cosigned is on the disk before.
    """
    serve(run_witness(witness_settings(config, os.environ)))
