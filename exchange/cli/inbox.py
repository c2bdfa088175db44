"""`exchange inbox`: what the exchange has for a body, read and verified with the body's own certificate."""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.agent.arrivals import LetterArrival, verify
from exchange.agent.errors import ArrivalFlagged
from exchange.agent.history import TrustHistory
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import inbox as inbox_topic
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, agent_file
from exchange.cli.signatures import signature_line
from exchange.cli.words import local, short
from exchange.domain.decision import Notice
from exchange.domain.errors import WireError
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.documents import Anchors, SignatureReport, signature_reports
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.wire.records import kind_of

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A letter in an inbox; `digest` is its id, `signatures` what becomes of its document's own ones."""

    digest: bytes
    sender: str
    reached: datetime
    number: str
    title: str
    files: tuple[str, ...]
    signatures: tuple[SignatureReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Flagged:
    """A record that does not prove what it says."""

    offset: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What an inbox holds: letters and flagged records; receipts and notices are only counted."""

    body: str
    letters: tuple[Arrived, ...]
    receipts: int
    notices: int
    flagged: tuple[Flagged, ...]


@app.command()
def inbox(
    *,
    as_body: Annotated[str, typer.Option("--as", metavar="BODY", help="Whose inbox.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """List the letters in a body's inbox; each is verified as of the time of its decision."""
    output = Output(as_json=json)
    settings = agent_settings(agent_file(config, as_body, os.environ), os.environ)
    with output.doing("reading the inbox"):
        found = asyncio.run(_read(settings, as_body))
    output.verdict(found, lambda console: _render(found, console), ok=not found.flagged)


async def _read(settings: AgentSettings, body: str) -> Contents:
    history = TrustHistory(DirectoryFolder.at(settings.directory.folder, settings.directory.root))
    anchors = Anchors.load(settings.documents)
    letters, flagged, counts = [], [], {"receipts": 0, "notices": 0}
    async with PositionedReader(settings.kafka, {(inbox_topic(body), 0): None}, fetch_wait_seconds=0.5) as reader:
        ends = await reader.end_offsets()
        while not reader.reached(ends):
            for record in await reader.read(1.0):
                match _opened(record, body, history, anchors) if isinstance(record, Record) else None:
                    case Arrived() as letter:
                        letters.append(letter)
                    case Flagged() as flag:
                        flagged.append(flag)
                    case str() as kind:
                        counts[kind] += 1
    return Contents(body, tuple(letters), counts["receipts"], counts["notices"], tuple(flagged))


def _opened(record: Record, body: str, history: TrustHistory, anchors: Anchors) -> Arrived | Flagged | str:
    """A letter, a flagged record, or what else is only counted."""
    value = record.value or b""
    try:
        if kind_of(value) is Notice:
            return "notices"
        arrival = verify(value, body, history.at)
    except (WireError, ArrivalFlagged) as error:
        return Flagged(record.offset, error.code, str(error))
    if not isinstance(arrival, LetterArrival):
        return "receipts"
    card = arrival.card
    return Arrived(
        digest=arrival.digest,
        sender=arrival.letter.head.body,
        reached=record.timestamp,
        number=card.reg_number,
        title=card.title or card.annotation,
        files=tuple(file.name for file in card.files),
        signatures=signature_reports(card, arrival.files, anchors, system.now()),
    )


def _render(found: Contents, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("letter", "arrived", "from", "number", "about", "files"):
        table.add_column(heading)
    for letter in found.letters:
        about, files = shown(letter.title), shown(", ".join(letter.files))
        table.add_row(short(letter.digest), local(letter.reached), letter.sender, shown(letter.number), about, files)
    console.print(table)
    for letter in found.letters:
        for report in letter.signatures:
            console.print(f"{short(letter.digest)}  {signature_line(report)}")
    console.print(f"\n{len(found.letters)} letters, {found.receipts} receipts, {found.notices} notices of the exchange")
    for flag in found.flagged:
        console.print(f"[red]record {flag.offset} is flagged: {flag.code}[/] {shown(flag.detail)}")
