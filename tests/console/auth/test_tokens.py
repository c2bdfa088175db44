"""Tokens of programs at the console."""

from contextlib import suppress
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.console.auth.tokens import ConsoleTokens, _grant, make_console_token, user_of
from exchange.domain.errors import ConfigurationError
from exchange.domain.user import Role, User
from tests.console.site import ConsoleSite

TODAY = date(2026, 3, 1)


def test_a_token_is_its_user(tmp_path: Path) -> None:
    """With roles and body; the file has its digest only."""
    tokens = ConsoleTokens(tmp_path / "tokens")
    assert tokens.user_of("anything") is None  # no file yet
    user = user_of("registry@mfa", frozenset({Role.BODY_ADMINISTRATOR}), "mfa")
    token, grant = make_console_token(user, TODAY, "the registry's\nscreen", Random(1).randbytes)
    tokens.add(grant)
    assert tokens.user_of(token) == User("registry@mfa", "registry@mfa", frozenset({Role.BODY_ADMINISTRATOR}), "mfa")
    assert tokens.user_of(token[:-1]) is None
    line = (tmp_path / "tokens").read_text(encoding="utf-8")
    assert line.startswith("registry@mfa body-administrator mfa ")
    assert line.endswith(" 2026-03-01 the registry's screen\n")
    assert token not in line


@pytest.mark.parametrize(
    ("login", "roles", "body"),
    [
        ("Olga", {Role.OPERATOR}, ""),
        ("a b", {Role.OPERATOR}, ""),
        ("olga", set(), ""),
        ("olga", {Role.BODY_ADMINISTRATOR}, ""),
        ("olga", {Role.OPERATOR}, "mfa"),
        ("olga", {Role.BODY_ADMINISTRATOR}, "svc-router"),
    ],
)
def test_users_that_cannot_be(login: str, roles: set[Role], body: str) -> None:
    """Names that break lines, and rights over nothing."""
    with pytest.raises(ValueError, match="."):
        user_of(login, frozenset(roles), body)


def test_a_line_that_is_none(tmp_path: Path) -> None:
    """Is refused by its number, before anybody is let in by another."""
    file = tmp_path / "tokens"
    file.write_text("# ours\nolga operator - 00 2026-01-01\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 2") as refused:
        ConsoleTokens(file).user_of("anything")
    assert refused.value.code == "tokens-invalid"


@given(st.text(max_size=80))
def test_any_line(line: str) -> None:
    """Is a grant or a ValueError."""
    with suppress(ValueError):
        _grant(line)


async def test_the_entrance_knows_tokens(site: ConsoleSite) -> None:
    """Only of the scheme Bearer, and only whole ones."""
    token = site.tokens["olga"]
    for sent in ("", token, f"Basic {token}", f"Bearer {token[1:]}", "Bearer"):
        async with site.client(Authorization=sent) as client:
            assert (await client.get("/nothing")).status_code == 401
    async with site.client("olga") as client:
        assert (await client.get("/nothing")).status_code == 404
