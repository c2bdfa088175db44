"""Letters by the API: lists, filters, pages, one letter's story; and whose they are to see."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from exchange.console.api import rates
from exchange.console.pages.filters import WORDS, ListFilter, meant
from exchange.domain.user import Role, User
from exchange.store.archive import Archive
from exchange.store.database import Store
from tests.console.site import ConsoleSite, console_site
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import TOPIC, fill
from tests.world import NOW

LETTERS = "/api/v1/letters"


async def got(site: ConsoleSite, path: str, login: str = "olga", **headers: str) -> httpx.Response:
    """What somebody is answered."""
    async with site.client(login, **headers) as client:
        return await client.get(path)


async def lines(site: ConsoleSite, path: str, login: str = "olga") -> list[tuple[str, str]]:
    """Message id and recipient of each delivery in a list."""
    told = (await got(site, path, login)).json()
    return [(line["letter"]["message_id"], line["recipient"]) for line in told["items"]]


EVERY = [("second", "alpha"), ("lost", "nobody"), ("first", "beta"), ("first", "gamma")]


async def test_all_letters(site: ConsoleSite) -> None:
    """One line for each recipient, the youngest letter first."""
    assert sorted(await lines(site, LETTERS)) == sorted(EVERY)
    line = (await got(site, f"{LETTERS}?to=beta")).json()["items"][0]
    assert line["letter"]["sender"] == "alpha"
    assert (line["delivery"]["state"], line["delivery"]["reg_number"]) == ("registered", "77-1")
    assert len(line["letter"]["digest"]) == 64


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("to=beta", [("first", "beta")]),
        ("from=gamma", [("second", "alpha")]),
        ("state=refused", [("first", "gamma")]),
        ("state=refused,rejected", [("first", "gamma"), ("lost", "nobody")]),
        ("reason=recipient-unknown", [("lost", "nobody")]),
        ("q=second", [("second", "alpha")]),
        ("q=77-1", [("first", "beta"), ("first", "gamma")]),
        ("age=1h", EVERY),
        ("age=%3E1h", []),
        ("since=2026-03-01T10:00:00%2B06:00", EVERY),
        ("until=2026-03-01T10:00:00%2B06:00", []),
        ("next=sender&late=no", [("first", "gamma"), ("lost", "nobody")]),
        ("kind=document&urgency=routine", EVERY),
    ],
)
async def test_filters(site: ConsoleSite, query: str, expected: list[tuple[str, str]]) -> None:
    """The words of the page's address."""
    assert sorted(await lines(site, f"{LETTERS}?{query}")) == sorted(expected)


