"""What aiokafka raises, in the exchange's own tree; for `confluent-kafka` see `administration_errors`.

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

from exchange.domain.errors import BusError

# What aiokafka lets through besides its own family: a failed assertion about a partition, a
# socket's error, a time limit. RuntimeError is what a closing event loop or a closed transport raises.
CLIENT_ERRORS = (kafka.KafkaError, OSError, TimeoutError, AssertionError, RuntimeError)

DENIED = (
    kafka.TopicAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
    kafka.TransactionalIdAuthorizationFailed,
)

# Kinds of errors, then code, whether the same call may succeed later, and what to do next. What is
# not here (a lost sequence, a fenced epoch, a lost connection) may work with a new client.
_KINDS: tuple[tuple[tuple[type[Exception], ...], str, bool, str], ...] = (
    (DENIED, "access-denied", False, "this certificate has no right to do that: ask the exchange's operators"),
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
    """Translate what aiokafka raised.

    Args:
        error: one of `CLIENT_ERRORS`.
        doing: what was tried, for the message: "reading exchange.inbox.mfa".

    Returns:
        The error to raise `from error`; one that is ours already comes back as it is.
    """
    if isinstance(error, BusError):
        return error
    for kinds, code, retriable, advice in _KINDS:
        if isinstance(error, kinds):
            return BusError(f"{doing}: {advice} ({_text(error)})", code=code, retriable=retriable)
    return BusError(f"{doing}: {_text(error)}; it is tried again")


def raise_for(code: int, doing: str) -> None:
    """Raise what a broker's answer says by Kafka's number of an error, translated as by `bus_error`.

    Raises:
        BusError: the number is another one than that of success.
    """
    kind = kafka.for_code(code)
    if kind is not kafka.NoError:
        raise bus_error(kind(), doing)


def _text(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    name, text = type(error).__name__, str(error)
    return text if name in text else f"{name} {text}".strip()  # aiokafka's own name themselves
