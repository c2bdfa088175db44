"""Who is let in, and how often a stranger may try."""

import asyncio
from datetime import timedelta

import pytest

from exchange.console.auth.door import IDLE, LASTS, Caller, Door
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.limits import FORGOTTEN, FREE_BY_ACCOUNT, FREE_BY_ADDRESS, LONGEST_WAIT
from exchange.console.auth.secret import kept
from exchange.domain.errors import ExchangeError
from exchange.domain.user import User
from exchange.store.desk import sessions
from tests.console.auth.people import PASSWORD, Staff

HOME = Caller("192.0.2.1")
OTHER = "another long password"


async def refused(door: Door, login: str, password: str, caller: Caller = HOME) -> AccessRefused:
    """How a sign-in is refused."""
    with pytest.raises(AccessRefused) as caught:
        await door.sign_in(login, password, caller)
    return caught.value


async def test_in_and_out(staff: Staff) -> None:
    """By the right password; what is kept leads back to no cookie; both are acts."""
    staff.add("aida")
    door = staff.door()
    entered = await door.sign_in(" Aida ", PASSWORD, HOME)
    found = await door.visit(entered.session)
    assert found is not None
    session, account = found
    assert (session.digest, account.user.login) == (kept(entered.session), "aida")
    await door.sign_out(session)
    assert await door.visit(entered.session) is None
    assert staff.acts.actions == ["sign-in", "sign-out"]


@pytest.mark.parametrize("login", ["nobody", "locked", "provided", "aida", "", "'; DROP TABLE accounts --", "x" * 300])
async def test_whatever_is_wrong_looks_the_same(staff: Staff, login: str) -> None:
    """The same words and the same work, whether there is such an account or not."""
    staff.add("aida")
    staff.add("locked", is_locked=True)
    answer = await refused(staff.door(), login, "wrong, and long enough")
    assert (answer.code, answer.status) == ("sign-in-refused", 401)
    assert staff.hasher.verified == ["$argon2id$v=19$m=8,t=1,p=1"]
    assert staff.acts.actions == ["sign-in-failed"]


async def test_a_locked_account_with_the_right_password(staff: Staff) -> None:
    """Says no more than a wrong password."""
    staff.add("aida", is_locked=True)
    assert str(await refused(staff.door(), "aida", PASSWORD)) == str(await refused(staff.door(), "aida", "wrong"))


async def test_a_lock_ends_what_is_open(staff: Staff) -> None:
    """At the very next request."""
    staff.add("aida")
    door = staff.door()
    entered = await door.sign_in("aida", PASSWORD, HOME)
    staff.lock("aida")
    assert await door.visit(entered.session) is None


async def test_what_is_no_account_is_not_kept(staff: Staff) -> None:
    """A password typed into the wrong field must not stand in the journal for ever."""
    await refused(staff.door(), "my-secret-password", "x")
    assert "secret" not in repr(staff.acts.acts)


async def test_nobody_comes_in_unseen(staff: Staff) -> None:
    """A sign-in that cannot be kept is none; signing out is possible all the same."""
    staff.add("aida")
    door = staff.door()
    entered = await door.sign_in("aida", PASSWORD, HOME)
    found = await door.visit(entered.session)
    assert found is not None
    staff.acts.fails = True
    with pytest.raises(ExchangeError, match="disk"):
        await door.sign_in("aida", PASSWORD, HOME)
    assert len(await door.sessions_of(found[1].user)) == 1
    await door.sign_out(found[0])
    assert await door.visit(entered.session) is None


async def test_another_session_at_each_sign_in(staff: Staff) -> None:
    """What the browser held before is worth nothing, whoever put it there."""
    staff.add("aida")
    door = staff.door()
    first = await door.sign_in("aida", PASSWORD, HOME)
    second = await door.sign_in("aida", PASSWORD, Caller("192.0.2.1", session=first.session))
    planted = await door.sign_in("aida", PASSWORD, Caller("192.0.2.1", session="A" * 43))
    assert len({first.session, second.session, planted.session, "A" * 43}) == 4
    assert await door.visit(first.session) is None
    assert await door.visit("A" * 43) is None


