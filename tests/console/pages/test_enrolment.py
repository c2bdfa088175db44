"""A body's way in through the console: asked for by one person, answered by another, never signed for the keepers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from exchange.console.cases import Step
from exchange.domain.directory import BodyStatus, CertificateUse
from exchange.domain.ids import digest
from exchange.domain.user import Role
from exchange.security.enrolment import encode_request, make_request
from exchange.store.database import Store
from tests.console.enrolling import CODE, GRANTED, LETTER, Way, certificate, copied_desk, new_body, new_keys
from tests.console.pages.test_hostile import ATTACKS, runs
from tests.console.seed import NOW

REASON = "letter 12-3/45; SHA-256 confirmed by A. Usonov"


@pytest.fixture
def way(tracked: Store, empty_desk: Path, tmp_path: Path) -> Iterator[Way]:
    """A console at which nobody asked for anything, and a body of which nothing is known."""
    with copied_desk(empty_desk, tmp_path / "own.db") as own:
        yield Way(tracked, own)


async def asked(way: Way, login: str = "asel", **fields: str) -> httpx.Response:
    """Somebody sends the form of a request."""
    async with way.browser(login) as browser:
        document = way.request.replace("\n", "\r\n")  # as browsers send what is in a field
        return await browser.post("/enrolment", data={"request": document, "reason": REASON, **fields})


async def answered(way: Way, path: str, login: str, act: str, **fields: str) -> httpx.Response:
    """Somebody answers; by default to what the page shows."""
    async with way.browser(login) as browser:
        page = (await browser.get(path)).text
        seen = page.partition('name="seen" value="')[2].partition('"')[0]
        return await browser.post(path, data={"act": act, "seen": seen, **fields})


async def steps(way: Way, path: str) -> list[Step]:
    """The steps that were taken."""
    case = await way.office.case(path.rpartition("/")[2])
    return list(case.steps)


async def page(way: Way, path: str, login: str = "bek", language: str = "en") -> str:
    """A page as somebody sees it."""
    async with way.browser(login, language=language) as browser:
        return (await browser.get(path)).text


@pytest.mark.parametrize("language", ["en", "ky", "ru"])
async def test_the_whole_way(way: Way, language: str) -> None:
    """Each step is seen when it was taken, with the command for the next one; two people, and acts in the journal."""
    empty = await page(way, "/enrolment", language=language)
    assert 'id="f-request"' in empty
    answer = await asked(way)
    path = answer.headers["location"]
    assert (answer.status_code, await steps(way, path)) == (303, [Step.REQUESTED])
    text = await page(way, path, language=language)
    for shown in (digest(way.request.encode()).hex(), "41702205805000", "Асан Үсөнов", f"grant {CODE}.request.json"):
        assert shown in text, shown
    way.grant()
    assert await steps(way, path) == [Step.REQUESTED, Step.CERTIFIED]
    assert f"exchange body install {CODE}.answer.json" in await page(way, path, language=language)
    way.exchange()
    assert await steps(way, path) == [Step.REQUESTED, Step.CERTIFIED, Step.SPOKE, Step.EXCHANGED]
    assert LETTER.hex() in await page(way, path, language=language)
    assert path in await page(way, "/enrolment", language=language)
    assert (await answered(way, path, "bek", "approve")).status_code == 303
    text = await page(way, path, language=language)
    assert f"exchange directory connect {CODE} --reason" in text
    assert "asked for by asel, approved by bek" in text
    assert path in await page(way, "/enrolment", language=language), "the keepers have not signed yet"
    way.list_as(BodyStatus.CONNECTED, *way.directory.bodies[CODE].certificates)
    assert await steps(way, path) == list(Step)
    text = await page(way, "/enrolment", language=language)
    assert ("<td>bek</td>" in text, "exchange directory" in text) == (True, False)
    assert [(act.action, act.person, act.second, act.recipient) for act in way.acts.acts] == [
        ("enrolment-ask", "asel", "", CODE),
        ("enrolment-approve", "bek", "bek", CODE),
    ]
    assert way.acts.acts[0].reason == REASON
    rests_on = way.acts.acts[1].detail
    assert all(part in rests_on for part in ("asked for by asel", digest(way.request.encode()).hex(), LETTER.hex()))


async def test_never_the_same_person(way: Way) -> None:
    """Whoever asked sees no form, and sending one all the same changes nothing; nothing stands in the journal."""
    path = (await asked(way)).headers["location"]
    way.grant()
    way.exchange()
    assert f'action="{path}"' not in await page(way, path, "asel")
    for act in ("approve", "refuse"):
        sent = await answered(way, path, "asel", act, reason=REASON)
        assert (sent.status_code, "You asked for this yourself" in sent.text) == (403, True)
    assert way.acts.actions == ["enrolment-ask"]
    assert (await answered(way, path, "bek", "approve")).status_code == 303


async def test_only_operators(way: Way) -> None:
    """Auditors and administrators of bodies neither see it nor do anything there."""
    path = (await asked(way)).headers["location"]
    for role in (Role.AUDITOR, Role.BODY_ADMINISTRATOR):
        async with way.browser("cholpon", role) as browser:
            for method, address in (("GET", "/enrolment"), ("POST", "/enrolment"), ("GET", path), ("POST", path)):
                assert (await browser.request(method, address)).status_code == 403


async def test_untested_is_not_approved(way: Way) -> None:
    """Not before the reply is in the document system, not by what an earlier key exchanged, not after a step back."""
    path = (await asked(way)).headers["location"]
    assert (await answered(way, path, "bek", "approve")).status_code == 409
    way.grant()
    way.exchange(is_handed_over=False)
    refused = await answered(way, path, "bek", "approve")
    assert (refused.status_code, "has not passed" in refused.text) == (409, True)
    assert Step.EXCHANGED not in await steps(way, path)
    assert way.acts.actions == ["enrolment-ask"]


async def test_an_earlier_key_proves_nothing(way: Way) -> None:
    """A letter from before the certificate that is listed now is no test of it."""
    path = (await asked(way)).headers["location"]
    way.grant()
    way.exchange(at=GRANTED - timedelta(days=1))
    assert await steps(way, path) == [Step.REQUESTED, Step.CERTIFIED]


async def test_another_key_than_asked_for(way: Way) -> None:
    """Somebody's key that the request does not name is told loudly, and cannot be approved."""
    path = (await asked(way)).headers["location"]
    way.grant()
    way.exchange()
    both = (*way.directory.bodies[CODE].certificates, certificate(new_keys()[CertificateUse.STATEMENT]))
    way.list_as(BodyStatus.TESTING, *both)
    assert "a key that the request does not name" in await page(way, path)
    assert (await answered(way, path, "bek", "approve")).status_code == 409


