"""Rows as packages, between any two statements of which the agent may be killed.

Out, at least once: a row is claimed by one UPDATE whose condition only one agent can meet, read, taken into
the spool, and marked taken. Killed in between, the same agent finds it again at once, another one when the
claim is old; the message id inside makes a second sending the first one's repeat.

In, exactly once: a package is inserted under its unique key without a time of publication, all rows in one
transaction (stage), then given that time by one UPDATE (publish). Rows without it are not for the EDMS.

Plain SQL only: no RETURNING, no SKIP LOCKED, no upsert, so that it is the same in every database.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from adapters.connectors.sql.errors import sql_errors
from adapters.connectors.sql.reading import read_files
from adapters.connectors.sql.tables import FilesTable, Found, Inbox, Outbox, find
from adapters.connectors.sql.values import to_value
from adapters.formats.files import check_name
from exchange.agent.ports import Package
from exchange.domain.errors import ConfigurationError, DocumentError


class SqlConnector:
    """Implements `exchange.agent.ports.Connector` on tables of a database; tables are looked up when first needed."""

    def __init__(
        self,
        url: sa.URL,
        *,
        outbox: Outbox,
        inbox: Inbox,
        claimant: str,
        claim: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: the database.
            outbox: tables of packages to be sent.
            inbox: tables of packages that arrived.
            claimant: this agent's name in claims, the same after a restart.
            claim: how long a row is left to the agent that claimed it and is not heard of since.
            now: the present time.

        Raises:
            ConfigurationError: `sql-url-invalid`.
        """
        self._engine = _engine(url)
        self._outbox, self._inbox = outbox, inbox
        self._claimant, self._claim, self._now = claimant, claim, now
        self._found: dict[Outbox | Inbox | FilesTable, Found] = {}

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._engine.dispose()

    def collect(self, limit: int) -> Iterator[Package]:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: the database does not answer, or its tables do not fit.
        """
        with self._transaction("looking for packages") as connection:
            out = self._table(connection, self._outbox)
            order = out.columns.get("order", out["id"])
            waiting = sa.select(out["id"]).where(self._claimable(out)).order_by(order, out["id"]).limit(limit)
            if self._outbox.ready:
                waiting = waiting.where(sa.text(f"({self._outbox.ready})"))
            ids = connection.scalars(waiting).all() if limit else []
        for ident in ids:
            try:
                package = self._take(ident)
            except DocumentError as error:
                self.quarantine(str(ident), str(error), error.code)
                continue
            if package is not None:
                yield package

    def archive(self, name: str) -> None:
        """See `exchange.agent.ports.Connector`."""
        with self._transaction("marking a package as taken") as connection:
            self._mark(connection, name, lambda out: {out["taken_at"]: out.time("taken_at", self._now())})

    def quarantine(self, name: str, problem: str, code: str) -> None:
        """See `exchange.agent.ports.Connector`."""
        with self._transaction("marking a package that cannot be sent") as connection:
            self._mark(
                connection,
                name,
                lambda out: {
                    out["error_code"]: out.fit("error_code", code),
                    out["problem"]: out.fit("problem", problem),
                },
            )

    def stage(self, key: str, package: Package) -> None:
        """See `exchange.agent.ports.Connector`; a key that was published stays as it is.

        Raises:
            ConnectorError: the database does not answer, or its tables do not fit.
            DocumentError: `file-name-unsafe`: a name that no format should have let pass.
        """
        files = {check_name(name, package.name): data for name, data in package.files.items()}
        with self._transaction("staging a package for the EDMS") as connection:
            box, contents = self._table(connection, self._inbox), self._table(connection, self._inbox.files)
            if connection.execute(sa.select(box["published_at"]).where(box["key"] == key)).scalar() is not None:
                return
            connection.execute(sa.delete(contents.table).where(contents["package"] == key))
            connection.execute(sa.delete(box.table).where(box["key"] == key))
            row: dict[sa.Column[Any], bytes | str] = {box["key"]: key, box["name"]: box.fit("name", package.name)}
            document = files.pop(self._inbox.document_name, None) if self._inbox.document else None
            if document is not None:
                row[box["document"]] = to_value(document, box["document"])
            connection.execute(sa.insert(box.table).values({column.key: value for column, value in row.items()}))
            for name, data in files.items():
                self._insert_file(connection, contents, key, name, data)

    def publish(self, key: str) -> None:
        """See `exchange.agent.ports.Connector`."""
        with self._transaction("showing a package to the EDMS") as connection:
            box = self._table(connection, self._inbox)
            shown = {box["published_at"]: box.time("published_at", self._now())}
            connection.execute(
                sa.update(box.table).where(box["key"] == key, box["published_at"].is_(None)).values(shown)
            )

    def _take(self, ident: Any) -> Package | None:
        """Claim a row and read it; None when another agent was quicker."""
        with self._transaction("reading a package") as connection:
            out = self._table(connection, self._outbox)
            claim = {out["claimed_by"]: self._claimant, out["claimed_at"]: out.time("claimed_at", self._now())}
            mine = sa.update(out.table).where(out["id"] == ident, self._claimable(out)).values(claim)
            if connection.execute(mine).rowcount != 1:
                return None
        with self._transaction("reading a package") as connection:
            contents = self._table(connection, self._outbox.files)
            files = read_files(connection, out, contents, ident, self._outbox.document_name)
            return Package(str(ident), files)

    def _claimable(self, out: Found) -> sa.ColumnElement[bool]:
        """Rows that nobody has, or whose agent has been silent for long."""
        old = out["claimed_at"] < out.time("claimed_at", self._now() - self._claim)
        free = sa.or_(out["claimed_at"].is_(None), old, out["claimed_by"] == self._claimant)
        return sa.and_(out["taken_at"].is_(None), out["error_code"].is_(None), free)

    def _mark(self, connection: sa.Connection, name: str, values: Callable[[Found], dict[Any, Any]]) -> None:
        """Set columns of a row that is not taken yet."""
        out = self._table(connection, self._outbox)
        ident = out["id"].type.python_type(name)
        connection.execute(
            sa.update(out.table).where(out["id"] == ident, out["taken_at"].is_(None)).values(values(out))
        )

    def _insert_file(self, connection: sa.Connection, contents: Found, key: str, name: str, data: bytes) -> None:
        row = {
            contents["package"]: key,
            contents["name"]: name,
            contents["content"]: to_value(data, contents["content"]),
        }
        connection.execute(sa.insert(contents.table).values({column.key: value for column, value in row.items()}))

    def _table(self, connection: sa.Connection, mapping: Outbox | Inbox | FilesTable) -> Found:
        """A mapped table, looked up once."""
        if mapping not in self._found:
            self._found[mapping] = find(connection, mapping)
        return self._found[mapping]

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[sa.Connection]:
        with sql_errors(doing), self._engine.begin() as connection:
            yield connection


def _engine(url: sa.URL) -> sa.Engine:
    """Few connections, each asked whether it still lives before it is used; parameters stay out of errors."""
    try:
        return sa.create_engine(url, pool_size=1, pool_pre_ping=True, hide_parameters=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        message = f"the database '{url.drivername}' cannot be used: check the name, and install its driver"
        raise ConfigurationError(message, code="sql-url-invalid") from error
