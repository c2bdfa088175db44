"""Which deliveries a task is about: its exact list, in the order in which they are said."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

import sqlalchemy as sa

from exchange.domain.delivery import State
from exchange.domain.ids import DIGEST_BYTES
from exchange.domain.task import ITEMS_AT_MOST, ItemState, Plan, TaskRefused
from exchange.store import queries
from exchange.store.desk.items import Item
from exchange.store.lists import DeliveryFilter
from exchange.store.queries.places import places_of

NEVER_TAKEN = frozenset({State.REJECTED})
"""States of letters that the exchange itself refused: nothing was ever put into an inbox."""
FRESH = frozenset({State.ACCEPTED, State.RELAY_FAILED, State.NOT_DELIVERED, State.DELIVERED, State.HAND_OVER_FAILED})
"""States before the hand-over: to the recipient's document system the letter is new."""
LETTERS_AT_MOST = 1_000
"""Letters that are named one by one."""
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """A letter that is named: its digest, and to which recipient; empty: to all of them."""

    letter: bytes
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is needed of a delivery to set it going again."""

    letter: bytes
    sender: str
    recipient: str
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The deliveries of a task in their order.

    Attributes:
        places: of their letters in the journal, by digest.
        left_out: how many match that cannot be set going: the exchange itself refused them.
    """

    deliveries: tuple[Delivery, ...]
    places: dict[bytes, int]
    left_out: int

    @property
    def repeats(self) -> int:
        """How many were handed over before: these come to the recipient's document system once more."""
        return sum(delivery.state not in FRESH for delivery in self.deliveries)

    def items(self, task: str, plan: Plan) -> list[Item]:
        """The items of a task with this list."""
        count = len(self.deliveries)
        return [
            Item(
                task,
                number,
                delivery.letter,
                self.places[delivery.letter],
                delivery.sender,
                delivery.recipient,
                delivery.state.value,
                plan.stage_of(number, count).value,
                ItemState.WAITING.value,
            )
            for number, delivery in enumerate(self.deliveries)
        ]


def choose(connection: sa.Connection, wanted: DeliveryFilter | Collection[Chosen], sample: int) -> Choice:
    """The deliveries that a filter leaves, or that are named.

    Args:
        connection: of the tracker's `Store.reading`.
        wanted: as lists and failure groups have it, so that the count is theirs.
        sample: how many come first; they are taken from all routes and reasons in turn.

    Raises:
        TaskRefused: `task-empty`, `task-too-large`, `task-invalid`.
    """
    found = list(_matching(connection, wanted) if isinstance(wanted, DeliveryFilter) else _named(connection, wanted))
    usable = [delivery for delivery in found if delivery.state not in NEVER_TAKEN]
    left_out = len(found) - len(usable)
    if len(usable) > ITEMS_AT_MOST:
        message = f"more than {ITEMS_AT_MOST} deliveries match: narrow the filter and make several tasks"
        raise TaskRefused(message, code="task-too-large")
    if not usable:
        refused = f"; {left_out} were refused by the exchange itself, which only their senders mend" if left_out else ""
        message = f"no delivery that could be set going again matches{refused}: look at the list and change the filter"
        raise TaskRefused(message, code="task-empty")
    places = places_of(connection, {delivery.letter for delivery in usable})
    usable.sort(key=lambda delivery: (places[delivery.letter], delivery.recipient))
    first = list(islice(_spread(usable), sample))
    chosen = set(map(id, first))
    rest = (delivery for delivery in usable if id(delivery) not in chosen)
    return Choice((*first, *rest), places, left_out)


def _matching(connection: sa.Connection, wanted: DeliveryFilter) -> Iterator[Delivery]:
    """As many as a task may have, and one page more."""
    after, number = None, 0
    while number <= ITEMS_AT_MOST:
        page = queries.deliveries(connection, wanted, after, _PAGE)
        for line in page.items:
            delivery = line.delivery
            yield Delivery(line.letter.digest, line.letter.sender, line.recipient, delivery.state, delivery.reason)
        number, after = number + len(page.items), page.after
        if after is None:
            return


def _named(connection: sa.Connection, wanted: Collection[Chosen]) -> Iterator[Delivery]:
    if len(wanted) > LETTERS_AT_MOST:
        message = f"letters: more than {LETTERS_AT_MOST} are named: use a filter"
        raise TaskRefused(message)
    for chosen in dict.fromkeys(wanted):
        story = queries.timeline(connection, chosen.letter) if len(chosen.letter) == DIGEST_BYTES else None
        parts = () if story is None else story.deliveries
        meant = [part for part in parts if chosen.recipient in {"", part.recipient}]
        if story is None or not meant:
            to = f" to '{chosen.recipient[:63]}'" if chosen.recipient else ""
            message = f"letters: the tracker knows no letter {chosen.letter.hex()[:64]}{to}: look it up in the list"
            raise TaskRefused(message)
        for part in meant:
            delivery = part.delivery
            yield Delivery(chosen.letter, story.letter.sender, part.recipient, delivery.state, delivery.reason)


def _spread(deliveries: Sequence[Delivery]) -> Iterator[Delivery]:
    """One of each route, state and reason in turn: a sample of all that may go wrong."""
    groups: defaultdict[tuple[str, str, str, str], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        groups[delivery.sender, delivery.recipient, delivery.state, delivery.reason].append(delivery)
    turns = zip_longest(*groups.values())
    return (delivery for delivery in chain.from_iterable(turns) if delivery is not None)
