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
_DENIED_CODES = frozenset(error.errno for error in _DENIED)

# Kinds of errors, then code, whether the same call may succeed later, and what to do next. What is
# not here (a lost sequence, a fenced epoch, a lost connection) may work with a new client.
_KINDS: tuple[tuple[tuple[type[Exception], ...], str, bool, str], ...] = (
    (_DENIED, "access-denied", False, "this certificate has no right to do that: ask the exchange's operators"),
    (
        (kafka.UnknownTopicOrPartitionError,),
        "topic-missing",
        True,
        "the topic is missing, or the broker does not know it yet: run `exchange doctor`",
    ),
    ((kafka.KafkaTimeoutError,), "bus-slow", True, "the exchange takes no more now: send less for a while"),
    ((kafka.MessageSizeTooLargeError, kafka.RecordTooLargeError), "record-too-large", False, "send less"),
    (
        (kafka.UnsupportedVersionError, kafka.IncompatibleBrokerVersion),
        "bus-refused",
        False,
        "the brokers do not know this request: use Apache Kafka 4",
    ),
)


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
    for kinds, code, retriable, advice in _KINDS:
        if isinstance(error, kinds):
            return BusError(f"{doing}: {advice} ({_text(error)})", code=code, retriable=retriable)
    return BusError(f"{doing}: {_text(error)}; it is tried again")


def _from_confluent(error: KafkaError, doing: str) -> BusError:
    if error.code() in _DENIED_CODES:
        return BusError(f"{doing}: {error.str()}", code="access-denied", retriable=False)
    passing = error.retriable() or error.code() < 0  # negative: the client's own, such as a time limit
    return BusError(f"{doing}: {error.str()}", code=None if passing else "bus-refused", retriable=passing)


def _text(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__} {error}".strip()
