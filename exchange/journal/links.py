"""What chains need of an entry. Named tuples, because millions of them go from process to process."""

from datetime import datetime
from typing import NamedTuple

from exchange.domain.decision import Basis, Decision, Tick
from exchange.domain.statement import Head, Open, Statement


class Taken(NamedTuple):
    """A statement that a decision was made of.

    Attributes:
        partition: of submissions.
        offset: there.
        version: of the directory that the decision names.
        directory: its digest.
        policy: digest.
        head: of the statement: body, origin, number, digest of the one before.
        statement: digest.
        opens: the statement itself if it opens an origin.
    """

    partition: int
    offset: int
    version: int
    directory: bytes
    policy: bytes
    head: tuple[bytes, str, bytes, int, bytes, datetime]
    statement: bytes
    opens: Open | None


class Link(NamedTuple):
    """An entry as a link of its lane's chain.

    Attributes:
        partition: of the journal.
        place: index in the log of that partition.
        lane: whose chain.
        number: place in it.
        previous: digest of the entry before, as it says.
        digest: its own.
        decided: when.
        said: what else follows from it.
    """

    partition: int
    place: int
    lane: int
    number: int
    previous: bytes
    digest: bytes
    decided: datetime
    said: Taken | Basis | Tick


def taken(decision: Decision, said: bytes, head: Head, statement: Statement | None) -> Taken:
    """Of a decision, with the digest of its statement, and that itself if it can be read."""
    return Taken(
        decision.partition,
        decision.offset,
        decision.directory_version,
        decision.directory_digest,
        decision.policy_digest,
        (head.exchange, head.body, head.origin, head.number, head.previous, head.created),
        said,
        statement if isinstance(statement, Open) else None,
    )
