"""Every event in every format: the format's page says which word it has, or that it has none."""

import re
from pathlib import Path

import pytest

from adapters.formats import FORMATS
from exchange.domain.event import Event
from tests.adapters.support import DIRECTORY, draft_of, receipt

PAGES = Path(__file__).parents[3] / "docs" / "formats"
ROW = re.compile(r"^\| [^|]+ \| (?!event )([a-z, -]+) \| ([^|]+) \|$", re.MULTILINE)
"""A row of the page's table of receipts: the events, and what is written for them."""

WORDLESS = re.compile(r"^([A-Z][a-z, -]+) have no word in ", re.MULTILINE)


def events(names: str) -> set[Event]:
    """Events as a page lists them: `accepted, relay-failed and expired`."""
    return {Event(name) for name in re.split(", | and ", names.lower())}


@pytest.mark.parametrize("name", FORMATS)
def test_the_page_says_which_events_are_written(name: str) -> None:
    """No event is forgotten, and those written are those that the page says are."""
    page = (PAGES / f"{name.rpartition('-')[0] or name}.md").read_text(encoding="utf-8")
    said = {event: written != "–" for names, written in ROW.findall(page) for event in events(names)}
    said |= {event: False for names in WORDLESS.findall(page) for event in events(names)}
    about = draft_of("")
    assert said == {
        event: FORMATS[name].render_receipt(receipt(event, about), "mfa", DIRECTORY) is not None for event in Event
    }
