"""`exchange demo`: letters between nine bodies over real Kafka, from nothing to a table."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exchange.cli.demo_console import console_words
from exchange.cli.demo_log import archived
from exchange.cli.demo_rollout import demo_rollout
from exchange.cli.exits import Exit
from exchange.cli.output import Json, Output
from exchange.cli.places import demo_folder
from exchange.cli.words import STATE_STYLES, lasted, program_name, short
from exchange.console.assets import VENDOR_FOLDER
from exchange.domain.errors import EmbeddedError
from exchange.domain.event import Event
from exchange.embedded.bring_up import BroughtUp, Tell
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installed import Installation
from exchange.embedded.living import EXPIRING, EXPIRING_DAYS, Living, hurried
from exchange.embedded.log_keeping import ARCHIVE_FOLDER, POLICY, TSA_ROOT, has_tsa
from exchange.embedded.running import is_up, take_down
from exchange.embedded.story import Outcome, Story
from exchange.resources import resource
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.files import write_atomically
from exchange.services.evidence.journalled import find_evidence, openssl_command, write_evidence
from exchange.settings import auditor_settings, operator_settings
from exchange.store.views import DeliveryTimeline, Timeline
from exchange.system import now
from exchange.wiring.directory import latest_directory

app = typer.Typer(add_completion=False)

INTERRUPTED = 130
STAGES = {
    Event.ACCEPTED: "accept",
    Event.DELIVERED: "deliver",
    Event.HANDED_OVER: "hand over",
    Event.REGISTERED: "register",
}
"""Columns of the table; the time of each is since the one before, in the journal's time."""
WIDE = 100
"""Columns that a terminal needs for the whole table; a narrower one does without the numbers."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo leaves: the outcome, and where to look; `track`, `package`, `verify` are our arguments."""

    outcome: Outcome
    folder: Path
    evidence: Path
    track: str
    openssl: str
    package: str
    verify: str


class StoryName(StrEnum):
    """The stories that there are."""

    LETTERS = "letters"
    ROLLOUT = "rollout"


