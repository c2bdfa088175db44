"""`exchange letters`: what the tracker knows, a line for each delivery; circulars in one line."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, config_file
from exchange.cli.words import FEW, STATE_STYLES, counted, local, short
from exchange.domain.delivery import State
from exchange.settings import operator_settings
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.views import LetterFilter, Listed, Summary

app = typer.Typer()

WIDE = 120
"""Columns that a terminal needs for all of a line."""


@app.command()
def letters(
    *,
    sender: Annotated[str | None, typer.Option("--from", metavar="BODY", help="Only letters of this sender.")] = None,
    recipient: Annotated[str | None, typer.Option("--to", metavar="BODY", help="Only to this recipient.")] = None,
    state: Annotated[State | None, typer.Option(help="Only deliveries in this state.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="CODE", help="Only with this reason code.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only letters journalled then or later, UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the youngest first.")] = 50,
    config: Config = None,
    json: Json = False,
) -> None:
    """List letters and where they are: one line for each recipient.

    A letter to more than 8 bodies is one line with how many of them are in which state, unless --to, --state
    or --reason asks for more.
    """
    settings = operator_settings(config_file(config, "operator", os.environ), os.environ)
    wanted = LetterFilter(
        sender=sender,
        recipient=recipient,
        state=state,
        reason=reason,
        after=_utc(since),
        limit=limit,
    )
    with Store(settings.store) as store, store.reading() as connection:
        alone = any(named is not None for named in (recipient, state, reason))
        found: Sequence[Listed | Summary]
        found = queries.listed(connection, wanted) if alone else queries.overview(connection, wanted, FEW)
    Output(as_json=json).result(found, lambda console: _render(found, console))


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _render(found: Sequence[Listed | Summary], console: Console) -> None:
    if not found:
        console.print("No letters match. Without filters `exchange letters` lists the youngest.")
        return
    wide = console.width >= WIDE
    table = Table(box=None, pad_edge=False)
    for heading in ("letter", "journalled", "from", "to", "state", "registered", *(["next"] if wide else [])):
        table.add_column(heading, no_wrap=True)
    for line in found:
        cells = [short(line.letter.digest), local(line.letter.journalled), line.letter.sender]
        if isinstance(line, Summary):
            table.add_row(*cells, f"{line.recipients} bodies", counted(line.states), "", *([""] if wide else []))
            continue
        delivery = line.delivery
        state = f"[{STATE_STYLES[delivery.state]}]{delivery.state}[/]"
        registered = f"{delivery.reg_number} {delivery.reg_date if wide else ''}".strip() or delivery.reason
        table.add_row(*cells, shown(line.recipient), state, shown(registered), *([delivery.next.value] if wide else []))
    console.print(table)
