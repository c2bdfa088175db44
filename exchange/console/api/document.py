"""The OpenAPI document of the console's API. Run as a program it prints it (`make schemas`)."""

import sys

from exchange.console.api.operations import OPERATIONS, PARTS, PREVIEW, STREAM
from exchange.console.api.streaming import LAST_EVENT_ID, MEDIA_TYPE
from exchange.console.api.tasks import IDEMPOTENCY_KEY
from exchange.console.stream.messages import Changes, Moment
from exchange.services.http.openapi import About, Schema, encoded, openapi

VERSION = "1.0.0"

_ABOUT = """\
What the operators' console shows, as JSON: where letters are, who must act next, what fails, how bodies are.

Send `Authorization: Bearer <token>`; `exchange console token` makes one, with a person's login and roles. What is not
yours to see is not there: 404. Answers may get further fields: pass over those that you do not know; they have an
`ETag`, so ask again with `If-None-Match`. What goes wrong is told as `application/problem+json` with a stable `code`;
ask again, after `Retry-After`, only when it is `retriable`.
"""


def openapi_document() -> Schema:
    """The document."""
    about = About(
        title="Exchange console",
        version=VERSION,
        description=_ABOUT,
        parts=PARTS,
        further=(Changes, Moment),
        media={STREAM: MEDIA_TYPE},
        headers={
            STREAM: {LAST_EVENT_ID: "Id of the last message that you took."},
            PREVIEW: {IDEMPOTENCY_KEY: "Any text that is new for a new task."},
        },
    )
    contents = {each.name: each.content for each in OPERATIONS if each.content is not None}
    return openapi(about, OPERATIONS, contents)


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded(openapi_document()))