async def test_what_was_seen_is_what_is_approved(way: Way) -> None:
    """A certificate that changed since the page was made, and a second answer, change nothing."""
    path = (await asked(way)).headers["location"]
    way.grant()
    way.exchange()
    assert (await answered(way, path, "bek", "approve", seen="0" * 64)).status_code == 409
    assert (await answered(way, path, "bek", "approve")).status_code == 303
    assert (await answered(way, path, "cholpon", "refuse", reason=REASON)).status_code == 409
    assert way.acts.actions == ["enrolment-ask", "enrolment-approve"]


async def test_refused_with_a_reason(way: Way) -> None:
    """Without one it is not; then the keepers' command is told, and somebody may ask again."""
    path = (await asked(way)).headers["location"]
    way.grant()
    for act, reason in (("refuse", ""), ("refuse", "no"), ("explode", REASON), ("refuse", "a\x00 long reason")):
        assert (await answered(way, path, "bek", act, reason=reason)).status_code == 422
    assert (await answered(way, path, "bek", "refuse", reason="nobody there\r\nknows of it")).status_code == 303
    text = await page(way, path)
    assert f"exchange directory suspend {CODE}" in text
    assert "refused by bek: nobody there knows of it" in text
    again = await asked(way, request="", body=CODE)
    assert again.status_code == 303
    assert again.headers["location"] != path


async def test_a_body_that_the_keepers_let_in(way: Way) -> None:
    """Without a request here it is asked for by its code, while it is testing and not otherwise, and once."""
    assert (await asked(way, request="", body=CODE)).status_code == 422
    way.grant()
    assert f'<option value="{CODE}">' in await page(way, "/enrolment")
    path = (await asked(way, request="", body=CODE)).headers["location"]
    assert f'<option value="{CODE}">' not in await page(way, "/enrolment")
    twice = await asked(way, "bek", request="", body=CODE)
    assert (twice.status_code, "already" in twice.text) == (409, True)
    way.exchange()
    assert "let in by the keepers" in way.acts.acts[0].detail
    assert (await answered(way, path, "bek", "approve", reason="all well")).status_code == 303


async def test_a_request_that_cannot_be_granted(way: Way) -> None:
    """Everything wrong with it is told, nothing of it runs, and nothing is entered."""
    foreign = encode_request(make_request(new_body(), bytes(range(32)), way.keys, NOW - timedelta(days=40))).decode()
    sent = await asked(way, request=foreign)
    assert sent.status_code == 422
    assert all(code in sent.text for code in ("request-foreign", "request-outdated"))
    for document in ("{}", "[" * 9000, " ".join(ATTACKS), way.request[:-2]):
        sent = await asked(way, request=document)
        assert (sent.status_code, "enrolment-unreadable" in sent.text, runs(sent.text)) == (422, True, [])
    assert (await asked(way, reason="no")).status_code == 422
    assert way.acts.acts == []


async def test_nothing_is_done_that_cannot_be_kept(way: Way) -> None:
    """Without the journal nobody asks and nobody answers."""
    way.acts.fails = True
    assert (await asked(way)).status_code == 403
    way.acts.fails = False
    path = (await asked(way)).headers["location"]
    way.acts.fails = True
    assert (await answered(way, path, "bek", "refuse", reason=REASON)).status_code == 403
    way.acts.fails = False
    assert (await answered(way, path, "bek", "refuse", reason=REASON)).status_code == 303


@pytest.mark.parametrize("name", ["0" * 16, "nobody", "%00"])
async def test_no_such_case(way: Way, name: str) -> None:
    """An address of nothing."""
    async with way.browser("bek") as browser:
        assert (await browser.get(f"/enrolment/{name}")).status_code == 404
        assert (await browser.post(f"/enrolment/{name}", data={"act": "approve"})).status_code == 404


@pytest.mark.parametrize("attack", [" ".join(ATTACKS), ATTACKS[3]], ids=["all", "address"])
async def test_no_word_runs(way: Way, attack: str) -> None:
    """Reason, remark and every name of a request, on both pages, and in the command to be copied."""
    path = (await asked(way, reason=attack)).headers["location"]
    way.grant()
    for address in ("/enrolment", path):
        assert runs(await page(way, address)) == []
    assert (await answered(way, path, "bek", "refuse", reason=attack)).status_code == 303
    for address in ("/enrolment", path):
        assert runs(await page(way, address)) == []
