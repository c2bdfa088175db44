"""Accounts as they are kept: on SQLite, and on PostgreSQL."""

from datetime import UTC, datetime

from exchange.domain.user import Role, User
from exchange.store.desk import accounts
from exchange.store.desk.accounts import Account
from exchange.store.desk.database import DeskStore

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def test_a_login_is_one_persons(desk: DeskStore) -> None:
    """Who comes first has it, and is told so; who comes second is told that it is taken, and changes nothing."""
    first = Account(User("asel", "Асель", frozenset({Role.OPERATOR})), NOW, NOW, "one")
    second = Account(User("asel", "Асель Б.", frozenset({Role.AUDITOR})), NOW, NOW, "two")
    with desk.writing() as connection:
        assert accounts.add(connection, first)
    with desk.writing() as connection:
        assert not accounts.add(connection, second)
        assert accounts.find(connection, "asel") == first
