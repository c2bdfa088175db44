"""The list of commands. A command's module is imported when the command is used, not to list it."""

import gc
import importlib
import importlib.metadata
import logging
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from exchange.cli.exits import exit_code
from exchange.cli.output import Output
from exchange.domain.errors import ExchangeError

TRY, SEND, LOOK, RUN = "Try it", "Letters", "Look after it", "Processes"


@dataclass(frozen=True, slots=True)
class Listed:
    """A command as `exchange --help` shows it; `module` of `exchange.cli` has it as `app`."""

    module: str
    summary: str
    panel: str


COMMANDS = {
    "demo": Listed("demo", "Letters between nine bodies over real Kafka, from nothing to a table.", TRY),
    "dev": Listed("dev", "An installation on this machine that stays: up, status, down.", TRY),
    "send": Listed("send", "Send a letter as a body and wait for the exchange's word.", SEND),
    "inbox": Listed("inbox", "List the letters in a body's inbox.", SEND),
    "track": Listed("track", "Timeline of a letter, and who must act next.", SEND),
    "letters": Listed("letters", "List letters and where they are.", SEND),
    "failures": Listed("failures", "What failed and is not mended, by reason and route.", SEND),
    "redrive": Listed("redrive", "Set letters going again: looked at first, then begun.", SEND),
    "refill": Listed("refill", "Deliver a time's letters again to a body that lost them.", SEND),
    "tasks": Listed("tasks", "Letters set going again: list, show, approve, pause, cancel.", SEND),
    "paper": Listed("paper", "Letters on paper, for bodies that are not connected yet: list, received.", SEND),
    "directory": Listed("directory", "Who is in the exchange, and how that changes.", LOOK),
    "root": Listed("root", "Whose keys sign the directory: key, new, sign, show, publish.", LOOK),
    "body": Listed("body", "Get a body into an exchange: form, request, install, selftest, renew.", LOOK),
    "adapter": Listed("adapter", "Connect a document system: profiles, check, convert, trial.", LOOK),
    "conformance": Listed("conformance", "Judge a vendor's document system: letters, broken ones, receipts.", LOOK),
    "gateway": Listed("gateway", "Keys for the bodies that a gateway carries: request, install.", LOOK),
    "crl": Listed("crl", "Lists of revoked certificates: fetch them for the router.", LOOK),
    "doctor": Listed("doctor", "Check an installation; each finding comes with its next step.", LOOK),
    "audit": Listed("audit", "Replay the journal; take a letter's evidence out of it.", LOOK),
    "evidence": Listed("evidence", "Package what proves a letter's course, for anybody to check offline.", LOOK),
    "log": Listed("log", "Keys of the transparency log and its witnesses; the policy in words.", LOOK),
    "verify": Listed("verify", "Check a letter's evidence package, offline; each step in a sentence.", LOOK),
    "router": Listed("router", "Run a router.", RUN),
    "tracker": Listed("tracker", "Run the tracker.", RUN),
    "archive": Listed("archive", "Keep the transparency log: run, status, check, begin-anew.", RUN),
    "witness": Listed("witness", "Run a witness of transparency logs.", RUN),
    "agent": Listed("agent", "Run an agent.", RUN),
    "console": Listed("console", "Run the operators' console: pages, JSON API, stream of changes.", RUN),
    "tsa": Listed("tsa", "Run a time-stamping authority for trying out.", RUN),
    "echo": Listed("echo", "Run the body that answers every letter.", RUN),
    "canary": Listed("canary", "Run the body that writes to the echo each minute.", RUN),
}


class _Lazy(TyperCommand):
    """Stands for a command in lists; whoever uses it gets the real one."""

    def __init__(self, name: str, listed: Listed) -> None:
        super().__init__(name, help=listed.summary, rich_help_panel=listed.panel)
        self._module = f"exchange.cli.{listed.module}"

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """The context of the real command, as whose `command` it is then run."""
        real = typer.main.get_command(_imported(self._module).app)
        return real.make_context(info_name, args, *rest, **extra)


def _imported(module: str) -> Any:
    """A command's module; garbage is not looked for among a thousand modules that stay (a tenth of the time)."""
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.enable()


class _Commands(TyperGroup):
    """The root: knows every command, and turns errors into one line and an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: _Lazy(name, listed) for name, listed in COMMANDS.items()}

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what it refuses on purpose is told without a traceback."""
        try:
            return super().invoke(ctx)
        except ExchangeError as error:
            Output(as_json=bool(ctx.obj)).error(error)
            raise typer.Exit(exit_code(error)) from error


app = typer.Typer(cls=_Commands, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"exchange {importlib.metadata.version('exchange')}")
        raise typer.Exit


@app.callback()
def exchange(
    *,
    version: Annotated[  # noqa: ARG001  # its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """The exchange carries official letters between state bodies: signed, validated, delivered, provable.

    Exit codes: 0 done, 1 refused or something found, 2 wrong use, 3 configuration, 4 not available now.
    """
    # What libraries log is for services, which say so themselves; a command tells it in its own words.
    logging.getLogger().addHandler(logging.NullHandler())
