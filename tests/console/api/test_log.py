"""How far a letter stands in the log: as the archive's folder says, to whoever may see the letter."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry

from exchange.console.api.document import openapi_document
from exchange.console.app import create_api
from exchange.services.evidence.standing import log_standing
from exchange.services.http.openapi import encoded
from exchange.settings.tables import LogSettings
from exchange.store.database import Store
from exchange.wiring.standing import standing_in
from tests.audited import QUORUM, Archived
from tests.console.api.test_letters import LETTERS, digest, got
from tests.console.site import ConsoleSite, console_site
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill


@pytest.fixture
def archived(told: SyntheticJournal, tmp_path: Path) -> Archived:
    """An archive that has taken nothing yet."""
    made = Archived(tmp_path / "archive", told)
    (tmp_path / "log.policy").write_text(made.keys.text)
    return made


@pytest.fixture
def site(told: SyntheticJournal, tracked: Store, archived: Archived, tmp_path: Path) -> ConsoleSite:
    """A console that has the archive's folder at hand."""
    fill(tracked, told.records)
    made, registry = console_site(tracked, told, tmp_path), CollectorRegistry()
    desk = replace(made.desk, standing=standing_in(LogSettings(archived.folder, tmp_path / "log.policy")))
    return ConsoleSite(desk, registry, create_api(desk, registry), made.tokens)


async def test_what_is_proven(site: ConsoleSite, archived: Archived) -> None:
    """All of it under a checkpoint that two of three witnesses saw; as the document says it."""
    archived.archive()
    letter = await digest(site, "first")
    answer = await got(site, f"{LETTERS}/{letter}/log", "olga")
    told = answer.json()
    assert (told["proven"], told["waiting"], told["since"]) == (len(archived.places(bytes.fromhex(letter))), 0, None)
    assert (sorted(told["witnesses"]), told["witnessed"]) == (sorted(QUORUM[:2]), True)
    document = json.loads(encoded(openapi_document()))
    schema = {"$ref": "#/components/schemas/LogTold", "components": document["components"]}
    Draft202012Validator(schema).validate(told)


async def test_what_waits(site: ConsoleSite, archived: Archived, tmp_path: Path) -> None:
    """Entries that were taken behind the newest checkpoint; one that too few cosigned is told as such."""
    letter = bytes.fromhex(await digest(site, "first"))
    archived.archive(archived.journal.records[:1], QUORUM[0])
    checkpoint = archived.folder / "log/heads/checkpoint"
    before = checkpoint.read_bytes()
    archived.archive(archived.journal.records[1:])
    checkpoint.write_bytes(before)
    found = log_standing(archived.folder, tmp_path / "log.policy", letter)
    places = archived.places(letter)
    assert (found.proven + found.waiting, found.waiting > 0, found.witnessed) == (len(places), True, False)
    assert found.since in {place.journalled for place in places}


async def test_nothing_to_look_at(site: ConsoleSite) -> None:
    """No archive, one without a checkpoint; a letter that is not there; a body, which sees its own part only."""
    letter = await digest(site, "first")
    for login, path, expected in (
        ("olga", f"{LETTERS}/{letter}/log", (503, "archive-unusable")),
        ("beta", f"{LETTERS}/{letter}/log", (403, "right-missing")),
        ("olga", f"{LETTERS}/{'0' * 64}/log", (404, "not-found")),
        ("olga", f"{LETTERS}/x/log", (404, "not-found")),
    ):
        answer = await got(site, path, login)
        assert (answer.status_code, answer.json()["code"]) == expected
    registry = CollectorRegistry()
    bare = replace(site, application=create_api(replace(site.desk, standing=None), registry))
    answer = await got(bare, f"{LETTERS}/{letter}/log", "olga")
    assert (answer.status_code, answer.json()["code"]) == (503, "log-not-here")