async def test_sessions_end(staff: Staff) -> None:
    """Half an hour after the last use, and ten hours after the sign-in whatever happens."""
    staff.add("aida")
    door = staff.door()
    idle, busy = [(await door.sign_in("aida", PASSWORD, HOME)).session for _ in range(2)]
    for _ in range(int(LASTS / (IDLE / 2)) - 1):
        staff.wait(IDLE / 2)
        assert await door.visit(busy) is not None
    assert await door.visit(idle) is None
    staff.wait(IDLE / 2)
    assert await door.visit(busy) is None


async def test_everywhere_else(staff: Staff) -> None:
    """One's other browsers, and nobody else's."""
    staff.add("aida")
    staff.add("bakyt")
    door = staff.door()
    here, there = [(await door.sign_in("aida", PASSWORD, HOME)).session for _ in range(2)]
    other = (await door.sign_in("bakyt", PASSWORD, HOME)).session
    found = await door.visit(here)
    assert found is not None
    assert await door.end_others(found[1].user, found[0].digest) == 1
    assert [bool(await door.visit(each)) for each in (here, there, other)] == [True, False, True]


async def test_an_account_waits_never_for_ever(staff: Staff) -> None:
    """Longer each time up to a quarter of an hour; then the right password opens."""
    staff.add("aida")
    door = staff.door()
    for _ in range(FREE_BY_ACCOUNT + 1):
        assert (await refused(door, "aida", "wrong")).code == "sign-in-refused"
    waits: list[int] = []
    while not waits or waits[-1] < LONGEST_WAIT.total_seconds():
        answer = await refused(door, "aida", PASSWORD)
        assert (answer.code, answer.status) == ("sign-in-too-often", 429)
        waits.append(answer.wait_seconds)
        staff.wait(timedelta(seconds=answer.wait_seconds))
        await refused(door, "aida", "wrong")
    assert waits == sorted(waits)
    staff.wait(LONGEST_WAIT)
    assert (await door.sign_in("aida", PASSWORD, HOME)).user.login == "aida"


async def test_a_stranger_holds_up_no_browser_that_is_known(staff: Staff) -> None:
    """Whoever tries somebody's passwords all day does not keep that person out."""
    staff.add("aida")
    staff.add("bakyt")
    door = staff.door()
    known = await door.sign_in("aida", PASSWORD, HOME)
    for _ in range(FREE_BY_ACCOUNT + 1):
        await refused(door, "aida", "wrong", Caller("198.51.100.7"))
    assert (await refused(door, "aida", PASSWORD, Caller("198.51.100.7"))).code == "sign-in-too-often"
    assert (await refused(door, "aida", PASSWORD, Caller("192.0.2.9", device="B" * 43))).code == "sign-in-too-often"
    await door.sign_in("aida", PASSWORD, Caller("192.0.2.1", device=known.device))
    for _ in range(FREE_BY_ACCOUNT + 1):  # stolen with its cookie, it is counted as any other
        await refused(door, "aida", "wrong", Caller("192.0.2.1", device=known.device))
    answer = await refused(door, "aida", PASSWORD, Caller("192.0.2.1", device=known.device))
    assert answer.code == "sign-in-too-often"


async def test_an_address_that_tries_many_accounts_waits(staff: Staff) -> None:
    """With an account of its own it does not buy new attempts; an IPv6 subscriber is one address."""
    staff.add("aida")
    door = staff.door()
    for number in range(FREE_BY_ADDRESS + 1):
        await refused(door, f"nobody-{number}", "wrong", Caller(f"2001:db8:0:1::{number}"))
        if number == FREE_BY_ADDRESS // 2:
            await door.sign_in("aida", PASSWORD, Caller("2001:db8:0:1::aaaa"))
    assert (await refused(door, "aida", PASSWORD, Caller("2001:db8:0:1:9::"))).code == "sign-in-too-often"
    assert (await door.sign_in("aida", PASSWORD, Caller("2001:db8:0:2::1"))).user.login == "aida"


