"""`exchange failures`: what failed, by reason and route."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.console_api import opened_api
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_operator
from exchange.cli.watching import Watch, until_left, watch
from exchange.cli.words import DIGEST_CHARACTERS, STATE_STYLES, explained, local
from exchange.console.api import ROOT, overviews_model
from exchange.console.api.parameters import DAYS_AT_MOST, PAGE_AT_MOST
from exchange.settings import OperatorSettings

app = typer.Typer(add_completion=False)


@app.command()
def failures(
    *,
    days: Annotated[int, typer.Option(min=1, max=DAYS_AT_MOST, help="That failed in the last so many days.")] = 7,
    reason: Annotated[str, typer.Option(help="Only with this reason code.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=PAGE_AT_MOST, help="At most so many groups.")] = 50,
    following: Watch = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """List what failed and is not mended, the largest groups first: a line for each reason and route.

    `exchange letters` with the same --from, --to, --state and --reason lists the deliveries of a group.
    """
    settings = as_operator(config)
    asked = {"days": str(days), "limit": str(limit), **({"reason": reason} if reason else {})}
    until_left(_failures(settings, asked, Output(as_json=json), following=following))


async def _failures(settings: OperatorSettings, asked: dict[str, str], output: Output, *, following: bool) -> None:
    async with opened_api(settings, follows=following) as api:

        async def show() -> None:
            found = await api.get(f"{ROOT}/failures", overviews_model.Failures, asked)
            output.result(msgspec.to_builtins(found.items), lambda console: _render(found, console, asked["days"]))
            if not output.as_json and str(len(found.items)) == asked["limit"]:
                output.note(f"{asked['limit']} groups are shown; there may be more: say --limit, or --reason.")

        if following:
            await watch(api, {"state": "failing"}, output, show)
        else:
            await show()


def _render(found: overviews_model.Failures, console: Console, days: str) -> None:
    if not found.items:
        console.print(f"Nothing failed in the last {days} days that is not mended. --days looks further back.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("number", "from", "to", "state", "reason", "first", "last", "sample"):
        table.add_column(heading, justify="right" if heading == "number" else "left")
    for group in found.items:
        route = [shown(group.sender), shown(group.recipient) or "(nobody named)"]
        state = f"[{STATE_STYLES[group.state]}]{group.state}[/]"
        sample = group.samples[0][:DIGEST_CHARACTERS] if group.samples else ""
        times = [local(group.first), local(group.last)]
        table.add_row(str(group.number), *route, state, shown(group.reason), *times, sample)
    console.print(table)
    for reason in dict.fromkeys(group.reason for group in found.items):
        if words := explained(reason):
            console.print(f"{reason}: {shown(words)}")
    for group in found.items:
        if group.owner or group.note:
            noted = f"{group.owner or 'nobody'}: {' '.join(group.note.split())}"
            console.print(f"{shown(group.reason)}, {shown(group.sender)} to {shown(group.recipient)}: {shown(noted)}")
