"""The entrance and the sign-in pages, over HTTP: attacks of other sites, of strangers, and of who shares a browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exchange.console.app import create_app
from exchange.console.auth.paths import local_path
from exchange.console.auth.visitor import current_user
from exchange.console.desk import Site
from exchange.domain.user import Role
from tests.console.auth.people import PASSWORD, Staff
from tests.console.site import URL, ConsoleSite

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
OURS = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}
TOKEN = re.compile(r'name="csrf" value="([^"]*)"')


async def changing(request: Request) -> Response:
    """Something that changes something."""
    user = current_user(request)
    content = await request.body()
    return PlainTextResponse(f"{user.login if user else ''} sent {len(content)}")


def application(standing: ConsoleSite, staff: Staff, url: str = URL) -> Starlette:
    """The console with people, and one route more."""
    desk = replace(standing.desk, site=Site(url), people=staff.people(url), now=lambda: staff.now)
    app = create_app(desk, CollectorRegistry())
    for path in ("/changing", "/api/v1/changing"):
        app.router.routes.insert(0, Route(path, changing, methods=["GET", "POST", "PUT", "DELETE"]))
    return app


@asynccontextmanager
async def browser(app: Starlette, url: str = URL, address: str = "192.0.2.1") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser, which follows nothing by itself."""
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=url, headers=PAGE) as client:
        yield client


async def token_at(client: httpx.AsyncClient, path: str) -> str:
    """The token of a page's form."""
    found = TOKEN.search((await client.get(path)).text)
    assert found is not None
    return found[1]


async def sign_in(
    client: httpx.AsyncClient, login: str, password: str = PASSWORD, path: str = "/sign-in"
) -> httpx.Response:
    """As a person does."""
    page = await client.get(path)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    fields = {name: unescape(value) for name, value in fields.items()}
    return await client.post("/sign-in", data=fields | {"login": login, "password": password}, headers=OURS)


async def test_in_by_the_form_and_out_again(standing: ConsoleSite, staff: Staff) -> None:
    """Back to where one wanted to go; afterwards the cookie opens nothing."""
    staff.add("aida")
    async with browser(application(standing, staff)) as client:
        away = await client.get("/changing?a=1&b=2")
        assert (away.status_code, away.headers["location"]) == (303, "/sign-in?next=%2Fchanging%3Fa%3D1%26b%3D2")
        entered = await sign_in(client, "aida", path=away.headers["location"])
        assert (entered.status_code, entered.headers["location"]) == (
            303,
            "/changing?a=1&b=2",
        )
        assert (await client.get("/changing")).text == "aida sent 0"
        assert (await client.get("/sign-in")).headers["location"] == "/"
        held = dict(client.cookies)
        left = await client.post("/sign-out", data={"csrf": await token_at(client, "/account")}, headers=OURS)
        assert left.status_code == 200
        client.cookies.update(held)
        assert (await client.get("/changing")).status_code == 303
    assert staff.acts.actions == ["sign-in", "sign-out"]


async def test_cookies_are_for_this_host_and_no_script(standing: ConsoleSite, staff: Staff) -> None:
    """Every one of them: host-only, over TLS only, not for scripts, not sent by other sites' requests."""
    staff.add("aida")
    async with browser(application(standing, staff)) as client:
        page = await client.get("/sign-in")
        entered = await sign_in(client, "aida")
        values = [*page.headers.get_list("set-cookie"), *entered.headers.get_list("set-cookie")]
        names = set()
        for value in values:
            ((name, morsel),) = SimpleCookie(value).items()
            names.add(name)
            assert (morsel["path"], morsel["domain"], morsel["samesite"]) == ("/", "", "lax")
            assert morsel["secure"]
            assert morsel["httponly"]
    assert names == {f"__Host-exchange-{each}" for each in ("entry", "session", "device")}


async def test_without_tls_cookies_still_work(standing: ConsoleSite, staff: Staff) -> None:
    """On this machine, for trying out."""
    url = "http://127.0.0.1:9180"
    staff.add("aida")
    async with browser(application(standing, staff, url), url) as client:
        token = await token_at(client, "/sign-in")
        data = {"csrf": token, "login": "aida", "password": PASSWORD}
        entered = await client.post("/sign-in", data=data, headers={"Origin": url})
        assert entered.headers["location"] == "/"
        assert "Secure" not in entered.headers["set-cookie"]
        assert (await client.get("/changing")).text == "aida sent 0"


