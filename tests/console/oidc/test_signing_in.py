"""Signing in by a real identity provider: the npm package `oidc-provider`, as a browser without scripts does."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from exchange.console.app import create_app
from exchange.console.auth import oidc
from exchange.console.auth.oidc import open_provider
from exchange.console.desk import Site
from exchange.domain.user import Role
from exchange.settings.oidc import OidcSettings
from exchange.system import now
from tests.console.auth.people import Staff
from tests.console.oidc.running import CLIENT, SECRET, fetched, running
from tests.console.site import URL, ConsoleSite
from tests.patience import PATIENCE
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    requires_tool("node", debian="nodejs"),
    requires_tool("npm", debian="npm"),
]

ACTION = re.compile(r'action="([^"]+)"')
HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider that knows the console of these tests."""
    with running(fetched(tmp_path_factory.mktemp("provider")), URL) as found:
        yield found


@asynccontextmanager
async def console(standing: ConsoleSite, staff: Staff, issuer: str, folder: Path) -> AsyncIterator[Starlette]:
    """The console with that provider."""
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    roles = {
        "exchange-operators": Role.OPERATOR,
        "exchange-auditors": Role.AUDITOR,
        "body-administrators": Role.BODY_ADMINISTRATOR,
    }
    settings = OidcSettings(issuer, CLIENT, secret, ("profile", "exchange"), "sub", "groups", "body", roles)
    async with open_provider(settings, staff.clock) as provider:
        desk = replace(standing.desk, site=Site(URL), people=staff.people(URL, provider), now=staff.clock)
        yield create_app(desk, CollectorRegistry())


