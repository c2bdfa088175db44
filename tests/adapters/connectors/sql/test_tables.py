"""The SQL connector on tables as the page has them, and on others."""

import tomllib
from datetime import timedelta

import msgspec
import pytest

from adapters.connectors.durable import ConnectorError
from adapters.connectors.sql.plugin import SqlOptions
from adapters.connectors.sql.tables import FilesTable, Inbox, Outbox
from exchange.agent.ports import Package
from tests.adapters.connectors.contract.sql import NOW, PAGE, SqlSystem
from tests.adapters.connectors.contract.systems import names

KEY = "0f" * 32
XML = '<?xml version="1.0" encoding="windows-1251"?><a>Приказ</a>'
OTHER_TABLES = """
CREATE TABLE outgoing (doc_id VARCHAR(36), xml TEXT, state VARCHAR(10), signed_at TIMESTAMP,
    x_claimed_at TIMESTAMP, x_claimed_by TEXT, x_taken_at TIMESTAMP, x_error TEXT, x_problem VARCHAR(20));
CREATE TABLE attachments (doc_id VARCHAR(36), file_name TEXT, body {binary});
CREATE TABLE incoming (exchange_id VARCHAR(64) PRIMARY KEY, title VARCHAR(10), x_published_at TIMESTAMP);
CREATE TABLE incoming_files (exchange_id VARCHAR(64), name TEXT, content {binary})
"""


def test_other_tables_as_the_page_names_them(database: SqlSystem) -> None:
    """A document in a text column, in its own encoding; an order, a condition, a short column for the problem."""
    is_sqlite = database.url.get_backend_name() == "sqlite"
    database.run(*OTHER_TABLES.format(binary="BLOB" if is_sqlite else "BYTEA").split(";"))
    blocks = PAGE.read_text(encoding="utf-8").split("```toml\n")
    text = next(block for block in blocks if block.startswith("[connector.outbox]")).partition("```")[0]
    said = tomllib.loads(text.replace('"edms.', '"') if is_sqlite else text)["connector"]
    options = msgspec.convert({"url": "sqlite://"} | said, SqlOptions)
    connector = database.connector("mfa", options.outbox, options.inbox)
    insert = "INSERT INTO outgoing (doc_id, xml, state, signed_at) VALUES (:id, :xml, :state, :at)"
    for ident, state, days in (("new", "SIGNED", 2), ("old", "SIGNED", 1), ("draft", "DRAFT", 0)):
        database.run(insert, id=ident, xml=XML, state=state, at=NOW.replace(tzinfo=None) + timedelta(days))
    database.run("INSERT INTO attachments VALUES ('old', 'a.pdf', :data)", data=b"\xff")
    found = list(connector.collect(5))
    assert found == [
        Package("old", {"document.xml": XML.encode("windows-1251"), "a.pdf": b"\xff"}),
        Package("new", {"document.xml": XML.encode("windows-1251")}),
    ]
    connector.quarantine("old", "x" * 50, "document-invalid")
    assert database.rows("SELECT x_problem FROM outgoing WHERE doc_id = 'old'") == [("x" * 20,)]
    connector.archive("new")
    assert names(connector) == []
    connector.stage(KEY, Package("a long title", {"document.xml": b"<a/>"}))
    connector.publish(KEY)
    assert database.rows("SELECT exchange_id, title FROM incoming") == [(KEY, "a long tit")]
    assert database.rows("SELECT exchange_id, name FROM incoming_files") == [(KEY, "document.xml")]


def test_an_edms_does_as_the_page_says(database: SqlSystem) -> None:
    """It sends by the page's INSERTs, and reads what arrived by its SELECT."""
    (sending, receiving) = (said.partition("```")[0].strip() for said in PAGE.read_text("utf-8").split("```sql\n")[3:5])
    database.run(*filter(None, sending.split(";")))
    connector = database.connector()
    assert list(connector.collect(5)) == [Package("1", {"document.xml": b"<a/>", "letter.pdf": b"%PDF"})]
    connector.stage(KEY, Package("letter", {"document.xml": b"<a/>"}))
    assert database.rows(receiving) == []
    connector.publish(KEY)
    assert database.rows(receiving) == [(KEY, "letter")]


@pytest.mark.server
def test_views_do_as_well(postgresql: SqlSystem) -> None:
    """PostgreSQL writes through simple ones."""
    postgresql.run("CREATE VIEW letters AS SELECT * FROM exchange_outbox WHERE id > 1")
    for number in (1, 2):
        postgresql.put(str(number), {"a.xml": b"<a/>"}, number)
    connector = postgresql.connector(outbox=Outbox(table="letters"))
    assert names(connector) == ["2"]
    connector.archive("2")
    assert postgresql.taken() == {"2"}


def test_a_document_goes_into_its_column(sqlite: SqlSystem) -> None:
    """As text, and the other files beside it; what is no text cannot go there, and says so."""
    sqlite.run("ALTER TABLE exchange_inbox ADD COLUMN xml TEXT")
    connector = sqlite.connector(inbox=Inbox(document="xml"))
    connector.stage(KEY, Package("k", {"document.xml": XML.encode("windows-1251"), "a.pdf": b"%PDF"}))
    assert sqlite.rows("SELECT xml FROM exchange_inbox") == [(XML,)]
    assert sqlite.rows("SELECT name FROM exchange_inbox_file") == [("a.pdf",)]
    with pytest.raises(ConnectorError, match="binary type") as caught:
        connector.stage(KEY, Package("k", {"document.xml": b"\xff"}))
    assert (caught.value.code, caught.value.retriable) == ("sql-table-unfit", True)


@pytest.mark.parametrize(
    ("outbox", "told"),
    [
        (Outbox(table="letters"), "'letters' is not there"),
        (Outbox(files=FilesTable("exchange_outbox_file", "letter")), "'exchange_outbox_file' has no column 'letter'"),
        (Outbox(taken_at="problem"), "'exchange_outbox' has in column 'problem' no date with time"),
    ],
)
def test_tables_that_do_not_fit_are_named(sqlite: SqlSystem, outbox: Outbox, told: str) -> None:
    """Table and column; the agent waits until somebody has mended it."""
    sqlite.put("1", {"a.xml": b"<a/>"}, 1)
    with pytest.raises(ConnectorError, match=told) as caught:
        names(sqlite.connector(outbox=outbox))
    assert (caught.value.code, caught.value.retriable) == ("sql-table-unfit", True)


def test_tables_may_come_later(sqlite: SqlSystem) -> None:
    """The same connector finds them."""
    sqlite.run("ALTER TABLE exchange_outbox RENAME TO aside")
    connector = sqlite.connector()
    with pytest.raises(ConnectorError):
        names(connector)
    sqlite.run("ALTER TABLE aside RENAME TO exchange_outbox")
    assert names(connector) == []
