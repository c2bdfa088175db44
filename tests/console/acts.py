"""Acts that the journal has taken, for whoever looks at them."""

from exchange.domain.delivery import Position
from exchange.domain.fact import CommandFact
from exchange.domain.ids import digest as digest_of
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from tests.store.support import TOPIC
from tests.world import NOW


def act(store: Store, number: int, letter: str = "", recipient: str = "", **words: str) -> None:
    """The journal takes an act, at offset 1000 + `number`."""
    usual = {"action": "sign-in", "task": "", "person": "olga", "second": "", "reason": "", "detail": ""}
    fact = CommandFact(
        position=Position(0, 1_000 + number),
        statement=digest_of(str(number).encode()),
        body="exchange-console",
        letter=bytes.fromhex(letter) or None,
        recipient=recipient,
        said=NOW,
        journalled=NOW,
        **(usual | words),
    )
    store.take([fact], [PositionRow(TOPIC, 0, fact.position.offset, bytes(32))])
