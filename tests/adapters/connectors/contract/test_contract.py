"""What `exchange.agent.ports.Connector` promises holds for every connector, also when the agent is killed."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError
from tests.adapters.connectors.contract.sql import DATABASES, database_of
from tests.adapters.connectors.contract.systems import FolderSystem, System, names
from tests.adapters.connectors.contract.web import WebSystem

FILES = {"document.xml": "<a>Өтүнүч</a>".encode(), "тиркеме 1.pdf": bytes(range(256)) * 40}
OTHERS = {"document.xml": b"<b/>"}
KEY = "0f" * 32


@pytest.fixture(params=["folder", "http", *DATABASES])
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    """An EDMS behind each connector."""
    with ExitStack() as stack:
        if request.param == "folder":
            yield FolderSystem(tmp_path)
        elif request.param == "http":
            yield stack.enter_context(WebSystem(tmp_path).running())
        else:
            yield stack.enter_context(database_of(request.param, request, tmp_path))


def test_the_oldest_comes_first_and_no_more_than_asked(system: System) -> None:
    """Whatever the names are; nothing when nothing is asked for."""
    for age in (12, 9, 10):
        system.put(str(age), FILES, age)
    assert names(system.connector(), 2) == ["9", "10"]
    assert names(system.connector()) == ["9", "10", "12"]
    assert names(system.connector(), 0) == []


def test_files_come_as_they_are(system: System) -> None:
    """Every byte, under names of any alphabet."""
    system.put("1", FILES, 1)
    (package,) = system.connector().collect(10)
    assert dict(package.files) == FILES


def test_what_was_not_put_aside_comes_again(system: System) -> None:
    """The agent was killed, or its spool was full: the same object and a new one give it again."""
    system.put("1", FILES, 1)
    connector = system.connector()
    assert names(connector) == names(connector) == names(system.connector()) == ["1"]
    assert system.taken() == set()


def test_what_is_archived_comes_no_more(system: System) -> None:
    """Archiving may be repeated, by an agent that does not know whether it had done so."""
    for number in (1, 2):
        system.put(str(number), FILES, number)
    connector = system.connector()
    assert names(connector) == ["1", "2"]
    connector.archive("1")
    connector.archive("1")
    assert names(connector) == ["2"]
    system.connector().archive("1")
    assert names(system.connector()) == ["2"]
    assert system.taken() == {"1"}


def test_what_cannot_be_sent_is_told_with_code_and_words(system: System) -> None:
    """It comes no more, and quarantining may be repeated."""
    system.put("1", FILES, 1)
    connector = system.connector()
    assert names(connector) == ["1"]
    for _ in range(2):
        connector.quarantine("1", "document.xml, line 7: Номер өтө узун", "document-invalid")
    assert names(connector) == names(system.connector()) == []
    assert "line 7: Номер өтө узун" in system.refused()["1"]
    assert "(document-invalid)" in system.refused()["1"]
    assert system.taken() == set()


def test_what_is_no_package_delays_no_other(system: System) -> None:
    """It is told on the way."""
    system.put_unsound("1")
    system.put("2", FILES, 2)
    assert names(system.connector()) == ["2"]
    assert set(system.refused()) == {"1"}


def test_a_staged_package_is_not_shown(system: System) -> None:
    """Not before it is published, and then whole and once, however often that is said."""
    connector = system.connector()
    connector.stage(KEY, Package("letter-from-mfa", FILES))
    assert system.shown() == []
    for _ in range(2):
        connector.publish(KEY)
        assert system.shown() == [FILES]


def test_killed_between_the_steps_it_is_shown_once(system: System) -> None:
    """Each step by another object over the same state."""
    system.connector().stage(KEY, Package("letter", FILES))
    assert system.shown() == []
    for _ in range(2):
        system.connector().publish(KEY)
        assert system.shown() == [FILES]


def test_staging_again_replaces(system: System) -> None:
    """The agent rendered it anew, because it was killed before it had noted that it was staged."""
    system.connector().stage(KEY, Package("letter", FILES))
    system.connector().stage(KEY, Package("letter", OTHERS))
    system.connector().publish(KEY)
    assert system.shown() == [OTHERS]


def test_keys_do_not_meet(system: System) -> None:
    """Two packages of the same name: publishing one does not touch the other."""
    connector = system.connector()
    connector.stage(KEY, Package("letter", FILES))
    connector.stage("1" * 64, Package("letter", OTHERS))
    connector.publish("1" * 64)
    assert system.shown() == [OTHERS]
    connector.publish(KEY)
    assert sorted(system.shown(), key=len) == [OTHERS, FILES]


def test_a_key_that_was_never_staged_shows_nothing(system: System) -> None:
    """Publishing it does nothing."""
    connector = system.connector()
    connector.publish(KEY)
    assert system.shown() == []


def test_unsafe_names_are_never_handed_over(system: System) -> None:
    """The last guard: whatever a format let pass."""
    connector = system.connector()
    for package in (Package("letter", {"../a": b"1"}), Package("letter", {"": b"1"})):
        with pytest.raises(DocumentError):
            connector.stage(KEY, package)
        connector.publish(KEY)
    assert system.shown() == []
