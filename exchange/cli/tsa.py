"""`exchange tsa`: time-stamps for trying out."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from exchange.cli.output import Json
from exchange.cli.serving import serve
from exchange.embedded.time_authority import TimeAuthority, serving
from exchange.services.process import process_registry
from exchange.services.runner import observed, until_signalled
from exchange.settings.time_authority import TimeAuthoritySettings, time_authority_settings
from exchange.system import now

app = typer.Typer(add_completion=False)


@app.command()
def tsa(
    *,
    config: Annotated[Path, typer.Option("--config", help="Its configuration: [authority] with folder and port.")],
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run a time-stamping authority of this machine, by `openssl ts -reply`: for trying out, it proves nothing.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C.
    """
    serve(_run(time_authority_settings(config)))


async def _run(settings: TimeAuthoritySettings) -> None:
    authority, observe = TimeAuthority.prepared(settings.folder, now()), settings.observe
    registry = process_registry({}, {})
    with serving(authority, settings.port), observed(registry, lambda: "", observe.host, observe.port):
        await until_signalled(_wait())


async def _wait() -> None:
    await asyncio.Event().wait()
