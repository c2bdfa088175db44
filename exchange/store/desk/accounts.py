"""Who may sign in."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from exchange.domain.user import Role, User
from exchange.store.desk.inserting import insert_new
from exchange.store.desk.schema import accounts
from exchange.store.rows import micros, moment


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in.

    Attributes:
        user: who that is.
        made: when the account was entered.
        changed: when its password was, or when its provider last spoke of it.
        password: Argon2's own form of it; empty where only an identity provider knows.
        is_temporary: whether somebody else has seen the password: nothing but changing it is allowed then.
        is_locked: whether nobody signs in with it.
        issuer: the identity provider that knows this person; empty for a local account.
        subject: as whom the provider knows this person.
    """

    user: User
    made: datetime
    changed: datetime
    password: str = ""
    is_temporary: bool = False
    is_locked: bool = False
    issuer: str = ""
    subject: str = ""


def find(connection: sa.Connection, login: str) -> Account | None:
    """The account of that name."""
    return _one(connection, accounts.c.login == login)


def of_subject(connection: sa.Connection, issuer: str, subject: str) -> Account | None:
    """The account of a person of an identity provider."""
    return _one(connection, (accounts.c.issuer == issuer) & (accounts.c.subject == subject))


def every(connection: sa.Connection) -> tuple[Account, ...]:
    """All accounts, by login."""
    return tuple(map(account_of, connection.execute(sa.select(accounts).order_by(accounts.c.login)).mappings()))


def add(connection: sa.Connection, account: Account) -> bool:
    """Enter an account; False when its login is taken."""
    return insert_new(connection, accounts, _values(account))


def refresh(connection: sa.Connection, account: Account, user: User, now: datetime) -> Account:
    """What an identity provider says now of a person whom it knows; the login stays, and a lock does."""
    fresh = replace(account, user=replace(user, login=account.user.login), changed=now)
    connection.execute(_of(account.user.login).values(_values(fresh)))
    return fresh


def set_password(connection: sa.Connection, login: str, password: str, now: datetime, *, is_temporary: bool) -> bool:
    """Give a local account another password, in Argon2's form; False when there is no such account."""
    values = {"password": password, "is_temporary": int(is_temporary), "changed": micros(now)}
    return connection.execute(_of(login).where(accounts.c.issuer == "").values(values)).rowcount > 0


def lock(connection: sa.Connection, login: str, *, is_locked: bool) -> bool:
    """Lock an account, or let it in again; False when there is none."""
    return connection.execute(_of(login).values(is_locked=int(is_locked))).rowcount > 0


def account_of(row: Any) -> Account:
    """The account in a row's mapping."""
    roles = frozenset(map(Role, row["roles"].split()))
    return Account(
        user=User(row["login"], row["name"], roles, row["body"]),
        made=moment(row["made"]),
        changed=moment(row["changed"]),
        password=row["password"],
        is_temporary=bool(row["is_temporary"]),
        is_locked=bool(row["is_locked"]),
        issuer=row["issuer"],
        subject=row["subject"],
    )


def _one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Account | None:
    row = connection.execute(sa.select(accounts).where(condition)).mappings().first()
    return None if row is None else account_of(row)


def _of(login: str) -> sa.Update:
    return sa.update(accounts).where(accounts.c.login == login)


def _values(account: Account) -> dict[str, Any]:
    user = account.user
    return {
        "login": user.login,
        "issuer": account.issuer,
        "subject": account.subject,
        "name": user.name,
        "roles": " ".join(sorted(user.roles)),
        "body": user.body,
        "password": account.password,
        "is_temporary": int(account.is_temporary),
        "is_locked": int(account.is_locked),
        "made": micros(account.made),
        "changed": micros(account.changed),
    }
