"""`exchange send`: a letter from files, and the exchange's word about it."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange.agent.mailbox import SentLetter
from exchange.agent.ports import Format
from exchange.agent.spool.outgoing import OutgoingState
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, agent_file
from exchange.cli.words import short
from exchange.client import Client, read_draft
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.settings.agent import agent_settings

app = typer.Typer(add_completion=False)

Files = Annotated[
    list[Path],
    typer.Argument(exists=True, metavar="FILE...", help="Files of the letter, or a package of its document system."),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller wants sent; without a title the files are a document system's package."""

    body: str
    to: tuple[str, ...]
    group: str
    title: str
    files: tuple[Path, ...]
    wait_seconds: float


@app.command()
def send(
    files: Files,
    *,
    as_body: Annotated[str, typer.Option("--as", metavar="BODY", help="Who sends.")],
    to: Annotated[list[str] | None, typer.Option("--to", metavar="BODY", help="Recipient; may be repeated.")] = None,
    group: Annotated[
        str, typer.Option(metavar="EXPR", help="A circular's recipients, as `exchange directory group` shows them.")
    ] = "",
    title: Annotated[str, typer.Option(help="What it is about. Without it FILE is an EDMS package.")] = "",
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the exchange's word.")] = 30.0,
    config: Config = None,
    json: Json = False,
) -> None:
    """Send a letter and wait until the exchange accepts or refuses it.

    With --title any files make a letter. Without, FILE is what the body's document system writes (a
    folder or its files): its addressees are taken from there.
    """
    if group and not title:
        message = "--group needs a --title: a document system's package says itself to whom it goes"
        raise ConfigurationError(message, code="recipients-differ")
    output = Output(as_json=json)
    file = agent_file(config, as_body, os.environ)
    wanted = Wanted(as_body, tuple(to or ()), group, title, tuple(files), wait)
    with output.doing("waiting for the exchange's word"):
        sent = asyncio.run(_send(file, wanted))
    accepted = sent.state is OutgoingState.TAKEN
    output.verdict(sent, lambda console: _render(sent, console), ok=accepted)


async def _send(config: Path, wanted: Wanted) -> SentLetter:
    async with Client.open(config, body=wanted.body) as client:
        if wanted.title:
            letter = await client.send(wanted.to, wanted.title, wanted.files, group=wanted.group)
        else:
            draft = read_draft(wanted.files, _format(config, wanted.body, client.directory), client.directory)
            if wanted.to and set(wanted.to) != set(draft.recipients):
                message = (
                    f"the package is addressed to {', '.join(draft.recipients)}: leave --to out, or give a --title"
                )
                raise ConfigurationError(message, code="recipients-differ")
            letter = await client.submit(draft)
        return await client.decided(letter, wanted.wait_seconds)


def _format(config: Path, code: str, directory: Directory) -> Format:
    bodies = agent_settings(config, os.environ).carried(directory)
    profile = next(body.edms for body in bodies if body.code == code)
    if profile is None:
        message = f'{config}: {code} has no document system: give a --title, or its [[body]] an edms = "<profile>"'
        raise ConfigurationError(message, code="format-unknown")
    return profile.open_format()


def _render(sent: SentLetter, console: Console) -> None:
    digest = sent.digest or b""
    if sent.state is OutgoingState.TAKEN:
        console.print(f"[green]accepted[/] letter {digest.hex()}, to {shown(sent.group) or ', '.join(sent.recipients)}")
    else:
        console.print(f"[red]refused[/] letter {digest.hex()}: {sent.reason}: {shown(sent.detail)}")
    console.print(f"Next: exchange track {short(digest)}")