async def test_failures_are_forgotten(staff: Staff) -> None:
    """After an hour without one."""
    staff.add("aida")
    door = staff.door()
    for _ in range(FREE_BY_ACCOUNT + 1):
        await refused(door, "aida", "wrong")
    staff.wait(FORGOTTEN + timedelta(seconds=1))
    for _ in range(FREE_BY_ACCOUNT):
        assert (await refused(door, "aida", "wrong")).code == "sign-in-refused"


async def test_many_at_the_same_moment_are_many(staff: Staff) -> None:
    """Attempts count before their password is looked at."""
    staff.add("aida")
    door = staff.door()
    answers = await asyncio.gather(*(refused(door, "aida", "wrong") for _ in range(30)))
    assert sum(answer.code == "sign-in-refused" for answer in answers) == FREE_BY_ACCOUNT + 1
    assert len(staff.hasher.verified) == FREE_BY_ACCOUNT + 1


async def test_a_change_of_password(staff: Staff) -> None:
    """Ends the other sessions, forgets the browsers, and the old password opens nothing."""
    staff.add("aida", is_temporary=True)
    door = staff.door()
    here, there = [(await door.sign_in("aida", PASSWORD, HOME)).session for _ in range(2)]
    found = await door.visit(here)
    assert found is not None
    session, account = found
    for old, new, code in [
        ("wrong", OTHER, "sign-in-refused"),
        (PASSWORD, "short", "password-weak"),
        (PASSWORD, "aida aida aida aida", "password-weak"),
        (PASSWORD, "abababababababab", "password-weak"),
        (PASSWORD, PASSWORD, "password-weak"),
        (PASSWORD, "x1" * 200, "password-weak"),
    ]:
        with pytest.raises(AccessRefused) as caught:
            await door.change_password(session, account, old, new)
        assert caught.value.code == code
    await door.change_password(session, account, PASSWORD, OTHER)
    kept_one = await door.visit(here)
    assert kept_one is not None
    assert not kept_one[1].is_temporary
    assert await door.visit(there) is None
    assert (await refused(door, "aida", PASSWORD)).code == "sign-in-refused"
    assert (await door.sign_in("aida", OTHER, HOME)).user == User("aida", "Aida", account.user.roles)


async def test_passwords_are_the_same_on_every_keyboard(staff: Staff) -> None:
    """Composed or not, wide or not."""
    staff.add("aida")
    door = staff.door()
    entered = await door.sign_in("aida", PASSWORD, HOME)
    found = await door.visit(entered.session)
    assert found is not None
    await door.change_password(*found, PASSWORD, "\u0439 \u04e9\u04af\u04a3 \u0451\u0451 passwort")
    decomposed = "\u0438\u0306 \u04e9\u04af\u04a3 \u0435\u0308\u0435\u0308 passwort"
    assert (await door.sign_in("aida", decomposed, HOME)).user.login == "aida"


async def test_what_is_over_is_forgotten(staff: Staff) -> None:
    """Tables do not grow with the years."""
    staff.add("aida")
    door = staff.door()
    for _ in range(sessions.DEVICES_AT_MOST + 5):
        await door.sign_in("aida", PASSWORD, HOME)
        staff.wait(LASTS)
    await refused(door, "someone", "wrong")
    staff.wait(FORGOTTEN * 2)
    await refused(door, "else", "wrong")
    with staff.desk.reading() as connection:
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608 - of this test
            for table in ("sessions", "devices", "attempts")
        ]
    assert counts == [1, sessions.DEVICES_AT_MOST, 2]
