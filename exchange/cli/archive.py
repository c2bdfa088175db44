"""`exchange archive`: the process that keeps the transparency log, how it is, and a person's acts on it."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.archive.anew import Beginning
from exchange.archive.checking import Fault
from exchange.archive.checking import check as check_folder
from exchange.archive.reading import LogReader
from exchange.cli.archive_disk import delete, order_deletion, reindex
from exchange.cli.archive_time import record, renew
from exchange.cli.machine_acts import at_the_machine, keep_act
from exchange.cli.output import Json, Output, shown
from exchange.cli.serving import serve
from exchange.console.auth.acts import Act
from exchange.domain.own_bodies import ARCHIVE_ACTS, ARCHIVE_BODY
from exchange.security.log_keys import read_log_policy
from exchange.settings.archive import archive_settings
from exchange.system import now
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.tiles import WIDTH
from exchange.wiring.archive import begin_new_log, run_archive

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The archive, which keeps the transparency log.")

BEGIN_ANEW = f"{ARCHIVE_ACTS}begin-anew"
"""The act of `begin-anew`."""
PROGRESS_ENTRIES = 100_000
"""How far it is is told so often."""

Config = Annotated[Path, typer.Option("--config", help="Its configuration: docs/operate/archive.md.")]


@dataclass(frozen=True, slots=True)
class ShownLog:
    """A partition's log under a checkpoint; `root` in hexadecimal."""

    log: str
    entries: int
    root: str


@dataclass(frozen=True, slots=True)
class ShownWitnessing:
    """A witness that cosigned, and when it says that it did."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """The newest checkpoint of an archive's folder.

    Attributes:
        name: the log's.
        heads: entries of the log of heads.
        at: the archive's time of the last of them.
        witnessed: whether as many witnesses cosigned as the policy asks for.
        witnesses: which did.
        logs: what it is over.
    """

    name: str
    heads: int
    at: datetime
    witnessed: bool
    witnesses: tuple[ShownWitnessing, ...]
    logs: tuple[ShownLog, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A new log: its key as policies name it, and what it goes on for."""

    log: str
    after: str
    heads: int


@app.command()
def run(
    *,
    config: Config,
    json: Json = False,  # noqa: ARG001  # a service's log is JSON anyway; errors at its start may be
) -> None:
    """Run the archive: the journal into the log, and signed checkpoints of it to everybody.

    It logs JSON lines to standard error and ends on SIGTERM or Ctrl-C; nothing is lost by kill -9 either.
    """
    serve(run_archive(archive_settings(config, os.environ)))


@app.command()
def status(*, config: Config, json: Json = False) -> None:
    """Show the newest checkpoint in the folder, who witnessed it, and what it is over; the process may run or not."""
    settings = archive_settings(config, os.environ)
    logs = LogReader(settings.folder)
    seen = read_log_policy(settings.log.policy).open(logs.checkpoint())
    heads = logs.heads(seen.checkpoint)
    told = Status(
        seen.checkpoint.origin,
        seen.checkpoint.size,
        datetime.fromtimestamp(heads.time, UTC),
        seen.witnessed,
        tuple(ShownWitnessing(name, datetime.fromtimestamp(at, UTC)) for name, at in seen.witnesses.items()),
        tuple(ShownLog(f"journal/{number}", head.size, head.root.hex()) for number, head in enumerate(heads.logs)),
    )
    Output(as_json=json).result(told, lambda console: _render(told, console))


@app.command()
def check(*, config: Config, json: Json = False) -> None:
    """Hash every byte of every log again, and name file and entry of whatever is not as it was written.

    It only reads, and may run beside the process. Exit code 1 when something was found.
    """
    settings, output = archive_settings(config, os.environ), Output(as_json=json)
    policy = read_log_policy(settings.log.policy)
    with output.doing("checking") as tell:

        def progress(log: str, done: int, entries: int) -> None:
            if done % PROGRESS_ENTRIES < WIDTH:
                tell(f"{log}: {done} of {entries} entries")

        faults = [*check_folder(settings.folder, progress, policy)]
    output.verdict(faults, lambda console: _render_faults(faults, console), ok=not faults)


@app.command()
def begin_anew(
    *,
    config: Config,
    reason: Annotated[str, typer.Option("--reason", help="Why the old log cannot go on, in your words.")],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", exists=True, dir_okay=False, help="Last witnessed checkpoint of the old log, by a witness."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Begin a new log that names the last witnessed checkpoint of the old one, which is lost or was forked.

    The archive's process must have ended. It changes the log's name, and so its key's line in the policy: everybody
    who checks proofs needs the new line beside the old one.
    """
    settings = archive_settings(config, os.environ)
    given = None if checkpoint is None else checkpoint.read_bytes()
    output, person = Output(as_json=json), at_the_machine()

    def keep(after: Checkpoint) -> None:
        detail = f"the next log goes on for {after.origin}, {after.size} heads"
        keep_act(ARCHIVE_BODY, settings, Act(BEGIN_ANEW, person, reason=reason, detail=detail), output)

    key, after = begin_new_log(settings, Beginning(now(), person, reason), given, keep)
    told = Begun(str(key), after.origin, after.size)
    output.result(told, lambda console: _render_begun(told, console))


def _render(status: Status, console: Console) -> None:
    console.print(f"log: {shown(status.name)}")
    counts = "witnessed" if status.witnessed else "[yellow]not witnessed as the policy asks for[/]"
    console.print(f"checkpoint: {status.heads} heads, the last of {status.at:%Y-%m-%d %H:%M:%S} UTC, {counts}")
    for each in status.witnesses:
        console.print(f"cosigned by {shown(each.name)} at {each.at:%Y-%m-%d %H:%M:%S} UTC")
    table = Table(box=None, pad_edge=False)
    table.add_column("log")
    table.add_column("entries", justify="right")
    table.add_column("root")
    for log in status.logs:
        table.add_row(log.log, str(log.entries), log.root)
    console.print(table)


def _render_faults(faults: list[Fault], console: Console) -> None:
    for fault in faults:
        place = "" if fault.entry is None else f", entry {fault.entry}"
        console.print(f"{shown(fault.file)}{place}: {shown(fault.what)}")
    if faults:
        console.print("Next: put these files back from a copy of the folder (docs/operate/archive.md).")
    else:
        console.print("Every byte of every log is as it was written.")


def _render_begun(begun: Begun, console: Console) -> None:
    console.print(f"The next log goes on for {shown(begun.after)}, witnessed up to {begun.heads} heads.")
    console.print(f"log {shown(begun.log)}")
    console.print(
        "This line stands in the policy now. Hand it to witnesses, bodies and auditors; then start the archive."
    )


app.command()(reindex)
app.command()(order_deletion)
app.command()(delete)
app.command()(renew)
app.command()(record)