@asynccontextmanager
async def browser(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that reaches the console and the provider, and goes where it is sent step by step."""
    mounts = {"all://console.example": httpx.ASGITransport(app, client=("192.0.2.1", 50_000))}
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    async with httpx.AsyncClient(
        mounts=mounts, headers=headers, base_url=URL, trust_env=False, timeout=PATIENCE
    ) as client:
        yield client


async def back_from_provider(client: httpx.AsyncClient, login: str, path: str = "/sign-in/provider") -> str:
    """Sign in at the provider and agree there; the address by which it sends the browser back."""
    answer = await client.get(path)
    while not answer.headers.get("location", "").startswith(URL):
        if answer.is_redirect:
            answer = await client.get(answer.url.join(answer.headers["location"]))
            continue
        assert answer.status_code == 200, answer.text
        action = ACTION.search(answer.text)
        assert action is not None, answer.text
        fields = dict(HIDDEN.findall(answer.text)) | {"prompt": "login", "login": login, "password": "any"}
        if 'name="login"' not in answer.text:
            fields |= {"prompt": "consent"}
        answer = await client.post(answer.url.join(unescape(action[1])), data=fields)
    return answer.headers["location"]


async def signed_in(client: httpx.AsyncClient, login: str, path: str = "/sign-in/provider") -> httpx.Response:
    """The whole way, back to the console."""
    return await client.get(await back_from_provider(client, login, path))


class Present(Staff):
    """The provider's clock is the machine's, and goes on; so does the console's then."""

    def clock(self) -> datetime:
        """The present time."""
        return now()


@pytest.fixture
def now_for_real(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> Staff:
    """Whoever signs in does so now, and the provider may take its time."""
    monkeypatch.setattr(oidc, "ANSWER_SECONDS", PATIENCE)
    return Present(staff.desk, now=now())


async def test_in_and_out(standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path) -> None:
    """By the provider's word with its name and roles, back to where one wanted to go, and out at both."""
    async with console(standing, now_for_real, issuer, tmp_path) as app, browser(app) as client:
        form = await client.get("/sign-in?next=/account%3Fa%3Db")
        link = re.search(r'href="(/sign-in/provider[^"]*)"', form.text)
        assert link is not None
        entered = await signed_in(client, "aida", unescape(link[1]))
        assert (entered.status_code, entered.headers["location"]) == (303, "/account?a=b")
        page = (await client.get("/account")).text
        assert "Аида Асанова" in page
        assert "operator" in page
        assert "Change the password" not in page
        data = {"csrf": dict(HIDDEN.findall(page))["csrf"]}
        left = await client.post("/sign-out", data=data, headers={"Origin": URL, "Sec-Fetch-Site": "same-origin"})
        assert (await client.get("/account")).status_code == 303
        leave = re.search(rf'href="({issuer}/session/end[^"]*)"', left.text)
        assert leave is not None
        assert "Do you want to sign-out" in (await client.get(unescape(leave[1]))).text
    assert [(act.action, act.person) for act in now_for_real.acts.acts] == [("sign-in", "aida"), ("sign-out", "aida")]


@pytest.mark.parametrize(
    ("login", "words"), [("bakyt", ("auditor",)), ("cholpon", ("administrator of a body", "minjust"))]
)
async def test_roles_are_the_claim_s(
    standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path, login: str, words: tuple[str, ...]
) -> None:
    """By the settings' table, with the body of a body administrator."""
    async with console(standing, now_for_real, issuer, tmp_path) as app, browser(app) as client:
        await signed_in(client, login)
        page = (await client.get("/account")).text
        assert all(word in page for word in words)


async def test_who_has_no_role(standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path) -> None:
    """Is known to the provider, and nobody here."""
    async with console(standing, now_for_real, issuer, tmp_path) as app, browser(app) as client:
        answer = await signed_in(client, "daniyar")
        assert answer.status_code == 403
        assert "role-missing" in answer.text
        assert (await client.get("/account")).status_code == 303


async def test_what_another_browser_began(
    standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path
) -> None:
    """Cannot be ended here, so nobody is signed in as somebody else; nor can anything be ended twice."""
    async with (
        console(standing, now_for_real, issuer, tmp_path) as app,
        browser(app) as mallory,
        browser(app) as client,
    ):
        planted = await back_from_provider(mallory, "aida")
        assert "provider-answer-wrong" in (await client.get(planted)).text
        await client.get("/sign-in/provider")
        assert "provider-answer-wrong" in (await client.get(planted)).text
        entry = mallory.cookies.get("__Host-exchange-entry", "", domain="console.example")
        assert (await mallory.get(planted)).status_code == 303
        mallory.cookies.set("__Host-exchange-entry", entry or "", domain="console.example", path="/")
        assert "provider-answer-wrong" in (await mallory.get(planted)).text
    assert now_for_real.acts.actions == ["sign-in"]


async def test_locked_here(standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path) -> None:
    """Whatever the provider says."""
    async with console(standing, now_for_real, issuer, tmp_path) as app, browser(app) as client:
        await signed_in(client, "aida")
        now_for_real.lock("aida")
        assert (await client.get("/account")).status_code == 303
        assert (await signed_in(client, "aida")).status_code == 401


async def test_a_name_that_is_somebody_s(
    standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path
) -> None:
    """An account never passes to whom the provider calls the same."""
    now_for_real.add("aida", Role.AUDITOR)
    async with console(standing, now_for_real, issuer, tmp_path) as app, browser(app) as client:
        answer = await signed_in(client, "aida")
        assert answer.status_code == 409
        assert "login-taken" in answer.text


async def test_who_says_no_there(standing: ConsoleSite, now_for_real: Staff, issuer: str, tmp_path: Path) -> None:
    """Comes back to the form, with a local account beside it."""
    async with console(standing, now_for_real, issuer, tmp_path) as app, browser(app) as client:
        answer = await client.get("/sign-in/provider")
        answer = await client.get(answer.headers["location"])
        page = await client.get(answer.url.join(answer.headers["location"]))
        abort = re.search(r'href="([^"]*/abort)"', page.text)
        assert abort is not None
        answer = await client.get(page.url.join(abort[1]))
        while not answer.headers["location"].startswith(URL):
            answer = await client.get(answer.url.join(answer.headers["location"]))
        back = await client.get(answer.headers["location"])
        assert back.status_code == 403
        assert "did not let you in" in back.text
        assert 'name="password"' in back.text
