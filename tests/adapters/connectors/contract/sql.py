"""An EDMS with a database: the tables of the documentation's page."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.connectors.sql.connector import SqlConnector
from adapters.connectors.sql.tables import Inbox, Outbox

PAGE = Path(__file__).parents[4] / "docs" / "connectors" / "sql.md"
NOW = datetime(2022, 1, 20, 6, tzinfo=UTC)
CLAIM = timedelta(minutes=15)


def tables(heading: str) -> list[str]:
    """The statements that the page has below a heading."""
    match = re.search(rf"### {heading}\n\n```sql\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    return [statement for statement in match[1].split(";") if statement.strip()]


class SqlSystem:
    """An EDMS with such tables in a fresh database."""

    def __init__(self, url: sa.URL) -> None:
        """Make the tables."""
        self.url = url
        self.engine = _quick(sa.create_engine(url))
        self.now = NOW
        self._opened: list[SqlConnector] = []
        self.run(*tables("SQLite" if url.get_backend_name() == "sqlite" else "PostgreSQL"))

    def close(self) -> None:
        """Close every connection."""
        for connector in self._opened:
            connector.close()
        self.engine.dispose()

    def run(self, *statements: str, **values: object) -> None:
        """Run statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), values)

    def rows(self, select: str) -> list[tuple[object, ...]]:
        """Rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(select))]

    def connector(self, claimant: str = "mfa", outbox: Outbox = Outbox(), inbox: Inbox = Inbox()) -> SqlConnector:  # noqa: B008
        connector = SqlConnector(
            self.url, outbox=outbox, inbox=inbox, claimant=claimant, claim=CLAIM, now=lambda: self.now
        )
        _quick(connector._engine)
        self._opened.append(connector)
        return connector

    def put(self, name: str, files: Mapping[str, bytes], age: int) -> None:
        assert int(name) == age
        rows = [{"id": age, "name": file, "data": data} for file, data in files.items()]
        with self.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO exchange_outbox (id) VALUES (:id)"), {"id": age})
            connection.execute(sa.text("INSERT INTO exchange_outbox_file VALUES (:id, :name, :data)"), rows)

    def put_unsound(self, name: str) -> None:
        self.put(name, {"../letter.pdf": b"%PDF"}, int(name))

    def taken(self) -> set[str]:
        return {str(ident) for (ident,) in self.rows("SELECT id FROM exchange_outbox WHERE taken_at IS NOT NULL")}

    def refused(self) -> dict[str, str]:
        rows = self.rows("SELECT id, error_code, problem FROM exchange_outbox WHERE error_code IS NOT NULL")
        return {str(ident): f"{problem} ({code})" for ident, code, problem in rows}

    def shown(self) -> list[dict[str, bytes]]:
        keys = self.rows("SELECT exchange_key FROM exchange_inbox WHERE published_at IS NOT NULL")
        files = self.rows("SELECT inbox_key, name, content FROM exchange_inbox_file")
        return [{str(name): bytes(data) for of, name, data in files if of == key} for (key,) in keys]  # type: ignore[call-overload]


def _quick(engine: sa.Engine) -> sa.Engine:
    """Tests outlive no power cut: SQLite need not wait for the disk."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous = OFF"))
    return engine


POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.server)
DATABASES = ["sqlite", POSTGRESQL]


@contextmanager
def database_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[SqlSystem]:
    """An EDMS with the page's tables and nothing in them: in a file, or a schema of the one PostgreSQL."""
    if kind == "sqlite":
        url = sa.make_url(f"sqlite:///{folder}/edms.db")
    else:
        url = _own_schema(sa.make_url(request.getfixturevalue("postgres")))
    with closing(SqlSystem(url)) as system:
        yield system


def _own_schema(url: sa.URL) -> sa.URL:
    """An empty schema, which statements that name none mean."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS edms CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA edms"))
    engine.dispose()
    return url.update_query_dict({"options": "-csearch_path=edms"})
