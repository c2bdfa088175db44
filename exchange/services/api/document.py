"""The OpenAPI document of the agent's API."""

from dataclasses import dataclass

import msgspec

from exchange.services.api.model import ArrivedLetter
from exchange.services.api.operations import OPERATIONS, PARTS, Document
from exchange.services.http.openapi import About, Schema, reference
from exchange.services.http.openapi import openapi as described

VERSION = "1.0.0"

_ABOUT = """\
Letters of a body that this agent carries: send them, hear what becomes of them, take in what arrives, answer.

Send `Authorization: Bearer <token>`; a token opens one body. Letters and receipts are documents of the JSON format
`json-1`. Answers may get further fields: pass over those that you do not know. What goes wrong is told as
`application/problem+json` with a stable `code`; ask again, after `Retry-After`, only when it is `retriable`.
"""


@dataclass(frozen=True, slots=True)
class Documents:
    """Types of the JSON format's documents."""

    letter: type[msgspec.Struct]
    receipt: type[msgspec.Struct]

    def of(self, document: Document) -> type[msgspec.Struct]:
        """The type of one of them."""
        return self.letter if document is Document.LETTER else self.receipt


def openapi(documents: Documents) -> Schema:
    """The OpenAPI document."""
    about = About("Exchange agent", VERSION, _ABOUT, PARTS, (documents.letter, documents.receipt))
    contents = {each.name: documents.of(each.content) for each in OPERATIONS if each.content is not None}
    document = described(about, OPERATIONS, contents)
    # On the way out it is bytes that the format has written already.
    document["components"]["schemas"][ArrivedLetter.__name__]["properties"]["letter"] = reference(documents.letter)
    return document
