"""`exchange router`: serve lanes of submissions until told to end."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.settings import router_settings
from exchange.wiring.router import run_router

app = typer.Typer(add_completion=False)


@app.command()
def router(
    *,
    config: Annotated[Path, typer.Option("--config", help="Its configuration: docs/operator.md.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run a router: verify, decide, write inboxes and journal. Several share the work.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C, the transaction under way first.
    """
    settings = router_settings(config, os.environ)
    serve(run_router(settings))
