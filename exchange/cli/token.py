"""`exchange body token`: let one of a body's own systems use the agent's HTTP API."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange import system
from exchange.cli.output import Json, Output
from exchange.domain.errors import ConfigurationError
from exchange.security.tokens import add_grant, make_token
from exchange.settings.agent import agent_settings


@dataclass(frozen=True, slots=True)
class Granted:
    """A new token, shown this once; `file` keeps its digest."""

    body: str
    token: str
    file: Path


def token(
    *,
    config: Annotated[Path, typer.Option("--config", help="The agent's configuration.")] = Path("agent.toml"),
    body: Annotated[str, typer.Option("--body", metavar="CODE", help="Which of its bodies; its only one.")] = "",
    purpose: Annotated[str, typer.Option("--for", help="Which system it is for, for people.")] = "",
    json: Json = False,
) -> None:
    """Make a token that opens one body's letters by the agent's HTTP API, and keep its digest.

    It is shown this once. Whoever takes its line out of the tokens' file withdraws it; a running agent sees that.
    """
    settings = agent_settings(config, os.environ)
    if settings.api is None:
        message = f"{config}: has no [api] table: add one with port and tokens, see docs/api.md"
        raise ConfigurationError(message, code="api-not-configured")
    codes = [each.code for each in settings.bodies]
    chosen = body or (codes[0] if len(codes) == 1 else "")
    if chosen not in codes:
        message = f"{config}: '{chosen[:63]}' is none of its bodies: name one of {', '.join(codes)} with --body"
        raise ConfigurationError(message, code="body-not-here")
    made, grant = make_token(chosen, system.now().date(), purpose, system.random_bytes)
    add_grant(settings.api.tokens, grant)
    granted = Granted(chosen, made, settings.api.tokens)
    Output(as_json=json).result(granted, lambda console: _render(granted, console))


def _render(granted: Granted, console: Console) -> None:
    console.print(f"Token of '{granted.body}', shown this once; its digest is in {granted.file}:\n")
    console.print(granted.token, markup=False)
