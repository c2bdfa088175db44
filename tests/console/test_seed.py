"""What pages are tried on holds all that they tell apart."""

from pathlib import Path

from exchange.domain.delivery import State
from exchange.store import queries
from exchange.store.database import Store
from tests.console.seed import EXPIRING, FAILING, NOW, SILENT, seed_store, seeded_directory, seeded_facts
from tests.store.support import counts


def test_the_seed_has_every_trouble(tmp_path: Path) -> None:
    """A failing route, a silent body, most of the states."""
    with Store(f"sqlite:///{tmp_path}/tracker.db") as store:
        store.migrate()
        seed_store(store)
        with store.reading() as connection:
            states = set(counts(connection))
            silent = queries.silent(connection, NOW)
    assert states >= {State.ACCEPTED, State.HAND_OVER_FAILED, State.REGISTERED, State.ANSWERED, State.REFUSED}
    assert [one.body for one in silent] == [SILENT]


def test_the_seed_is_the_same_every_time() -> None:
    """Screenshots differ only where a page does."""
    assert seeded_facts() == seeded_facts.__wrapped__()
    assert {*FAILING, SILENT, EXPIRING} <= set(seeded_directory().bodies)
