"""`exchange demo --story rollout`: January to April 2022, from paper to the exchange."""

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from exchange.cli.directory.rollout import COUNTRY, area_name, percent, share
from exchange.cli.output import Output
from exchange.domain.paper import BISHKEK
from exchange.domain.rollout import Area
from exchange.embedded.country import AYIL_OKMOTU_THEN, CONNECTED_THEN, OTHER_BODIES
from exchange.embedded.rollout_calendar import SOURCE_COUNTRY, SOURCE_ELSEWHERE, SOURCE_SHARES
from exchange.embedded.rollout_letters import Posted
from exchange.embedded.rollout_story import RollOutStory, play_roll_out
from exchange.settings.territory import territory


def demo_rollout(output: Output) -> None:
    """Play the story in a folder of its own, which is gone afterwards, and show it."""
    with tempfile.TemporaryDirectory() as folder, output.doing("the roll-out begins") as tell:
        story = play_roll_out(Path(folder), territory(), tell)
    output.result(story, lambda console: render(story, console))


def render(story: RollOutStory, console: Console) -> None:
    """Show people the story: who is connected when, the letters, and where it differs from its source."""
    console.print(_oblasts(story))
    console.print()
    console.print(_letters(story.letters))
    console.print("\n[bold]Where this differs from the source[/]")
    for line in _differences(story):
        console.print(f"  {line}")
    console.print(f"\n{story.bodies} bodies, {story.versions} versions of the directory, each signed by two keepers")


def _oblasts(story: RollOutStory) -> Table:
    january, *later = story.counts
    table = Table(title="Connected", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column(f"on {january.day}", no_wrap=True)
    days = (f"on {count.day:%m-%d}" for count in later)
    for heading in ("bodies", "ayil okmotu", "", "the source", *days):
        table.add_column(heading, justify="right", no_wrap=True)
    for index, area in enumerate(january.oblasts):
        table.add_row(*_row(area, area_name(area), _source(area), *(count.oblasts[index] for count in later)))
    whole = _row(january.country, COUNTRY, f"{SOURCE_COUNTRY}; {CONNECTED_THEN} bodies", *(c.country for c in later))
    table.add_row(*whole, style="bold")
    return table


def _row(area: Area, name: str, source: str, *later: Area) -> tuple[str, ...]:
    villages = area.ayil_okmotu
    then = (share(each.ayil_okmotu) for each in later)
    return (name, share(area.all), share(villages), percent(villages), source, *then)


def _source(area: Area) -> str:
    return SOURCE_SHARES.get(area.soate, SOURCE_ELSEWHERE) if area.ayil_okmotu.bodies else ""


def _letters(letters: tuple[Posted, ...]) -> Table:
    table = Table(title="Letters", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("in Bishkek", "from", "to", "way", "verdict"):
        table.add_column(heading, no_wrap=heading != "verdict")
    for letter in letters:
        posting = letter.posting
        verdict = f"[red]{letter.reason}[/]: {letter.detail}" if letter.reason else "[green]accepted[/]"
        moment = posting.at.astimezone(BISHKEK).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(moment, posting.sender, posting.recipient, "paper" if letter.by_paper else "electronic", verdict)
    return table


def _differences(story: RollOutStory) -> tuple[str, ...]:
    listed = story.counts[0].country.ayil_okmotu.bodies
    counted = SOURCE_COUNTRY.split()[-1]
    waiting = listed - AYIL_OKMOTU_THEN
    return (
        f"Today's code list has {listed} ayil okmotu, the source {counted}.",
        "The one more is taken to be in Jalal-Abad oblast, and to lag.",
        "In Chui oblast 74 of 105 are 70 %, not the 74 % that the source also gives.",
        f"The source's {CONNECTED_THEN} connected bodies are {AYIL_OKMOTU_THEN} ayil okmotu and {OTHER_BODIES} others:",
        f"with the {waiting} ayil okmotu that wait there are {story.bodies}.",
        "Nine of them are real; all others are made up, and say so in their names.",
    )