@app.command()
def demo(
    *,
    story: Annotated[StoryName, typer.Option(help="Letters over real Kafka, or the roll-out from paper.")] = (
        StoryName.LETTERS
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running for play until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Play the story: nine bodies exchange letters in their own formats; three bad ones are refused.

    Everything is real and on this machine: Kafka with mutual TLS, router, tracker, an agent for each
    body or a gateway's for several. Afterwards nothing runs; the folders stay to be looked at until the
    next demo. Ctrl-C leaves nothing at all.

    The roll-out plays January to April 2022 on a clock of its own, with a country of bodies that are made
    up for the most part, and needs no Kafka.
    """
    output = Output(as_json=json)
    if story is StoryName.ROLLOUT:
        demo_rollout(output)
        return
    folder = demo_folder(os.environ)
    installation = Installation.at(folder)
    if is_up(installation):
        message = f"a demo runs already in {folder}: use it, or end it with Ctrl-C where it was started"
        raise EmbeddedError(message, code="demo-running")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        complete = asyncio.run(_until_interrupted(output, _demo(output, folder, keep=keep)))
    except asyncio.CancelledError:
        take_down(Installation.at(folder))
        shutil.rmtree(folder, ignore_errors=True)
        output.note("ended; nothing was left behind")
        raise typer.Exit(INTERRUPTED) from None
    shutil.rmtree(installation.kafka, ignore_errors=True)
    if not complete:
        output.note(f"[red]not everything came to its end in time[/]; what each process said is in {folder}/logs")
        raise typer.Exit(Exit.FOUND)


async def _demo(output: Output, folder: Path, *, keep: bool) -> bool:
    """Bring up, play, show; whether everything came to its end."""
    async with AsyncExitStack() as stack:
        with output.doing("starting") as tell:
            if keep:
                policy = resource("config", "policy.toml").read_text(encoding="utf-8")
                write_atomically(folder / "policy.toml", hurried(policy).encode())
            expiring = {EXPIRING: timedelta(days=EXPIRING_DAYS)} if keep else {}
            up = BroughtUp(folder, demo_bodies(), os.environ, now(), tell=tell, console=keep, expiring=expiring)
            await stack.enter_async_context(up)
            directory = latest_directory(operator_settings(up.installation.config("operator"), os.environ).directory)
            story = Story(up.installation, os.environ, directory, now, _once(tell))
            async with story.answering():
                outcome = await story.play()
            shown = await _shown(up.installation, outcome, tell)
        output.result(shown, lambda console: _render(shown, console), ok=outcome.complete)
        if keep:
            output.note(console_words(up.installation, os.environ))
            if not VENDOR_FOLDER.exists():
                output.note("  its pages go without live news and their own font: `make assets` fetches them")
            output.note("\nIt runs on, and letters keep moving. Ctrl-C ends it and removes everything.")
            await Living(story, Random()).run()  # noqa: S311  # the chances of a story, no secrets
        with output.doing("ending processes and Kafka"):
            await stack.aclose()
    return outcome.complete


async def _until_interrupted(output: Output, work: Coroutine[Any, Any, bool]) -> bool:
    """Run `work`; SIGINT and SIGTERM cancel it, and what it began is undone before this raises."""
    task = asyncio.ensure_future(work)

    def interrupt() -> None:
        output.note("\nending everything")
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    return await task


async def _shown(installation: Installation, outcome: Outcome, tell: Tell) -> Shown:
    """Take the evidence of every letter out of the journal while Kafka is there."""
    tell("taking the letters' evidence out of the journal")
    settings = auditor_settings(installation.config("auditor"), os.environ)
    directory = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    digests = [story.letter.digest for story in outcome.letters]
    partitions = directory.latest().journal_partitions
    found = {} if settings.kafka is None else await find_evidence(settings.kafka, digests, partitions)
    evidence = installation.folder / "evidence"
    for digest, entry in found.items():
        write_evidence(entry, evidence / short(digest), directory)
    tell("waiting for the log's checkpoint over them")
    await archived(installation.folder / ARCHIVE_FOLDER, digests, now())
    accepted = [short(story.letter.digest) for story in outcome.letters if not story.letter.reason]
    first = accepted[0] if accepted else ""
    package = f"evidence {first} --unstamped -o case.asice"  # the authority ended with the demo
    stamps = f" --tsa-root {installation.folder / TSA_ROOT}" if has_tsa(installation.folder) else ""
    brought = f"--root {settings.directory.root} --policy {installation.folder / POLICY}{stamps}"
    openssl = openssl_command(evidence / first)
    verify = f"verify case.asice {brought}"
    return Shown(outcome, installation.folder, evidence, f"track {first}", openssl, package, verify)


def _once(tell: Tell) -> Tell:
    """Pass words on only when they change."""
    last = [""]

    def tell_change(words: str) -> None:
        if words != last[0]:
            last[0] = words
            tell(words)

    return tell_change


def _render(shown: Shown, console: Console) -> None:
    console.print(_table(shown.outcome.letters, wide=console.width >= WIDE))
    console.print("\n[bold]Refused before they became letters[/]")
    for refused in shown.outcome.refused:
        console.print(f"  {refused.sender}: {escape(refused.what)}: [red]{refused.code}[/]")
        for line in refused.detail.splitlines():
            console.print(f"    {escape(line)}")
        console.print(f"    seen in {escape(refused.where)}")
    told = ", ".join(f"{body} {count}" for body, count in sorted(shown.outcome.receipts.items()))
    console.print(f"\n[bold]Receipts that came back into the senders' folders[/]\n  {told}")
    program = program_name(sys.argv[0])
    console.print("\n[bold]What to look at next[/]")
    for words, what in (
        ("the timeline of a letter", f"{program} {shown.track}"),
        ("its signature, checked by openssl alone", shown.openssl),
        ("all that proves its course, as one package", f"{program} {shown.package}"),
        ("that package, checked by a program that knows nothing of the exchange's", f"{program} {shown.verify}"),
        ("what each document system sent and found", f"ls {shown.folder}/edms/*/*"),
        ("letters by state", f"{program} letters --state registered"),
    ):
        console.print(f"  {words}\n    [cyan]{escape(what)}[/]")


def _table(letters: Iterable[Timeline], *, wide: bool) -> Table:
    table = Table(title="Letters", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("letter", *(["number"] if wide else []), "from", "to", "state", "registered"):
        table.add_column(heading, no_wrap=True)
    for heading in STAGES.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for story in letters:
        for part in story.deliveries:
            table.add_row(*_row(story, part, wide=wide))
    return table


def _row(story: Timeline, part: DeliveryTimeline, *, wide: bool) -> tuple[str, ...]:
    letter, delivery = story.letter, part.delivery
    number = [letter.document.number] if wide else []
    state = f"[{STATE_STYLES[delivery.state]}]{delivery.state}[/]"
    waits = {step.event: lasted(step.wait) for step in part.steps}
    stages = (waits.get(stage.value, "") for stage in STAGES)
    registered = delivery.reg_number or delivery.reason
    return (short(letter.digest), *number, letter.sender, part.recipient, state, registered, *stages)
