"""Kafka's errors in the exchange's own words."""

import pytest
from aiokafka import errors as kafka

from exchange.bus.errors import PositionLost, bus_error
from exchange.domain.errors import BusError


@pytest.mark.parametrize(
    ("error", "code", "retriable"),
    [
        (kafka.TopicAuthorizationFailedError("t"), "access-denied", False),
        (kafka.UnknownTopicOrPartitionError(), "topic-missing", True),
        (kafka.KafkaTimeoutError(), "bus-slow", True),
        (kafka.MessageSizeTooLargeError(), "record-too-large", False),
        (kafka.KafkaConnectionError("closed"), "bus-unavailable", True),
        (kafka.ProducerFenced(), "bus-unavailable", True),
        (kafka.IncompatibleBrokerVersion("old"), "bus-refused", False),
        (TimeoutError(), "bus-unavailable", True),
        (ConnectionResetError("reset"), "bus-unavailable", True),
    ],
)
def test_errors_are_translated(error: Exception, code: str, retriable: bool) -> None:  # noqa: FBT001 - a table's column
    """Each has a stable code and says whether trying again may help."""
    translated = bus_error(error, "reading exchange.inbox.mfa")
    assert (translated.code, translated.retriable) == (code, retriable)
    assert str(translated).startswith("reading exchange.inbox.mfa: ")


def test_our_own_errors_stay_what_they_are() -> None:
    """A named error is not hidden in a general one."""
    lost = PositionLost("gone", code="topic-recreated")
    assert bus_error(lost, "reading") is lost
    assert isinstance(lost, BusError)
    assert not lost.retriable


@pytest.mark.parametrize(
    "error", [kafka.KafkaConnectionError("closed"), kafka.RequestTimedOutError(), OSError("reset")]
)
def test_an_error_is_named_once(error: Exception) -> None:
    """Some of aiokafka's name themselves in their text."""
    text = str(bus_error(error, "reading"))
    assert text.count(type(error).__name__) == 1
