"""The administration client's errors in the exchange's own words."""

import subprocess
import sys

import pytest
from confluent_kafka import KafkaError, KafkaException

from exchange.bus.administration_errors import administration_error


@pytest.mark.parametrize(
    ("kafka_code", "code", "retriable"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "access-denied", False),
        (KafkaError._TRANSPORT, "bus-unavailable", True),
        (KafkaError.INVALID_REPLICATION_FACTOR, "bus-refused", False),
    ],
)
def test_errors_are_translated(kafka_code: int, code: str, retriable: bool) -> None:  # noqa: FBT001 - a table's column
    """Each has a stable code and says whether trying again may help."""
    translated = administration_error(KafkaException(KafkaError(kafka_code)), "asking for topics")
    assert (translated.code, translated.retriable) == (code, retriable)
    assert str(translated).startswith("asking for topics: ")


@pytest.mark.parametrize("process", ["agent", "router", "tracker"])
def test_services_do_not_load_what_only_administration_needs(process: str) -> None:
    """Each process of the exchange is 4 MB smaller without that library."""
    code = f"import sys, exchange.wiring.{process}; sys.exit('confluent_kafka' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
