"""`exchange letters`: what the tracker knows, a line for each delivery; circulars in one line."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, config_file
from exchange.cli.words import DIGEST_CHARACTERS, FEW, STATE_STYLES, counted, local, short
from exchange.domain.delivery import State
from exchange.settings import operator_settings
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.views import LetterFilter, Listed, Summary

app = typer.Typer(add_completion=False)

WIDE = 120
"""Columns that a terminal needs for all of a line."""
_LEAST = MappingProxyType({"letter": DIGEST_CHARACTERS, "state": max(map(len, State))})


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
        # Where it is narrow names give way: ids are copied from here, and the state is what one looks for.
        table.add_column(heading, no_wrap=heading in {"letter", "journalled"}, min_width=_LEAST.get(heading))
    for line in found:
        letter = line.letter
        cells: list[str | Text] = [short(letter.digest), local(letter.journalled), _one_line(letter.sender)]
        if isinstance(line, Summary):
            table.add_row(*cells, _one_line(f"{line.recipients} bodies"), counted(line.states))
            continue
        delivery = line.delivery
        state = f"[{STATE_STYLES[delivery.state]}]{delivery.state}[/]"
        registered = f"{delivery.reg_number} {delivery.reg_date if wide else ''}".strip() or delivery.reason
        rest = [registered, *([delivery.next.value] if wide else [])]
        table.add_row(*cells, _one_line(line.recipient), state, *map(_one_line, rest))
    console.print(table)


def _one_line(text: str) -> Text:
    """What is cut rather than continued below; its characters style nothing."""
    line = Text.from_markup(shown(text), overflow="ellipsis")
    line.no_wrap = True
    return line
