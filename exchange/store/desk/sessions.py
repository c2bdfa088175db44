"""Who is signed in, from which browsers, and which browsers are known."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from exchange.store.desk.accounts import Account, account_of
from exchange.store.desk.inserting import put
from exchange.store.desk.schema import accounts, devices, sessions
from exchange.store.rows import micros, moment

DEVICES_AT_MOST = 10
"""Browsers that are known of one account; the one used longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in.

    Attributes:
        digest: SHA-256 of its cookie's value.
        login: whose it is.
        begun: when it signed in.
        seen: when it was last used, give or take a minute.
        ends: when it ends however much it is used.
        address: where it signed in from.
        id_token: the identity provider's, to end its session too; empty for a local account.
    """

    digest: bytes
    login: str
    begun: datetime
    seen: datetime
    ends: datetime
    address: str
    id_token: str = ""


def begin(connection: sa.Connection, session: Session) -> None:
    """Let a browser in, and forget sessions that are over."""
    connection.execute(sa.delete(sessions).where(sessions.c.ends <= micros(session.begun)))
    put(
        connection,
        sessions,
        {
            "digest": session.digest,
            "login": session.login,
            "begun": micros(session.begun),
            "seen": micros(session.seen),
            "ends": micros(session.ends),
            "address": session.address,
            "id_token": session.id_token,
        },
    )


def find(connection: sa.Connection, digest: bytes, now: datetime, idle: timedelta) -> tuple[Session, Account] | None:
    """The session of a cookie, and whose it is; None when it is over, or its account is locked.

    Args:
        connection: to the desk.
        digest: of the cookie's value.
        now: the present time.
        idle: after which a session that nobody uses is over.
    """
    names = [column.label(f"session_{column.name}") for column in sessions.c]
    query = (
        sa.select(accounts, *names)
        .join_from(sessions, accounts, sessions.c.login == accounts.c.login)
        .where(sessions.c.digest == digest, sessions.c.ends > micros(now), sessions.c.seen > micros(now - idle))
        .where(accounts.c.is_locked == 0)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    begun, seen, ends = (moment(row[f"session_{name}"]) for name in ("begun", "seen", "ends"))
    session = Session(digest, row["login"], begun, seen, ends, row["session_address"], row["session_id_token"])
    return session, account_of(row)


def of_account(connection: sa.Connection, login: str, now: datetime) -> tuple[Session, ...]:
    """Where an account is signed in; the last that began first."""
    query = sa.select(sessions).where(sessions.c.login == login, sessions.c.ends > micros(now))
    rows = connection.execute(query.order_by(sessions.c.begun.desc())).all()
    return tuple(
        Session(bytes(row.digest), login, moment(row.begun), moment(row.seen), moment(row.ends), row.address)
        for row in rows
    )


def touch(connection: sa.Connection, digest: bytes, now: datetime) -> None:
    """A session was used."""
    connection.execute(sa.update(sessions).where(sessions.c.digest == digest).values(seen=micros(now)))


def end(connection: sa.Connection, digest: bytes) -> None:
    """Its browser is signed out."""
    connection.execute(sa.delete(sessions).where(sessions.c.digest == digest))


def end_all(connection: sa.Connection, login: str, *, but: bytes = b"") -> int:
    """An account is signed out everywhere, `but` from this browser; returns from how many it was."""
    return connection.execute(sa.delete(sessions).where(sessions.c.login == login, sessions.c.digest != but)).rowcount


def remember_device(connection: sa.Connection, digest: bytes, login: str, now: datetime) -> None:
    """A browser from which an account signed in."""
    put(connection, devices, {"digest": digest, "login": login, "seen": micros(now)})
    kept = (
        sa.select(devices.c.digest)
        .where(devices.c.login == login)
        .order_by(devices.c.seen.desc(), devices.c.digest)
        .limit(DEVICES_AT_MOST)
    )
    connection.execute(sa.delete(devices).where(devices.c.login == login, devices.c.digest.not_in(kept)))


def is_known_device(connection: sa.Connection, digest: bytes, login: str) -> bool:
    """Whether the account signed in from this browser before."""
    query = sa.select(sa.literal(1)).where(devices.c.digest == digest, devices.c.login == login)
    return connection.execute(query).first() is not None


def forget_devices(connection: sa.Connection, login: str) -> None:
    """No browser is known of the account any more."""
    connection.execute(sa.delete(devices).where(devices.c.login == login))
