"""What is another body's: asked for by its id, it is answered as what never was, on every page and by every API."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from exchange.console.app import create_app
from exchange.console.evidence.packing import Packer, Packing
from exchange.domain.fact import LetterFact
from exchange.journal.facts import read_fact
from exchange.services.tasks.office import TaskOffice
from tests.console.auth.people import Staff
from tests.console.auth.test_rights import TABLE, routes
from tests.console.site import AUDITOR, OPERATOR, URL, ConsoleSite
from tests.console.written import SameForAll
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.filed import Filed

STRANGER = "beta"
"""Administers a body that the letter asked for has nothing to do with."""
NEVER = {"{digest}": "0" * 64, "{code}": "no-such-body", "{number:int}": "0"}
NOBODY_S = {"/alerts/{name}"}
"""Addresses with a name in them that is the same for everybody."""
LINES = ("\r\nSet-Cookie: a=b", "\nLocation: //evil.example", "\r\n\r\n<h1>")


@pytest.fixture
def foreign(told: SyntheticJournal) -> LetterFact:
    """A letter between others."""
    facts = [read_fact(record) for record in told.records]
    accepted = [each for each in facts if isinstance(each, LetterFact) and each.recipients and not each.reason]
    return next(each for each in accepted if STRANGER not in {each.sender, *each.recipients})


@pytest.fixture
def whole(standing: ConsoleSite, staff: Staff, filed: Filed) -> ConsoleSite:
    """A console with everything that is served, whose letters can be read and taken along."""
    office = TaskOffice(staff.desk, standing.desk.store, standing.desk.now)
    desk = replace(standing.desk, people=staff.people(URL), tasks=office, acts=staff.acts)
    packing = Packing(filed.folder, filed.folder.parent / "log.policy", lambda: filed.journal.world.published)
    desk = replace(desk, own=staff.desk, contents=SameForAll(), packer=Packer(packing))
    return replace(standing, desk=desk, application=create_app(desk, CollectorRegistry()))


def _by_id(app: Starlette) -> dict[str, list[str]]:
    """Addresses with an id in them that a body's administrator may ask for, with their methods."""
    found = {route.path: sorted((route.methods or set()) - {"HEAD"}) for route in routes(app) if "{" in route.path}
    for path in NOBODY_S:
        del found[path]
    return {path: methods for path, methods in found.items() if "b" in TABLE.get(path, "")}


def _address(path: str, ids: dict[str, str]) -> str:
    for part, value in ids.items():
        path = path.replace(part, value)
    assert "{" not in path, f"{path}: say in this test what another body's would be"
    return path


async def test_what_is_another_body_s_never_was(whole: ConsoleSite, staff: Staff, foreign: LetterFact) -> None:
    """The same status and the same words, but for the id itself; and nothing is kept of it as seen."""
    ids = {**NEVER, "{digest}": foreign.letter.hex(), "{code}": foreign.sender}
    addresses = _by_id(whole.application)
    assert addresses
    async with whole.client(STRANGER) as client:
        for path, methods in addresses.items():
            there, never = _address(path, ids), _address(path, NEVER)
            for method in methods:
                answers = [await client.request(method, each) for each in (there, never)]
                assert [answer.status_code for answer in answers] == [404, 404], (method, path)
                texts = [answer.json() for answer in answers]
                shown = [{**text, "detail": "", "instance": ""} for text in texts]
                assert shown[0] == shown[1], path
    assert staff.acts.acts == []


async def test_who_may_see_it_does(whole: ConsoleSite, foreign: LetterFact) -> None:
    """The same addresses are there for those whose letter it is; content only for these."""
    ids = {**NEVER, "{digest}": foreign.letter.hex(), "{code}": foreign.sender}
    for login in (foreign.sender, OPERATOR, AUDITOR):
        async with whole.client(login) as client:
            for path in _by_id(whole.application):
                expected = 403 if "content" in path and login != foreign.sender else 200
                assert (await client.get(_address(path, ids))).status_code == expected, (login, path)


@pytest.mark.parametrize("line", LINES)
async def test_ids_make_no_headers(whole: ConsoleSite, line: str) -> None:
    """A line's end in an id, in a filter or in a search comes back in no header, encoded or not."""
    quoted = {part: "".join(f"%{byte:02x}" for byte in line.encode()) for part in NEVER}
    async with whole.client(OPERATOR, Accept="text/html") as client:
        asked = [_address(path, {**quoted, "{number:int}": "0"}) for path in _by_id(whole.application)]
        words = "&".join(f"{word}={quoted['{code}']}" for word in ("q", "to", "lang", "month", "body", "age", "after"))
        asked += [f"{path}?{words}" for path, who in TABLE.items() if "{" not in path and "o" in who]
        for path in asked:
            answer = await client.get(path)
            assert "set-cookie" not in answer.headers, path
            assert not any("\n" in value or "\r" in value for value in answer.headers.values()), path
            assert answer.headers.get("location", "/").startswith("/"), path
            assert not answer.headers.get("location", "/").startswith("//"), path
            assert answer.status_code < 500, (path, answer.status_code)
