"""Delivery events: one vocabulary, mapped to ETSI EN 319 522 and to the formats' own."""

from enum import StrEnum

ETSI_EVENT_URI = "http://uri.etsi.org/19522/Event/"


class Event(StrEnum):
    """What can happen to one (letter, recipient)."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RELAY_FAILED = "relay-failed"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"
    HANDED_OVER = "handed-over"
    HAND_OVER_FAILED = "hand-over-failed"
    REGISTERED = "registered"
    REFUSED = "refused"
    EXECUTOR_ASSIGNED = "executor-assigned"
    PROGRESS = "progress"
    REPLY_PREPARED = "reply-prepared"
    REPLY_SENT = "reply-sent"
    REDIRECTED = "redirected"
    EXPIRED = "expired"


SERVICE_EVENTS = frozenset({Event.ACCEPTED, Event.REJECTED, Event.RELAY_FAILED, Event.EXPIRED})
"""Events that the exchange itself states; a body's receipt cannot."""

ETSI_EVENTS: dict[Event, str] = {
    Event.ACCEPTED: "SubmissionAcceptance",
    Event.REJECTED: "SubmissionRejection",
    Event.RELAY_FAILED: "RelayFailure",
    Event.DELIVERED: "ContentConsignment",
    Event.NOT_DELIVERED: "ContentConsignmentFailure",
    Event.HANDED_OVER: "ContentHandover",
    Event.HAND_OVER_FAILED: "ContentHandoverFailure",
    Event.REGISTERED: "ConsignmentAcceptance",
    Event.REFUSED: "ConsignmentRejection",
    Event.EXPIRED: "AcceptanceRejectionExpiry",
}


def etsi_uri(event: Event) -> str | None:
    """ETSI EN 319 522 URI of an event, None where the standard has none."""
    name = ETSI_EVENTS.get(event)
    return None if name is None else ETSI_EVENT_URI + name
