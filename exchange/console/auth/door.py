"""Letting people in, and out again: the rules, without HTTP.

Nobody comes in unseen: a sign-in that cannot be kept as an act is refused.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

from exchange.console.auth.acts import Act, Acts
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.identity import Identity, plain_login
from exchange.console.auth.limits import account_limit, address_limit, device_limit
from exchange.console.auth.passwords import Passwords, require_good
from exchange.console.auth.secret import Random, kept, new_secret
from exchange.domain.errors import ExchangeError
from exchange.domain.user import User
from exchange.store.desk import accounts, attempts, sessions
from exchange.store.desk.accounts import Account
from exchange.store.desk.attempts import Limit
from exchange.store.desk.database import DeskStore
from exchange.store.desk.sessions import Session

log = logging.getLogger(__name__)

IDLE = timedelta(minutes=30)
LASTS = timedelta(hours=10)
SEEN_EVERY = timedelta(minutes=1)
"""A session's last use is written no more often."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The browser that somebody signs in with.

    Attributes:
        address: the address it calls from.
        session: the secret of the session that it holds, else empty; it ends with the next sign-in.
        device: the secret that says it was here before, else empty.
    """

    address: str
    session: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody was let in: what the browser is to hold from now on."""

    user: User
    session: str
    device: str


