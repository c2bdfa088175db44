"""What of a letter's contents goes into the package (rule 1.5): withheld items leave bytes and salt out.

Everything else stays provable: the statement commits to each item by a digest, from which nobody can guess the item
without its salt.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from exchange.domain.card import LetterCard
from exchange.domain.errors import ConfigurationError, WireError
from exchange.domain.statement import Commitment, Content, Form
from exchange.services.evidence.container import safe_name
from exchange.services.evidence.gathering import Gathered, Said
from exchange.wire.records import decode, kind_of

CARD, ALL = "card", "all"
"""What may be withheld: each statement's card; every item. Anything else is a file's place or name."""


class Missing(StrEnum):
    """Why an item is not there."""

    WITHHELD = "withheld"
    """By whoever made the package."""
    NOT_KEPT = "not-kept"
    """Deleted lawfully, or never with the exchange."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item that a statement commits to.

    Attributes:
        number: of the item in the package, from 0, in the order of statements and of their items.
        said: whose statement commits to it.
        place: of the item in that statement.
        content: None when it is not in the package.
        missing: why.
        name: of its file within the folder of contents, empty when it is not in the package.
    """

    number: int
    said: Said
    place: int
    commitment: Commitment
    content: Content | None
    missing: Missing | None
    name: str


def items(gathered: Gathered, withhold: Collection[str]) -> tuple[Item, ...]:
    """All items, those that are withheld without their bytes and salt.

    Args:
        gathered: what there is.
        withhold: `card`, `all`, and files of the letter by place (1, 2, …) or name.

    Raises:
        ConfigurationError: `evidence-item-unknown`: nothing is called so.
    """
    names = _file_names(gathered)
    choices = {CARD, ALL, *map(str, names), *filter(None, names.values())}
    for word in withhold:
        if word not in choices:
            message = f"the letter has no file '{word[:80]}' to withhold: use card, all, or a file's place or name"
            raise ConfigurationError(message, code="evidence-item-unknown")
    hidden = ALL in withhold or CARD in withhold
    shown = {} if hidden else names
    return tuple(_items(gathered, withhold, names, shown))


def _items(
    gathered: Gathered, withhold: Collection[str], names: dict[int, str], shown: dict[int, str]
) -> Iterator[Item]:
    number = 0
    for said in gathered.said:
        is_letter = said.decided.decision.statement == gathered.letter
        for place, commitment in enumerate(getattr(said.statement, "contents", ())):
            words = {ALL, CARD} if place == 0 else {ALL}
            if is_letter and place:
                words |= {str(place), names[place] or str(place)}
            content = gathered.contents.get(commitment.digest)
            missing = Missing.NOT_KEPT if content is None else None
            if not words.isdisjoint(withhold):
                content, missing = None, Missing.WITHHELD
            name = _name(number, place, commitment, shown.get(place, "") if is_letter else "")
            yield Item(number, said, place, commitment, content, missing, name if content else "")
            number += 1


def _name(number: int, place: int, commitment: Commitment, called: str) -> str:
    if place == 0 and commitment.form is not Form.SEALED:
        return f"{number:04}-card.avro"
    return f"{number:04}-{safe_name(called) or 'file'}"


def _file_names(gathered: Gathered) -> dict[int, str]:
    """Files of the letter by their places, as its card calls them; empty names when the card cannot be read."""
    for said in gathered.said:
        if said.decided.decision.statement == gathered.letter:
            commitments = getattr(said.statement, "contents", ())
            card = letter_card(commitments, gathered)
            called = [] if card is None else [info.name for info in card.files]
            return {place: called[place - 1] if place <= len(called) else "" for place in range(1, len(commitments))}
    return {}


def letter_card(commitments: Collection[Commitment], gathered: Gathered) -> LetterCard | None:
    """The letter's card, None when it is sealed, not kept, or cannot be read."""
    first = next(iter(commitments), None)
    content = None if first is None else gathered.contents.get(first.digest)
    if content is None:
        return None
    try:
        return decode(LetterCard, content.data) if kind_of(content.data) is LetterCard else None
    except WireError:
        return None
