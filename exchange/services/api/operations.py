"""The table of all operations. Routes and the OpenAPI document are made of it, so that they agree."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from exchange.services.api import receiving, sending
from exchange.services.api.asking import Asked
from exchange.services.api.desk import Desk
from exchange.services.api.model import (
    Accepted,
    ArrivalsQuery,
    ArrivedLetter,
    Health,
    Inbox,
    Receipts,
    Said,
    SentLetter,
    SentLetters,
    SentQuery,
)
from exchange.services.http.answering import answer

Handler = Callable[[Desk, Asked[Any]], Awaitable[Response]]

PARTS = {
    "body": "Code of the body whose token you send.",
    "message_id": "The letter's message id, percent-encoded.",
    "letter": "Id of the letter, as the inbox gives it.",
    "number": "Which file, counted from 0 in the letter's order.",
}
"""What the variable parts of paths are."""


class Document(StrEnum):
    """What the JSON format writes and reads; its own schema says how."""

    LETTER = "letter"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked.

    Attributes:
        name: stable; metrics and generated clients name the operation by it.
        summary: what it does.
        description: what is to be known about it, in CommonMark.
        query: its parameters.
        content: the document that it takes.
        status: of the answer when all is well.
        answers: type of the answer; None for a file's bytes.
        problems: further statuses that it may answer, beside those of every operation.
        is_open: whether it may be asked without a token.
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    handle: Handler
    query: type[msgspec.Struct] | None = None
    content: Document | None = None
    status: HTTPStatus = HTTPStatus.OK
    answers: type[msgspec.Struct] | None = None
    problems: tuple[HTTPStatus, ...] = ()
    is_open: bool = False


async def _health(desk: Desk, _: Asked[None]) -> Response:
    """Whether the agent does its work; why not is for the operators' own address to say."""
    is_ready = not desk.waiting_for()
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return answer(Health(ready=is_ready, bodies=len(desk.boxes)), status)


_BODY = "/v1/bodies/{body}"
_MALFORMED = HTTPStatus.UNPROCESSABLE_ENTITY
_ABSENT = HTTPStatus.NOT_FOUND
_UNREAD = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    _MALFORMED,
)
"""What a document may come to before anything is done with it."""

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        f"{_BODY}/letters",
        "sendLetter",
        "Send a letter",
        "When this answers 202 the letter is on the agent's disk; it goes out by itself, also after a power cut. "
        "Files travel inside the document, in base64. The letter's message id is what makes it one and the same: "
        "the same bytes again are accepted again and sent once, another letter with that id is refused with 409. "
        "You may send the id as `Idempotency-Key` too.",
        sending.send_letter,
        content=Document.LETTER,
        status=HTTPStatus.ACCEPTED,
        answers=Accepted,
        problems=(HTTPStatus.CONFLICT, *_UNREAD),
    ),
    Operation(
        "GET",
        f"{_BODY}/letters",
        "sentLetters",
        "The last letters sent",
        "Newest first, each with how far it came on its way to the exchange.",
        sending.sent_letters,
        query=SentQuery,
        answers=SentLetters,
    ),
    Operation(
        "GET",
        f"{_BODY}/letters/{{message_id:path}}",
        "sentLetter",
        "What became of a letter",
        "How far it came, and the last hundred receipts about it.",
        sending.sent_letter,
        answers=SentLetter,
        problems=(_ABSENT,),
    ),
    Operation(
        "GET",
        f"{_BODY}/receipts",
        "receipts",
        "What is heard about all letters",
        "In the order of arrival, from a cursor on. Keep the cursor with what you have taken in; with `wait` the "
        "answer comes as soon as there is a receipt.",
        sending.receipts,
        query=ArrivalsQuery,
        answers=Receipts,
    ),
    Operation(
        "GET",
        f"{_BODY}/inbox",
        "inbox",
        "Letters that arrived",
        "In the order of arrival, from a cursor on. Keep the cursor with what you have taken in; with `wait` the "
        "answer comes as soon as there is a letter.",
        receiving.inbox,
        query=ArrivalsQuery,
        answers=Inbox,
    ),
    Operation(
        "GET",
        f"{_BODY}/inbox/{{letter}}",
        "arrivedLetter",
        "A letter that arrived",
        "As the JSON format writes it; the bytes of its files are got one by one. 422: its sender wrote what the "
        "format cannot hold.",
        receiving.arrived_letter,
        answers=ArrivedLetter,
        problems=(_ABSENT, _MALFORMED),
    ),
    Operation(
        "GET",
        f"{_BODY}/inbox/{{letter}}/files/{{number}}",
        "file",
        "A file of a letter that arrived",
        "The bytes as the sender gave them: check the file for what may harm before anybody opens it. "
        "`Repr-Digest` (RFC 9530) is what the sender signed.",
        receiving.file,
        problems=(_ABSENT,),
    ),
    Operation(
        "POST",
        f"{_BODY}/inbox/{{letter}}/receipts",
        "say",
        "Say what becomes of a letter",
        "`handed-over` when your system has the letter in its keeping, then `registered`, `refused`, "
        "`executor-assigned`, `progress`; each but the first implies `handed-over`. "
        "The same words again are said once.",
        receiving.say,
        content=Document.RECEIPT,
        status=HTTPStatus.ACCEPTED,
        answers=Said,
        problems=(_ABSENT, *_UNREAD),
    ),
    Operation(
        "GET",
        "/v1/health",
        "health",
        "Whether the agent does its work",
        "Needs no token. 503 while it waits for something; `/health` of its `[observe]` address says for what.",
        _health,
        answers=Health,
        is_open=True,
    ),
)
