"""Every page over the seeded database: it is there, complete, and shows nobody what is not theirs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from starlette.datastructures import QueryParams

from exchange.console.app import create_app
from exchange.console.auth.acts import Unkept
from exchange.console.pages import failures, report, traffic
from exchange.console.pages.filters import ListFilter
from exchange.console.pages.now import BUDGET
from exchange.store import queries
from exchange.store.archive import Archive
from exchange.store.database import Store
from exchange.store.lists import DeliveryFilter
from exchange.store.overviews import Month
from exchange.store.schema import archived
from tests.console.seed import EXPIRING, FAILING, NOW, SILENT, failing_letter, seed_store, seeded_directory
from tests.console.seeded import ADMINISTRATOR, AUDITOR, OPERATOR, URL, KeptActs, client, seeded_desk

PAGES = (
    "/",
    "/letters",
    "/letters?state=failing&age=7d&late=no",
    f"/letters/{failing_letter()}",
    "/failures",
    "/failures?age=30d&reason=recipient-unknown",
    "/routes",
    "/routes?by=late&age=30d",
    "/bodies",
    "/bodies?q=мин-во&silent=yes",
    "/bodies/minjust",
    "/report?month=2026-10",
    "/alerts",
    "/alerts/overdue",
    "/search?q=nothing-has-this",
)


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_there(seeded: Store, path: str, language: str) -> None:
    """In each language, with one heading, a title, and no word that a template lacked."""
    async with client(seeded, language=language) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.text.count("<h1>") == 1
    assert f'<html lang="{language}"' in answer.text
    assert "None" not in re.sub(r"<[^>]*>", "", answer.text)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_for_people_who_signed_in(seeded: Store, path: str) -> None:
    """Nobody else sees any, and who signs in comes back."""
    async with client(seeded, None) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


async def test_the_troubles_are_on_the_first_page(seeded: Store) -> None:
    """The failing route, the silent body, the certificate that ends."""
    names = {code: body.names.en for code, body in seeded_directory().bodies.items()}
    async with client(seeded) as browser:
        text = (await browser.get("/")).text
    for code in (*FAILING, SILENT, EXPIRING):
        assert names[code] in text
    assert "Silent" in text
    assert "Ends soon" in text


async def test_the_picture_of_a_month_has_every_day(seeded: Store) -> None:
    """Those without a letter too, as zeros."""
    async with client(seeded) as browser:
        text = (await browser.get("/")).text
    days = re.findall(r'data-day="([0-9-]+)"', text)
    assert (len(days), len(set(days))) == (31, 31)
    assert days == sorted(days, reverse=True)


async def test_numbers_lead_to_lists_of_that_length(seeded: Store) -> None:
    """Every figure of the first page is a link, and the list has as many lines."""
    async with client(seeded) as browser:
        text = (await browser.get("/")).text
        cells = re.findall(r'<td class="num"><a[^>]*href="(/letters\?[^"]*)">([0-9,]+)</a>', text)
        figures = re.findall(r'href="(/letters\?[^"]*)"><span class="figure-value">([0-9,]+)</span>', text)
        assert len(figures) == 3
        for href, number in cells + figures:
            listed = (await browser.get(href.replace("&amp;", "&"))).text
            found = re.search(r"<strong>([0-9,]+)</strong>\s*deliver", listed)
            assert found, href
            assert found[1] == number, href


async def test_alerts_lead_to_what_they_count(seeded: Store) -> None:
    """What is overdue at the exchange and what at people are two lists, each as long as its number says."""
    async with client(seeded) as browser:
        text = (await browser.get("/alerts")).text
        found = re.findall(r'href="(/letters\?late=now[^"]*)">.*? ([0-9,]+)</a>', text)
        assert found
        for href, number in found:
            listed = (await browser.get(unescape(href))).text
            assert re.search(rf"<strong>{number}</strong>\s*deliver", listed), href
        assert 'id="h-waiting"' in (await browser.get("/")).text
    assert 'href="/#h-waiting"' in text


async def test_a_list_goes_on_by_its_links(seeded: Store) -> None:
    """Page after page until the last, each delivery once."""
    seen: list[str] = []
    async with client(seeded) as browser:
        path = "/letters?to=minjust"
        while path:
            text = (await browser.get(path)).text
            seen += re.findall(r'<a class="id" href="/letters/([0-9a-f]{64})"', text)
            following = re.search(r'<a rel="next" href="([^"]+)"', text)
            path = following[1].replace("&amp;", "&") if following else ""
    with seeded.reading() as connection:
        expected = queries.count(connection, DeliveryFilter(recipient="minjust")).number
    assert len(seen) == len(set(seen)) == expected


async def test_a_cursor_of_another_list_is_told(seeded: Store) -> None:
    """As a page, not as a failure."""
    async with client(seeded) as browser:
        answer = await browser.get("/letters?after=bm9uc2Vuc2U")
    assert answer.status_code == 400
    assert "This address cannot be read" in answer.text


async def test_wrong_words_of_a_filter_are_told(seeded: Store) -> None:
    """Above the list, with a link to the field; the list is there all the same."""
    async with client(seeded) as browser:
        answer = await browser.get("/letters", params={"state": "lost", "age": "for ever", "to": "<b>"})
    assert answer.status_code == 200
    assert "There is a problem" in answer.text
    assert 'href="#f-state"' in answer.text
    assert "&lt;b&gt;" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("query", ["month=2026-10", "month=2026-11&body=minjust", "month=2026-10&kind=DOCUMENT"])
async def test_figures_of_a_report_lead_to_what_they_count(seeded: Store, query: str) -> None:
    """Each number's list has as many letters: of that month, and of the body and kind asked for."""
    async with client(seeded) as browser:
        page = (await browser.get(f"/report?{query}")).text
    found = re.findall(
        r'href="(/letters\?[^"]+)">(?:<span class="figure-value">)?([0-9]+)<', page.replace("\u202f", "")
    )
    assert len(found) > 5
    with seeded.reading() as connection:
        for address, number in found:
            words = QueryParams(unescape(address).partition("?")[2])
            filters = ListFilter.of(words)
            assert (filters.faults, filters["month"]) == ((), query[6:13])
            assert queries.count(connection, filters.wanted(OPERATOR, NOW)).number == int(number.replace(",", "")), (
                address
            )


