"""The SQL connector in a profile."""

from pathlib import Path

import pytest

from adapters.connectors.sql.connector import SqlConnector
from adapters.connectors.sql.plugin import SqlOptions, database
from adapters.ports import Machine, Place
from adapters.profile import read_profile
from exchange.domain.errors import ConfigurationError
from tests.adapters.support import MACHINE, NOW


def place(folder: Path, **environ: str) -> Place:
    """Beside a profile in `folder`."""
    return Place(folder, "mfa", Machine(lambda: NOW, bytes, environ))


def test_a_profile_names_database_and_tables(tmp_path: Path) -> None:
    """SQLite's file is beside the profile; nothing is opened before it is needed."""
    text = 'format = "medo-2.6"\n[connector]\nkind = "sql"\nurl = "sqlite:///{body}.db"\noutbox = { table = "o" }\n'
    (tmp_path / "edms.toml").write_text(text, encoding="utf-8")
    connector = read_profile(tmp_path / "edms.toml").open_connector("mfa", MACHINE)
    assert isinstance(connector, SqlConnector)
    connector.close()
    assert database(SqlOptions("sqlite:///{body}.db"), place(tmp_path)).database == str(tmp_path / "mfa.db")
    assert list(tmp_path.iterdir()) == [tmp_path / "edms.toml"]


def test_the_password_comes_from_elsewhere(tmp_path: Path) -> None:
    """A file, a credential or a variable; in the URL it is refused."""
    (tmp_path / "edms.password").write_text("p@ss/word\n", encoding="utf-8")
    (tmp_path / "edms.password").chmod(0o600)
    where = place(tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path), EDMS="p@ss/word")
    for named in ("edms.password", "credential:edms.password", "environment:EDMS"):
        url = database(SqlOptions("postgresql+psycopg://exchange@db/edms", named), where)
        assert url.password == "p@ss/word"
        assert "p@ss" not in str(url)
    with pytest.raises(ConfigurationError, match="name that by password") as caught:
        database(SqlOptions("postgresql+psycopg://exchange:p@db/edms"), where)
    assert caught.value.code == "sql-url-invalid"


def test_postgresql_is_waited_for_within_bounds(tmp_path: Path) -> None:
    """Unless the URL has its own."""
    url = database(SqlOptions("postgresql+psycopg://exchange@db/edms?connect_timeout=1"), place(tmp_path))
    assert url.query["connect_timeout"] == "1"
    assert url.query["options"] == "-c statement_timeout=60000"
    assert not database(SqlOptions("mssql+pyodbc://exchange@db/edms"), place(tmp_path)).query


def test_what_is_no_url_is_refused(tmp_path: Path) -> None:
    """Without repeating it."""
    with pytest.raises(ConfigurationError, match="dialect") as caught:
        database(SqlOptions("db.example p@ss"), place(tmp_path))
    assert "p@ss" not in str(caught.value)
