"""The frame of every page: language, look, menu, errors."""

from functools import cache
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from exchange.console.auth.errors import AccessRefused
from exchange.console.pages.errors import BY_CODE, FAULTS, error_page
from exchange.console.pages.rendering import Renderer
from exchange.console.pages.static import static_files
from exchange.console.pages.visit import Preferences
from exchange.domain.errors import BusError, ExchangeError
from exchange.services.evidence.package import EvidenceTooLarge
from exchange.services.http.problems import ApiRefused
from exchange.store.errors import StoreError
from exchange.system import now
from tests.console.pages.site import AUDITOR, OPERATOR, browser

ERRORS = {
    "forbidden": AccessRefused("no", code="right-missing"),
    "often": AccessRefused("no", code="sign-in-often", status=HTTPStatus.TOO_MANY_REQUESTS, wait_seconds=60),
    "database": StoreError("<b>gone</b>", retriable=True),
    "brokers": BusError("<b>gone</b>", retriable=True),
    "authority": ExchangeError("<b>gone</b>", code="timestamp-unavailable", retriable=True),
    "gone": ApiRefused("no", status=HTTPStatus.GONE, code="content-gone"),
    "sealed": ApiRefused("no", status=HTTPStatus.CONFLICT, code="content-sealed"),
    "altered": ApiRefused("no", status=HTTPStatus.INTERNAL_SERVER_ERROR, code="content-altered"),
    "busy": ApiRefused("no", status=HTTPStatus.CONFLICT, code="check-busy", retriable=True),
    "overtaken": ApiRefused("no", status=HTTPStatus.CONFLICT, code="note-overtaken"),
    "large": EvidenceTooLarge("no"),
    "cursor": StoreError("'<i>'", code="cursor-invalid"),
    "teapot": HTTPException(418),
    "bug": ZeroDivisionError("<script>secret</script>"),
}


@cache
def site() -> ASGIApp:
    """An application whose every page is an error."""
    renderer = Renderer(now, dict)

    async def fail(request: Request) -> Response:
        return error_page(renderer, request, ERRORS.get(request.path_params["name"], HTTPException(404)))

    return Preferences(Starlette(routes=[Mount("/static", static_files()), Route("/{name:path}", fail)]))


@pytest.mark.parametrize(
    ("name", "status", "title"),
    [
        ("", 404, "There is nothing here"),
        ("forbidden", 403, "This is not for your role"),
        ("often", 429, "Too many attempts"),
        ("database", 503, "The console cannot reach its data"),
        ("brokers", 503, "The console cannot read the journal"),
        ("authority", 503, "Something does not answer"),
        ("gone", 410, "The contents are gone"),
        ("sealed", 409, "This cannot be read here"),
        ("altered", 500, "The journal has something else here"),
        ("busy", 409, "A check runs already"),
        ("overtaken", 409, "Somebody was faster"),
        ("large", 500, "Too much for one package"),
        ("cursor", 400, "This address cannot be read"),
        ("teapot", 418, "This address cannot be read"),
        ("bug", 500, "Something failed here"),
    ],
)
async def test_errors_say_what_to_do(name: str, status: int, title: str) -> None:
    """Each has its title and a next step, and repeats nothing of what was sent."""
    async with browser(site()) as client:
        answer = await client.get(f"/{name}")
    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.text
    assert "Next:" in answer.text
    assert "<b>" not in answer.text
    assert "secret" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Retry-After") == ("60" if name == "often" else None)


def test_every_fault_ends_with_a_step() -> None:
    """None leaves the visitor alone."""
    assert all(fault.step.endswith(".") and fault.title for fault in (*FAULTS.values(), *BY_CODE.values()))


async def test_the_menu_is_of_the_role() -> None:
    """What somebody may not do is not offered, and before signing in there is no menu."""
    async with browser(site(), AUDITOR) as client:
        auditor = (await client.get("/")).text
    async with browser(site(), OPERATOR) as client:
        operator = (await client.get("/")).text
    async with browser(site(), None) as client:
        stranger = (await client.get("/")).text
    assert 'href="/audit"' in auditor
    assert 'href="/audit"' not in operator
    assert 'href="/enrolment"' in operator
    assert 'class="menu"' not in stranger
    assert 'href="/account"' in operator
    assert 'href="/account"' not in stranger
    assert 'value="the-token"' in operator


async def test_the_present_section_is_marked() -> None:
    """Of a page within a section too."""
    async with browser(site()) as client:
        answer = await client.get("/letters/abc")
    assert '<a href="/letters" aria-current="page">' in answer.text


async def test_preferences_become_cookies() -> None:
    """The address goes on without them, the page comes in the language and look that were chosen."""
    async with browser(site()) as client:
        moved = await client.get("/letters?to=mfa&lang=ru&theme=dark")
        assert (moved.status_code, moved.headers["Location"]) == (303, "/letters?to=mfa")
        answer = await client.get(moved.headers["Location"])
    assert '<html lang="ru" data-theme="dark">' in answer.text
    assert answer.headers["Content-Language"] == "ru"


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["/", "\\", "evil.example", "letters", "%2f", "?"]), max_size=5).map("".join))
async def test_preferences_never_lead_elsewhere(path: str) -> None:
    """Whatever the path is, the way on stays on this host."""
    async with browser(site()) as client:
        answer = await client.get(f"http://console/{path}?lang=ru")
    location = answer.headers.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


async def test_a_preference_that_is_none_is_no_business_of_theirs() -> None:
    """It stays in the address, for the page to make of it what it will."""
    async with browser(site()) as client:
        answer = await client.get("/letters?lang=tlh")
    assert answer.status_code == 404


async def test_static_files_have_their_version_in_the_address() -> None:
    """So browsers may keep them."""
    async with browser(site()) as client:
        page = (await client.get("/")).text
        address = page.split('rel="stylesheet" href="')[-1].partition('"')[0]
        answer = await client.get(address)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "max-age=86400" in answer.headers["Cache-Control"]


async def test_no_script_and_no_style_stands_in_a_page() -> None:
    """The policy lets none run."""
    async with browser(site()) as client:
        page = (await client.get("/")).text
    assert "<style" not in page
    assert "style=" not in page
    assert " on" + "click" not in page
    assert "<script>" not in page
