"""`--watch`: what happens from now on, a line for each change, until Ctrl-C."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from exchange.cli.console_api import ConsoleApi, Words
from exchange.cli.events import Event
from exchange.cli.output import Output, shown
from exchange.cli.words import DIGEST_CHARACTERS, STATE_STYLES, local
from exchange.console.stream.messages import Changes, ChangeTold, Moment

Watch = Annotated[bool, typer.Option("--watch", help="Go on with what happens, until Ctrl-C.")]
Show = Callable[[], Awaitable[None]]
"""Shows what there is before anything happens."""


def until_left(work: Coroutine[Any, Any, None]) -> None:
    """Do a command's work; Ctrl-C is how one leaves what goes on for ever."""
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit from None


async def watch(api: ConsoleApi, words: Words, output: Output, show: Show) -> None:
    """Show what there is, then what happens; ends by being cancelled only.

    Args:
        api: the console.
        words: which changes.
        output: programs get a line of JSON for each change, and nothing else.
        show: is asked again when too much was missed.

    Raises:
        ConsoleProblem: the console cannot be asked.
    """
    has_begun = False
    async for event in api.events(words):
        if event.name == "changes":
            _changes(event, output)
        elif event.name in {"stale", "live"}:
            _moment(event, output)
        elif not output.as_json and (event.name == "reset" or not has_begun):
            has_begun = True
            await show()


def _changes(event: Event, output: Output) -> None:
    for change in msgspec.json.decode(event.data, type=Changes).changes:
        if output.as_json:
            output.line(msgspec.to_builtins(change))
        else:
            _line(change, output.console)


def _line(change: ChangeTold, console: Console) -> None:
    """One change; its characters style nothing."""
    words = [shown(word) for word in (change.event, change.reason) if word]
    state = f"[{STATE_STYLES[change.state]}]{change.state}[/]"
    late = " [red]late[/]" if change.late else ""
    route = f"{shown(change.sender)} → {shown(change.recipient) or '(nobody named)'}"
    place = f"{local(change.journalled)}  {change.letter[:DIGEST_CHARACTERS]}"
    console.print(f"{place}  {route}  {state}{late}  {' '.join(words)}")


def _moment(event: Event, output: Output) -> None:
    """The stream waits, or goes on: beside the changes, not among them."""
    told = msgspec.json.decode(event.data, type=Moment)
    if not output.as_json:
        what = f"nothing new can be told: {told.code}" if event.name == "stale" else "goes on"
        output.note(f"[dim]{local(told.at)}  {what}[/]")
