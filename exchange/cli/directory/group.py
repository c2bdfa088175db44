"""`exchange directory group`: whom a circular would go to, before anybody sends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.directory.panels import LOOK
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_operator
from exchange.domain.directory import Body
from exchange.domain.errors import ConfigurationError
from exchange.domain.group import parse_group, reached
from exchange.domain.own_bodies import speaks_for_service
from exchange.security.directory.folder import DirectoryFolder

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Member:
    """A body of a group, in words."""

    code: str
    kind: str
    status: str
    name: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a letter to a group reaches by a version of the directory, and who of the group cannot be written to."""

    group: str
    version: int
    recipients: tuple[Member, ...]
    unreachable: tuple[Member, ...]


@app.command(rich_help_panel=LOOK)
def group(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPR", help="all, kind:…, soate:…, parent:… and codes, joined by commas; - leaves out."
        ),
    ],
    *,
    sender: Annotated[str, typer.Option("--from", metavar="BODY", help="Who will send: never a recipient.")] = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Show whom `exchange send --group EXPR` writes to, and how many they are; nothing is sent.

    Examples: 'kind:ministry, natstat' · 'soate:41708, -kind:court' · 'all'. The policy, and dates of paper, may let
    fewer be written to.
    """
    settings = as_operator(config).directory
    directory = DirectoryFolder.at(settings.folder, settings.root).latest()
    meant = parse_group(expression)
    slip = next(meant.idle(directory.bodies), None)
    if slip is not None:
        message = f"'{slip}' names nobody in the directory: look it up with `exchange directory list` and `search`"
        raise ConfigurationError(message, code="recipient-unknown")
    recipients = reached(meant, sender, directory)
    written = {body.code for body in recipients}
    # Who speaks for a service is nobody that letters could go to: not left out, only not meant.
    meant_bodies = (body for body in meant.members(directory.bodies) if not speaks_for_service(body))
    others = (body for body in meant_bodies if body.code not in written and body.code != sender)
    found = Preview(expression, directory.version, _members(recipients), _members(others))
    Output(as_json=json).result(found, lambda console: _render(found, console))


def _members(bodies: Iterable[Body]) -> tuple[Member, ...]:
    return tuple(
        Member(body.code, body.kind, body.status.value, body.names.ru or body.names.ky or body.names.en)
        for body in bodies
    )


def _render(found: Preview, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("code", "kind", "name"):
        table.add_column(heading, no_wrap=heading != "name")
    for member in found.recipients:
        table.add_row(member.code, shown(member.kind), shown(member.name))
    console.print(table)
    for member in found.unreachable:
        console.print(f"[yellow]left out[/]: {member.code}, {member.status}: {shown(member.name)}")
    left = f", {len(found.unreachable)} of the group cannot be written to" if found.unreachable else ""
    count = len(found.recipients)
    console.print(f"{count} {'body' if count == 1 else 'bodies'} by version {found.version}{left}")
