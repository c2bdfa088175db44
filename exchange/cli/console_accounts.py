"""`exchange console account`: local accounts of the console, for trying out and for when the provider is away."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.cli.machine_acts import keep
from exchange.cli.output import Json, Output, shown
from exchange.console.auth.identity import plain_login
from exchange.console.auth.passwords import kept_password, temporary_password
from exchange.console.auth.tokens import user_of
from exchange.domain.errors import ConfigurationError
from exchange.domain.user import Role, User
from exchange.settings.console import console_settings
from exchange.store.desk import accounts, sessions
from exchange.store.desk.accounts import Account
from exchange.store.desk.database import DeskStore

app = typer.Typer(add_completion=False, no_args_is_help=True)

Config = Annotated[Path, typer.Option("--config", help="The console's configuration: docs/operator.md.")]
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Sign-in name; acts in the journal carry it.")]
CONSOLE = Path("console.toml")


@dataclass(frozen=True, slots=True)
class Given:
    """A password that is shown this once; whoever signs in with it must take another first."""

    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as it is listed; `issuer` is empty for a local one."""

    login: str
    name: str
    roles: tuple[Role, ...]
    body: str
    issuer: str
    is_locked: bool
    changed: datetime


@app.callback()
def account() -> None:
    """Local accounts of the console, for trying out and for when the identity provider is away."""


@app.command()
def add(
    login: Login,
    *,
    role: Annotated[list[Role], typer.Option("--role", help="What it may do; may be given several times.")],
    body: Annotated[str, typer.Option("--body", metavar="CODE", help="Whose, of a body-administrator.")] = "",
    name: Annotated[str, typer.Option("--name", help="The person's name.")] = "",
    config: Config = CONSOLE,
    json: Json = False,
) -> None:
    """Enter an account; its temporary password is shown this once, and must be changed at the first sign-in."""
    try:
        known = user_of(login, frozenset(role), body)
    except ValueError as error:
        raise ConfigurationError(f"{error}: correct the call", code="account-invalid") from error
    if plain_login(login) != login:
        message = f"'{login}': a person's login ends with a letter or digit: correct the call"
        raise ConfigurationError(message, code="account-invalid")
    user = User(login, name or login, known.roles, body)
    password, now = temporary_password(system.random_bytes), system.now()
    entered = Account(user, now, now, kept_password(password), is_temporary=True)
    roles = ", ".join(sorted(known.roles))
    with _desk(config) as desk, desk.writing() as connection:
        if not accounts.add(connection, entered):
            message = (
                f"there is an account '{login}': give it another password with `exchange console account password`"
            )
            raise ConfigurationError(message, code="account-taken")
        _keep(config, "account-add", f"{login}: {roles}{f' of {body}' if body else ''}", json=json)
    _give(Given(login, password), json=json)


@app.command("list")
def list_accounts(*, config: Config = CONSOLE, json: Json = False) -> None:
    """List all accounts, those of the identity provider's people too."""
    with _desk(config) as desk, desk.reading() as connection:
        found = tuple(map(_listed, accounts.every(connection)))
    Output(as_json=json).result(found, lambda console: _render(found, console))


@app.command()
def password(login: Login, *, config: Config = CONSOLE, json: Json = False) -> None:
    """Give an account a new temporary password, shown this once, and sign it out everywhere."""
    made = temporary_password(system.random_bytes)
    with _desk(config) as desk, desk.writing() as connection:
        if not accounts.set_password(connection, login, kept_password(made), system.now(), is_temporary=True):
            raise _unknown(login)
        sessions.end_all(connection, login)
        sessions.forget_devices(connection, login)
        _keep(config, "account-password", login, json=json)
    _give(Given(login, made), json=json)


@app.command()
def lock(
    login: Login,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Let it in again.")] = False,
    config: Config = CONSOLE,
    json: Json = False,
) -> None:
    """Let an account in no more, and sign it out everywhere; what it did stays in the journal."""
    with _desk(config) as desk, desk.writing() as connection:
        if not accounts.lock(connection, login, is_locked=not undo):
            raise _unknown(login)
        ended = 0 if undo else sessions.end_all(connection, login)
        _keep(config, "account-unlock" if undo else "account-lock", login, json=json)
    done = {"login": login, "locked": not undo, "sessions_ended": ended}
    word = "may sign in again" if undo else f"is locked; {ended} sessions ended"
    Output(as_json=json).result(done, lambda console: console.print(f"'{shown(login)}' {word}"))


def _keep(config: Path, action: str, detail: str, *, json: bool) -> None:
    """Keep it in the journal before the desk's transaction ends: what is not kept is undone."""
    keep(console_settings(config, os.environ), action, detail, Output(as_json=json))


@contextmanager
def _desk(config: Path) -> Iterator[DeskStore]:
    """The console's desk, its tables made when it has not run yet."""
    with DeskStore(console_settings(config, os.environ).desk) as desk:
        desk.migrate()
        yield desk


def _give(given: Given, *, json: bool) -> None:
    def render(console: Console) -> None:
        console.print(f"Temporary password of '{shown(given.login)}', shown this once:\n")
        console.print(given.password, markup=False)

    Output(as_json=json).result(given, render)


def _unknown(login: str) -> ConfigurationError:
    message = f"there is no local account '{login[:63]}': see `exchange console account list`"
    return ConfigurationError(message, code="account-unknown")


def _listed(account: Account) -> Listed:
    user = account.user
    roles = tuple(sorted(user.roles))
    return Listed(user.login, user.name, roles, user.body, account.issuer, account.is_locked, account.changed)


def _render(found: Sequence[Listed], console: Console) -> None:
    table = Table("login", "name", "roles", "body", "of", "locked")
    for each in found:
        cells = (each.login, each.name, ", ".join(each.roles), each.body, each.issuer or "this console")
        table.add_row(*map(shown, cells), "yes" if each.is_locked else "")
    console.print(table)
