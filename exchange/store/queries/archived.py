"""Letters that were put away: when, and where they are."""

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from exchange.domain.ids import DIGEST_BYTES
from exchange.store.queries.letters import is_sayable
from exchange.store.rows import moment
from exchange.store.schema import archived, archived_names

_HEX_PREFIX = re.compile(r"[0-9a-fA-F]{4,64}")


@dataclass(frozen=True, slots=True)
class PutAway:
    """A letter that the tables hold no longer.

    Attributes:
        digest: statement digest, the letter's id.
        bodies: codes of its sender and of its recipients, the sender's first.
        journalled: when the journal took it.
        file: the name of its file in the archive.
        at: the byte where its block begins there.
        put_away: when.
    """

    digest: bytes
    bodies: tuple[str, ...]
    journalled: datetime
    file: str
    at: int
    put_away: datetime


def put_away(connection: sa.Connection, text: str, limit: int = 20) -> list[PutAway]:
    """Letters that `text` names, as `find` takes it, and that were put away; youngest first."""
    if not text or not is_sayable(text):
        return []
    conditions = [archived.c.place.in_(sa.select(archived_names.c.place).where(archived_names.c.name == text))]
    if _HEX_PREFIX.fullmatch(text):
        first, last = (bytes.fromhex(text.lower().ljust(2 * DIGEST_BYTES, end)) for end in "0f")
        conditions.append(archived.c.digest.between(first, last))
    query = sa.select(archived).where(sa.or_(*conditions)).order_by(archived.c.journalled.desc()).limit(limit)
    return [
        PutAway(
            bytes(row.digest),
            tuple(row.bodies.split(",")),
            moment(row.journalled),
            row.file,
            row.at,
            moment(row.put_away),
        )
        for row in connection.execute(query)
    ]


def digests_put_away(connection: sa.Connection) -> frozenset[bytes]:
    """All letters that were put away."""
    return frozenset(map(bytes, connection.execute(sa.select(archived.c.digest)).scalars()))
