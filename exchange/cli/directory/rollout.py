"""`exchange directory rollout`: who is connected where, and how long paper still helps the others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.cli.directory.panels import LOOK
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_operator
from exchange.domain.paper import day_of
from exchange.domain.rollout import Area, Count, CutOff, RollOut, count_roll_out, silent_bodies
from exchange.security.directory.folder import DirectoryFolder
from exchange.settings.territory import territory
from exchange.store.database import Store
from exchange.store.queries import speaking

app = typer.Typer()

CENTRAL, COUNTRY = "central bodies", "the country"


@app.command(rich_help_panel=LOOK)
def rollout(
    *,
    raions: Annotated[bool, typer.Option("--raions", help="Raions and cities too, not only oblasts.")] = False,
    silent: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Name connected bodies that said nothing for so long.")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Count who is connected by oblast and raion, ayil okmotu by themselves, and the days to the cut-offs."""
    settings = as_operator(config)
    bodies = DirectoryFolder.at(settings.directory.folder, settings.directory.root).latest().bodies.values()
    now = system.now()
    found = count_roll_out(bodies, territory().names, day_of(now))
    if silent is not None:
        with Store(settings.store) as store, store.reading() as connection:
            found = replace(found, silent=silent_bodies(bodies, speaking(connection, now - timedelta(days=silent))))
    Output(as_json=json).result(found, lambda console: _render(found, console, raions=raions))


def area_name(area: Area) -> str:
    """How a part of the country is called."""
    return area.name or area.soate or CENTRAL


def share(count: Count) -> str:
    """`74 of 105`, empty of none."""
    return f"{count.connected} of {count.bodies}" if count.bodies else ""


def percent(count: Count) -> str:
    """`70 %`, never rounded up to all or down to nobody; empty of none."""
    if count.percent is None:
        return ""
    if 0 < count.connected < count.bodies:
        return f"{min(max(round(count.percent), 1), 99)} %"
    return f"{count.percent:.0f} %"


def _render(found: RollOut, console: Console, *, raions: bool) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column(f"on {found.day}", no_wrap=True)
    for heading in ("connected", "", "ayil okmotu", "", "by paper bridge"):
        table.add_column(heading, justify="right", no_wrap=True)
    for area, name in _rows(found, raions=raions):
        carried = str(area.carried) if area.carried else ""
        villages = area.ayil_okmotu
        table.add_row(shown(name), share(area.all), percent(area.all), share(villages), percent(villages), carried)
    console.print(table)
    for cut_off in found.cut_offs:
        console.print(_words(cut_off))
    if found.silent is not None:
        console.print(f"silent: {', '.join(found.silent) or 'nobody'}")


def _rows(found: RollOut, *, raions: bool) -> Iterator[tuple[Area, str]]:
    for oblast in found.oblasts:
        yield oblast, area_name(oblast)
        for raion in oblast.raions if raions else ():
            yield raion, f"  {area_name(raion)}"
    yield found.country, COUNTRY


def _words(cut_off: CutOff) -> str:
    far = f"in {cut_off.days_left} days" if cut_off.days_left > 0 else "in force"
    return f"paper ends on {cut_off.day} ({far}): {cut_off.take_none} take none, {cut_off.send_none} send none"
