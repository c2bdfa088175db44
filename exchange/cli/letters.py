"""`exchange letters`: what the tracker knows, a line for each delivery; circulars in one line."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exchange.cli import told
from exchange.cli.console_api import ConsoleApi, ConsoleProblem, Words, opened_api
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_operator
from exchange.cli.watching import Watch, until_left, watch
from exchange.cli.words import DIGEST_CHARACTERS, FEW, STATE_STYLES, counted, local, short
from exchange.console.api import ROOT
from exchange.console.api import letters_model as model
from exchange.console.api.parameters import PAGE_AT_MOST
from exchange.domain.delivery import State
from exchange.settings import OperatorSettings
from exchange.store.views import Listed, Summary

app = typer.Typer(add_completion=False)

WIDE = 120
"""Columns that a terminal needs for all of a line."""
_LEAST = MappingProxyType({"letter": DIGEST_CHARACTERS, "state": max(map(len, State))})
_OF_LETTERS = frozenset({"from", "since"})
"""Words that leave a circular one line."""


@app.command()
def letters(  # noqa: PLR0913 - an option for each word of a filter
    *,
    sender: Annotated[str, typer.Option("--from", metavar="BODY", help="Only letters of this sender.")] = "",
    recipient: Annotated[str, typer.Option("--to", metavar="BODY", help="Only to this recipient.")] = "",
    state: Annotated[str, typer.Option(help="Only in this state; several between commas; failing, waiting.")] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only with this reason code.")] = "",
    kind: Annotated[str, typer.Option(help="Only letters of this kind.")] = "",
    urgency: Annotated[str, typer.Option(help="Only letters of this urgency.")] = "",
    stage: Annotated[str, typer.Option(help="Only where this stage is awaited.")] = "",
    who: Annotated[str, typer.Option("--next", metavar="WHO", help="Only where this one must act.")] = "",
    late: Annotated[str, typer.Option(metavar="yes|no|now", help="Late ones, or the others; now: overdue.")] = "",
    age: Annotated[str, typer.Option(help="Letters of so long: 1h, 7d; '>1h' for older ones.")] = "",
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Only letters journalled in this month.")] = "",
    moved: Annotated[str, typer.Option(help="Only deliveries that came into their state so lately: 1h, 7d.")] = "",
    text: Annotated[str, typer.Option(help="Only letters with this id or number.")] = "",
    order: Annotated[str, typer.Option(help="youngest, or longest-waiting.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Only letters journalled then or later, UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the youngest first.")] = 50,
    following: Watch = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """List letters and where they are: one line for each recipient.

    A letter to more than 8 bodies is one line with how many of them are in which state, unless an option other
    than --from and --since asks for more.
    """
    settings = as_operator(config)
    words = {
        "from": sender,
        "to": recipient,
        "state": state,
        "reason": reason,
        "kind": kind,
        "urgency": urgency,
        "stage": stage,
        "next": who,
        "late": late,
        "age": age,
        "month": month,
        "moved": moved,
        "q": text,
        "order": order,
        "since": "" if since is None else since.replace(tzinfo=UTC).isoformat(),
    }
    until_left(_letters(settings, words, limit, Output(as_json=json), following=following))


async def _letters(
    settings: OperatorSettings, words: Mapping[str, str], limit: int, output: Output, *, following: bool
) -> None:
    async with opened_api(settings, follows=following) as api:

        async def show() -> None:
            found = await listed(api, words, limit)
            output.result(found, lambda console: _render(found, console))
            if not output.as_json and limit in {len(found), len({line.letter.digest for line in found})}:
                output.note(f"{limit} are shown; there may be more: say --limit, or narrow the filter.")

        if following:
            await watch(api, {word: value for word, value in words.items() if word != "order"}, output, show)
        else:
            await show()


async def listed(api: ConsoleApi, words: Mapping[str, str], limit: int) -> Sequence[Listed | Summary]:
    """Deliveries that the words leave; circulars in one line when they leave whole letters."""
    if {word for word, value in words.items() if value} <= _OF_LETTERS:
        try:
            return await _overview(api, words, limit)
        except ConsoleProblem as error:
            if error.code != "right-missing":  # a body's own letters have no overview
                raise
    path, asked, found = f"{ROOT}/letters", _paged(words, limit), list[Listed]()
    while True:
        page = await api.get(path, model.Letters, asked)
        found.extend(map(told.listed, page.items))
        if page.next is None or len(found) >= limit:
            return found[:limit]
        path, asked = page.next, {}


async def _overview(api: ConsoleApi, words: Words, limit: int) -> Sequence[Listed | Summary]:
    path, asked = f"{ROOT}/overview", {**_paged(words, limit), "most": str(FEW)}
    found: dict[bytes, list[Listed | Summary]] = {}
    while True:
        page = await api.get(path, model.Overview, asked)
        for line in map(told.overview_line, page.items):
            found.setdefault(line.letter.digest, []).append(line)
        if page.next is None or len(found) >= limit:
            return [line for lines in list(found.values())[:limit] for line in lines]
        path, asked = page.next, {}


def _paged(words: Words, limit: int) -> Words:
    return {**words, "limit": str(min(limit, PAGE_AT_MOST))}


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
        waiting = f"{delivery.next.value}, overdue" if delivery.overdue else delivery.next.value
        rest = [registered, *([waiting] if wide else [])]
        table.add_row(*cells, _one_line(line.recipient), state, *map(_one_line, rest))
    console.print(table)


def _one_line(text: str) -> Text:
    """What is cut rather than continued below; its characters style nothing."""
    line = Text.from_markup(shown(text), overflow="ellipsis")
    line.no_wrap = True
    return line
