"""Delivery events and their names in ETSI EN 319 522."""

import pytest

from exchange.domain.event import SERVICE_EVENTS, Event, etsi_uri

STANDARD = {
    "accepted": "SubmissionAcceptance",
    "rejected": "SubmissionRejection",
    "relay-failed": "RelayFailure",
    "delivered": "ContentConsignment",
    "not-delivered": "ContentConsignmentFailure",
    "handed-over": "ContentHandover",
    "hand-over-failed": "ContentHandoverFailure",
    "registered": "ConsignmentAcceptance",
    "refused": "ConsignmentRejection",
    "expired": "AcceptanceRejectionExpiry",
}
"""Events of EN 319 522 by our names; no two of ours share one."""


@pytest.mark.parametrize("event", Event)
def test_uri(event: Event) -> None:
    """An event has the standard's URI where the standard has the event, else None."""
    name = STANDARD.get(event.value)
    assert etsi_uri(event) == (None if name is None else f"http://uri.etsi.org/19522/Event/{name}")


def test_what_only_the_exchange_says() -> None:
    """Acceptance, rejection, relay failure and expiry are no body's to state (rule 4.1)."""
    assert {Event.ACCEPTED, Event.REJECTED, Event.RELAY_FAILED, Event.EXPIRED} == SERVICE_EVENTS
