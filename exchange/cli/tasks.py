"""`exchange tasks`: letters that somebody set going again; who, why, how far. `exchange redrive` makes them."""

from typing import Annotated

import msgspec
import typer

from exchange.cli.console_api import ConsoleApi, opened_api
from exchange.cli.output import Json, Output
from exchange.cli.places import Config, as_operator
from exchange.cli.task_views import follow, progress, render_task, render_tasks
from exchange.cli.watching import until_left
from exchange.console.api import ROOT, parameters
from exchange.console.api import tasks_model as model
from exchange.domain.task import TaskRefused
from exchange.services.tasks.office import ID_CHARACTERS
from exchange.settings import OperatorSettings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Letters set going again: list, show, approve, pause, resume, cancel.",
)

Task = Annotated[str, typer.Argument(help="Id of the task; its beginning is enough.")]
Remark = Annotated[str, typer.Option(help="Stands in the journal beside what you do.")]
_WATCH = typer.Option("--watch", help="Follow the task until it ends, or Ctrl-C.")


@app.command("list")
def list_(
    *,
    state: Annotated[str, typer.Option(help="Only in this state; several between commas.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=parameters.PAGE_AT_MOST, help="At most so many.")] = 50,
    config: Config = None,
    json: Json = False,
) -> None:
    """List tasks, the youngest first."""
    until_left(_list(as_operator(config), state, limit, Output(as_json=json)))


@app.command()
def show(
    task: Task,
    *,
    state: Annotated[str, typer.Option(help="Its letters in this state only: failed, refused, handed-over, …")] = "",
    limit: Annotated[int, typer.Option(min=0, max=parameters.PAGE_AT_MOST, help="At most so many letters.")] = 50,
    following: Annotated[bool, _WATCH] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show a task: how far, at what pace, what was done to it, and each letter's result."""
    output = Output(as_json=json)
    until_left(_show(as_operator(config), task, {"state": state, "limit": str(limit)}, output, following=following))


@app.command()
def approve(task: Task, *, remark: Remark = "", config: Config = None, json: Json = False) -> None:
    """Approve another person's task of many letters: it runs from then on."""
    until_left(_act(as_operator(config), task, "approve", remark, Output(as_json=json)))


@app.command()
def cancel(task: Task, *, remark: Remark = "", config: Config = None, json: Json = False) -> None:
    """Cancel a task: nothing more is said; what was said stays said."""
    until_left(_act(as_operator(config), task, "cancel", remark, Output(as_json=json)))


@app.command()
def pause(task: Task, *, remark: Remark = "", config: Config = None, json: Json = False) -> None:
    """Say nothing more of a task for now."""
    until_left(_act(as_operator(config), task, "pause", remark, Output(as_json=json)))


@app.command()
def resume(task: Task, *, remark: Remark = "", config: Config = None, json: Json = False) -> None:
    """Let a paused task go on."""
    until_left(_act(as_operator(config), task, "resume", remark, Output(as_json=json)))


async def _list(settings: OperatorSettings, state: str, limit: int, output: Output) -> None:
    async with opened_api(settings) as api:
        found = await api.get(f"{ROOT}/tasks", model.Tasks, {"state": state, "limit": str(limit)})
    output.result(msgspec.to_builtins(found.items), lambda console: render_tasks(found.items, console))


async def _show(
    settings: OperatorSettings, task: str, words: dict[str, str], output: Output, *, following: bool
) -> None:
    async with opened_api(settings) as api:
        task = await _whole_id(api, task)
        if following:
            await follow(api, task, output)
            return
        found = await api.get(f"{ROOT}/tasks/{task}", model.TaskDetail, {})
        letters: tuple[model.TaskLetter, ...] = ()
        if words["limit"] != "0":
            letters = (await api.get(f"{ROOT}/tasks/{task}/letters", model.TaskLetters, words)).items
    told = {"task": msgspec.to_builtins(found), "letters": msgspec.to_builtins(letters)}
    output.result(told, lambda console: render_task(found, letters, console))


async def _act(settings: OperatorSettings, task: str, act: str, remark: str, output: Output) -> None:
    async with opened_api(settings) as api:
        task = await _whole_id(api, task)
        done = await api.post(f"{ROOT}/tasks/{task}/{act}", model.TaskDetail, model.TaskActed(remark=remark))
    output.result(
        msgspec.to_builtins(done), lambda console: console.print(f"{done.id}: {done.state}; {progress(done)}")
    )


async def _whole_id(api: ConsoleApi, text: str) -> str:
    """The id of the one task that begins so, among the youngest; pages show the beginnings of ids.

    Raises:
        TaskRefused: `task-unknown`.
    """
    if len(text) >= ID_CHARACTERS:
        return text
    youngest = await api.get(f"{ROOT}/tasks", model.Tasks, {"limit": str(parameters.PAGE_AT_MOST)})
    found = [task.id for task in youngest.items if task.id.startswith(text)]
    if len(found) != 1:
        message = f"'{text[:40]}' begins the ids of {len(found)} tasks: give more of it; `exchange tasks list` has them"
        raise TaskRefused(message, code="task-unknown")
    return found[0]
