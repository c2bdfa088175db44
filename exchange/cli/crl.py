"""`exchange crl`: lists of revoked certificates, fetched for the router by a timer."""

import os
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, config_file
from exchange.cli.words import local
from exchange.domain.errors import ConfigurationError
from exchange.services.crl_fetch import Fetched, distribution_points, download, fetch_all
from exchange.settings import router_settings
from exchange.wiring.directory import latest_directory

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Lists of revoked certificates: fetch.")


@app.callback()
def crl() -> None:
    """Lists of revoked certificates of the issuers that the directory lists."""


@app.command()
def fetch(
    *,
    config: Config = None,
    url: Annotated[list[str] | None, typer.Option("--url", help="Only from here; several.")] = None,
    json: Json = False,
) -> None:
    """Fetch the lists that the router's configuration or the certificates name, verified, into the router's folder.

    Exit code 1 when one could not be fetched or is not taken; the router goes on by the one before.
    """
    file = config_file(config, "router", os.environ)
    settings = router_settings(file, os.environ)
    if settings.crl is None:
        message = f"{file}: [crl] is missing: add it, with the folder of the router's lists"
        raise ConfigurationError(message, code="crl-not-configured")
    directory = latest_directory(settings.directory)
    urls = url or settings.crl.urls or distribution_points(directory)
    if not urls:
        message = f"{file}: no certificate says where its issuer's list is: name the addresses as [crl] urls"
        raise ConfigurationError(message, code="crl-not-configured")
    fetched = fetch_all(urls, settings.crl.folder, directory, system.now(), download)
    sound = not any(each.code for each in fetched)
    Output(as_json=json).verdict(fetched, lambda console: _render(fetched, console), ok=sound)


def _render(fetched: Sequence[Fetched], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("list of", "number", "next due", "", "address"):
        table.add_column(heading)
    for each in fetched:
        due = "" if each.next_update is None else local(each.next_update)
        state = each.code or ("new" if each.changed else "as before")
        table.add_row(shown(each.issuer), str(each.number or ""), due, state, shown(each.url))
    console.print(table)
    for each in fetched:
        if each.problem:
            console.print(f"[red]{each.code}[/] {shown(each.problem)}")
