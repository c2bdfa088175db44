"""Who looks after a group of failures, and what is known of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from exchange.store.desk.inserting import insert_new
from exchange.store.desk.schema import notes
from exchange.store.rows import micros, moment


@dataclass(frozen=True, slots=True)
class Note:
    """What operators write to each other about a group of failures.

    Attributes:
        failure: the group's name, of `group_name`.
        owner: who looks after it, in a person's words; empty: nobody.
        text: what is known of it; may be empty.
        person: sign-in of who wrote it last.
        changed: when.
    """

    failure: str
    owner: str
    text: str
    person: str
    changed: datetime


def group_name(reason: str, sender: str, recipient: str) -> str:
    """The name of a group, whatever its parts say: its page's address has it so."""
    return urlencode({"reason": reason, "from": sender, "to": recipient})


def of_groups(connection: sa.Connection, failures: Iterable[str]) -> Mapping[str, Note]:
    """The notes of groups, by the groups' names; only of those that have one."""
    query = sa.select(notes).where(notes.c.failure.in_(list(failures)))
    return {row["failure"]: _note(row) for row in connection.execute(query).mappings()}


def write(connection: sa.Connection, note: Note, before: datetime | None) -> bool:
    """Write a note in the place of the one that its writer saw.

    Args:
        connection: of the desk, in a transaction that writes.
        note: as it shall be.
        before: when the one that the writer saw was changed; None: there was none.

    Returns:
        False when somebody else wrote since: nothing was changed.
    """
    values = {
        "failure": note.failure,
        "owner": note.owner,
        "text": note.text,
        "person": note.person,
        "changed": micros(note.changed),
    }
    if before is None:
        return insert_new(connection, notes, values)
    query = sa.update(notes).where(notes.c.failure == note.failure, notes.c.changed == micros(before))
    return connection.execute(query.values(values)).rowcount > 0


def _note(row: Any) -> Note:
    return Note(row["failure"], row["owner"], row["text"], row["person"], moment(row["changed"]))
