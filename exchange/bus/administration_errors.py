"""What `confluent-kafka` raises, in the exchange's own tree.

Apart from `errors`, so that only who administers a cluster loads that library: 4 MB in every process.
"""

from confluent_kafka import KafkaError, KafkaException

from exchange.bus.errors import DENIED
from exchange.domain.errors import BusError

_DENIED = frozenset(error.errno for error in DENIED)


def administration_error(failed: KafkaException, doing: str) -> BusError:
    """Translate what the administration client raised: `access-denied`, `bus-unavailable`, `bus-refused`."""
    error: KafkaError = failed.args[0]
    if error.code() in _DENIED:
        return BusError(f"{doing}: {error.str()}", code="access-denied", retriable=False)
    passing = error.retriable() or error.code() < 0  # negative: the client's own, such as a time limit
    return BusError(f"{doing}: {error.str()}", code=None if passing else "bus-refused", retriable=passing)