@pytest.mark.parametrize("page", ["", "&after=9"])
async def test_a_report_names_who_is_below_the_target(
    seeded: Store, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """On each of its pages those of all its lines, and says so when it names only the worst."""
    with seeded.reading() as connection:
        below = queries.breaches(connection, Month(2026, 10), BUDGET, 99)
    assert len(below) > 1
    async with client(seeded) as browser:
        whole = (await browser.get(f"/report?month=2026-10{page}")).text
        monkeypatch.setattr(report, "BREACHES", 1)
        worst = (await browser.get(f"/report?month=2026-10{page}")).text
    for text, number in ((whole, len(below)), (worst, 1)):
        (found,) = re.findall(r'<ol class="breaches">(.*?)</ol>', text, re.DOTALL)
        assert re.findall(r'<li><a class="body" href="/bodies/([^"]+)"', found) == [
            each.body for each in below[:number]
        ]
        assert ("Only the worst are named" in text) is (number == 1)


async def test_what_only_its_sender_mends_is_not_redelivered(seeded: Store) -> None:
    """No group of letters that the exchange itself refused has the button; every other one has."""
    async with client(seeded) as browser:
        page = (await browser.get("/failures?age=30d")).text
    groups = page.split('<article class="card failure"')[1:]
    buttons = {(">Rejected<" in group, 'action="/tasks/preview"' in group) for group in groups}
    assert buttons == {(True, False), (False, True)}


async def test_lists_say_when_they_are_cut(seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of groups and routes that show the largest only say so, their files have all; a reason finds any group."""
    monkeypatch.setattr(failures, "GROUPS", 1)
    monkeypatch.setattr(traffic, "ROUTES_SHOWN", 1)
    async with client(seeded) as browser:
        for path, words in (
            ("/failures?age=365d", "Only the largest are shown"),
            ("/routes", "Only the routes with the most letters are shown"),
        ):
            assert words in (await browser.get(path)).text
            file = path.replace("?", ".csv?") if "?" in path else f"{path}.csv"
            assert len((await browser.get(file)).text.splitlines()) > 3
        rare = (await browser.get("/failures?age=365d&reason=refused-by-recipient")).text
    assert rare.count('<article class="card failure"') == 1


@pytest.mark.parametrize(
    "query",
    [
        "state=accepted,registered&age=3h",
        "urgency=urgent&late=now&next=operator",
        "state=failing&reason=hand-over-failed&from=mfa&to=natstatkom&moved=7d",
        "reason=of-tomorrow&kind=REPLY&stage=reply&month=2026-11&q=12",
    ],
)
async def test_the_filter_s_form_keeps_what_the_address_says(seeded: Store, query: str) -> None:
    """Whoever changes one field loses no other, so that nobody redelivers more than was looked at."""
    async with client(seeded) as browser:
        form = _Form()
        form.feed((await browser.get(f"/letters?{query}")).text)
    assert {**QueryParams(query)}.items() <= form.values.items()


class _Form(HTMLParser):
    """What a browser would send of the form of filters."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        super().__init__()
        self.values: dict[str, str] = {}
        self._is_inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Forms, fields, what is chosen."""
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = told.get("class") == "filters"
        elif self._is_inside and tag == "input":
            self.values[told["name"]] = told.get("value", "")
        elif tag == "select":
            self._select = told["name"]
        elif self._is_inside and tag == "option" and "selected" in told:
            self.values[self._select] = told["value"]


def _letters_of(store: Store, wanted: DeliveryFilter) -> Iterator[str]:
    with store.reading() as connection:
        for each in queries.deliveries(connection, wanted, None, 500).items:
            yield each.letter.digest.hex()


async def test_an_administrator_sees_the_own_body_only(seeded: Store) -> None:
    """Lists, letters, bodies, search, exports: nothing of others, and of a letter to several the own part."""
    own = ADMINISTRATOR.body
    mine = {*_letters_of(seeded, DeliveryFilter(body=own))}
    others = sorted({*_letters_of(seeded, DeliveryFilter())} - mine)
    async with client(seeded, ADMINISTRATOR) as browser:
        for path in ("/letters", "/letters?to=mfa", "/letters?from=mfa", "/", "/failures"):
            shown = set(re.findall(r'href="/letters/([0-9a-f]{64})"', (await browser.get(path)).text))
            assert shown <= mine, path
        assert (await browser.get(f"/letters/{others[0]}")).status_code == 404
        assert (await browser.get(f"/search?q={others[0]}")).status_code == 200
        assert (await browser.get("/bodies/mfa")).status_code == 404
        assert (await browser.get("/bodies/minjust")).status_code == 200
        exported = (await browser.get("/letters.csv")).text
        report = (await browser.get("/report?month=2026-10&body=mfa")).text
    rows = [line.split(",") for line in exported.splitlines()[1:]]
    assert rows
    assert all(own in row[3:5] for row in rows)
    assert "Ministry of Foreign Affairs" not in report


async def test_other_recipients_are_not_a_recipients_business(seeded: Store) -> None:
    """Who got a letter sees its sender and the own part of it."""
    with seeded.reading() as connection:
        page = queries.deliveries(connection, DeliveryFilter(recipient=ADMINISTRATOR.body), None, 200)
        timelines = [queries.timeline(connection, each.letter.digest) for each in page.items]
    shared = next(each for each in timelines if each is not None and len(each.deliveries) > 2)
    async with client(seeded, ADMINISTRATOR) as browser:
        text = (await browser.get(f"/letters/{shared.letter.digest.hex()}")).text
    for each in shared.deliveries:
        assert (f'href="/bodies/{each.recipient}"' in text) is (each.recipient == ADMINISTRATOR.body)
    assert "not yours to see" in text


async def test_any_id_lands_on_its_letter(seeded: Store) -> None:
    """Digest or its beginning, message id, document id, number; filter words on the list; names on the body."""
    with seeded.reading() as connection:
        (found,) = queries.deliveries(connection, DeliveryFilter(recipient="minjust"), None, 1).items
    letter = found.letter
    async with client(seeded, AUDITOR) as browser:
        for text in (letter.digest.hex(), letter.digest.hex()[:12], letter.message_id, letter.document.document_id):
            answer = await browser.get("/search", params={"q": f" {text} "})
            assert answer.headers["Location"] == f"/letters/{letter.digest.hex()}", text
        words = await browser.get("/search", params={"q": "to:minjust state:failing 12-7"})
        assert words.headers["Location"] == "/letters?to=minjust&state=failing&q=12-7"
        body = await browser.get("/search", params={"q": "МИД"})
        assert body.headers["Location"] == "/bodies/mfa"
        assert (await browser.get("/search", params={"q": "//evil.example"})).status_code == 200


async def test_a_letter_that_was_put_away(tmp_path: Path) -> None:
    """Its id, or its page, says when it was put away and where; to others than its bodies nothing."""
    with Store(f"sqlite:///{tmp_path}/tracker.db", archive=Archive(tmp_path)) as store:
        store.migrate()
        seed_store(store)
        assert store.put_away(NOW, NOW) is not None
        with store.reading() as connection:
            named = connection.execute(sa.select(archived.c.digest, archived.c.bodies, archived.c.file)).all()
        foreign = next(row for row in named if ADMINISTRATOR.body not in row.bodies.split(","))
        name = foreign.digest.hex()
        async with client(store, AUDITOR) as browser:
            assert (await browser.get(f"/letters/{name}")).headers["Location"] == f"/search?q={name}"
            page = await browser.get(f"/search?q={name}")
        async with client(store, ADMINISTRATOR) as browser:
            assert (await browser.get(f"/letters/{name}")).status_code == 404
            assert foreign.file not in (await browser.get(f"/search?q={name}")).text
    assert foreign.file in page.text
    assert "Put away" in page.text


async def test_a_beginning_of_a_digest_is_looked_up(seeded: Store) -> None:
    """And what is no digest at all, too."""
    async with client(seeded) as browser:
        answer = await browser.get(f"/letters/{failing_letter()[:10]}")
    assert answer.headers["Location"] == f"/search?q={failing_letter()[:10]}"


SHEETS = ("/letters", "/failures", "/routes", "/bodies", "/report")


@pytest.mark.parametrize("path", SHEETS)
async def test_every_list_is_exported_as_it_is_filtered(seeded: Store, path: str) -> None:
    """By a button that has the page's filter; a body's administrator takes out the own lines only."""
    query = {"/bodies": "?q=minjust&nonsense=1", "/report": "?month=2026-10&body=minjust"}.get(path, "?age=1d")
    async with client(seeded) as browser:
        whole = (await browser.get(f"{path}.csv")).text.splitlines()
        href = re.search(rf'href="({path}\.csv[^"]*)"', (await browser.get(f"{path}{query}")).text)
        assert href
        assert "nonsense" not in href[1]
        part = (await browser.get(href[1].replace("&amp;", "&"))).text.splitlines()
    assert 1 < len(part) < len(whole)
    assert part[0] == whole[0]
    async with client(seeded, ADMINISTRATOR) as browser:
        own = (await browser.get(f"{path}.csv")).text.splitlines()
    assert all(ADMINISTRATOR.body in line for line in own[1:])


async def test_exports_are_no_formulas(seeded: Store) -> None:
    """A cell never begins as one; the header names the columns."""
    async with client(seeded) as browser:
        answer = await browser.get("/letters.csv?state=failing")
    lines = answer.text.splitlines()
    assert lines[0].startswith("letter,message_id,journalled")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="letters.csv"'
    assert not any(cell[:1] in "=+-@" for line in lines for cell in line.split(",") if cell)


async def test_exports_are_kept_acts(seeded: Store) -> None:
    """Who took which list out stands in the journal; where that cannot be kept, nothing is exported."""
    acts = KeptActs()
    headers = {"Accept": "text/html"}
    for kept, status in ((acts, 200), (Unkept(), 503)):
        desk = replace(seeded_desk(seeded, AUDITOR), acts=kept)
        transport = httpx.ASGITransport(create_app(desk, CollectorRegistry()))
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as browser:
            answer = await browser.get("/letters.csv?to=minjust&nonsense=1")
        assert answer.status_code == status
    assert [(act.action, act.person, act.detail) for act in acts.kept] == [
        ("export", AUDITOR.login, "/letters.csv?to=minjust")
    ]


async def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    """As a page with its next step; letters go on."""
    with Store(f"sqlite:///{tmp_path}/nothing/there.db") as away:
        async with client(away) as browser:
            answer = await browser.get("/letters")
    assert answer.status_code == 503
    assert "Letters go on" in answer.text


def test_now_is_the_seeded_moment() -> None:
    """Pages are tested at one moment only."""
    assert NOW.isoformat() == "2026-11-23T04:40:00+00:00"
