"""`exchange refill`: give a body again what it lost: the task of `exchange redrive`, chosen by body and time."""

from typing import Annotated

import typer

from exchange.cli.letter_ids import instant
from exchange.cli.output import Json, Output
from exchange.cli.places import Config, as_operator
from exchange.cli.redrive import PLAN, Following, Key, Meant, Rate, Reason, Sample, Share, Yes, redeliver
from exchange.cli.watching import until_left
from exchange.console.api.parameters import FilterQuery
from exchange.domain.task import Plan

app = typer.Typer(add_completion=False)


@app.command()
def refill(  # noqa: PLR0913 - an option for each word of the task
    body: Annotated[str, typer.Argument(help="Whose letters are lost: the recipient's code.")],
    *,
    since: Annotated[
        str,
        typer.Option("--since", metavar="INSTANT", help="Letters that the journal took then or later; with its zone."),
    ],
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="Letters that it took before; with its zone.")
    ] = None,
    reason: Reason,
    sample: Sample = PLAN.sample,
    share: Share = PLAN.share,
    rate: Rate = PLAN.rate,
    yes: Yes = False,
    following: Following = False,
    key: Key = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Deliver again all letters of a time to a body that lost them, in whatever state they were.

    What Kafka keeps no longer comes out of the archive. Shows the exact count, how many the body had handed over
    before, and the sample that goes first. More than 100 letters wait for another person's `exchange tasks approve`.
    """
    words = FilterQuery(
        to=body, since=instant(since, "--since"), until=None if until is None else instant(until, "--until")
    )
    meant = Meant("", "", words, Plan(rate, sample, share), reason, key, yes, following)
    settings = as_operator(config)
    until_left(redeliver(settings, meant, Output(as_json=json)))
