"""The SQL connector as profiles name it."""

from datetime import timedelta
from typing import Annotated

import sqlalchemy as sa
from msgspec import Meta

from adapters.connectors.credentials import NAMED, secret
from adapters.connectors.sql.connector import SqlConnector
from adapters.connectors.sql.tables import Inbox, Outbox
from adapters.ports import ConnectorPlugin, Options, Place
from exchange.domain.errors import ConfigurationError

_SQLITE, _POSTGRESQL = "sqlite", "postgresql"
_BOUNDED = {"connect_timeout": "5", "tcp_user_timeout": "60000", "options": "-c statement_timeout=60000"}
"""PostgreSQL's own bounds (libpq), where the URL has none: a lock that is never let go would hold a thread for ever."""


class SqlOptions(Options, frozen=True):
    """Which database, and which of its tables."""

    url: Annotated[
        str, Meta(min_length=1, description="SQLAlchemy's URL, without a password; SQLite's file is beside the profile")
    ]
    password_file: Annotated[str, Meta(description=f"{NAMED}; empty where the database asks for none")] = ""
    outbox: Annotated[Outbox, Meta(description="what is to be sent")] = Outbox()
    inbox: Annotated[Inbox, Meta(description="what arrived")] = Inbox()
    agent: Annotated[
        str,
        Meta(description="this agent's name in claims, the body's code where it is empty; no two agents have the same"),
    ] = ""
    claim_seconds: Annotated[
        int, Meta(ge=60, le=86_400, description="how long a row is left to an agent that is not heard of since")
    ] = 900


def database(options: SqlOptions, place: Place) -> sa.URL:
    """The URL with its password, and SQLite's file beside the profile.

    Raises:
        ConfigurationError: `sql-url-invalid`, or the password is not where the profile says.
    """
    try:
        url = sa.make_url(options.url)
    except sa.exc.ArgumentError as error:
        message = "url is none: write dialect+driver://user@host/database"
        raise ConfigurationError(message, code="sql-url-invalid") from error
    if url.password is not None:
        message = (
            "url holds a password: put it into a file that only the agent can read, and name that by password_file"
        )
        raise ConfigurationError(message, code="sql-url-invalid")
    if url.get_backend_name() == _SQLITE and url.database and not url.database.startswith(":"):
        url = url.set(database=str(place.path(url.database)))
    if url.get_backend_name() == _POSTGRESQL:
        url = url.update_query_dict({name: bound for name, bound in _BOUNDED.items() if name not in url.query})
    return url.set(password=secret(options.password_file, place)) if options.password_file else url


def _open(options: SqlOptions, place: Place) -> SqlConnector:
    return SqlConnector(
        database(options, place),
        outbox=options.outbox,
        inbox=options.inbox,
        claimant=options.agent or place.body,
        claim=timedelta(seconds=options.claim_seconds),
        now=place.machine.now,
    )


SQL = ConnectorPlugin("sql", SqlOptions, _open)
"""As profiles name it."""