async def test_a_planted_session_is_not_taken_over(standing: ConsoleSite, staff: Staff) -> None:
    """Fixation: whoever knows the cookie from before the sign-in has nothing."""
    staff.add("aida")
    app = application(standing, staff)
    name, planted = "__Host-exchange-session", "A" * 43
    async with browser(app) as client, browser(app) as attacker:
        client.cookies.set(name, planted, domain="console.example", path="/")
        await sign_in(client, "aida")
        attacker.cookies.set(name, planted, domain="console.example", path="/")
        assert (await attacker.get("/changing")).status_code == 303
        entry = dict(client.cookies)
        assert planted not in entry.values()


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": f"{URL}.evil.example"},
    {"Origin": URL.replace("https", "http")},
    {"Origin": URL, "Sec-Fetch-Site": "cross-site"},
    {"Origin": URL, "Sec-Fetch-Site": "same-site"},
    {"Origin": URL, "Sec-Fetch-Site": "none"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]
"""How browsers say where a request comes from, when it is not from us."""


async def test_requests_of_other_sites(standing: ConsoleSite, staff: Staff) -> None:
    """Even with the right token."""
    staff.add("aida")
    async with browser(application(standing, staff)) as client:
        await sign_in(client, "aida")
        token = await token_at(client, "/account")
        for headers in FOREIGN:
            answer = await client.post("/changing", data={"csrf": token}, headers=headers)
            page = await client.post("/api/v1/changing", json={}, headers=headers | {"X-CSRF-Token": token})
            assert (answer.status_code, page.json()["code"]) == (403, "request-foreign"), headers


async def test_requests_without_the_session_s_token(standing: ConsoleSite, staff: Staff) -> None:
    """None, another person's, two, in the address, as JSON, as text: nothing is changed."""
    staff.add("aida")
    staff.add("bakyt")
    app = application(standing, staff)
    async with browser(app) as client, browser(app) as other:
        before = await token_at(client, "/sign-in")
        await sign_in(client, "aida")
        await sign_in(other, "bakyt")
        own, foreign = await token_at(client, "/account"), await token_at(other, "/account")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        attempts: list[tuple[dict[str, str], bytes]] = [
            ({}, b""),
            (form, b"a=b"),
            (form, f"csrf={foreign}".encode()),
            (form, f"csrf={before}".encode()),
            (form, f"csrf={own}&csrf={foreign}".encode()),
            (form, b"&".join(b"a=b" for _ in range(500)) + f"&csrf={own}".encode()),
            (form, b"csrf=\xff\xfe"),
            ({"Content-Type": "application/json"}, f'{{"csrf": "{own}"}}'.encode()),
            ({"Content-Type": "text/plain"}, f"csrf={own}".encode()),
            (
                {"Content-Type": "multipart/form-data; boundary=x"},
                f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{own}\r\n--x--'.encode(),
            ),
            ({"X-CSRF-Token": foreign}, b""),
        ]
        for headers, content in attempts:
            answer = await client.post(f"/api/v1/changing?csrf={own}", content=content, headers={**OURS, **headers})
            assert (answer.status_code, answer.json()["code"]) == (403, "form-token-wrong"), content
        large = await client.post("/api/v1/changing", content=b"a" * 70_000, headers=OURS | form)
        assert large.json()["code"] == "form-too-large"
        whole = f"a=b&csrf={own}".encode()
        assert (await client.post("/changing", content=whole, headers=OURS | form)).text == "aida sent 52"
        by_script = {"X-CSRF-Token": own, "Content-Type": "application/json"}
        assert (await client.put("/changing", content=b"{}", headers=OURS | by_script)).text == "aida sent 2"


async def test_a_stranger_s_form_signs_nobody_in(standing: ConsoleSite, staff: Staff) -> None:
    """Login CSRF: without the page of this very browser there is no sign-in."""
    staff.add("mallory")
    app = application(standing, staff)
    async with browser(app) as mallory, browser(app) as victim:
        token = await token_at(mallory, "/sign-in")
        data = {"login": "mallory", "password": PASSWORD, "csrf": token}
        assert (await victim.post("/sign-in", data=data, headers=OURS)).status_code == 403
        await victim.get("/sign-in")
        assert (await victim.post("/sign-in", data=data, headers=OURS)).status_code == 403


async def test_a_program_brings_no_cookies(standing: ConsoleSite, staff: Staff) -> None:
    """Its token is enough without a form's; a wrong one is not made up for by a cookie."""
    staff.add("aida")
    async with browser(application(standing, staff)) as client:
        await sign_in(client, "aida")
        right = {"Authorization": f"Bearer {standing.tokens['olga']}"}
        assert (await client.post("/changing", content=b"{}", headers=right)).text == "olga sent 2"
        wrong = await client.get("/api/v1/changing", headers={"Authorization": "Bearer nothing"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "sign-in-needed")
        assert (await client.get("/changing")).text == "aida sent 0"


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "",
    "/%0d%0aSet-Cookie:a=b\r\nX: y",
    "/ /evil.example",
    "http:evil",
    "///evil.example",
    "/\u2028evil",
    "/a\\..\\b",
    "/" + "a" * 3_000,
]


