"""`exchange track`: the whole story of one letter."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from exchange.cli import told
from exchange.cli.console_api import ConsoleApi, ConsoleProblem, opened_api
from exchange.cli.output import Json, Output, plain, shown
from exchange.cli.places import Config, as_operator
from exchange.cli.watching import Watch, until_left, watch
from exchange.cli.words import DIGEST_CHARACTERS, FEW, STATE_STYLES, explained, lasted, local, short
from exchange.console.api import ROOT
from exchange.console.api import letters_model as model
from exchange.domain.delivery import Actor, Delivery, State
from exchange.domain.errors import ExchangeError
from exchange.settings import OperatorSettings
from exchange.store.views import DeliveryTimeline, Timeline
from exchange.system import now

app = typer.Typer(add_completion=False)

_NO_LOG = frozenset({"log-not-here", "not-found", "right-missing", "entry-missing"})
"""Codes of a console that has no log to look at, does not let us or does not know how; of one without a checkpoint."""


class LetterUnknown(ExchangeError):
    """The tracker knows no letter by that name, or several."""

    code = "letter-unknown"


@app.command()
def track(
    letter: Annotated[
        str, typer.Argument(help="Id (its beginning is enough), message id, document id or registration number.")
    ],
    *,
    to: Annotated[str | None, typer.Option(metavar="BODY", help="Only what concerns this recipient.")] = None,
    each: Annotated[bool, typer.Option("--each", help="Every recipient of a circular, not only how many.")] = False,
    following: Watch = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show a letter's timeline for each recipient, and who must act next.

    Of a letter to more than 8 bodies: how many of them are in which state, and the first of each.
    """
    settings = as_operator(config)
    until_left(_track(settings, letter, Shown(to, each=each), Output(as_json=json), following=following))


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a letter's story: `to` one recipient, or `each` of a circular."""

    to: str | None
    each: bool


async def _track(settings: OperatorSettings, text: str, shown: Shown, output: Output, *, following: bool) -> None:
    async with opened_api(settings, follows=following) as api:
        found = await api.get(f"{ROOT}/find", model.Found, {"q": text})
        digest = one_letter(text, found).digest

        async def show() -> None:
            story = _chosen(told.story(await api.get(f"{ROOT}/letters/{digest}", model.Story, {})), shown)
            log = await _log(api, digest)

            def render(console: Console) -> None:
                _render(story, console, each=shown.each)
                if log is not None:
                    console.print(f"\n{_standing(log)}")

            as_told = log if isinstance(log, model.LogTold) else None
            output.result({**plain(story), "log": msgspec.to_builtins(as_told)}, render)

        if following:
            await watch(api, {"q": digest, "to": shown.to}, output, show)
        else:
            await show()


async def _log(api: ConsoleApi, digest: str) -> model.LogTold | ConsoleProblem | None:
    """How far it stands in the log, or why that is not known; None of a console that looks at none."""
    try:
        return await api.get(f"{ROOT}/letters/{digest}/log", model.LogTold, {})
    except ConsoleProblem as error:
        if error.code in _NO_LOG:
            return None
        return error


def _standing(log: model.LogTold | ConsoleProblem) -> str:
    """What is proven by now, in a sentence."""
    if isinstance(log, ConsoleProblem):
        return f"[yellow]in the log: not known now[/], {shown(str(log))} ({log.code})"
    if log.waiting or not log.proven:
        since = "" if log.since is None else f" since {local(log.since)}"
        return f"[yellow]in the log: {log.proven} entries; the others wait for a checkpoint{since}[/]"
    seen = f"cosigned by {shown(', '.join(log.witnesses))}" if log.witnesses else "which nobody cosigned"
    words = f"in the log: {log.proven} entries, under the checkpoint of {local(log.at)}, {seen}"
    return f"[green]{words}[/]" if log.witnessed else f"[yellow]{words}: not as the policy asks for[/]"


def _chosen(story: Timeline, shown: Shown) -> Timeline:
    if shown.to is None:
        return story
    story = replace(story, deliveries=tuple(part for part in story.deliveries if part.recipient == shown.to))
    if not story.deliveries:
        message = f"the letter did not go to '{shown.to[:63]}': `exchange track` without --to shows to whom it went"
        raise LetterUnknown(message)
    return story


