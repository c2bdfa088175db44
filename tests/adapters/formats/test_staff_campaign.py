"""An attestation campaign through agents and the exchange, and that nobody on the way learns of whom it tells.

alpha is a ministry, beta the personnel service; both are on e-Kyzmat. The tracker reads the journal that comes of it.
"""

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from adapters.formats.staff import EKyzmatFormat
from exchange.agent.agent import Agent
from exchange.agent.spool import Spool
from exchange.domain.decision import Journalled
from exchange.domain.delivery import Position
from exchange.domain.event import Event
from exchange.journal.facts import JournalRecord
from exchange.services.agent import AgentService
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.store.database import Store
from exchange.wire.records import encode
from tests.adapters.formats.campaign import (
    COMMISSION,
    PEOPLE,
    attestations,
    campaign_staff,
    personal_number,
    receipt_of_letter,
    staff_package,
)
from tests.agent.conftest import authority_folder, place
from tests.agent.edms import MemoryEdms
from tests.agent.place import Place, until
from tests.services.journal_fake import FakeJournal, as_taken
from tests.world import NOW

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""

WRONG, UNKNOWN = 16, 8
"""Whose validity ends before it begins; whom the personnel service does not know."""
REASON = f"{PEOPLE[UNKNOWN][0]} {PEOPLE[UNKNOWN][1]} мамлекеттик кызматта жок"


@asynccontextmanager
async def running(place: Place, registry: CollectorRegistry, **edms: MemoryEdms) -> AsyncIterator[None]:
    """The agent of these bodies as a service."""
    with Spool(place.spool("both")) as spool:
        office = place.office(spool)
        agent = Agent(office, place.members(*edms, edms=edms), place.simulator.transport)
        service = asyncio.create_task(AgentService(agent, office.counters, registry).run())
        try:
            yield
        finally:
            service.cancel()
            await asyncio.wait([service])


def answers_to(letter: dict[str, Any]) -> dict[str, Any]:
    """What the personnel service says of each person."""
    entered = [
        {"record": record["id"], "outcome": "entered", "number": f"А-{index}", "entered_on": "2026-03-01"}
        for index, record in enumerate(letter["staff"]["records"])
    ]
    place = "/employee/personal_number"
    entered[UNKNOWN] = {"record": f"r-{UNKNOWN + 1}", "outcome": "refused", "reason": REASON, "place": place}
    return {"answers": entered}


def letters(edms: MemoryEdms) -> list[dict[str, Any]]:
    """Letters that were handed over."""
    return [json.loads(package.files["letter.json"]) for package in edms.packages if "letter.json" in package.files]


def receipts(edms: MemoryEdms) -> list[dict[str, Any]]:
    """Receipts that were handed over."""
    return [json.loads(package.files["receipt.json"]) for package in edms.packages if "receipt.json" in package.files]


async def campaign(place: Place, registry: CollectorRegistry) -> tuple[MemoryEdms, MemoryEdms]:
    """The campaign from the ministry's first try to the last answer."""
    ministry, service = MemoryEdms(format=EKyzmatFormat()), MemoryEdms(format=EKyzmatFormat())
    records = attestations()
    wrong = copy.deepcopy(records)
    wrong[WRONG]["valid_until"] = "2026-01-01"
    about = {"title": "ЭДО боюнча аттестациянын жыйынтыгы", "document_id": "d-1"}
    async with running(place, registry, alpha=ministry, beta=service):
        ministry.put(staff_package("first-try", "m-0", "beta", campaign_staff(wrong), **about))
        await until(lambda: bool(ministry.quarantined))
        ministry.put(staff_package("corrected", "m-1", "beta", campaign_staff(records), **about))
        await until(lambda: bool(letters(service)))
        (letter,) = letters(service)
        said = {"reason_text": REASON, "note": f"ПИН {personal_number(UNKNOWN)}"}
        service.put(receipt_of_letter("progress", "m-1", "progress", NOW.isoformat(), **said))
        service.put(staff_package("answers", "m-2", "alpha", answers_to(letter), in_reply_to=letter["document_id"]))
        await until(
            lambda: bool(letters(ministry)) and Event.PROGRESS in {each["event"] for each in receipts(ministry)}
        )
        await until(lambda: Event.REPLY_SENT in {each["event"] for each in receipts(ministry)})
    return ministry, service


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, at every level."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


async def test_a_campaign_is_sent_received_and_answered_per_person(place: Place) -> None:
    """The wrong record holds the letter back by name of its field; corrected, each of thirty people gets an answer."""
    ministry, service = await campaign(place, CollectorRegistry())
    problem = ministry.quarantined["first-try"]
    assert f"/staff/records/{WRONG}/valid_until: earlier than the first day" in problem
    assert problem.startswith("letter.json, line ")
    (letter,) = letters(service)
    assert letter["staff"] == campaign_staff(attestations())
    assert (letter["access"], letter["personal_data"], letter["sender"]["body"]) == ("confidential", True, "alpha")
    (reply,) = letters(ministry)
    assert (reply["message_type"], reply["in_reply_to"], reply["personal_data"]) == ("reply", "d-1", True)
    outcomes = {answer["record"]: answer for answer in reply["staff"]["answers"]}
    assert set(outcomes) == {record["id"] for record in letter["staff"]["records"]}
    (refused,) = (answer for answer in outcomes.values() if answer["outcome"] == "refused")
    assert (refused["record"], refused["place"]) == (f"r-{UNKNOWN + 1}", "/employee/personal_number")
    assert refused["reason"] == REASON
    (progress,) = (each for each in receipts(ministry) if each["event"] == "progress")
    assert progress["note"] == f"{REASON}\nПИН {personal_number(UNKNOWN)}"


def journal_of(place: Place) -> FakeJournal:
    """What the router journalled."""
    values = [encode(Journalled(entry.entry, entry.contents)) for entry in place.simulator.entries]
    assert PEOPLE[0][0].encode() in b"".join(values)
    journal = [JournalRecord(Position(0, offset), NOW, value) for offset, value in enumerate(values)]
    return FakeJournal(records=[as_taken(record) for record in journal])


async def test_personal_data_stays_in_the_letter(
    place: Place, tmp_path: Path, records: pytest.LogCaptureFixture
) -> None:
    """Neither log lines, nor metrics, nor the tracker's database hold a name or a number; the journal does."""
    registry, folder = CollectorRegistry(), tmp_path / "tracker"
    folder.mkdir()
    await campaign(place, registry)
    journal = journal_of(place)
    with Store(f"sqlite:///{folder}/tracker.db") as store:
        store.migrate()
        tracker = Tracker(journal.open, store, journal.partitions, TrackerMetrics(registry), lambda: NOW)
        assert await tracker.catch_up() == len(journal.records)
    seen = {
        "log": "\n".join([*records.messages, records.text]).encode(),
        "metrics": generate_latest(registry),
        "tracker": b"".join(file.read_bytes() for file in folder.iterdir()),
    }
    assert b"m-1" in seen["tracker"]
    assert b"exchange_agent_quarantined_total" in seen["metrics"]
    assert b"first-try is quarantined" in seen["log"]
    secrets = [word for names in PEOPLE for word in names] + [personal_number(index) for index in range(len(PEOPLE))]
    secrets += [str(COMMISSION["chair"]), "аттестаци", REASON]
    told = {(where, word) for where, text in seen.items() for word in secrets if word.encode() in text}
    assert not told
