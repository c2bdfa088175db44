"""Evidence taken along: by whom it is for, with what is theirs to read, and only when that is kept."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.auth.acts import Unkept
from exchange.console.evidence.packing import Packer, Packing
from exchange.domain.fact import LetterFact
from exchange.journal.facts import read_fact
from tests.console.auth.people import Remembered
from tests.console.site import AUDITOR, OPERATOR, ConsoleSite
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.filed import Filed


@dataclass
class Giving:
    """A console beside an archive, and what is kept of what people do there."""

    site: ConsoleSite
    letter: str
    acts: Remembered

    async def case(self, login: str) -> tuple[bytes, Mapping[str, Any]]:
        """The package that somebody gets, and its index."""
        async with self.site.client(login) as client:
            answer = await client.get(f"/letters/{self.letter}/evidence")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/vnd.etsi.asic-e+zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
            return answer.content, json.loads(package.read("case.json"))

    async def refused(self, login: str, letter: str = "") -> int:
        """The status of a refusal."""
        async with self.site.client(login) as client:
            return (await client.get(f"/letters/{letter or self.letter}/evidence")).status_code


def giving(standing: ConsoleSite, filed: Filed, packing: Packing) -> Giving:
    """A console that makes packages so."""
    acts = Remembered()
    desk = replace(standing.desk, acts=acts, packer=Packer(packing))
    facts = [read_fact(record) for record in filed.journal.records]
    letter = next(each for each in facts if isinstance(each, LetterFact) and len(each.recipients) == 2)
    site = replace(standing, desk=desk, application=create_app(desk, CollectorRegistry()))
    return Giving(site, letter.letter.hex(), acts)


@pytest.fixture
def given(standing: ConsoleSite, filed: Filed) -> Giving:
    """Of the story's letter from alpha to beta and gamma."""
    packing = Packing(filed.folder, filed.folder.parent / "log.policy", lambda: filed.journal.world.published)
    return giving(standing, filed, packing)


async def test_its_sender_gets_everything_and_that_stands_in_the_journal(given: Giving) -> None:
    """With the digest of what was given out."""
    data, index = await given.case("alpha")
    assert {each["body"] for each in index["events"]} == {"alpha", "beta", "gamma"}
    assert all(each["missing"] is None for each in index["contents"])
    (act,) = given.acts.acts
    assert (act.action, act.person, act.letter) == ("evidence", "alpha", bytes.fromhex(given.letter))
    assert act.detail == f"sha256 {sha256(data).hexdigest()}, with contents"


async def test_a_recipient_gets_its_own_delivery(given: Giving) -> None:
    """Other recipients' receipts are not its to see."""
    _, index = await given.case("beta")
    assert {each["body"] for each in index["events"]} == {"alpha", "beta"}
    assert all(each["missing"] is None for each in index["contents"])


@pytest.mark.parametrize("login", [OPERATOR, AUDITOR])
async def test_who_may_not_read_letters_gets_none_of_their_contents(given: Giving, login: str) -> None:
    """Everything is proven all the same."""
    data, index = await given.case(login)
    assert {each["body"] for each in index["events"]} == {"alpha", "beta", "gamma"}
    assert {each["missing"] for each in index["contents"]} == {"withheld"}
    assert b"01-5/123" not in data
    assert given.acts.acts[0].detail.endswith("contents withheld")


async def test_what_is_not_kept_is_not_given(standing: ConsoleSite, given: Giving) -> None:
    """No journal, no package."""
    desk = replace(given.site.desk, acts=Unkept())
    site = replace(standing, application=create_app(desk, CollectorRegistry()))
    assert await Giving(site, given.letter, given.acts).refused("alpha") == 503


async def test_letters_of_others_and_unknown_ones_are_not_there(given: Giving) -> None:
    """Nor is anything without an archive."""
    assert await given.refused("alpha", "0" * 64) == 404
    assert await given.refused("alpha", "short") == 404
    assert given.acts.acts == []


async def test_without_an_archive_there_is_none(standing: ConsoleSite, given: Giving) -> None:
    """And the page does not offer any."""
    assert await Giving(standing, given.letter, given.acts).refused("alpha") == 404
    async with standing.client("alpha") as client:
        assert "/evidence" not in (await client.get(f"/letters/{given.letter}")).text
    async with given.site.client("alpha") as client:
        assert f"/letters/{given.letter}/evidence" in (await client.get(f"/letters/{given.letter}")).text


async def test_what_the_archive_does_not_have_yet_is_told(standing: ConsoleSite, filed: Filed, tmp_path: Path) -> None:
    """A letter of the last second."""
    journal = SyntheticJournal(filed.journal.world)
    journal.letter("alpha", "beta")
    early = Filed(journal, tmp_path / "archive")
    early.take()
    packing = Packing(early.folder, filed.folder.parent / "log.policy", lambda: filed.journal.world.published)
    assert await giving(standing, filed, packing).refused("alpha") == 409
