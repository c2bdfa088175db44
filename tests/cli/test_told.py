"""`told` undoes what the API's `telling` does: commands show what the database answered, and nothing is lost."""

from pathlib import Path
from typing import TypeVar

import msgspec

from exchange.cli import told
from exchange.console.api import telling
from exchange.store import queries
from exchange.store.lists import DeliveryFilter
from exchange.store.views import LetterFilter
from tests.journal.synthetic import story
from tests.store.support import empty_store, fill, terms_of
from tests.world import World

Told = TypeVar("Told", bound=msgspec.Struct)


def sent(value: Told) -> Told:
    """As it comes out of the answer's JSON."""
    return msgspec.json.decode(msgspec.json.encode(value), type=type(value))


def test_what_is_told_comes_back(tmp_path: Path) -> None:
    """Stories, lines of lists and of the overview, of every letter of a story in which everything happens."""
    journal = story(World(tmp_path / "world"))
    with empty_store(tmp_path / "tracker.db") as store:
        fill(store, journal.records, terms=terms_of(journal.world))
        with store.reading() as connection:
            listed = queries.deliveries(connection, DeliveryFilter(), None, 100).items
            lines = queries.overview(connection, LetterFilter(), most=1).items
            stories = [queries.timeline(connection, line.letter.digest) for line in listed]
    assert [told.listed(sent(telling.listed(line))) for line in listed] == list(listed)
    assert [told.overview_line(sent(telling.overview_line(line))) for line in lines] == list(lines)
    assert [told.story(sent(telling.story(each, None))) for each in stories if each] == stories
