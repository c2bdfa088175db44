"""Letters to measure with: signed by bodies whose keys an installation's folder holds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

from exchange.domain.card import FileInfo, FileRole, LetterCard, Party
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.statement import (
    Access,
    AckPolicy,
    Content,
    Head,
    Letter,
    LetterKind,
    Open,
    Receipt,
    Signed,
    Statement,
    Urgency,
    commit,
)
from exchange.journal.judge import CARD_MEDIA_TYPE
from exchange.security.cades import Signer
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.wire.records import encode

CARD = LetterCard(
    document_id="7a9d7c1e-2222-4333-8444-555555555555",
    local_id="4711",
    kind="Письмо",
    purpose="",
    reg_number="01-5/123",
    reg_date=None,
    title="О переходе на электронный документооборот",
    annotation="",
    language="ru",
    access_basis="",
    access_until=None,
    sender=Party(),
    addressees=(),
    signatories=(),
    executor=None,
    links=(),
    tasks=(),
    files=(),
    signatures=(),
    source_format="",
    extras=(),
)


class Writer:
    """One body's origin; writes the next statement each time."""

    def __init__(self, exchange: bytes, body: str, keys: KeyFiles, now: datetime, seed: int) -> None:
        """Take the statement key of `body`."""
        pair = load_key_pair(keys)
        self.body = body
        self._signer = Signer(pair.certificate, pair.key)
        self._exchange = exchange
        self._random = Random(seed)
        self._origin = self._random.randbytes(16)
        self._number, self._last = 0, ZERO_DIGEST
        self._now = now

    @property
    def last(self) -> bytes:
        """Digest of the statement said last."""
        return self._last

    def open(self) -> bytes:
        """Number 1."""
        return self._say(Open(self._head(), None), ())

    def letter(self, recipient: str, size: int = 1024) -> bytes:
        """A letter with one file of `size` bytes; about 1000 bytes more as a record."""
        data = self._random.randbytes(size)
        info = FileInfo("f1", "letter.pdf", "application/pdf", size, digest(data), FileRole.MAIN)
        contents = (
            Content(self._random.randbytes(32), encode(replace(CARD, files=(info,)))),
            Content(self._random.randbytes(32), data),
        )
        letter = Letter(
            head=self._head(),
            message_id=f"{self.body}-{self._number}",
            consignment_id=f"{self.body}-{self._number}",
            kind=LetterKind.DOCUMENT,
            conversation=f"{self.body}-{self._number}",
            in_reply_to=None,
            recipients=(recipient,),
            group=None,
            ack=AckPolicy.ALWAYS,
            wanted=(),
            urgency=Urgency.ROUTINE,
            reply_due=None,
            access=Access.PUBLIC,
            seal=None,
            contents=(commit(contents[0], CARD_MEDIA_TYPE), commit(contents[1], "application/pdf")),
        )
        return self._say(letter, contents)

    def receipt(self, letter: bytes, sender: str, event: str) -> bytes:
        """A signed receipt for a letter."""
        return self._say(Receipt(self._head(), letter, sender, event, self._now, "", ()), ())

    def _head(self) -> Head:
        return Head(self._exchange, self.body, self._origin, self._number + 1, self._last, self._now)

    def _say(self, statement: Statement, contents: tuple[Content, ...]) -> bytes:
        said = encode(statement)
        self._number, self._last = self._number + 1, digest(said)
        return encode(Signed(said, self._signer.sign(said, self._now), contents))


def bodies(count: int) -> Iterator[str]:
    """Made-up codes."""
    return (f"bench-{index:03}" for index in range(count))


def statement_keys(folder: Path, body: str) -> KeyFiles:
    """Where an installation keeps a body's statement key."""
    place = folder / "authority" / "bodies" / body
    return KeyFiles(place / "statement.key.pem", place / "statement.crt.pem")
