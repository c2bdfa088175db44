"""`exchange directory paper`: until when a body uses paper, and who carries it until it is connected."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

import typer

from exchange.cli.drafts import Desk, folder_of, tell
from exchange.cli.keepers import DRAFT, Clock, Codes, DraftOut, Keys, Reason
from exchange.cli.output import Json
from exchange.cli.places import Config
from exchange.domain.directory import Body, Paper
from exchange.domain.errors import ConfigurationError


def paper(  # noqa: PLR0913 - every option of a command is an argument
    codes: Codes,
    *,
    taken_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day on which it takes none.")
    ] = None,
    sent_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day on which it sends none.")
    ] = None,
    bridge: Annotated[str | None, typer.Option(help="Code of the body that carries it. Default: as it is.")] = None,
    reason: Reason,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say until when bodies use paper; without a date they are electronic only, that way."""
    channel = Paper(_day(taken_until), _day(sent_until))
    known = None if channel == Paper(None, None) else channel

    if bridge and bridge not in folder_of(config).latest().bodies:
        message = f"the directory lists no body '{bridge[:63]}': look the bridge up: exchange directory search"
        raise ConfigurationError(message, code="body-unknown")

    def change(body: Body) -> Body:
        return replace(body, paper=known, gateway=body.gateway if bridge is None else bridge)

    tell(Desk(config, key, clock, draft).enter_bodies(codes, change, reason), json=json)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