def one_letter(text: str, found: model.Found) -> model.LetterTold:
    """The one letter that a text names.

    Raises:
        LetterUnknown: there is none, `letter-put-away`, or `letter-ambiguous`.
    """
    named = found.items
    if found.put_away and not named:
        first = found.put_away[0]
        where = f"read it in {first.file} of the tracker's archive, from byte {first.at} on"
        message = f"letter {first.digest} was put away on {local(first.put_away)}: {where}"
        raise LetterUnknown(message, code="letter-put-away")
    if not named:
        raise LetterUnknown(_nothing(text))
    if len(named) > 1:
        names = ", ".join(f"{letter.digest[:DIGEST_CHARACTERS]} from {letter.sender}" for letter in named[:5])
        message = f"'{text}' names {len(named)} letters: {names}; give more of the id"
        raise LetterUnknown(message, code="letter-ambiguous")
    return named[0]


def _nothing(text: str) -> str:
    return f"the tracker knows no letter '{text}': look it up with `exchange letters`, or wait until it is journalled"


def _render(story: Timeline, console: Console, *, each: bool = False) -> None:
    letter = story.letter
    registered = f", {letter.document.number} of {letter.document.date}" if letter.document.number else ""
    console.print(f"[bold]Letter {letter.digest.hex()}[/]")
    console.print(f"from {letter.sender}{shown(registered)}, {letter.kind.lower()}, {letter.urgency.lower()}")
    console.print(f"created {local(letter.created)}, journalled {local(letter.journalled)}")
    if letter.reason:
        console.print(f"[red]refused: {letter.reason}[/] {shown(letter.detail)}")
        _explain(letter.reason, console)
    if each or len(story.deliveries) <= FEW:
        for delivery in story.deliveries:
            _render_delivery(delivery, console)
    else:
        _render_summary(story, console)
    for flag in story.flags:
        console.print(
            f"[yellow]flag {flag.code}[/] {flag.body} at {flag.partition}/{flag.offset}: {shown(flag.detail)}"
        )


def _render_summary(story: Timeline, console: Console) -> None:
    """How many are in which state, with the first few names; the furthest first."""
    console.print(f"\n[bold]to {len(story.deliveries)} bodies[/]")
    by_state: defaultdict[State, list[str]] = defaultdict(list)
    for part in story.deliveries:
        by_state[part.delivery.state].append(part.recipient)
    table = Table(box=None, pad_edge=False, show_header=False)
    for state in (state for state in reversed(State) if state in by_state):
        bodies = by_state[state]
        more = f" and {len(bodies) - FEW} more" if len(bodies) > FEW else ""
        table.add_row(
            f"  [{STATE_STYLES[state]}]{state}[/]", str(len(bodies)), f"{shown(', '.join(bodies[:FEW]))}{more}"
        )
    console.print(table)
    console.print(f"Next: exchange track {short(story.letter.digest)} --to BODY, or --each for all of them")


def _render_delivery(part: DeliveryTimeline, console: Console) -> None:
    delivery = part.delivery
    recipient = shown(part.recipient) or "(nobody named)"
    console.print(f"\n[bold]to {recipient}[/]: [{STATE_STYLES[delivery.state]}]{delivery.state}[/]{_late(delivery)}")
    table = Table(box=None, pad_edge=False, show_header=False)
    for step in part.steps:
        said = [step.registration.number, step.registration.date, step.reason, step.text]
        words = shown(" ".join(word for word in said if word)) + ("" if step.holds else " [yellow](does not hold)[/]")
        table.add_row(f"  {local(step.journalled)}", f"+{lasted(step.wait)}", step.event, words)
    console.print(table)
    if delivery.state is not State.REJECTED:  # then it stands above: no recipient has had it
        _explain(delivery.reason, console)
    console.print(f"  {shown(_next(part, now()))}")


def _explain(code: str, console: Console) -> None:
    """What a reason means and what to do next, where that is known."""
    if words := explained(code):
        console.print(f"  {shown(words)}")


def _late(delivery: Delivery) -> str:
    """Stages whose deadline passed."""
    if not delivery.late:
        return ""
    style, word = ("red", "overdue") if delivery.overdue else ("yellow", "was late")
    return f" [{style}]{word}: {', '.join(sorted(delivery.late))}[/]"


def _next(part: DeliveryTimeline, at: datetime) -> str:
    """Who must act, for how long it has been so, and until when."""
    waiting = part.waiting(at)
    if waiting is None:
        return "nobody needs to act"
    actor = part.delivery.next
    who = part.recipient if actor is Actor.RECIPIENT else actor.value.replace("recipient's", f"{part.recipient}'s")
    return f"waiting for {who} for {lasted(waiting)}{_deadline(part.delivery, at)}"


def _deadline(delivery: Delivery, at: datetime) -> str:
    if delivery.stage is None or delivery.due is None:
        return ""
    left = delivery.due - at
    return f", deadline passed {lasted(-left)} ago" if left < timedelta() else f", deadline in {lasted(left)}"
