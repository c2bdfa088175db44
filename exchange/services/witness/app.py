"""The witness's one address: `POST /add-checkpoint`."""

import asyncio
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.services.http.answering import NO_STORE
from exchange.services.witness.service import Reply, Witness
from exchange.tlog.witness import PATH, REQUEST_BYTES

BODY_SECONDS = 10.0
"""For a request to come."""
_TOO_LONG = Reply(HTTPStatus.BAD_REQUEST, "the request is too long\n")


def application(witness: Witness) -> Starlette:
    """The application to serve."""

    async def add_checkpoint(request: Request) -> Response:
        """As C2SP has it."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            reply = Reply(HTTPStatus.BAD_REQUEST, "the request did not come to its end\n")
        else:
            reply = _TOO_LONG if body is None else await witness.answer(body)
        # Not `media_type`, to which a charset would be added: who asks compares the whole header.
        return Response(reply.text, reply.status, {**NO_STORE, "Content-Type": reply.media_type})

    return Starlette(routes=[Route(PATH, add_checkpoint, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """A request's body; None as soon as it is longer than any request of the protocol."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > REQUEST_BYTES:
            return None
    return bytes(body)
