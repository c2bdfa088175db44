"""`exchange agent`: carry letters between document systems and the exchange."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.settings.agent import agent_settings
from exchange.wiring.agent import run_agent

app = typer.Typer(add_completion=False)


@app.command()
def agent(
    *,
    config: Annotated[Path, typer.Option("--config", help="Its configuration: docs/agency-it.md.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run an agent: it signs, sends, receives and hands over for one body or many.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; nothing is lost by kill -9 either.
    """
    settings = agent_settings(config, os.environ)
    serve(run_agent(settings))
