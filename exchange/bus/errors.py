"""What Kafka's clients raise, in the exchange's own tree.

BusError
├── bus-unavailable              no broker answers, or it said "not now": try again
├── bus-slow                     the exchange asks us to slow down: try again later
├── bus-refused                  Kafka refused for good
├── access-denied                this certificate has no right to do that
├── topic-missing                a topic that should be there is not
├── record-too-large             larger than the topic takes
└── PositionLost                 a reader stands somewhere else than it believes
    ├── position-digest-differs  the record at the stored position is another one
    ├── position-out-of-range    the topic does not reach so far, or begins later
    └── topic-recreated          the topic was deleted and made again under a running reader
"""

import asyncio

from aiokafka import errors as kafka
from confluent_kafka import KafkaError, KafkaException

from exchange.domain.errors import BusError

# What the clients let through besides their own family: a failed assertion about a partition, a
# socket's error, a time limit. RuntimeError is what a closing event loop or a closed transport raises.
CLIENT_ERRORS = (kafka.KafkaError, KafkaException, OSError, TimeoutError, AssertionError, RuntimeError)

_DENIED = (
    kafka.TopicAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
    kafka.TransactionalIdAuthorizationFailed,
)
_TOO_LARGE = (kafka.MessageSizeTooLargeError, kafka.RecordTooLargeError)
_DENIED_CODES = frozenset(error.errno for error in _DENIED)


class PositionLost(BusError):
    """A reader stands somewhere else than it believes; only a person can say what happened."""

    code = "position-out-of-range"
    retriable = False


def bus_error(error: BaseException, doing: str) -> BusError:
    """Translate what a Kafka client raised.

    Args:
        error: one of `CLIENT_ERRORS`.
        doing: what was tried, for the message: "reading exchange.inbox.mfa".

    Returns:
        The error to raise `from error`; one that is ours already comes back as it is.
    """
    if isinstance(error, BusError):
        return error
    if isinstance(error, KafkaException):
        return _from_confluent(error.args[0], doing)
    if isinstance(error, _DENIED):
        message = f"{doing}: this certificate has no right to do that; ask the exchange's operators ({error})"
        return BusError(message, code="access-denied", retriable=False)
    if isinstance(error, kafka.UnknownTopicOrPartitionError):
        message = f"{doing}: the topic is missing, or not yet known to the broker; run `exchange doctor`"
        return BusError(message, code="topic-missing")
    if isinstance(error, _TOO_LARGE):
        return BusError(f"{doing}: {error}; send less", code="record-too-large", retriable=False)
    return BusError(f"{doing}: {_text(error)}; it is tried again", retriable=_may_pass(error))


def _from_confluent(error: KafkaError, doing: str) -> BusError:
    if error.code() in _DENIED_CODES:
        return BusError(f"{doing}: {error.str()}", code="access-denied", retriable=False)
    passing = error.retriable() or error.code() < 0  # negative: the client's own, such as a time limit
    return BusError(f"{doing}: {error.str()}", code=None if passing else "bus-refused", retriable=passing)


def _may_pass(error: BaseException) -> bool:
    """A lost sequence, a fenced epoch: the same call works with a new client, so all but a few may."""
    return not isinstance(error, kafka.UnsupportedVersionError | kafka.IncompatibleBrokerVersion)


def _text(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__} {error}".strip()
