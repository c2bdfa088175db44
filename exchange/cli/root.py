"""`exchange root`: the ceremony in which people who each hold a key agree whose keys count.

Nothing here needs a network or the exchange: each holder runs it on a machine of their own.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.cli.output import Json, Output, shown
from exchange.cli.own_keys import new_passphrase, own_key, public_beside
from exchange.cli.places import Config, as_operator
from exchange.cli.words import local
from exchange.domain.errors import ConfigurationError
from exchange.security.directory.ceremony import Holders, Quorum, make_root, sign_root
from exchange.security.directory.folder import DirectoryFolder, read_root
from exchange.security.directory.publisher import DirectoryPublisher
from exchange.security.directory.roots import KeysOfRole, RootState, look_at_root
from exchange.security.files import write_atomically
from exchange.security.keys import PublicKey, load_public_key, make_key

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Whose keys sign the directory: key, new, sign, show, publish."
)

RootFile = Annotated[Path, typer.Argument(metavar="FILE", help="The root file, for example 1.root.json.")]
Before = Annotated[
    Path | None, typer.Option("--before", help="The root file before it; its holders must sign the next one, too.")
]


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; the public one beside it.")],
    *,
    encrypted: Annotated[bool, typer.Option("--encrypted", help="Ask for a passphrase, and encrypt it.")] = False,
) -> None:
    """Make a key pair: FILE with mode 0600, which never leaves this machine, and FILE.pub to bring along."""
    public = public_beside(file)
    made = make_key(file, new_passphrase(file) if encrypted else None)
    write_atomically(public, made)
    typer.echo(f"{file} is yours alone; {public} is for the others")


@app.command()
def new(
    file: RootFile,
    *,
    root: Annotated[list[Path], typer.Option("--root", help="Public key of a holder of this root; several.")],
    keeper: Annotated[list[Path], typer.Option("--keeper", help="Public key of a keeper of the directory; several.")],
    clock: Annotated[Path, typer.Option("--clock", help="Public key of the machine that signs the timestamp.")],
    threshold: Annotated[int, typer.Option(min=1, help="So many holders must sign a root.")] = 2,
    keepers: Annotated[int, typer.Option(min=1, help="So many keepers must sign a change.")] = 2,
    before: Before = None,
) -> None:
    """Write a root that nobody has signed yet; with --before the next one after that."""
    if file.exists():
        message = f"{file} is there already, perhaps signed: choose another name, or remove it if nobody relies on it"
        raise ConfigurationError(message, code="root-file-exists")
    number = 1 if before is None else look_at_root(read_root(before)).number + 1
    holders = Holders(
        Quorum(_by_holder("--root", root), threshold),
        Quorum(_by_holder("--keeper", keeper), keepers),
        load_public_key(clock),
    )
    _require_own_clock(holders)
    write_atomically(file, make_root(holders, number, system.now()))
    typer.echo(f"{file} is root {number}; each holder signs it with `exchange root sign`")


def _by_holder(option: str, files: Sequence[Path]) -> dict[str, PublicKey]:
    """Public keys by their files' names, which are the holders'."""
    found: dict[str, PublicKey] = {}
    for file in files:
        if file.stem in found:
            message = f"{option}: two files are called {file.name}: name each after its holder, as in ada.pub"
            raise ConfigurationError(message, code="directory-field-invalid")
        found[file.stem] = load_public_key(file)
    return found


def _require_own_clock(holders: Holders) -> None:
    """The clock's key lies on a machine that is on line: whoever broke in there would sign for a person."""
    for role, quorum in (("root", holders.root), ("keeper", holders.keepers)):
        for name, key in quorum.keys.items():
            if key == holders.clock:
                message = f"--clock is the key of {name}, a --{role}: make one of its own for the clock's machine"
                raise ConfigurationError(message, code="directory-field-invalid")


@app.command()
def sign(
    file: RootFile,
    *,
    key: Annotated[Path, typer.Option("--key", help="Your private key.")],
    before: Before = None,
) -> None:
    """Add your signature to a root; look at it with `exchange root show` first."""
    earlier = None if before is None else read_root(before)
    write_atomically(file, sign_root(read_root(file), own_key(key), earlier))
    typer.echo(f"{file} has your signature")


@app.command()
def publish(file: RootFile, *, config: Config = None) -> None:
    """Put the next root in force in the directory's folder; then the keepers renew the directory under it."""
    settings = as_operator(config).directory
    DirectoryPublisher(DirectoryFolder.at(settings.folder, settings.root)).rotate(read_root(file))
    typer.echo("the root is in force; Next: exchange directory renew, by a keeper whom it names")


@app.command()
def show(file: RootFile, *, before: Before = None, json: Json = False) -> None:
    """Show whose keys a root names, until when, and who has signed it.

    Exit code 1 while too few have.
    """
    state = look_at_root(read_root(file), None if before is None else read_root(before))
    Output(as_json=json).verdict(state, lambda console: _render(state, console, system.now()), ok=state.complete)


def _render(state: RootState, console: Console, now: datetime) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("role", "must sign", "keys"):
        table.add_column(heading)
    for role in state.roles:
        table.add_row(role.name, f"{role.threshold} of {len(role.keys)}", shown(_names(role)))
    console.print(table)
    ended = "[red]it expired[/]" if state.expires < now else "it holds"
    console.print(f"root {state.number}, {ended} until {local(state.expires)}; SHA-256 {state.digest.hex()}")
    for group in state.signed:
        console.print(f"{group.name}: {len(group.keys)} of {group.threshold} have signed: {shown(_names(group))}")


def _names(group: KeysOfRole) -> str:
    return ", ".join(f"{name} ({key[:8]})" for name, key in zip(group.holders, group.keys, strict=True)) or "nobody"
