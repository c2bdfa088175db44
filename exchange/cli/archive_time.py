"""What `exchange archive` does with time-stamps: renew them in time, and hand out their evidence records."""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry
from rich.console import Console

from exchange.archive.renewals import Renewals
from exchange.cli.output import Json, Output, shown
from exchange.domain.errors import ConfigurationError
from exchange.security.files import write_atomically
from exchange.security.timestamps import Authorities
from exchange.services.archive.renewing import Renewed
from exchange.settings.archive import ArchiveServiceSettings, archive_settings
from exchange.settings.timestamps import TimestampSettings
from exchange.system import now
from exchange.wiring.timestamps import open_timestamps

Config = Annotated[Path, typer.Option("--config", help="The archive's configuration.")]
_WORDS = {"begun": "a new batch", "renewed": "stamped again", "digest": "stamped anew by another digest"}


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """An evidence record that was written; its objects existed by `since`, and it holds until `until`."""

    file: str
    size: int
    since: datetime
    until: datetime


def renew(*, config: Config, json: Json = False) -> None:
    """Do now what the archive's process does once a day: make batches of time-stamps, and renew those that end soon.

    The process may run or not: only one of the two renews at a time.
    """
    settings = archive_settings(config, os.environ)
    made = asyncio.run(_renew(settings, _stamps(settings, config)))
    Output(as_json=json).result(made, lambda console: _render(made, console))


def record(
    size: Annotated[int, typer.Argument(help="Of the checkpoint: the number in the name of its file in tokens/.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where the record goes.")],
    config: Config,
    json: Json = False,
) -> None:
    """Write the evidence record (RFC 4998) of a checkpoint and its time-stamp, verified: it proves these two."""
    settings = archive_settings(config, os.environ)
    authorities, renewals = Authorities.load(_stamps(settings, config).roots), Renewals(settings.folder)
    kept, made = renewals.kept.read(size), renewals.of(size).record(size)
    evidence = made.verify([kept.note, kept.response], authorities, now())
    write_atomically(output, made.encoded)
    told = ShownRecord(str(output), size, evidence.since, evidence.until)
    Output(as_json=json).result(told, lambda console: _render_record(told, console))


async def _renew(settings: ArchiveServiceSettings, stamps: TimestampSettings) -> list[Renewed]:
    async with open_timestamps(stamps, settings.folder, CollectorRegistry(), lambda: None) as (_, renewing):
        return await renewing.renew()


def _stamps(settings: ArchiveServiceSettings, config: Path) -> TimestampSettings:
    if settings.timestamps is None:
        message = f"{config} has no table [timestamps]: add it, with url and roots of an authority"
        raise ConfigurationError(message)
    return settings.timestamps


def _render(made: list[Renewed], console: Console) -> None:
    for each in made:
        console.print(f"batch {each.batch}: {_WORDS[each.what]}, holds until {each.until:%Y-%m-%d}")
    if not made:
        console.print("Nothing is due.")


def _render_record(told: ShownRecord, console: Console) -> None:
    console.print(
        f"{shown(told.file)}: existed by {told.since:%Y-%m-%d %H:%M:%S} UTC, holds until {told.until:%Y-%m-%d}"
    )
