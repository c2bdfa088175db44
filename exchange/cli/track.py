"""`exchange track`: the whole story of one letter."""

import os
from collections import defaultdict
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, config_file
from exchange.cli.words import FEW, STATE_STYLES, lasted, local, short
from exchange.domain.delivery import Actor, State
from exchange.domain.errors import ExchangeError
from exchange.settings import operator_settings
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.views import DeliveryTimeline, Letter, Timeline
from exchange.system import now

app = typer.Typer(add_completion=False)


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
    config: Config = None,
    json: Json = False,
) -> None:
    """Show a letter's timeline for each recipient, and who must act next.

    Of a letter to more than 8 bodies: how many of them are in which state, and the first of each.
    """
    settings = operator_settings(config_file(config, "operator", os.environ), os.environ)
    with Store(settings.store) as store, store.reading() as connection:
        named = queries.find(connection, letter)
        story = queries.timeline(connection, _one(letter, named).digest)
    if story is None:
        raise LetterUnknown(_nothing(letter))
    if to is not None:
        story = replace(story, deliveries=tuple(part for part in story.deliveries if part.recipient == to))
        if not story.deliveries:
            message = f"the letter did not go to '{to[:63]}': `exchange track` without --to shows to whom it went"
            raise LetterUnknown(message)
    Output(as_json=json).result(story, lambda console: _render(story, console, each=each))


def _one(text: str, named: list[Letter]) -> Letter:
    if not named:
        raise LetterUnknown(_nothing(text))
    if len(named) > 1:
        shown = ", ".join(f"{short(letter.digest)} from {letter.sender}" for letter in named[:5])
        message = f"'{text}' names {len(named)} letters: {shown}; give more of the id"
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
    console.print(f"\n[bold]to {recipient}[/]: [{STATE_STYLES[delivery.state]}]{delivery.state}[/]")
    table = Table(box=None, pad_edge=False, show_header=False)
    for step in part.steps:
        said = [step.registration.number, step.registration.date, step.reason, step.text]
        words = shown(" ".join(word for word in said if word)) + ("" if step.holds else " [yellow](does not hold)[/]")
        table.add_row(f"  {local(step.journalled)}", f"+{lasted(step.wait)}", step.event, words)
    console.print(table)
    console.print(f"  {shown(_next(part))}")


def _next(part: DeliveryTimeline) -> str:
    """Who must act, and for how long it has been so."""
    waiting = part.waiting(now())
    if waiting is None:
        return "nobody needs to act"
    actor = part.delivery.next
    who = part.recipient if actor is Actor.RECIPIENT else actor.value.replace("recipient's", f"{part.recipient}'s")
    return f"waiting for {who} for {lasted(waiting)}"
