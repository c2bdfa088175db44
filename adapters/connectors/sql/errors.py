"""What a database says, as errors of the tree."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from adapters.connectors.durable import ConnectorError


@contextmanager
def sql_errors(doing: str) -> Iterator[None]:
    """Turn SQLAlchemy's errors into the tree's, saying what was being done, and nothing of what rows hold.

    Raises:
        ConnectorError: `sql-failed`: the same call may succeed later.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        message = f"{doing}: {_said(error)}; check that the database runs, and the rights"
        raise ConnectorError(message, code="sql-failed") from None


def _said(error: sa.exc.SQLAlchemyError) -> str:
    """The driver's first line, or only its kind where that might quote a letter."""
    if not isinstance(error, sa.exc.DBAPIError) or error.orig is None:
        return type(error).__name__
    kind = type(error.orig).__name__
    state = getattr(error.orig, "sqlstate", None)
    sqlite = getattr(error.orig, "sqlite_errorname", None)
    if sqlite is not None or "decode" in str(error.orig).lower():
        return f"{kind} ({sqlite})" if sqlite else kind
    if isinstance(error, sa.exc.OperationalError | sa.exc.ProgrammingError):
        return f"{kind}: {next(iter(str(error.orig).splitlines()), '')[:300]}"
    return f"{kind} ({state})" if state else kind
