"""Letters out, and what is heard of them."""

from http import HTTPStatus
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from exchange.agent.intake import package_digest
from exchange.agent.mailbox import Heard as HeardThere
from exchange.agent.mailbox import SentLetter as SentThere
from exchange.agent.ports import ArrivedReceipt, DraftReceipt, Package
from exchange.domain.errors import DocumentError
from exchange.services.api.asking import Asked
from exchange.services.api.desk import DOCUMENT, Desk
from exchange.services.api.model import (
    Accepted,
    ArrivalsQuery,
    Heard,
    ReceiptArrived,
    Receipts,
    SentLetter,
    SentLetters,
    SentQuery,
    SentSummary,
)
from exchange.services.http.answering import answer
from exchange.services.http.problems import ApiRefused

IDEMPOTENCY_KEY = "idempotency-key"


async def send_letter(desk: Desk, asked: Asked[None]) -> Response:
    """Take a letter in; it is on disk when this answers."""
    package = Package("request", {DOCUMENT: await asked.content()})
    draft = await desk.parsed(asked.body, package)
    if isinstance(draft, DraftReceipt):
        message = "the document is a receipt: post it to the receipts of the letter that it is about"
        raise DocumentError(message, code="document-unexpected")
    key = asked.request.headers.get(IDEMPOTENCY_KEY, draft.message_id)
    if key != draft.message_id:
        message = "Idempotency-Key: is not the letter's message id: leave it out, or send that"
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise ApiRefused(message, status=status, code="idempotency-key-differs")
    is_new = await desk.boxes[asked.body].mailbox.submit_once(draft, package_digest(package))
    accepted = Accepted(message_id=draft.message_id, is_new=is_new)
    location = f"/v1/bodies/{asked.body}/letters/{quote(draft.message_id, safe='')}"
    return answer(accepted, HTTPStatus.ACCEPTED, {"Location": location})


async def sent_letters(desk: Desk, asked: Asked[SentQuery]) -> Response:
    """The last letters."""
    found = await desk.boxes[asked.body].mailbox.sent(asked.query.limit, receipts=0)
    return answer(SentLetters(letters=tuple(map(_summary, found))))


async def sent_letter(desk: Desk, asked: Asked[None]) -> Response:
    """One letter."""
    found = await desk.boxes[asked.body].mailbox.sent_letter(asked.path["message_id"])
    if found is None:
        message = "message_id: no letter with it was sent from here: look among the letters, or send it"
        raise ApiRefused(message, status=HTTPStatus.NOT_FOUND, code="letter-unknown")
    said = msgspec.structs.asdict(_summary(found))
    return answer(SentLetter(receipts=tuple(map(_heard, found.heard)), **said))


async def receipts(desk: Desk, asked: Asked[ArrivalsQuery]) -> Response:
    """What was heard about all letters, in the order of arrival."""
    feed, query = desk.boxes[asked.body].feed, asked.query
    page = await desk.polls.page(feed, lambda: feed.receipts(query.after, query.limit), query.wait, asked.request)
    return answer(Receipts(receipts=tuple(_arrived(each) for _, each in page.items), cursor=page.cursor))


def _summary(sent: SentThere) -> SentSummary:
    return SentSummary(
        message_id=sent.message_id,
        id=None if sent.digest is None else sent.digest.hex(),
        recipients=sent.recipients,
        group=sent.group,
        created=sent.created,
        state=sent.state,
        reason=sent.reason,
        detail=sent.detail,
    )


def _heard(heard: HeardThere) -> Heard:
    return Heard(
        actor=heard.actor,
        event=heard.event,
        at=heard.at,
        reason=heard.reason,
        text=heard.text,
        reg_number=heard.reg_number,
        reg_date=heard.reg_date,
    )


def _arrived(receipt: ArrivedReceipt) -> ReceiptArrived:
    card = receipt.card
    return ReceiptArrived(
        actor=receipt.actor,
        event=receipt.event,
        at=receipt.at,
        reason=receipt.reason,
        text=receipt.text,
        reg_number="" if card is None else card.reg_number,
        reg_date=None if card is None else card.reg_date,
        message_id=receipt.message_id,
        letter=receipt.letter.hex(),
    )
