"""What `exchange archive` does with its folder: make its index again, delete contents by order."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange.archive.contents import Authority
from exchange.archive.writer import ArchiveWriter
from exchange.cli.machine_acts import at_the_machine, keep_act
from exchange.cli.output import Json, Output, shown
from exchange.console.auth.acts import Act
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import DIGEST_BYTES
from exchange.domain.own_bodies import ARCHIVE_ACTS, ARCHIVE_BODY, CONSOLE_BODY
from exchange.domain.statement import Command
from exchange.journal.commands import DELETE_CONTENTS
from exchange.services.archive.deleting import Deleted, delete_letter, delete_month
from exchange.settings.archive import archive_settings
from exchange.settings.console import console_settings
from exchange.wiring.directory import latest_directory

DELETE = f"{ARCHIVE_ACTS}delete"
"""The act of `delete`; what it rests on is another, which orders it."""

Config = Annotated[Path, typer.Option("--config", help="The archive's configuration.")]
Letter = Annotated[str, typer.Option("--letter", help="Whose contents: the letter's id, 64 hexadecimal digits.")]
Month = Annotated[str, typer.Option("--month", help="All contents of a month, as 2021-11, at the end of their time.")]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many entries the index finds again."""

    entries: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """What is to be deleted, and who said so."""

    action: str
    subject: str
    person: str


def reindex(*, config: Config, json: Json = False) -> None:
    """Make again what finds entries by digests; the archive's process must have ended."""
    settings = archive_settings(config, os.environ)
    with ArchiveWriter(settings.folder, latest_directory(settings.directory).journal_partitions) as writer:
        writer.rebuild_index()
        made = Rebuilt(sum(head.size for head in writer.logs))
    Output(as_json=json).result(made, lambda console: console.print(f"{made.entries} entries are found again."))


def order_deletion(
    *,
    letter: Letter = "",
    month: Month = "",
    reason: Annotated[str, typer.Option("--reason", help="By which law or decision, in your words.")],
    console: Annotated[Path, typer.Option("--console", help="The console's configuration: it says it.")],
    json: Json = False,
) -> None:
    """Order in the journal that contents are deleted; `exchange archive delete` does it once the log has the order."""
    digest, subject = _subject(letter, month)
    output = Output(as_json=json)
    act = Act(DELETE_CONTENTS, at_the_machine(), reason=reason, detail=month, letter=digest)
    keep_act(CONSOLE_BODY, console_settings(console, os.environ), act, output)
    told = Ordered(act.action, subject, act.person)
    output.result(
        told, lambda shown_on: shown_on.print(f"Ordered: {told.action} of {subject}, by {shown(told.person)}.")
    )


def delete(
    *,
    letter: Letter = "",
    month: Month = "",
    order: Annotated[str, typer.Option("--order", help="Of a month: the order's place, PARTITION:INDEX.")] = "",
    config: Config,
    json: Json = False,
) -> None:
    """Delete contents, with their salts, by an order that the log has; every proof of everything else stays."""
    digest, subject = _subject(letter, month)
    settings, output = archive_settings(config, os.environ), Output(as_json=json)

    def keep(command: Command, found: Authority) -> None:
        detail = f"{subject}, by entry {found.index} of journal/{found.partition}, ordered by {command.person}"
        keep_act(ARCHIVE_BODY, settings, Act(DELETE, at_the_machine(), detail=detail, letter=digest), output)

    if digest is None:
        done = delete_month(settings.folder, month, _place(order), keep)
    else:
        done = delete_letter(settings.folder, digest, keep)
    output.result(done, lambda console: _render_deleted(done, subject, console))


def _subject(letter: str, month: str) -> tuple[bytes | None, str]:
    """Digest of the letter, None for a month; and both in words."""
    if bool(letter) == bool(month):
        message = "name either --letter or --month: one of them is deleted"
        raise ConfigurationError(message)
    if month:
        return None, f"month {month}"
    try:
        digest = bytes.fromhex(letter)
    except ValueError:
        digest = b""
    if len(digest) != DIGEST_BYTES:
        message = f"--letter {letter[:80]!r} is no letter's id: give all 64 hexadecimal digits"
        raise ConfigurationError(message)
    return digest, f"letter {letter}"


def _place(text: str) -> Authority:
    partition, _, index = text.partition(":")
    if not (partition.isascii() and partition.isdigit() and index.isascii() and index.isdigit()):
        message = f"--order {text[:40]!r} is no place: give partition and index of the order, as 3:1207"
        raise ConfigurationError(message)
    return Authority(int(partition), int(index))


def _render_deleted(done: Deleted, subject: str, console: Console) -> None:
    console.print(f"{done.items} items of {subject} are deleted, by entry {done.index} of journal/{done.partition}.")
    console.print(f"Ordered by {shown(done.person)}: {shown(done.reason)}")
