"""Tasks as commands show them, and follow them."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.console_api import ConsoleApi
from exchange.cli.exits import Exit
from exchange.cli.output import Output, shown
from exchange.cli.words import DIGEST_CHARACTERS, STATE_STYLES, local
from exchange.console.api import ROOT
from exchange.console.api import tasks_model as model
from exchange.domain.task import ItemState, TaskState

LOOK_SECONDS = 1.0
"""How often a task is looked at that is followed."""
TASK_STYLES: Mapping[TaskState, str] = MappingProxyType(
    dict.fromkeys(TaskState, "default")
    | {TaskState.DONE: "green", TaskState.FAILED: "red", TaskState.WAITING: "yellow", TaskState.PAUSED: "yellow"}
)
ITEM_STYLES: Mapping[ItemState, str] = MappingProxyType(
    dict.fromkeys(ItemState, "default")
    | {ItemState.HANDED_OVER: "green", ItemState.FAILED: "red", ItemState.REFUSED: "red"}
)


def render_tasks(found: Sequence[model.TaskTold], console: Console) -> None:
    """A line for each task."""
    if not found:
        console.print("Nobody has set letters going again. `exchange redrive` does.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "begun", "state", "results", "failed", "who", "what"):
        table.add_column(heading, justify="right" if heading in {"results", "failed"} else "left")
    for task in found:
        results = [f"{task.results} / {task.count}", str(task.failures)]
        names = [task.id, local(task.started or task.created), _state(task)]
        table.add_row(*names, *results, shown(task.person), shown(task.wanted))
    console.print(table)


def render_task(task: model.TaskDetail, letters: Sequence[model.TaskLetter], console: Console) -> None:
    """One task with its acts, and some of its letters."""
    console.print(f"Redelivery {task.id}: {_state(task)}{f' ({shown(task.code)})' if task.code else ''}")
    console.print(f"  {shown(task.wanted)}")
    console.print(f"  {progress(task)}")
    how = f"at most {task.rate} a second; a sample of {task.sample}, then {task.share} %, then the rest"
    console.print(f"  {how}")
    if task.state is TaskState.RUNNING:
        console.print(f"  {task.said_lately} in the last minute{_pace(task)}")
    console.print(f"  new failures at the same bodies since the start: {task.new_failures}")
    for act in task.acts:
        words = f": {shown(act.detail)}" if act.detail else ""
        console.print(f"  {local(act.at)}  {act.act} by {shown(act.person) or 'the task itself'}{words}")
    if task.reason:
        console.print(f"  why: {shown(task.reason)}")
    if letters:
        render_letters(letters, console)


def render_letters(letters: Sequence[model.TaskLetter], console: Console) -> None:
    """A line for each letter of a task."""
    table = Table(box=None, pad_edge=False)
    for heading in ("no.", "letter", "from", "to", "was", "result", "code"):
        table.add_column(heading, justify="right" if heading == "no." else "left")
    for each in letters:
        route = [shown(each.sender), shown(each.recipient), f"[{STATE_STYLES[each.was]}]{each.was}[/]"]
        result = f"[{ITEM_STYLES[each.state]}]{each.state}[/]"
        table.add_row(str(each.number + 1), each.letter[:DIGEST_CHARACTERS], *route, result, shown(each.code))
    console.print(table)


def progress(task: model.TaskTold) -> str:
    """How far a task is, on one line."""
    counted = ", ".join(f"{number} {state}" for state, number in task.states.items())
    stage = f"; now the {task.stage}" if task.state is TaskState.RUNNING and task.stage else ""
    return f"{task.results} of {task.count} came to a result, {task.failures} failures ({counted}){stage}"


async def follow(api: ConsoleApi, name: str, output: Output) -> None:
    """Tell how a task goes, a line for each change, until it ends.

    Raises:
        ConsoleProblem: the console cannot be asked.
        typer.Exit: it ended, and not by being done.
    """
    before: tuple[TaskState, Mapping[ItemState, int]] | None = None
    while True:
        task = await api.get(f"{ROOT}/tasks/{name}", model.TaskDetail, {})
        if (task.state, task.states) != before:
            before = task.state, task.states
            if output.as_json:
                output.line(msgspec.to_builtins(task))
            else:
                output.console.print(f"{_state(task)}  {progress(task)}")
        if task.state.is_last:
            if task.state is not TaskState.DONE:
                raise typer.Exit(Exit.FOUND)
            return
        await asyncio.sleep(LOOK_SECONDS)


def _pace(task: model.TaskDetail) -> str:
    """How fast a task goes, and why no faster."""
    if task.pace >= task.rate or not task.pace:
        return ""
    if task.live_working is None or task.live_quiet is None:
        return f"; now {task.pace} a second, and faster as long as no live letter waits for it"
    took = (
        f"{task.live_working * 1000:.1f} ms for one while tasks work, {task.live_quiet * 1000:.1f} while they are quiet"
    )
    return f"; now {task.pace} a second, as live letters bear it: the exchange takes {took}"


def _state(task: model.TaskTold) -> str:
    return f"[{TASK_STYLES[task.state]}]{task.state}[/]"
