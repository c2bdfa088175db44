"""What the processes' commands share: a log of JSON lines to the very last, and an exit code."""

from collections.abc import Coroutine
from typing import Any

import typer
import uvloop

from exchange.cli.exits import Exit, exit_code
from exchange.domain.errors import ExchangeError
from exchange.services.runner import log_as_json, log_end


def serve(work: Coroutine[Any, Any, None]) -> None:
    """Do a process's work; when an error ends it, the log's last line says which.

    Raises:
        typer.Exit: with the error's exit code.
    """
    log_as_json()
    try:
        uvloop.run(work)
    except ExchangeError as error:
        log_end(error)
        raise typer.Exit(exit_code(error)) from error
    except Exception as error:
        log_end(error)
        raise typer.Exit(Exit.FOUND) from error
