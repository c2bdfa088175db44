"""A letter to the echo: whether the exchange takes it, what is heard of it, and whether the reply arrives."""

import asyncio

from exchange.agent.mailbox import Received, SentLetter
from exchange.agent.ports import DraftLetter
from exchange.agent.spool.incoming import ArrivalState
from exchange.agent.spool.outgoing import OutgoingState
from exchange.cli.findings import Check, Finding, Severity
from exchange.client import Client
from exchange.domain.event import Event

TITLE = "Selftest"
LOOK_SECONDS = 0.2
EXPECTED = (Event.DELIVERED, Event.HANDED_OVER, Event.REGISTERED)
"""What the echo says about a letter."""


async def echoed_letter(
    client: Client, echo: str, seconds: float, *, edms: bool, draft: DraftLetter | None = None
) -> list[Check]:
    """Send a letter and look at everything that comes of it.

    Args:
        client: of the body that is tested.
        echo: code of the body that answers.
        seconds: how long to wait for the exchange's word, and again for the echo's.
        edms: whether a document system is to get the reply.
        draft: a letter to the echo; one that says little when left out.

    Raises:
        BusError: `bus-slow`: the exchange said nothing in time.
        DraftRefused: it could never take the letter.
    """
    message_id = await client.send([echo], TITLE) if draft is None else await client.submit(draft)
    sent = await client.decided(message_id, seconds)
    if sent.state is not OutgoingState.TAKEN:
        step = f"see docs/errors.md: {sent.reason}"
        refused = Finding(Severity.ERROR, sent.reason, echo, f"the letter was refused: {sent.detail}", step)
        later = "the letter was refused"
        return [Check("letter", (refused,)), Check("receipts", skipped=later), Check("reply", skipped=later)]
    deadline = asyncio.get_running_loop().time() + seconds
    reply = None
    while True:
        sent, reply = await client.sent(sent.message_id), await _reply_to(client, sent)
        answered = not _unheard(sent, echo) and not _reply_findings(reply, echo, edms=edms)
        if answered or asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(LOOK_SECONDS)
    receipts = tuple(_unheard(sent, echo))
    return [
        Check("letter"),
        Check("receipts", receipts),
        Check("reply", tuple(_reply_findings(reply, echo, edms=edms))),
    ]


async def _reply_to(client: Client, sent: SentLetter) -> Received | None:
    arrived = await client.arrived()
    return next((each for each in arrived if each.arrived.letter.in_reply_to == sent.digest), None)


def _unheard(sent: SentLetter, echo: str) -> list[Finding]:
    heard = {each.event for each in sent.heard if each.actor == echo}
    step = "wait and look again with `exchange body selftest`; if it lasts, ask the operators whether the echo runs"
    return [
        Finding(Severity.ERROR, "receipt-missing", event, f"not heard from {echo} in time", step)
        for event in EXPECTED
        if event not in heard
    ]


def _reply_findings(reply: Received | None, echo: str, *, edms: bool) -> list[Finding]:
    if reply is None:
        step = "wait and look again; if it lasts, ask the operators whether the echo runs"
        return [Finding(Severity.ERROR, "reply-missing", echo, "no reply has arrived in time", step)]
    if edms and reply.state is not ArrivalState.HANDED:
        problem = f"the reply waits in the spool: {reply.reason or reply.state}"
        step = "start the agent, or see its log: exchange agent --config agent.toml"
        return [Finding(Severity.ERROR, "not-handed-over", "document system", problem, step)]
    return []
