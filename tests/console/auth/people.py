"""Accounts to sign in with, acts that are remembered, and a clock that is set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from argon2 import PasswordHasher

from exchange.console.auth.acts import Act
from exchange.console.auth.door import Door
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.oidc import Provider
from exchange.console.auth.passwords import Passwords, kept_password
from exchange.console.auth.people import People
from exchange.domain.user import Role, User
from exchange.store.desk import accounts
from exchange.store.desk.accounts import Account
from exchange.store.desk.database import DeskStore
from tests.world import NOW

PASSWORD = "correct horse battery"


def quick() -> PasswordHasher:
    """Argon2 in a moment; the rules about it do not depend on how long it takes."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Counting(PasswordHasher):
    """Counts what it does."""

    def __init__(self) -> None:
        """Nothing was done yet."""
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        """As Argon2; remembers by which parameters."""
        text = hash if isinstance(hash, str) else hash.decode()
        self.verified.append(text.rsplit("$", 2)[0])
        return super().verify(hash, password)


@dataclass
class Remembered:
    """Acts in memory; `fails` is what the journal says instead."""

    acts: list[Act] = field(default_factory=list)
    fails: bool = False

    async def record(self, act: Act) -> None:
        """Keep it, or fail."""
        if self.fails:
            message = "the disk is full: make space"
            raise AccessRefused(message, code="act-not-kept")
        self.acts.append(act)

    @property
    def actions(self) -> list[str]:
        """What was done, in order."""
        return [act.action for act in self.acts]


@dataclass
class Staff:
    """Who may sign in at a console of a test, and everything that its door works with."""

    desk: DeskStore
    acts: Remembered = field(default_factory=Remembered)
    hasher: Counting = field(default_factory=Counting)
    now: datetime = NOW
    random: Random = field(default_factory=lambda: Random(23))

    def clock(self) -> datetime:
        """The time at the door."""
        return self.now

    def door(self) -> Door:
        """The door."""
        return Door(self.desk, Passwords(self.hasher), self.acts, self.clock, self.random.randbytes)

    def people(self, origin: str, provider: Provider | None = None) -> People:
        """People who come to a console at `origin`."""
        return People(self.door(), origin, self.random.randbytes, provider)

    def add(
        self, login: str, *roles: Role, body: str = "", is_locked: bool = False, is_temporary: bool = False
    ) -> Account:
        """An account whose password is `PASSWORD`."""
        user = User(login, login.title(), frozenset(roles or {Role.OPERATOR}), body)
        account = Account(
            user,
            self.now,
            self.now,
            kept_password(PASSWORD, quick()),
            is_locked=is_locked,
            is_temporary=is_temporary,
        )
        with self.desk.writing() as connection:
            assert accounts.add(connection, account)
        return account

    def lock(self, login: str) -> None:
        """Let an account in no more."""
        with self.desk.writing() as connection:
            assert accounts.lock(connection, login, is_locked=True)

    def wait(self, span: timedelta) -> None:
        """Time passes."""
        self.now += span


@contextmanager
def staffed(file: Path) -> Iterator[Staff]:
    """A desk with nobody at it, migrated."""
    with DeskStore(f"sqlite:///{file}") as desk:
        yield Staff(desk)
