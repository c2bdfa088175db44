"""`exchange redrive`: set letters going again, as they were signed; looked at first, begun with --yes."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from exchange import system
from exchange.cli.console_api import ConsoleApi, opened_api
from exchange.cli.output import Json, Output, shown
from exchange.cli.own_keys import at_terminal
from exchange.cli.places import Config, as_operator
from exchange.cli.task_views import follow, progress, render_letters
from exchange.cli.track import one_letter
from exchange.cli.watching import until_left
from exchange.console.api import ROOT, letters_model
from exchange.console.api import tasks_model as model
from exchange.console.api.parameters import FilterQuery
from exchange.domain.task import RATE, SAMPLE, SHARE, Plan, TaskAct
from exchange.services.tasks.office import KEY_CHARACTERS
from exchange.settings import OperatorSettings

app = typer.Typer(add_completion=False)

FAILING = "failing"
"""The state that is meant where nobody names a letter or a state."""
PLAN = Plan()


def _long_enough(key: str) -> str:
    """A key that a person may give twice by chance is none."""
    if key and len(key) not in KEY_CHARACTERS:
        message = f"give {KEY_CHARACTERS.start} to {KEY_CHARACTERS.stop - 1} characters, or leave it out"
        raise typer.BadParameter(message)
    return key


Reason = Annotated[str, typer.Option(help="Why, in 5 to 500 characters; it stands in the journal.")]
Sample = Annotated[int, typer.Option(min=SAMPLE[0], max=SAMPLE[-1], help="So many come first.")]
Share = Annotated[int, typer.Option(min=SHARE[0], max=SHARE[-1], help="Then per cent of all.")]
Rate = Annotated[int, typer.Option(min=RATE[0], max=RATE[-1], help="Letters a second at most.")]
Yes = Annotated[bool, typer.Option("--yes", help="Begin; without it you are asked, or only shown.")]
Following = Annotated[bool, typer.Option("--watch", help="Follow the task until it ends, or Ctrl-C.")]
Key = Annotated[
    str, typer.Option(help="The same key is the same task, however often this is called.", callback=_long_enough)
]


@dataclass(frozen=True, slots=True)
class Meant:
    """What was called for.

    Attributes:
        letter: any id of one letter; empty: whatever `words` leave.
        recipient: of that letter.
        words: a filter of deliveries.
    """

    letter: str
    recipient: str
    words: FilterQuery
    plan: Plan
    reason: str
    key: str
    is_agreed: bool
    is_followed: bool


@app.command()
def redrive(  # noqa: PLR0913 - an option for each word of a filter
    letter: Annotated[str, typer.Argument(help="One letter, by any id; without it all that the options leave.")] = "",
    *,
    reason: Reason,
    sender: Annotated[str, typer.Option("--from", metavar="BODY", help="Only letters of this sender.")] = "",
    recipient: Annotated[str, typer.Option("--to", metavar="BODY", help="Only to this recipient.")] = "",
    state: Annotated[str, typer.Option(help="Only in this state; several between commas. Failing ones.")] = "",
    code: Annotated[str, typer.Option(metavar="CODE", help="Only those that failed with this reason code.")] = "",
    moved: Annotated[str, typer.Option(help="Only those that came into their state so lately: 1h, 7d.")] = "",
    age: Annotated[str, typer.Option(help="Letters of so long: 1h, 7d; '>1h' for older ones.")] = "",
    sample: Sample = PLAN.sample,
    share: Share = PLAN.share,
    rate: Rate = PLAN.rate,
    yes: Yes = False,
    following: Following = False,
    key: Key = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Redeliver signed letters to bodies whose systems lost them, or where a hand-over failed.

    Shows the exact count, the risk of a repeat and the sample that goes first. More than 100 letters wait for
    another person's `exchange tasks approve`.
    """
    words = FilterQuery(
        sender=sender,
        to=recipient,
        state=state or ("" if letter else FAILING),
        reason=code,
        moved=moved,
        age=age,
    )
    meant = Meant(letter, recipient, words, Plan(rate, sample, share), reason, key, yes, following)
    settings = as_operator(config)
    until_left(redeliver(settings, meant, Output(as_json=json)))


async def redeliver(settings: OperatorSettings, meant: Meant, output: Output) -> None:
    """Show what was called for; begin it if that is agreed.

    Raises:
        ConsoleProblem: with the code of what the console refuses.
        ConfigurationError, StoreError: as `opened_api`.
    """
    async with opened_api(settings) as api:
        wanted = await _wanted(api, meant)
        key = meant.key or system.random_id()
        found = await api.post(f"{ROOT}/tasks/preview", model.TaskPreviewed, wanted, {"Idempotency-Key": key})
        if not output.as_json:
            _render(found, output.console)
        if not _is_agreed(meant, output):
            told = msgspec.to_builtins(found)
            output.result(told, lambda console: console.print("Nothing was set going. Say --yes to begin."))
            return
        begun = model.TaskBegun(reason=meant.reason)
        task = await api.post(f"{ROOT}/tasks/{found.task.id}/begin", model.TaskDetail, begun)
        if meant.is_followed:
            output.note(f"task {task.id}")
            await follow(api, task.id, output)
            return
        output.result(msgspec.to_builtins(task), lambda console: _begun(task, console))


async def _wanted(api: ConsoleApi, meant: Meant) -> model.TaskWanted:
    rate, sample, share = meant.plan.rate, meant.plan.sample, meant.plan.share
    if not meant.letter:
        return model.TaskWanted(filter=meant.words, rate=rate, sample=sample, share=share)
    found = await api.get(f"{ROOT}/find", letters_model.Found, {"q": meant.letter})
    named = model.LetterNamed(letter=one_letter(meant.letter, found).digest, recipient=meant.recipient)
    return model.TaskWanted(letters=(named,), rate=rate, sample=sample, share=share)


def _is_agreed(meant: Meant, output: Output) -> bool:
    """Whether what was shown is to begin."""
    if meant.is_agreed or output.as_json or not at_terminal():
        return meant.is_agreed
    return typer.confirm("Redeliver them?")


def _render(found: model.TaskPreviewed, console: Console) -> None:
    """What a task would do."""
    task = found.task
    console.print(f"{task.count} letters would be redelivered, as they were signed: {shown(task.wanted)}")
    if task.repeats:
        console.print(f"  {task.repeats} of them were handed over before: these may be seen twice.")
    if found.left_out:
        console.print(f"  {found.left_out} more were refused by the exchange itself and are left out.")
    console.print(f"  First a sample of {len(found.letters)}, then {task.share} %, then the rest:")
    render_letters(found.letters, console)
    if found.act is TaskAct.SUBMIT:
        console.print("  So many need a second person's `exchange tasks approve`.")


def _begun(task: model.TaskDetail, console: Console) -> None:
    console.print(f"Task {task.id} is {task.state}: {progress(task)}. `exchange tasks show {task.id} --watch` follows.")