class Door:
    """Signs people in and out. For one event loop; any number of processes may share a desk."""

    def __init__(
        self, desk: DeskStore, passwords: Passwords, acts: Acts, now: Callable[[], datetime], random: Random
    ) -> None:
        """Args: desk: migrated. now: the present time, UTC. random: so many bytes, fit for keys."""
        self._desk = desk
        self._passwords = passwords
        self._acts = acts
        self._now = now
        self._random = random

    async def sign_in(self, login: str, password: str, caller: Caller) -> Entered:
        """Let somebody in by a local account's password.

        Raises:
            AccessRefused: `sign-in-refused`, whatever was wrong; `sign-in-too-often`, with how long to wait.
            ExchangeError: the desk or the journal is away.
        """
        login = plain_login(login)
        limits = await asyncio.to_thread(self._count, login, caller)
        account = await asyncio.to_thread(self._account, login)
        is_right = await self._passwords.is_right(password, "" if account is None else account.password)
        if account is None or not is_right or account.is_locked or account.issuer:
            # What is no account's name may be a password typed into the wrong field: it is kept nowhere.
            person = "" if account is None else account.user.login
            await self._acts.record(Act("sign-in-failed", person, detail=f"from {caller.address}"))
            message = "sign-in and password do not fit, or the account is locked: try again, or ask an administrator"
            raise AccessRefused(message, code="sign-in-refused", status=HTTPStatus.UNAUTHORIZED)
        await asyncio.to_thread(self._uncount, limits)
        return await self.let_in(account, caller)

    async def enter(self, identity: Identity, caller: Caller) -> Entered:
        """Let somebody in whom an identity provider vouches for; a person who comes first is entered.

        Raises:
            AccessRefused: `sign-in-refused`: locked here; `login-taken`: it is another person's here.
        """
        account = await asyncio.to_thread(self._known, identity)
        if account.is_locked:
            await self._acts.record(Act("sign-in-failed", account.user.login, detail=f"from {caller.address}: locked"))
            message = f"the account '{account.user.login}' is locked here: ask an administrator of the console"
            raise AccessRefused(message, code="sign-in-refused", status=HTTPStatus.UNAUTHORIZED)
        return await self.let_in(account, caller, identity.id_token)

    async def let_in(self, account: Account, caller: Caller, id_token: str = "") -> Entered:
        """Begin a session of somebody who has proven who it is; what the browser held before is worth nothing."""
        await self._acts.record(Act("sign-in", account.user.login, detail=f"from {caller.address}"))
        entered = Entered(account.user, new_secret(self._random), caller.device or new_secret(self._random))
        await asyncio.to_thread(self._begin, entered, caller, id_token)
        return entered

    async def visit(self, secret: str, *, is_use: bool = True) -> tuple[Session, Account] | None:
        """Whose session a cookie's value is; None when it is over.

        Args:
            secret: the cookie's value.
            is_use: whether somebody uses it; who only asks does not keep it from ending.
        """
        return await asyncio.to_thread(partial(self._visit, secret, is_use=is_use))

    async def sign_out(self, session: Session) -> None:
        """End a session; an act that cannot be kept does not hold it open."""
        await asyncio.to_thread(self._end, session.digest)
        try:
            await self._acts.record(Act("sign-out", session.login))
        except ExchangeError as error:
            log.warning("a sign-out is not in the journal: %s: %s", error.code, error)

    async def end_others(self, user: User, but: bytes) -> int:
        """End every other session of a person, and forget the browsers; returns how many sessions ended."""
        await self._acts.record(Act("sign-out", user.login, detail="everywhere else"))
        return await asyncio.to_thread(self._end_others, user.login, but)

    async def change_password(self, session: Session, account: Account, old: str, new: str) -> None:
        """Give a local account another password, and end its other sessions.

        Raises:
            AccessRefused: `sign-in-refused`: the old one is wrong; `sign-in-too-often`; `password-weak`;
                `password-elsewhere`: an identity provider keeps it.
        """
        login = account.user.login
        if account.issuer:
            message = f"the password of '{login}' is kept by the identity provider: change it there"
            raise AccessRefused(message, code="password-elsewhere", status=HTTPStatus.CONFLICT)
        limits = (account_limit(f"{login} changes its password"),)
        await asyncio.to_thread(self._require_patience, limits)
        if not await self._passwords.is_right(old, account.password):
            message = "the present password is wrong: try again"
            raise AccessRefused(message, code="sign-in-refused", status=HTTPStatus.UNPROCESSABLE_ENTITY)
        await asyncio.to_thread(self._uncount, limits)
        require_good(new, login)
        if old == new:
            message = "the new password is the present one: take another"
            raise AccessRefused(message, code="password-weak", status=HTTPStatus.UNPROCESSABLE_ENTITY)
        await self._acts.record(Act("change-password", login))
        await asyncio.to_thread(self._set_password, session, await self._passwords.keep(new))

    async def sessions_of(self, user: User) -> tuple[Session, ...]:
        """Where a person is signed in."""
        return await asyncio.to_thread(self._sessions_of, user.login)

    def _count(self, login: str, caller: Caller) -> tuple[Limit, ...]:
        with self._desk.reading() as connection:
            device = kept_device(caller.device, login)
            is_known = bool(caller.device) and sessions.is_known_device(connection, device, login)
        if is_known:
            limits: tuple[Limit, ...] = (device_limit(device),)
        else:
            limits = (account_limit(login), address_limit(caller.address))
        self._require_patience(limits)
        return limits

    def _require_patience(self, limits: tuple[Limit, ...]) -> None:
        with self._desk.writing() as connection:
            wait = attempts.count(connection, limits, self._now())
        if wait:
            seconds = int(wait.total_seconds()) + 1
            message = f"too many attempts failed: wait {seconds} s, or use a browser that you signed in with before"
            raise AccessRefused(
                message, code="sign-in-too-often", status=HTTPStatus.TOO_MANY_REQUESTS, wait_seconds=seconds
            )

    def _uncount(self, limits: tuple[Limit, ...]) -> None:
        with self._desk.writing() as connection:
            attempts.forget(connection, limits[0])
            for limit in limits[1:]:
                attempts.uncount(connection, limit)

    def _account(self, login: str) -> Account | None:
        with self._desk.reading() as connection:
            return accounts.find(connection, login)

    def _known(self, identity: Identity) -> Account:
        now = self._now()
        with self._desk.writing() as connection:
            account = accounts.of_subject(connection, identity.issuer, identity.subject)
            if account is not None:
                return accounts.refresh(connection, account, identity.user, now)
            fresh = Account(identity.user, now, now, issuer=identity.issuer, subject=identity.subject)
            if accounts.add(connection, fresh):
                return fresh
        message = f"the login '{identity.user.login}' is another person's here: ask an administrator of the console"
        raise AccessRefused(message, code="login-taken", status=HTTPStatus.CONFLICT)

    def _begin(self, entered: Entered, caller: Caller, id_token: str) -> None:
        now, login = self._now(), entered.user.login
        session = Session(kept(entered.session), login, now, now, now + LASTS, caller.address, id_token)
        with self._desk.writing() as connection:
            if caller.session:
                sessions.end(connection, kept(caller.session))
            sessions.begin(connection, session)
            sessions.remember_device(connection, kept_device(entered.device, login), login, now)

    def _visit(self, secret: str, *, is_use: bool) -> tuple[Session, Account] | None:
        now = self._now()
        with self._desk.reading() as connection:
            found = sessions.find(connection, kept(secret), now, IDLE)
        if is_use and found is not None and found[0].seen <= now - SEEN_EVERY:
            with self._desk.writing() as connection:
                sessions.touch(connection, found[0].digest, now)
        return found

    def _end(self, digest: bytes) -> None:
        with self._desk.writing() as connection:
            sessions.end(connection, digest)

    def _end_others(self, login: str, but: bytes) -> int:
        with self._desk.writing() as connection:
            sessions.forget_devices(connection, login)
            return sessions.end_all(connection, login, but=but)

    def _set_password(self, session: Session, password: str) -> None:
        with self._desk.writing() as connection:
            accounts.set_password(connection, session.login, password, self._now(), is_temporary=False)
            sessions.forget_devices(connection, session.login)
            sessions.end_all(connection, session.login, but=session.digest)

    def _sessions_of(self, login: str) -> tuple[Session, ...]:
        with self._desk.reading() as connection:
            return sessions.of_account(connection, login, self._now())


def kept_device(device: str, login: str) -> bytes:
    """What is kept of a browser that an account uses; several people may share one."""
    return kept(f"{device} {login}")
