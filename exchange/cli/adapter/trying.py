"""`exchange adapter trial`: one of the document system's own letters through the whole circle, answered by the echo."""

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange import system
from exchange.agent.ports import ArrivedReceipt, DraftLetter, Format
from exchange.cli.adapter.checking import BodyCode
from exchange.cli.adapter.opening import Opened, opened, package_at
from exchange.cli.echoed import echoed_letter
from exchange.cli.findings import Check, finding_of, render
from exchange.cli.output import Json, Output, shown
from exchange.client import Client, letter_in
from exchange.domain.card import Party, ReceiptCard
from exchange.domain.errors import DocumentError, ExchangeError
from exchange.domain.ids import ZERO_DIGEST

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial; `told`: by which documents the document system is told of what was heard."""

    checks: tuple[Check, ...]
    told: dict[str, str]


@app.command()
def trial(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A letter as the document system writes it.")],
    *,
    config: Annotated[Path, typer.Option("--config", help="The agent's configuration.")] = Path("agent.toml"),
    body: BodyCode = "",
    echo: Annotated[str, typer.Option("--to", metavar="CODE", help="The body that answers.")] = "echo",
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the exchange, and for the echo.")] = 30.0,
    json: Json = False,
) -> None:
    """Send one of the document system's letters to the echo, and look at what comes back in its own format.

    The letter goes to nobody but the echo, whoever it is addressed to, under a message id of its own. Exit code 1 when
    there is a finding.
    """
    output = Output(as_json=json)
    ground = opened(config, body, os.environ, system.now())
    with output.doing(f"waiting for the answer of {echo}"):
        tried = asyncio.run(_try(ground, config, body, file, echo, wait))
    whole = not any(check.findings for check in tried.checks)
    output.verdict(tried, lambda console: _render(tried, console), ok=whole)


async def _try(ground: Opened, config: Path, body: str, file: Path, echo: str, wait: float) -> Trial:
    fmt = ground.profile.open_format()
    try:
        package = package_at(file, fmt, ground.directory)
        draft = _addressed(letter_in(package, fmt, ground.directory), echo)
    except DocumentError as error:
        return Trial((Check("document", (finding_of(error, str(file)),)),), {})
    try:
        async with Client.open(config, body=body) as client:
            checks = await echoed_letter(client, echo, wait, edms=True, draft=draft)
            told = await _told(client, draft, fmt)
    except ExchangeError as error:
        return Trial((Check("document"), Check("letter", (finding_of(error, echo),))), {})
    return Trial((Check("document"), *checks), told)


def _addressed(draft: DraftLetter, echo: str) -> DraftLetter:
    """The letter to the echo alone, as one that was never sent before."""
    message_id = f"trial-{system.random_bytes(8).hex()}"
    card = replace(draft.card, addressees=(Party(body=echo),))
    return replace(
        draft, message_id=message_id, consignment_id=message_id, conversation=message_id, in_reply_to="",
        in_reply_to_number="", recipients=(echo,), group=None, card=card,
    )  # fmt: skip


async def _told(client: Client, draft: DraftLetter, fmt: Format) -> dict[str, str]:
    """What was heard of the letter, each with the documents that tell the document system so."""
    told = {}
    sent = await client.sent(draft.message_id)
    for each in sent.heard:
        card = ReceiptCard(reg_number=each.reg_number, reg_date=each.reg_date, reason_text=each.text)
        receipt = ArrivedReceipt(
            ZERO_DIGEST, sent.digest or ZERO_DIGEST, draft.message_id, draft.card, each.actor, each.event, each.at,
            each.reason, each.text, card,
        )  # fmt: skip
        written = fmt.render_receipt(receipt, draft.card.sender.body, client.directory)
        told[each.event.value] = "" if written is None else ", ".join(written.files)
    return told


def _render(tried: Trial, console: Console) -> None:
    render(tried.checks, console)
    for event, files in tried.told.items():
        console.print(f"  {event}: {shown(files) if files else '[dim]no document, the format or profile has none[/]'}")
