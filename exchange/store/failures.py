"""What a database that fails comes to: an error with a name, and an end to every wait.

Whatever may pass by itself is `store-unavailable` and retriable: a server that is away, stops, is full,
became read-only or has no connection left. What a person must look at is not.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from exchange.store import bulk
from exchange.store.errors import StoreError

_NO_SUCH_TABLE = {"42P01", "42703"}
_CORRUPTED = {"XX001", "XX002"}


@dataclass(frozen=True, slots=True)
class Named:
    """Whose database fails, and what a person does when it is damaged."""

    owner: str
    remedy: str


@contextmanager
def translated(engine: sa.Engine, named: Named) -> Iterator[None]:
    """Let out what the database refuses as `StoreError`, that of COPY too, which SQLAlchemy does not see."""
    try:
        yield
    except (sa.exc.DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        raise _refusal(engine, error, named) from error
    except (sa.exc.TimeoutError, OSError) as error:
        message = (
            f"the {named.owner}'s database {_name(engine)} cannot be reached ({error}): "
            "see if this machine is at a limit"
        )
        raise StoreError(message, retriable=True) from error


@contextmanager
def cut_after(seconds: float, connection: sa.Connection, named: Named) -> Iterator[None]:
    """Cut a connection that is still in use after so long: a server that is frozen would hold it for ever.

    Neither libpq nor psycopg limit the wait for an answer, TCP keeps a frozen process's connections alive,
    and the server's own limits freeze with it. SQLite waits for nobody but `timeout`.

    Raises:
        StoreError: `store-unavailable`, retriable: it was cut.
    """
    if not bulk.is_postgresql(connection):
        yield
        return
    driver: Any = connection.connection.driver_connection
    was_cut = threading.Event()
    with socket.socket(fileno=os.dup(driver.fileno())) as twin:
        timer = threading.Timer(seconds, _cut, (twin, was_cut))
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as error:
            if not was_cut.is_set():
                raise
            message = (
                f"the {named.owner}'s database {_name(connection.engine)} did not answer for {seconds:.0f} s "
                "and was cut off: see what holds it up"
            )
            raise StoreError(message, retriable=True) from error
        finally:
            timer.cancel()
            timer.join()


def _cut(connection: socket.socket, was_cut: threading.Event) -> None:
    was_cut.set()
    with suppress(OSError):  # it went by itself
        connection.shutdown(socket.SHUT_RDWR)


def _refusal(engine: sa.Engine, error: Exception, named: Named) -> StoreError:
    """By what the driver says: SQLAlchemy's classes put missing tables and full disks together."""
    said = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if getattr(said, "sqlstate", None) in _NO_SUCH_TABLE or str(said).startswith("no such"):
        message = f"the tables in {_name(engine)} are not the {named.owner}'s ({said}): migrate them, or check the URL"
        return StoreError(message, code="store-version")
    if _is_damaged(engine, said):
        message = (
            f"the {named.owner}'s database {_name(engine)} is damaged or was written to by somebody else ({said}): "
            f"{named.remedy}"
        )
        return StoreError(message, code="store-damaged")
    message = f"the {named.owner}'s database {_name(engine)} does not work ({said}): check that it runs and has space"
    return StoreError(message, retriable=True)


def _is_damaged(engine: sa.Engine, said: BaseException | None) -> bool:
    """Rows that cannot be there, values that no fact has, or pages that are none."""
    driver = engine.dialect.loaded_dbapi
    if isinstance(said, driver.IntegrityError | driver.DataError):
        return True
    if engine.dialect.name == "sqlite":
        return type(said) is driver.DatabaseError  # malformed, or no database at all
    return getattr(said, "sqlstate", None) in _CORRUPTED


def _name(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