@pytest.mark.parametrize(("order", "number"), [("", 4), ("&order=longest-waiting", None)])
async def test_pages(site: ConsoleSite, order: str, number: int | None) -> None:
    """`next` leads through all of them, once each, with the filter; in the order of waiting those that wait."""
    path, seen, counted = f"{LETTERS}?limit=1&count=true{order}", [], {}
    while path:
        page = (await got(site, path)).json()
        counted = page["count"]
        seen += [(line["letter"]["message_id"], line["recipient"]) for line in page["items"]]
        path = page["next"]
    assert counted == {"number": len(seen) if number is None else number, "more": False}
    assert len(set(seen)) == len(seen)
    assert sorted(seen) == sorted(EVERY) or number is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=nowhere", "api-parameter-invalid"),
        ("state=registered%27%20OR%201=1--", "api-parameter-invalid"),
        ("to=%27;DROP%20TABLE%20letters;--", "api-parameter-invalid"),
        ("unheard=of", "api-parameter-invalid"),
        ("to=beta&to=alpha", "api-parameter-invalid"),
        ("limit=0", "api-parameter-invalid"),
        ("limit=100000", "api-parameter-invalid"),
        ("age=soon", "api-parameter-invalid"),
        ("since=2026-03-01T10:00:00", "api-parameter-invalid"),
        ("since=yesterday", "api-parameter-invalid"),
        ("after=nonsense", "cursor-invalid"),
        ("after=" + "A" * 4001, "api-parameter-invalid"),
    ],
)
async def test_queries_that_are_refused(site: ConsoleSite, query: str, code: str) -> None:
    """With the parameter's name; nothing of them reaches the database."""
    answer = await got(site, f"{LETTERS}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("word", WORDS)
async def test_a_wrong_word_is_told_what_it_may_be(site: ConsoleSite, word: str) -> None:
    """The refusal says the values themselves, not where they are written."""
    answer = await got(site, f"{LETTERS}?{word}=%07")
    assert (answer.status_code, answer.json()["code"]) == (400, "api-parameter-invalid")
    assert answer.json()["detail"].endswith(f"is none of its values: say {meant(word)}")


async def test_sql_in_a_text_names_nothing(site: ConsoleSite) -> None:
    """It is a text like any other, and the tables stay."""
    for text in ("%27%20OR%20%271%27=%271", "first%27--", "%25", "_irst", "first%5C"):
        assert (await got(site, f"/api/v1/find?q={text}")).json()["items"] == []
        assert await lines(site, f"{LETTERS}?q={text}") == []
    assert (await got(site, "/api/v1/find?q=%00")).json()["items"] == []
    assert (await got(site, f"{LETTERS}?q=%00")).status_code == 400
    assert len(await lines(site, LETTERS)) == 4


@given(st.dictionaries(st.sampled_from(["to", "from", "state", "age", "q", "after", "next", "late"]), st.text()))
def test_any_words(words: dict[str, str]) -> None:
    """Are a filter, or faults; never another error."""
    read = ListFilter.of(QueryParams(words))
    read.wanted(User("o", "o", frozenset({Role.OPERATOR})), NOW)


async def test_who_is_not_known(site: ConsoleSite) -> None:
    """Every address of the API needs to know who asks."""
    for path in (
        LETTERS,
        "/api/v1/now",
        "/api/v1/stream",
        "/api/v1/openapi.json",
        "/api/v1/docs",
        "/api/v1/bodies/mfa",
    ):
        answer = await got(site, path, login="")
        assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_body_sees_its_own_letters(site: ConsoleSite) -> None:
    """As sender every recipient's part, as recipient its own; whatever it filters by."""
    assert sorted(await lines(site, LETTERS, "beta")) == [("first", "beta")]
    assert await lines(site, f"{LETTERS}?to=gamma", "beta") == []
    assert await lines(site, f"{LETTERS}?q=lost", "beta") == []
    assert sorted(await lines(site, LETTERS, "gamma")) == [("first", "gamma"), ("second", "alpha")]
    assert sorted(await lines(site, LETTERS, "alpha")) == sorted(EVERY)
    assert (await got(site, f"{LETTERS}?count=true", "beta")).json()["count"]["number"] == 1


async def digest(site: ConsoleSite, name: str) -> str:
    """The id of a letter of the story."""
    (found,) = (await got(site, f"/api/v1/find?q={name}")).json()["items"]
    return str(found["digest"])


async def test_one_letter(site: ConsoleSite) -> None:
    """Its whole story with waits, contradictions and flags."""
    story = (await got(site, f"{LETTERS}/{await digest(site, 'second')}")).json()
    (part,) = story["deliveries"]
    assert part["recipient"] == "alpha"
    assert [step["event"] for step in part["steps"]][:2] == ["accepted", "delivered"]
    assert all(step["wait"] >= 0 for step in part["steps"])
    assert [step["event"] for step in part["steps"] if not step["holds"]] == ["refused"]
    assert story["flags"]


async def test_a_recipient_sees_its_part_of_a_letter(site: ConsoleSite) -> None:
    """Not who else got it, nor what became of it there."""
    first = await digest(site, "first")
    told = {
        login: (await got(site, f"{LETTERS}/{first}", login)).json() for login in ("alpha", "beta", "gamma", "aida")
    }
    recipients = {login: [part["recipient"] for part in story["deliveries"]] for login, story in told.items()}
    assert recipients == {"alpha": ["beta", "gamma"], "beta": ["beta"], "gamma": ["gamma"], "aida": ["beta", "gamma"]}
    assert "gamma" not in str(told["beta"])


async def test_a_letter_that_was_put_away(told: SyntheticJournal, tmp_path: Path) -> None:
    """Lists have it no longer; its id says when it was put away and where, to those whom it concerned."""
    with Store(f"sqlite:///{tmp_path}/away.db", archive=Archive(tmp_path)) as store:
        store.migrate()
        fill(store, told.records)
        store.count_changes(TOPIC)
        assert store.put_away(NOW + timedelta(days=1), NOW) is not None
        site = console_site(store, told, tmp_path)
        assert await lines(site, LETTERS) == []
        for login, number in {"olga": 1, "gamma": 1, "alpha": 1, "beta": 0}.items():
            found = (await got(site, "/api/v1/find?q=second", login)).json()
            assert (found["items"], len(found["put_away"])) == ([], number), login
        (away,) = (await got(site, "/api/v1/find?q=second")).json()["put_away"]
    assert (away["sender"], away["at"]) == ("gamma", 0)
    assert away["file"] == "letters-2026-03.jsonl.gz"


async def test_what_is_not_yours_is_not_there(site: ConsoleSite) -> None:
    """The same answer as for a letter that never was."""
    second = await digest(site, "second")
    foreign = await got(site, f"{LETTERS}/{second}", "beta")
    nothing = await got(site, f"{LETTERS}/{'0' * 64}", "beta")
    assert foreign.status_code == nothing.status_code == 404
    assert foreign.json()["code"] == nothing.json()["code"] == "not-found"
    assert foreign.text.replace(second, "x") == nothing.text.replace("0" * 64, "x")
    assert (await got(site, "/api/v1/find?q=second", "beta")).json()["items"] == []
    assert [each["message_id"] for each in (await got(site, "/api/v1/find?q=first", "beta")).json()["items"]] == [
        "first"
    ]


@pytest.mark.parametrize("name", ["nonsense", "%2e%2e", "A" * 64, "0" * 63, "..%2f..%2fetc"])
async def test_ids_that_are_none(site: ConsoleSite, name: str) -> None:
    """404, in JSON."""
    answer = await got(site, f"{LETTERS}/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_overview(site: ConsoleSite) -> None:
    """A circular is one line; it is for those who see everything, or for a sender."""
    path, seen = "/api/v1/overview?most=1&limit=1", []
    while path:
        page = (await got(site, path)).json()
        seen += page["items"]
        path = page["next"]
    assert [line["letter"]["message_id"] for line in seen] == ["second", "lost", "first"]
    assert seen[-1]["states"] == {"registered": 1, "refused": 1}
    assert seen[0]["recipient"] == "alpha"
    assert (await got(site, "/api/v1/overview", "gamma")).status_code == 403
    assert (await got(site, "/api/v1/overview?since=2026-03-01T10:00:00")).json()["code"] == "api-parameter-invalid"
    own = (await got(site, "/api/v1/overview?from=gamma", "gamma")).json()["items"]
    assert [line["letter"]["message_id"] for line in own] == ["second"]
    assert (await got(site, "/api/v1/overview?from=alpha", "gamma")).json()["code"] == "right-missing"


async def test_asked_again(site: ConsoleSite) -> None:
    """304 while nothing has changed, for the same caller and question."""
    for path in (LETTERS, "/api/v1/routes", "/api/v1/bodies", "/api/v1/report"):
        first = await got(site, path)
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "private, no-cache"
        for known in (tag, f'"other", W/{tag}', "*"):
            again = await got(site, path, If_None_Match=known)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await got(site, path, If_None_Match='"other"')).status_code == 200


async def test_who_asks_too_much_waits(site: ConsoleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are answered meanwhile; no bucket fills again while it is emptied, however long that takes."""
    monkeypatch.setattr(rates, "PER_SECOND", 0.0)
    async with site.client("olga") as client:
        answers = await asyncio.gather(*(client.get("/api/v1/find?q=first") for _ in range(300)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert (refused[0].json()["code"], refused[0].headers["retry-after"]) == ("api-busy", "1")
    assert (await got(site, "/api/v1/find?q=first", "aida")).status_code == 200


async def test_only_getting(site: ConsoleSite) -> None:
    """Nothing here changes anything."""
    async with site.client("olga") as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert (await client.request(method, LETTERS)).status_code == 405
