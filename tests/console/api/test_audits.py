"""What auditors say of checks on their own machines: kept like what they do at the console."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from exchange.console.api.audits_model import AuditKind
from exchange.console.app import create_api
from exchange.console.auth.acts import Act
from exchange.console.auth.entrance import machines
from exchange.console.auth.tokens import ConsoleTokens, make_console_token, user_of
from exchange.console.pages import act_words
from exchange.domain.user import Role
from tests.console.auth.people import Remembered
from tests.console.site import AUDITOR, OPERATOR, ConsoleSite
from tests.world import NOW

PATH = "/api/v1/audits"
LETTER = "ab" * 32
SAID = {"key": "0" * 32, "kind": "prove", "scope": "every entry", "reason": "a complaint", "letter": LETTER}


@pytest.fixture
def acts() -> Remembered:
    """Where they are kept."""
    return Remembered()


@pytest.fixture
def kept(standing: ConsoleSite, acts: Remembered) -> ConsoleSite:
    """A console that keeps acts."""
    registry = CollectorRegistry()
    desk = replace(standing.desk, acts=acts)
    return ConsoleSite(desk, registry, create_api(desk, registry), {**standing.tokens})


async def said(site: ConsoleSite, login: str = AUDITOR, **changes: Any) -> httpx.Response:
    """What the console answers."""
    async with site.client(login) as client:
        return await client.post(PATH, json=SAID | changes)


async def test_beginning_and_outcome(kept: ConsoleSite, acts: Remembered) -> None:
    """Two acts of one task, in the name of the token's owner."""
    begun = (await said(kept)).json()
    ended = (await said(kept, outcome="everything holds, 3 entries proven")).json()
    assert begun["task"] == ended["task"]
    letter, task = bytes.fromhex(LETTER), begun["task"]
    assert acts.acts == [
        Act("audit-prove", AUDITOR, task=task, reason="a complaint", detail="every entry", letter=letter),
        Act(
            "audit-prove-result",
            AUDITOR,
            task=task,
            reason="a complaint",
            detail="every entry: everything holds, 3 entries proven",
            letter=letter,
        ),
    ]


async def test_nobody_ends_what_another_began(kept: ConsoleSite, tmp_path: Path) -> None:
    """The same key of another auditor is another task, so that neither outcome takes the other's place."""
    tokens = ConsoleTokens(tmp_path / "tokens")
    for login in ("first", "second"):
        user = user_of(login, frozenset({Role.AUDITOR}), "")
        kept.tokens[login], grant = make_console_token(user, NOW.date(), "tests", Random(login).randbytes)
        tokens.add(grant)
    site = replace(kept, application=create_api(replace(kept.desk, identify=machines(tokens)), CollectorRegistry()))
    tasks = [(await said(site, login)).json()["task"] for login in ("first", "first", "second")]
    assert tasks[0] == tasks[1] != tasks[2]


async def test_what_cannot_be_kept(standing: ConsoleSite) -> None:
    """Is not answered as if it were."""
    answer = await said(standing)
    assert (answer.status_code, answer.json()["code"]) == (503, "act-not-kept")


@pytest.mark.parametrize("login", [OPERATOR, "alpha"])
async def test_for_auditors(kept: ConsoleSite, login: str) -> None:
    """Others check nothing."""
    answer = await said(kept, login)
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "short"},
        {"kind": "redrive"},
        {"scope": ""},
        {"scope": "x" * 501},
        {"reason": "x" * 501},
        {"letter": "59ae"},
        {"outcome": "x" * 501},
        {"person": "somebody else"},
    ],
)
async def test_what_is_refused(kept: ConsoleSite, acts: Remembered, changes: dict[str, str]) -> None:
    """By name of the field; an auditor cannot name another person."""
    answer = await said(kept, **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "audit-invalid")
    assert next(iter(changes)) in answer.json()["detail"]
    assert acts.acts == []


@pytest.mark.parametrize("kind", AuditKind)
def test_every_kind_has_words(kind: AuditKind) -> None:
    """For the page of acts."""
    assert act_words.action_text(kind.action) != kind.action
    assert act_words.action_text(kind.result) != kind.result
    assert act_words.action_label(kind.result) == act_words.action_label(kind.action)
