"""What people wrote, read from the journal for those who may read it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus

from exchange.domain.card import LetterCard
from exchange.domain.errors import WireError
from exchange.services.http.problems import ApiRefused
from exchange.services.tasks.letters import Flaw, Records, Whole, read_whole
from exchange.store.rows import position_at
from exchange.wire.records import decode


@dataclass(frozen=True, slots=True)
class Written:
    """What a letter says: its card, and the bytes of its files in the card's order."""

    card: LetterCard
    files: tuple[bytes, ...]


class Contents:
    """Reads letters by their places; a connection for each, for few are ever looked at. Any number of tasks."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Records]]) -> None:
        """Args: opening: connects to the journal."""
        self._opening = opening

    async def read(self, place: int, letter: bytes) -> Written:
        """The letter at a place, each item as its sender committed to it.

        Args:
            place: as the tracker has it.
            letter: its digest.

        Raises:
            ApiRefused: `content-gone`, `content-altered`, `content-sealed`.
            BusError: the journal cannot be read now.
        """
        position = position_at(place)
        key = (position.partition, position.offset)
        async with self._opening() as records:
            record = (await records.pick([key])).get(key)
        whole = Flaw.DELETED if record is None or record.value is None else read_whole(record.value, letter)
        if whole is Flaw.DELETED:
            message = "the letter's contents are no longer in the journal: ask its sender or recipient for them"
            raise ApiRefused(message, status=HTTPStatus.GONE, code="content-gone")
        if isinstance(whole, Flaw):
            message = "the journal holds something else at the letter's place: have an auditor verify the journal"
            raise ApiRefused(message, status=HTTPStatus.INTERNAL_SERVER_ERROR, code="content-altered")
        return _written(whole)


def _written(whole: Whole) -> Written:
    if whole.letter.seal is not None:
        message = "the letter is sealed, and only its recipients have the key: read it in their document system"
        raise ApiRefused(message, status=HTTPStatus.CONFLICT, code="content-sealed")
    try:
        card = decode(LetterCard, whole.contents[0].data)
    except (WireError, IndexError) as error:
        message = "the letter's card cannot be read: read the letter in its recipient's document system"
        raise ApiRefused(message, status=HTTPStatus.CONFLICT, code="content-sealed") from error
    return Written(card, tuple(content.data for content in whole.contents[1:]))
