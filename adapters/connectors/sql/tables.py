"""Which tables and columns hold what: as the profile names them, and as the database has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from adapters.connectors.durable import ConnectorError
from adapters.ports import Options

DOCUMENT = "document.xml"

Column = Annotated[str, Meta(min_length=1, max_length=128)]
Table = Annotated[str, Meta(pattern=r"^[^.]+(\.[^.]+)?$", max_length=256)]


class FilesTable(Options, frozen=True):
    """A table or view with a row for each file of a package."""

    table: Annotated[Table, Meta(description="name or schema.name")]
    package: Annotated[Column, Meta(description="refers to the package's row")]
    name: Annotated[Column, Meta(description="the file's name")] = "name"
    content: Annotated[Column, Meta(description="the file's bytes; text where all files are text")] = "content"


class Outbox(Options, frozen=True):
    """The table or view with a row for each package to be sent: the EDMS's rows, in which we write five columns."""

    table: Annotated[Table, Meta(description="name or schema.name")] = "exchange_outbox"
    files: Annotated[FilesTable, Meta(description="the files of its packages")] = FilesTable(
        "exchange_outbox_file", "outbox_id"
    )
    id: Annotated[Column, Meta(description="identifies the row: a number or a text")] = "id"
    order: Annotated[str, Meta(description="column by which the oldest comes first; the id where it is empty")] = ""
    ready: Annotated[str, Meta(description="SQL condition that holds for rows to be sent; all where it is empty")] = ""
    document: Annotated[
        str, Meta(description="column of the document that describes the package, where it is not among the files")
    ] = ""
    document_name: Annotated[str, Meta(min_length=1, description="what that document is called as a file")] = DOCUMENT
    claimed_at: Annotated[Column, Meta(description="time (UTC) at which an agent took the row to itself")] = (
        "claimed_at"
    )
    claimed_by: Annotated[Column, Meta(description="which agent that was")] = "claimed_by"
    taken_at: Annotated[Column, Meta(description="time (UTC) since which the agent has it on its own disk")] = (
        "taken_at"
    )
    error_code: Annotated[Column, Meta(description="code of why it cannot be sent")] = "error_code"
    problem: Annotated[Column, Meta(description="what is wrong and where, in words")] = "problem"


class Inbox(Options, frozen=True):
    """The table or view with a row for each package that arrived: the EDMS reads those with a time of publication."""

    table: Annotated[Table, Meta(description="name or schema.name")] = "exchange_inbox"
    files: Annotated[FilesTable, Meta(description="the files of its packages")] = FilesTable(
        "exchange_inbox_file", "inbox_key"
    )
    key: Annotated[Column, Meta(description="the package's key, unique, up to 128 characters")] = "exchange_key"
    name: Annotated[Column, Meta(description="a readable name")] = "name"
    document: Annotated[
        str, Meta(description="column for the document that describes the package, where it is not among the files")
    ] = ""
    document_name: Annotated[str, Meta(min_length=1, description="what that document is called as a file")] = DOCUMENT
    published_at: Annotated[
        Column, Meta(description="time (UTC) since which the EDMS may read the row; empty before")
    ] = "published_at"


@dataclass(frozen=True, slots=True)
class Found:
    """A mapped table as the database has it: `columns` by the names that the mapping gives them."""

    table: sa.Table
    columns: dict[str, sa.Column[Any]]

    def __getitem__(self, role: str) -> sa.Column[Any]:
        """The column that plays a role of the mapping."""
        return self.columns[role]

    def time(self, role: str, now: datetime) -> datetime:
        """`now` as its column wants it: UTC, without a zone where the column has none."""
        zoned = getattr(self[role].type, "timezone", False)
        return now.astimezone(UTC) if zoned else now.astimezone(UTC).replace(tzinfo=None)

    def fit(self, role: str, text: str) -> str:
        """The start of a text that its column can hold."""
        text = text.replace("\0", "").encode(errors="replace").decode()
        return text[: getattr(self[role].type, "length", None)]


def find(connection: sa.Connection, mapping: Outbox | Inbox | FilesTable) -> Found:
    """Look a mapped table up in the database, with the types of its columns.

    Raises:
        ConnectorError: `sql-table-unfit`: it is not there, or not as the mapping says.
    """
    schema, _, name = mapping.table.rpartition(".")
    wanted = dict(_columns(mapping))
    try:
        table = sa.Table(
            name,
            sa.MetaData(),
            schema=schema or None,
            autoload_with=connection,
            include_columns=list(wanted.values()),
            resolve_fks=False,
        )
    except sa.exc.NoSuchTableError as error:
        raise _unfit(mapping.table, "is not there, or not to be seen: create it, or grant its use") from error
    missing = sorted(set(wanted.values()) - set(table.c.keys()))
    if missing:
        raise _unfit(mapping.table, f"has no column '{missing[0]}': add it, or name the one that it has")
    for role, column in wanted.items():
        if role.endswith("_at") and not isinstance(table.c[column].type, sa.DateTime):
            raise _unfit(mapping.table, f"has in column '{column}' no date with time: change its type")
    return Found(table, {role: table.c[column] for role, column in wanted.items()})


def _columns(mapping: Outbox | Inbox | FilesTable) -> Iterator[tuple[str, str]]:
    """Role and name of each column that is mapped."""
    for role, value in msgspec.structs.asdict(mapping).items():
        if role not in {"table", "files", "ready", "document_name"} and value:
            yield role, value


def _unfit(table: str, problem: str) -> ConnectorError:
    return ConnectorError(f"the table '{table}' {problem}", code="sql-table-unfit")
