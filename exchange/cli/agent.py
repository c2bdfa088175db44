"""`exchange agent`: carry letters between document systems and the exchange."""

import os
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from exchange.cli.output import Json
from exchange.services.runner import log_as_json
from exchange.settings import agent_settings
from exchange.wiring.agent import run_agent

app = typer.Typer()


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
    log_as_json()
    uvloop.run(run_agent(settings))
