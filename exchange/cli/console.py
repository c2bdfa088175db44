"""`exchange console`: the operators' console, and tokens by which programs are known to it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange import system
from exchange.cli import console_accounts
from exchange.cli.machine_acts import keep
from exchange.cli.output import Json, Output
from exchange.cli.serving import serve
from exchange.console.auth.tokens import ConsoleTokens, make_console_token, user_of
from exchange.console.process import run_console
from exchange.domain.errors import ConfigurationError
from exchange.domain.user import Role
from exchange.settings.console import console_settings

app = typer.Typer(add_completion=False)
app.add_typer(console_accounts.app, name="account")

Config = Annotated[Path, typer.Option("--config", help="The console's configuration: docs/operator.md.")]


@dataclass(frozen=True, slots=True)
class Granted:
    """A new token, shown this once; `file` keeps its digest."""

    login: str
    roles: tuple[Role, ...]
    token: str
    file: Path


@app.callback(invoke_without_command=True)
def console(
    ctx: typer.Context,
    *,
    config: Config = Path("console.toml"),
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run the operators' console: pages, the JSON API under /api/v1 and the stream of changes.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; nothing is lost by kill -9 either.
    """
    if ctx.invoked_subcommand is None:
        serve(run_console(console_settings(config, os.environ)))


@app.command()
def token(
    login: Annotated[str, typer.Argument(help="Under which name acts stand in the journal.")],
    *,
    role: Annotated[list[Role], typer.Option("--role", help="What it may do; may be given several times.")],
    body: Annotated[str, typer.Option("--body", metavar="CODE", help="Whose, of a body-administrator.")] = "",
    purpose: Annotated[str, typer.Option("--for", help="Which program it is for, for people.")] = "",
    config: Config = Path("console.toml"),
    json: Json = False,
) -> None:
    """Make a token by which a program, or `exchange letters`, is known to the console, and keep its digest.

    It is shown this once. Whoever takes its line out of the tokens' file withdraws it; a running console sees that.
    """
    settings = console_settings(config, os.environ)
    try:
        user = user_of(login, frozenset(role), body)
    except ValueError as error:
        raise ConfigurationError(f"{error}: correct the call", code="account-invalid") from error
    made, grant = make_console_token(user, system.now().date(), purpose, system.random_bytes)
    roles = ", ".join(sorted(user.roles))
    keep(settings, "token-add", f"{login}: {roles}{f' of {body}' if body else ''}", Output(as_json=json))
    ConsoleTokens(settings.served.tokens).add(grant)
    granted = Granted(login, tuple(sorted(user.roles)), made, settings.served.tokens)
    Output(as_json=json).result(granted, lambda console: _render(granted, console))


def _render(granted: Granted, console: Console) -> None:
    roles = ", ".join(granted.roles)
    console.print(f"Token of '{granted.login}' ({roles}), shown this once; its digest is in {granted.file}:\n")
    console.print(granted.token, markup=False)
