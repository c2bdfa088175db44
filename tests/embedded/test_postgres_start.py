"""A PostgreSQL whose start takes longer than the wheel waits for it."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from exchange.embedded import postgres
from exchange.embedded.errors import PostgresFailedError
from exchange.embedded.postgres import EmbeddedPostgres


class Wheel:
    """As the wheel's server: it gives up a few times, and says where it is."""

    def __init__(self, failures: list[Exception], log: Path) -> None:
        """Nothing is started."""
        self.failures = failures
        self.log = log

    def start(self) -> None:
        """Give up, or be there."""
        if self.failures:
            try:
                raise self.failures.pop(0)
            except subprocess.SubprocessError:
                self.log.read_text()
                raise

    def get_uri(self, driver: str) -> str:
        """Where it is."""
        return f"postgresql+{driver}:///"


def begun(folder: Path, monkeypatch: pytest.MonkeyPatch, *failures: Exception) -> EmbeddedPostgres:
    """A server by a wheel that fails so."""
    wheel = SimpleNamespace(PostgresServer=lambda data, **_named: Wheel([*failures], data / "log"))
    monkeypatch.setattr(postgres, "_package", lambda: wheel)
    server = EmbeddedPostgres(folder, detached=True)
    server.start()
    return server


@pytest.mark.parametrize("has_log", [True, False])
def test_a_slow_start_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_log: bool) -> None:
    """What hangs for ten seconds on a busy machine is no failure."""
    if has_log:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "log").touch()
    slow = subprocess.TimeoutExpired("pg_ctl", 10)
    assert begun(tmp_path, monkeypatch, slow, slow).url == "postgresql+psycopg:///"


def test_what_fails_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried again; neither is a start that takes longer than ever."""
    with pytest.raises(PostgresFailedError):
        begun(tmp_path, monkeypatch, subprocess.CalledProcessError(1, "pg_ctl"))
    monkeypatch.setattr(postgres, "_START_SECONDS", -1)
    with pytest.raises(PostgresFailedError):
        begun(tmp_path, monkeypatch, subprocess.TimeoutExpired("pg_ctl", 10))


def test_a_server_says_itself_that_it_is_ready(tmp_path: Path) -> None:
    """In the last line of its file, which is there before it is."""
    server = EmbeddedPostgres(tmp_path)
    assert not server._is_ready()
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "postmaster.pid"
    for status, ready in (("starting", False), ("ready   ", True)):
        file.write_text(f"1\n{tmp_path}\n0\n5432\n{tmp_path}\n\n0 0\n{status}\n")
        assert server._is_ready() is ready
