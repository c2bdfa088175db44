"""Letters to measure with: signed by bodies whose keys an installation's folder holds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

from exchange.agent.ports import DraftLetter
from exchange.domain.ids import ORIGIN_BYTES
from exchange.domain.statement import Access, AckPolicy, Group, LetterKind, Receipt, Urgency
from exchange.security.cades import Signer
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.wire.records import encode
from tests.world import Speaker, described, letter_card

CARD = letter_card(
    document_id="7a9d7c1e-2222-4333-8444-555555555555",
    local_id="4711",
    title="О переходе на электронный документооборот",
)


class Writer:
    """One body's origin; writes the next record of submissions each time."""

    def __init__(self, exchange: bytes, body: str, keys: KeyFiles, now: datetime, seed: int) -> None:
        """Take the statement key of `body`."""
        pair = load_key_pair(keys)
        signer, random = Signer(pair.certificate, pair.key), Random(seed)
        self._speaker = Speaker(exchange, body, signer, random.randbytes(ORIGIN_BYTES), random, now)

    @property
    def body(self) -> str:
        """Who writes."""
        return self._speaker.body

    @property
    def last(self) -> bytes:
        """Digest of the statement said last."""
        return self._speaker.last

    def open(self) -> bytes:
        """Number 1."""
        return encode(self._speaker.open())

    def letter(self, recipient: str, size: int = 1024) -> bytes:
        """A letter with one file of `size` bytes; about 1000 bytes more as a record."""
        speaker = self._speaker
        files = (speaker.random.randbytes(size),)
        name, card = f"{self.body}-{speaker.number}", replace(CARD, files=described(files))
        return encode(speaker.letter(recipient, message_id=name, files=files, card=card))

    def circular(self, group: Group, size: int = 1024) -> bytes:
        """The same, to a group."""
        speaker = self._speaker
        files = (speaker.random.randbytes(size),)
        name, card = f"{self.body}-{speaker.number}", replace(CARD, files=described(files))
        return encode(speaker.letter(message_id=name, files=files, card=card, group=group))

    def receipt(self, letter: bytes, sender: str, event: str) -> bytes:
        """A receipt for the letter of that digest."""
        speaker = self._speaker
        return encode(speaker.sign(Receipt(speaker.head(), letter, sender, event, speaker.now, "", ())))


def draft(message_id: str, recipient: str, size: int) -> DraftLetter:
    """A letter for an agent to sign, with one file of `size` bytes."""
    data = message_id.encode().ljust(size, b".")
    card = replace(CARD, files=described((data,)))
    return DraftLetter(
        message_id=message_id, consignment_id="", kind=LetterKind.DOCUMENT, conversation="", in_reply_to="",
        in_reply_to_number="", recipients=(recipient,), ack=AckPolicy.ALWAYS, wanted=(), urgency=Urgency.ROUTINE,
        reply_due=None, access=Access.PUBLIC, card=card, files=(data,),
    )  # fmt: skip


def bodies(count: int) -> Iterator[str]:
    """Made-up codes."""
    return (f"bench-{index:03}" for index in range(count))


def statement_keys(folder: Path, body: str) -> KeyFiles:
    """Where an installation keeps a body's statement key."""
    place = folder / "authority" / "bodies" / body
    return KeyFiles(place / "statement.key.pem", place / "statement.crt.pem")
