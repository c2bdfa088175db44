"""The SQL connector beyond the contract: claims, kills between statements, databases that are away."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.connectors.durable import ConnectorError
from adapters.connectors.sql.connector import SqlConnector
from adapters.connectors.sql.plugin import SqlOptions
from adapters.connectors.sql.plugin import database as database_url
from adapters.connectors.sql.tables import Inbox, Outbox
from adapters.ports import Place
from exchange.agent.ports import Package
from exchange.domain.errors import ConfigurationError
from tests.adapters.connectors.contract.sql import CLAIM, NOW, SqlSystem
from tests.adapters.connectors.contract.systems import names
from tests.adapters.support import MACHINE
from tests.patience import PATIENCE

KEY = "0f" * 32


class Killed(BaseException):
    """The process ends here."""


def test_another_agent_waits_until_a_claim_is_old(database: SqlSystem) -> None:
    """The one that was killed finds its own again at once, the other one after some time."""
    database.put("1", {"a.xml": b"<a/>"}, 1)
    assert names(database.connector("first")) == ["1"]
    assert database.rows("SELECT claimed_by FROM exchange_outbox") == [("first",)]
    assert names(database.connector("second")) == []
    assert names(database.connector("first")) == ["1"]
    database.now = NOW + CLAIM + timedelta(seconds=1)
    assert names(database.connector("second")) == ["1"]
    assert names(database.connector("first")) == []


@pytest.mark.server
def test_agents_at_the_same_time_share_what_waits(postgresql: SqlSystem) -> None:
    """No row is given to both."""
    for number in range(1, 41):
        postgresql.put(str(number), {"a.xml": b"<a/>"}, number)
    given: list[str] = []
    start = threading.Barrier(2)

    def collect(claimant: str) -> None:
        connector = postgresql.connector(claimant)
        start.wait()
        for package in connector.collect(40):
            given.append(package.name)
            connector.archive(package.name)

    agents = [threading.Thread(target=collect, args=(claimant,)) for claimant in ("first", "second")]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()
    assert sorted(given, key=int) == [str(number) for number in range(1, 41)]


def test_a_corrected_row_is_sent(sqlite: SqlSystem) -> None:
    """The EDMS empties the code."""
    sqlite.put("1", {"a.xml": b"<a/>"}, 1)
    connector = sqlite.connector()
    assert names(connector) == ["1"]
    connector.quarantine("1", "nul\0 and \ud800 more", "document-invalid")
    assert sqlite.rows("SELECT problem FROM exchange_outbox") == [("nul and ? more",)]
    sqlite.run("UPDATE exchange_outbox SET error_code = NULL")
    assert names(connector) == ["1"]


@pytest.mark.server
def test_a_lock_is_not_waited_for_for_ever(postgresql: SqlSystem, tmp_path: Path) -> None:
    """A row that somebody holds: the statement is given up, and said again later."""
    postgresql.put("1", {"a.xml": b"<a/>"}, 1)
    written = postgresql.url.update_query_dict({"options": "-csearch_path=edms -c statement_timeout=200"})
    options = SqlOptions(written.render_as_string(hide_password=False).replace(":@", "@"))
    postgresql.url = database_url(options, Place(tmp_path, "mfa", MACHINE))
    connector = postgresql.connector()
    with postgresql.engine.begin() as held:
        held.execute(sa.text("SELECT 1 FROM exchange_outbox FOR UPDATE"))
        with pytest.raises(ConnectorError, match="statement timeout"):
            names(connector)
    deadline = time.monotonic() + PATIENCE
    while True:  # a busy machine may need longer for a statement than this one may take
        try:
            assert names(connector) == ["1"]
        except ConnectorError:
            assert time.monotonic() < deadline
        else:
            break


def test_what_was_published_stays(sqlite: SqlSystem) -> None:
    """A spool from a backup hands it over again: the key knows better."""
    connector = sqlite.connector()
    for data in (b"<first/>", b"<second/>"):
        connector.stage(KEY, Package("k", {"a.xml": data}))
        connector.publish(KEY)
    assert sqlite.shown() == [{"a.xml": b"<first/>"}]


def test_an_edms_may_delete_what_it_has_read(sqlite: SqlSystem) -> None:
    """Publishing again, because the agent was killed before it had noted it, brings nothing back."""
    connector = sqlite.connector()
    connector.stage(KEY, Package("k", {"a.xml": b"<a/>"}))
    connector.publish(KEY)
    sqlite.run("DELETE FROM exchange_inbox_file", "DELETE FROM exchange_inbox")
    sqlite.connector().publish(KEY)
    assert sqlite.shown() == []


@contextlib.contextmanager
def killed_at(connector: SqlConnector, step: int) -> Iterator[None]:
    """What runs within ends before the n-th statement or commit."""
    steps = count()

    def act(*_: Any) -> None:
        if next(steps) == step:
            raise Killed

    for event in ("before_cursor_execute", "commit"):
        sa.event.listen(connector._engine, event, act)
    with contextlib.suppress(Killed):
        yield
    for event in ("before_cursor_execute", "commit"):
        sa.event.remove(connector._engine, event, act)


@pytest.mark.parametrize("step", range(11))
def test_killed_at_any_statement_it_is_shown_once(sqlite: SqlSystem, step: int) -> None:
    """Staging what was staged before, then publishing: whatever was done, the rest leads to one whole package."""
    package = Package("k", {"a.xml": b"<a/>", "b.pdf": b"%PDF"})
    sqlite.connector().stage(KEY, package)
    connector = sqlite.connector()
    connector.publish("another")  # looks the tables up
    with killed_at(connector, step):
        connector.stage(KEY, package)
        connector.publish(KEY)
    again = sqlite.connector()
    again.publish(KEY)
    assert sqlite.shown() == [dict(package.files)]


@pytest.mark.parametrize("step", range(9))
def test_killed_at_any_statement_it_is_sent(sqlite: SqlSystem, step: int) -> None:
    """Collecting and archiving: either it is marked as taken, or it comes again."""
    sqlite.put("1", {"a.xml": b"<a/>"}, 1)
    connector, given = sqlite.connector(), []
    with killed_at(connector, step):
        for package in connector.collect(5):
            given.append(package.name)
            connector.archive(package.name)
    assert (names(sqlite.connector()) == ["1"]) != (sqlite.taken() == {"1"})
    assert given == ["1"] or sqlite.taken() == set()


def test_a_database_that_is_away_is_waited_for() -> None:
    """The error says what the driver says, and not the password."""
    url = sa.make_url("postgresql+psycopg://exchange:s3cret@127.0.0.1:1/edms")
    connector = SqlConnector(url, outbox=Outbox(), inbox=Inbox(), claimant="a", claim=CLAIM, now=lambda: NOW)
    with pytest.raises(ConnectorError, match="refused") as caught:
        connector.publish(KEY)
    assert (caught.value.code, caught.value.retriable) == ("sql-failed", True)
    assert "s3cret" not in str(caught.value)


def test_a_driver_that_is_not_there_is_named() -> None:
    """Not with the URL, which may hold more."""
    url = sa.make_url("mssql+nodriver://exchange:s3cret@db/edms")
    with pytest.raises(ConfigurationError, match=r"mssql\+nodriver") as caught:
        SqlConnector(url, outbox=Outbox(), inbox=Inbox(), claimant="a", claim=CLAIM, now=lambda: NOW)
    assert caught.value.code == "sql-url-invalid"
