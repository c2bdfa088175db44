"""Letters in, and what is said about them."""

import re
from base64 import b64encode
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from exchange.agent.mailbox import Received
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.card import FileInfo
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.services.api.asking import Asked
from exchange.services.api.desk import DOCUMENT, Desk
from exchange.services.api.model import ArrivalsQuery, ArrivedLetter, ArrivedSummary, FileLink, Inbox, Said
from exchange.services.http.answering import answer
from exchange.services.http.files import attachment
from exchange.services.http.problems import ApiRefused

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}")
_ANY_BYTES = "application/octet-stream"


async def inbox(desk: Desk, asked: Asked[ArrivalsQuery]) -> Response:
    """Letters in the order of arrival."""
    feed, query = desk.boxes[asked.body].feed, asked.query
    page = await desk.polls.page(feed, lambda: feed.letters(query.after, query.limit), query.wait, asked.request)
    return answer(Inbox(letters=tuple(_summary(each) for _, each in page.items), cursor=page.cursor))


async def arrived_letter(desk: Desk, asked: Asked[None]) -> Response:
    """One letter, without its files' bytes."""
    received = await _received(desk, asked)
    package = await desk.rendered(received.arrived, asked.body)
    letter, card = msgspec.Raw(package.files[DOCUMENT]), received.arrived.card
    path = f"/v1/bodies/{asked.body}/inbox/{received.arrived.digest.hex()}/files"
    links = tuple(_link(f"{path}/{number}", file) for number, file in enumerate(card.files))
    summary = msgspec.structs.asdict(_summary(received))
    return answer(ArrivedLetter(letter=letter, links=links, **summary))


async def file(desk: Desk, asked: Asked[None]) -> Response:
    """The bytes of a file, as the sender gave them: shown by no browser, whatever they are."""
    received = await _received(desk, asked)
    number, files = asked.path["number"], received.arrived.files
    if not (number.isdecimal() and len(number) < len(str(len(files))) + 1 and int(number) < len(files)):
        message = f"number: the letter has {len(files)} files, counted from 0: ask for one of them"
        raise ApiRefused(message, status=HTTPStatus.NOT_FOUND, code="file-unknown")
    info = received.arrived.card.files[int(number)]
    headers = {
        "Content-Disposition": attachment(info.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Repr-Digest": f"sha-256=:{b64encode(info.sha256).decode()}:",
    }
    media_type = info.media_type if _MEDIA_TYPE.fullmatch(info.media_type) else _ANY_BYTES
    return Response(files[int(number)], headers=headers | {"Content-Type": media_type})


async def say(desk: Desk, asked: Asked[None]) -> Response:
    """Take in a receipt about a letter; it is on disk when this answers."""
    digest, mailbox = _digest(asked), desk.boxes[asked.body].mailbox
    draft = await desk.parsed(asked.body, Package("request", {DOCUMENT: await asked.content()}))
    if isinstance(draft, DraftLetter):
        message = "the document is a letter: post it to the body's letters"
        raise DocumentError(message, code="document-unexpected")
    if draft.event is Event.HANDED_OVER:
        await mailbox.take(digest)
    else:
        await mailbox.answer(digest, draft, None)
    return answer(Said(letter=digest.hex(), event=draft.event), HTTPStatus.ACCEPTED)


async def _received(desk: Desk, asked: Asked[None]) -> Received:
    digest = _digest(asked)
    received = await desk.boxes[asked.body].mailbox.letter(digest)
    if received is None:
        message = f"no letter {digest.hex()} has arrived: take the id from the inbox"
        raise ApiRefused(message, status=HTTPStatus.NOT_FOUND, code="receipt-letter-unknown")
    return received


def _digest(asked: Asked[None]) -> bytes:
    try:
        return bytes.fromhex(asked.path["letter"])
    except ValueError:
        message = "letter: an id has 64 hexadecimal digits: take it from the inbox"
        raise ApiRefused(message, status=HTTPStatus.NOT_FOUND, code="receipt-letter-unknown") from None


def _summary(received: Received) -> ArrivedSummary:
    arrived = received.arrived
    return ArrivedSummary(
        id=arrived.digest.hex(),
        sender=arrived.sender,
        message_id=arrived.letter.message_id,
        kind=arrived.letter.kind,
        received=received.received,
        state=received.state,
        title=arrived.card.title,
        reg_number=arrived.card.reg_number,
        reg_date=arrived.card.reg_date,
        files=len(arrived.files),
    )


def _link(href: str, info: FileInfo) -> FileLink:
    return FileLink(name=info.name, media_type=info.media_type, size=info.size, sha256=info.sha256.hex(), href=href)