async def test_nobody_is_sent_elsewhere(standing: ConsoleSite, staff: Staff) -> None:
    """Whatever `next` says, in the address, in the form or in the cookie."""
    staff.add("aida")
    async with browser(application(standing, staff)) as client:
        for path in ELSEWHERE:
            client.cookies.clear()
            token = await token_at(client, "/sign-in")
            data = {"csrf": token, "login": "aida", "password": PASSWORD, "next": path}
            entered = await client.post("/sign-in", data=data, headers=OURS)
            assert entered.headers["location"] == "/"
            assert (await client.get("/sign-in", params={"next": path})).headers["location"] == "/"
            assert local_path(path) == "/"


@settings(max_examples=50)
@given(st.text(max_size=60) | st.from_regex(r"[/\\]{1,3}[a-z:@.?#/\\]{0,30}", fullmatch=True))
def test_only_paths_of_ours(text: str) -> None:
    """A path that a browser resolves here stays here."""
    path = local_path(text)
    assert httpx.URL(URL).join(path).host == "console.example"
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


async def test_a_temporary_password_opens_one_page(standing: ConsoleSite, staff: Staff) -> None:
    """The one where it is changed."""
    staff.add("aida", is_temporary=True)
    async with browser(application(standing, staff)) as client:
        await sign_in(client, "aida")
        assert (await client.get("/")).headers["location"] == "/account/password"
        program = await client.get("/api/v1/changing")
        assert (program.status_code, program.json()["code"]) == (403, "password-change-needed")
        data = {"csrf": await token_at(client, "/account/password"), "old": PASSWORD, "new": "x", "again": "x"}
        assert "guessed too easily" in (await client.post("/account/password", data=data, headers=OURS)).text
        data |= {"new": "several long words", "again": "several other words"}
        assert "two different ways" in (await client.post("/account/password", data=data, headers=OURS)).text
        data |= {"again": "several long words"}
        assert (await client.post("/account/password", data=data, headers=OURS)).headers["location"] == "/"
        assert (await client.get("/changing")).text == "aida sent 0"


async def test_what_was_typed_comes_back_as_text(standing: ConsoleSite, staff: Staff) -> None:
    """XSS: through the sign-in name, `next`, and an account's own name."""
    hostile = '"><script>alert(1)</script>'
    async with browser(application(standing, staff)) as client:
        page = await sign_in(client, hostile)
        assert page.status_code == 401
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in (await client.get("/sign-in", params={"next": f"/{hostile}"})).text
        assert "unsafe" not in page.headers["content-security-policy"]


async def test_too_many_attempts(standing: ConsoleSite, staff: Staff) -> None:
    """429 with the time to wait, on the same page."""
    async with browser(application(standing, staff)) as client:
        answers = [await sign_in(client, "aida", "wrong") for _ in range(7)]
    assert [each.status_code for each in answers] == [401] * 6 + [429]
    assert answers[-1].headers["retry-after"] == "2"
    assert "Too many attempts" in answers[-1].text


async def test_everywhere_else_by_the_page(standing: ConsoleSite, staff: Staff) -> None:
    """The account's page lists its browsers, and signs the others out."""
    staff.add("aida", Role.AUDITOR)
    app = application(standing, staff)
    async with browser(app) as here, browser(app, address="198.51.100.7") as there:
        await sign_in(here, "aida")
        await sign_in(there, "aida")
        page = (await here.get("/account")).text
        assert "198.51.100.7" in page
        assert page.count("this browser") == 1
        data = {"csrf": await token_at(here, "/account")}
        assert (await here.post("/account/end-other-sessions", data=data, headers=OURS)).status_code == 303
        assert (await here.get("/changing")).status_code == 200
        assert (await there.get("/changing")).status_code == 303


async def test_scripts_are_not_sent_to_a_page(standing: ConsoleSite, staff: Staff) -> None:
    """What fetches a part of a page gets a status, or it would show a form of ours inside of the page."""
    async with browser(application(standing, staff)) as client:
        assert (await client.get("/changing", headers={"HX-Request": "true"})).status_code == 401
        assert (await client.get("/changing", headers={"Accept": "*/*"})).status_code == 401
        assert (await client.post("/changing", headers=OURS)).status_code == 401


async def test_a_desk_that_is_away(standing: ConsoleSite, staff: Staff, tmp_path: Path) -> None:
    """503, and nobody is let in by it; strangers still see the form."""
    staff.add("aida")
    async with browser(application(standing, staff)) as client:
        await sign_in(client, "aida")
        staff.desk._engine.dispose()
        (tmp_path / "desk.db").rename(tmp_path / "elsewhere.db")
        (tmp_path / "desk.db").mkdir()
        answer = await client.get("/changing")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        client.cookies.clear()
        assert (await client.get("/sign-in")).status_code == 200
