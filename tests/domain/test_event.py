"""Delivery events and their names in ETSI EN 319 522."""

import pytest

from exchange.domain.event import ETSI_EVENTS, SERVICE_EVENTS, Event, etsi_uri


@pytest.mark.parametrize("event", Event)
def test_uri(event: Event) -> None:
    """An event has the standard's URI where the standard has the event, else None."""
    expected = f"http://uri.etsi.org/19522/Event/{ETSI_EVENTS[event]}" if event in ETSI_EVENTS else None
    assert etsi_uri(event) == expected


def test_names_of_the_standard_are_used_once() -> None:
    """Two events of ours never share an event of the standard."""
    assert len(set(ETSI_EVENTS.values())) == len(ETSI_EVENTS)


def test_what_only_the_exchange_says() -> None:
    """Acceptance, rejection, relay failure and expiry are no body's to state (rule 4.1)."""
    assert {Event.ACCEPTED, Event.REJECTED, Event.RELAY_FAILED, Event.EXPIRED} == SERVICE_EVENTS
