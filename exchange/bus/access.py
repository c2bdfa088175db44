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
    SEQUENCES,
    SUBMISSIONS,
    inbox,
)

ROUTER = "svc-router"
TRACKER = "svc-tracker"
ARCHIVE = "svc-archive"
AUDITOR = "svc-auditor"
DIRECTORY_SERVICE = "svc-directory"

ROUTER_GROUP = "exchange.router"
ROUTER_TRANSACTIONS = "router:"


class Operation(StrEnum):
    """What may be done; the names are Kafka's."""

    READ = "READ"
    WRITE = "WRITE"


class Resource(StrEnum):
    """On what; the names are Kafka's."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"
    TRANSACTIONAL_ID = "TRANSACTIONAL_ID"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one principal.

    Attributes:
        principal: common name of the certificate.
        operation: what may be done.
        resource: on what kind of thing.
        name: its name, or the beginning of its name.
        prefix: whether `name` is only the beginning.
    """

    principal: str
    operation: Operation
    resource: Resource
    name: str
    prefix: bool = False

    def __str__(self) -> str:
        """For people: `svc-router may WRITE topic exchange.inbox.*`."""
        kind = self.resource.lower().replace("_", " ")
        return f"{self.principal} may {self.operation} {kind} {self.name}{'*' if self.prefix else ''}"


def service_grants() -> tuple[Grant, ...]:
    """Rights of the exchange's own services (the table in the design's "Kafka")."""
    return (
        *_topics(ROUTER, Operation.READ, (SUBMISSIONS, SEQUENCES, JOURNAL, DIRECTORY, COMMANDS)),
        *_topics(ROUTER, Operation.WRITE, (JOURNAL, SEQUENCES, DEAD_LETTERS)),
        Grant(ROUTER, Operation.WRITE, Resource.TOPIC, INBOXES, prefix=True),
        Grant(ROUTER, Operation.WRITE, Resource.TRANSACTIONAL_ID, ROUTER_TRANSACTIONS, prefix=True),
        Grant(ROUTER, Operation.READ, Resource.GROUP, ROUTER_GROUP),
        *_topics(TRACKER, Operation.READ, (JOURNAL, CHECKPOINTS, DIRECTORY)),
        *_topics(TRACKER, Operation.WRITE, (JOURNAL, COMMANDS)),
        *_topics(ARCHIVE, Operation.READ, (JOURNAL, CHECKPOINTS, DIRECTORY)),
        *_topics(ARCHIVE, Operation.WRITE, (CHECKPOINTS, COMMANDS)),
        # Replay believes nothing and nobody must need to believe it: no Write anywhere.
        *_topics(AUDITOR, Operation.READ, (JOURNAL,)),
        *_topics(DIRECTORY_SERVICE, Operation.READ, (DIRECTORY,)),
        *_topics(DIRECTORY_SERVICE, Operation.WRITE, (DIRECTORY,)),
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


def _topics(principal: str, operation: Operation, names: Iterable[str]) -> tuple[Grant, ...]:
    return tuple(Grant(principal, operation, Resource.TOPIC, name) for name in names)
