"""The exchange's echo: a body that answers every letter, so that others can try their own way in and out.

    a letter       ─▶ delivered (by the agent), handed-over, registered, and one reply
    an answer      ─▶ the same receipts, and no reply: two echoes would never end
    receipts       ─▶ nothing

A reply holds nothing of the letter but its id, so nobody sends much by sending little to the echo; how much it
says at all, its budget bounds like everybody's.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from exchange.agent.errors import DraftRefused
from exchange.agent.mailbox import Mailbox, Received
from exchange.agent.ports import ArrivedLetter, DraftLetter, DraftReceipt
from exchange.domain.card import FileInfo, FileRole, LetterCard, Link, Party, ReceiptCard
from exchange.domain.errors import ExchangeError
from exchange.domain.event import Event
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
WAIT_SECONDS = 5.0
SOURCE_FORMAT = "exchange-echo"


class Echo:
    """Answers what arrives in one mailbox; `run` is its task."""

    def __init__(self, mailbox: Mailbox, body: str, clock: Callable[[], datetime]) -> None:
        """Answer as `body`, whose agent sends what the mailbox is given."""
        self._mailbox = mailbox
        self._body = body
        self._clock = clock

    async def run(self) -> None:
        """Answer until cancelled; a spool that takes no more for a while is waited out."""
        while True:
            try:
                busy = await self._round()
            except ExchangeError as error:
                if not error.retriable:
                    raise
                log.warning("%s: answering waits: %s (%s)", self._body, error, error.code)
                await asyncio.sleep(WAIT_SECONDS)
                continue
            if not busy:
                await asyncio.sleep(POLL_SECONDS)

    async def _round(self) -> bool:
        """Answer some of what waits; whether there was anything."""
        waiting = await self._mailbox.untaken()
        for received in waiting:
            await self._answer(received)
        return bool(waiting)

    async def _answer(self, received: Received) -> None:
        """Everything about one letter at once: killed at any point, the echo has answered it or will."""
        letter, now = received.arrived, self._clock()
        number = f"echo-{letter.digest.hex()[:8]}"
        card = ReceiptCard(reg_number=number, reg_date=now.date(), source_format=SOURCE_FORMAT)
        registered = DraftReceipt(Event.REGISTERED, now, "", card)
        try:
            await self._mailbox.answer(letter.digest, registered, self._reply(letter, number, now))
        except DraftRefused as refused:
            log.warning("%s: no reply to %s: %s", self._body, letter.digest.hex(), refused.code)
            await self._mailbox.answer(letter.digest, registered, None)

    def _reply(self, letter: ArrivedLetter, number: str, now: datetime) -> DraftLetter | None:
        """None to what is an answer itself."""
        said = letter.letter
        if said.kind is LetterKind.REPLY or said.in_reply_to is not None or letter.sender == self._body:
            return None
        message_id = f"echo-{letter.digest.hex()}"
        text = f"{letter.digest.hex()}\n".encode()
        file = FileInfo("1", "echo.txt", "text/plain", len(text), sha256(text).digest(), FileRole.MAIN)
        about = Link("В ответ на", letter.card.document_id, letter.card.reg_number, letter.card.reg_date)
        card = LetterCard(
            document_id=message_id,
            reg_number=number,
            reg_date=now.date(),
            title="Echo",
            annotation=f"Жооп · Ответ · Echo {letter.digest.hex()[:8]}",
            sender=Party(body=self._body),
            addressees=(Party(body=letter.sender),),
            links=(about,),
            files=(file,),
            source_format=SOURCE_FORMAT,
        )
        return DraftLetter(
            message_id=message_id, consignment_id=message_id, kind=LetterKind.REPLY, conversation=said.conversation,
            in_reply_to=letter.card.document_id, in_reply_to_number=letter.card.reg_number,
            recipients=(letter.sender,), ack=AckPolicy.NONE, wanted=(), urgency=Urgency.ROUTINE, reply_due=None,
            access=Access.PUBLIC, card=card, files=(text,),
        )  # fmt: skip
