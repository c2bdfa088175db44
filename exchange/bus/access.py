"""Who may do what on Kafka, as values. What is not granted here is denied.

A body needs no group and no transactional id: its producer asks for no more than Write.
Read and Write include Describe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from exchange.bus.topics import (
    CHECKPOINTS,
    COMMANDS,
    DEAD_LETTERS,
    DIRECTORY,
    INBOXES,
    JOURNAL,
    PREFIX,
    SEQUENCES,
    SUBMISSIONS,
    inbox,
)
from exchange.domain.own_bodies import ARCHIVE_BODY, CONSOLE_BODY, TRACKER_BODY

ROUTER = "svc-router"
TRACKER = "svc-tracker"
ARCHIVE = "svc-archive"
AUDITOR = "svc-auditor"
CONSOLE = "svc-console"
DIRECTORY_SERVICE = "svc-directory"

SERVICES = (ROUTER, TRACKER, ARCHIVE, AUDITOR, CONSOLE, DIRECTORY_SERVICE)
"""Principals whose rights are exactly those of `service_grants`."""

ROUTER_GROUP = "exchange.router"
ROUTER_TRANSACTIONS = "router:"
ARCHIVE_TRANSACTIONS = "archive:"
CLUSTER_NAME = "kafka-cluster"
ANYWHERE = "*"


class Operation(StrEnum):
    """What may be done; the names are Kafka's, all of them: a cluster may hold rights that nobody here gives."""

    ALL = "ALL"
    READ = "READ"
    WRITE = "WRITE"
    CREATE = "CREATE"
    DELETE = "DELETE"
    ALTER = "ALTER"
    DESCRIBE = "DESCRIBE"
    CLUSTER_ACTION = "CLUSTER_ACTION"
    DESCRIBE_CONFIGS = "DESCRIBE_CONFIGS"
    ALTER_CONFIGS = "ALTER_CONFIGS"
    IDEMPOTENT_WRITE = "IDEMPOTENT_WRITE"
    UNKNOWN = "UNKNOWN"


class Resource(StrEnum):
    """On what; the names are Kafka's."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"
    TRANSACTIONAL_ID = "TRANSACTIONAL_ID"
    CLUSTER = "CLUSTER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one principal.

    Attributes:
        principal: common name of the certificate.
        operation: what may be done.
        resource: on what kind of thing.
        name: its name, or the beginning of its name.
        prefix: whether `name` is only the beginning.
        host: from which address; ours are good from anywhere.
        denied: the opposite: what may not be done, whatever is granted. None of ours.
    """

    principal: str
    operation: Operation
    resource: Resource
    name: str
    prefix: bool = False
    host: str = ANYWHERE
    denied: bool = False

    def __str__(self) -> str:
        """For people: `svc-router may WRITE topic exchange.inbox.*`."""
        kind = self.resource.lower().replace("_", " ")
        verb = "may not" if self.denied else "may"
        place = "" if self.host == ANYWHERE else f" from {self.host}"
        return f"{self.principal} {verb} {self.operation} {kind} {self.name}{'*' if self.prefix else ''}{place}"


def service_grants() -> tuple[Grant, ...]:
    """Rights of the exchange's own services (the table in the design's "Kafka")."""
    return (
        *_topics(ROUTER, Operation.READ, (SUBMISSIONS, SEQUENCES, JOURNAL, DIRECTORY, COMMANDS)),
        *_topics(ROUTER, Operation.WRITE, (JOURNAL, SEQUENCES, DEAD_LETTERS)),
        Grant(ROUTER, Operation.WRITE, Resource.TOPIC, INBOXES, prefix=True),
        Grant(ROUTER, Operation.WRITE, Resource.TRANSACTIONAL_ID, ROUTER_TRANSACTIONS, prefix=True),
        Grant(ROUTER, Operation.READ, Resource.GROUP, ROUTER_GROUP),
        *_topics(TRACKER, Operation.READ, (JOURNAL, CHECKPOINTS, DIRECTORY, inbox(TRACKER_BODY))),
        *_topics(TRACKER, Operation.WRITE, (COMMANDS,)),
        *_topics(CONSOLE, Operation.READ, (JOURNAL, DIRECTORY, inbox(CONSOLE_BODY))),
        *_topics(CONSOLE, Operation.WRITE, (COMMANDS,)),
        *_topics(ARCHIVE, Operation.READ, (JOURNAL, CHECKPOINTS, DIRECTORY, inbox(ARCHIVE_BODY))),
        *_topics(ARCHIVE, Operation.WRITE, (CHECKPOINTS, COMMANDS)),
        Grant(ARCHIVE, Operation.WRITE, Resource.TRANSACTIONAL_ID, ARCHIVE_TRANSACTIONS, prefix=True),
        # Replay believes nothing and nobody must need to believe it: no Write anywhere.
        *_topics(AUDITOR, Operation.READ, (JOURNAL,)),
        *_topics(DIRECTORY_SERVICE, Operation.READ, (DIRECTORY,)),
        *_topics(DIRECTORY_SERVICE, Operation.WRITE, (DIRECTORY,)),
        *_reconciling(DIRECTORY_SERVICE),
        # Partitions are added to nothing else: see `TopicSpec.may_grow`.
        Grant(DIRECTORY_SERVICE, Operation.ALTER, Resource.TOPIC, SEQUENCES),
    )


def body_grants(principal: str, bodies: Iterable[str] | None = None) -> tuple[Grant, ...]:
    """Rights of a body's agent, or of a gateway.

    Args:
        principal: common name of the transport certificate: a body's code.
        bodies: whose inboxes it reads; its own when left out.
    """
    inboxes = (principal,) if bodies is None else tuple(bodies)
    return (
        *_topics(principal, Operation.WRITE, (SUBMISSIONS,)),
        *_topics(principal, Operation.READ, (DIRECTORY, CHECKPOINTS, *map(inbox, inboxes))),
    )


def _reconciling(principal: str) -> tuple[Grant, ...]:
    """The least that makes topics, rights and quotas as the directory says.

    ALTER on the cluster gives rights, and so can give any: who holds that key holds the brokers. Nothing here
    deletes a topic, and none but the exchange's own can be made or altered.
    """
    operations = (Operation.DESCRIBE, Operation.CREATE, Operation.DESCRIBE_CONFIGS, Operation.ALTER_CONFIGS)
    topics = (Grant(principal, operation, Resource.TOPIC, PREFIX, prefix=True) for operation in operations)
    cluster = (Operation.ALTER, Operation.ALTER_CONFIGS)
    return (*topics, *(Grant(principal, operation, Resource.CLUSTER, CLUSTER_NAME) for operation in cluster))


def _topics(principal: str, operation: Operation, names: Iterable[str]) -> tuple[Grant, ...]:
    return tuple(Grant(principal, operation, Resource.TOPIC, name) for name in names)
