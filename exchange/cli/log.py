"""`exchange log`: keys of the transparency log and its witnesses, and the policy that says whose word counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.output import Json, Output, shown
from exchange.cli.own_keys import new_passphrase, public_beside
from exchange.security.files import write_atomically
from exchange.security.log_keys import make_log_key, read_log_policy
from exchange.tlog.note import Kind
from exchange.tlog.policy import NOBODY, LogPolicy

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The transparency log: make keys, look at the policy."
)


@dataclass(frozen=True, slots=True)
class ShownWitness:
    """A witness of a policy; `url` is empty where nobody asks it."""

    name: str
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownPolicy:
    """A policy as it is shown; `needed` says in words which witnesses must have cosigned."""

    log: str
    witnesses: tuple[ShownWitness, ...]
    needed: str


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; FILE.pub beside it is for the others.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What it signs as: the log's name; of a witness as an address.")],
    witness: Annotated[bool, typer.Option("--witness", help="A key that cosigns other people's logs.")] = False,
    encrypted: Annotated[bool, typer.Option("--encrypted", help="Ask for a passphrase, and encrypt it.")] = False,
) -> None:
    """Make a key pair: FILE with mode 0600, which never leaves this machine, and FILE.pub with its public half."""
    public = public_beside(file)
    kind = Kind.COSIGNATURE if witness else Kind.NOTE
    made = make_log_key(file, name, kind, new_passphrase(file) if encrypted else None)
    write_atomically(public, f"{made}\n".encode())
    typer.echo(made)


@app.command()
def policy(
    file: Annotated[Path, typer.Argument(help="The policy, for example log.policy.")], *, json: Json = False
) -> None:
    """Say in words whose signatures under a checkpoint count; a policy that is wrong is refused."""
    told = _told(read_log_policy(file))
    Output(as_json=json).result(told, lambda console: _render(told, console))


def _told(policy: LogPolicy) -> ShownPolicy:
    witnesses = tuple(ShownWitness(each.name, str(each.key), each.url) for each in policy.witnesses)
    return ShownPolicy(str(policy.log), witnesses, _needed(policy, policy.quorum))


def _needed(policy: LogPolicy, name: str) -> str:
    """A quorum in words: "2 of (justice, 1 of (north, south))"."""
    if name == NOBODY:
        return "none"
    group = policy.groups.get(name)
    if group is None:
        return name
    return f"{group.threshold} of ({', '.join(_needed(policy, member) for member in group.members)})"


def _render(policy: ShownPolicy, console: Console) -> None:
    console.print(f"log: {shown(policy.log)}")
    console.print(f"a checkpoint counts as witnessed with: {shown(policy.needed)}")
    if policy.needed == "none":
        console.print("[yellow]nobody but the archive says then that its log is the only one[/]")
    if policy.witnesses:
        table = Table(box=None, pad_edge=False)
        for heading in ("witness", "key", "asked at"):
            table.add_column(heading)
        for each in policy.witnesses:
            table.add_row(shown(each.name), shown(each.key), shown(each.url) or "not asked from here")
        console.print(table)
