"""Policy file and directory, looked at again."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.resources import resource
from exchange.services.tracker.terms import LOOK_SECONDS, TermsFiles
from tests.world import World

SHIPPED = resource("config", "policy.toml").read_bytes()


class Place:
    """A policy file and a directory that change, and a clock that is set."""

    def __init__(self, folder: Path) -> None:
        """The policy that ships."""
        self.file = folder / "policy.toml"
        self.file.write_bytes(SHIPPED)
        self.directory = World(folder / "world").directory
        self.now = 0.0
        self.date = datetime(2026, 3, 1, tzinfo=UTC)

    def newest(self, known: Directory | None) -> Directory:
        """As the folder does it."""
        return known if known is not None and known.version == self.directory.version else self.directory

    def terms(self) -> TermsFiles:
        """Read for the first time."""
        return TermsFiles(self.file, self.newest, lambda: self.now, lambda: self.date)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Of this test."""
    return Place(tmp_path)


def test_the_same_value_until_something_changes(place: Place) -> None:
    """Who asks for every batch sees by identity that nothing is to be reckoned anew."""
    terms = place.terms()
    first = terms.current()
    assert first.policy == digest(SHIPPED)
    place.now += LOOK_SECONDS
    assert terms.current() is first
    place.file.write_bytes(SHIPPED.replace(b'"1 working day"', b'"2 working days"'))
    assert terms.current() is first
    place.now += LOOK_SECONDS
    second = terms.current()
    assert second.terms.digest != first.terms.digest
    place.directory = dataclasses.replace(place.directory, version=2)
    place.now += LOOK_SECONDS
    assert terms.current() is not second
    assert terms.current().terms.digest == second.terms.digest


def test_what_cannot_be_used_changes_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A slip, or a file that is gone: what was in force goes on, and the log names the field."""
    terms = place.terms()
    first = terms.current()
    for data in (SHIPPED.replace(b'stage = "reply"', b'stage = "replied"'), SHIPPED.replace(b"09:00-", b"09:0-", 1)):
        place.file.write_bytes(data)
        place.now += LOOK_SECONDS
        assert terms.current() is first
    place.file.unlink()
    place.now += LOOK_SECONDS
    assert terms.current() is first
    assert "deadline[7].stage" in caplog.text
    assert "calendar.monday" in caplog.text
    assert "cannot be read" in caplog.text


def test_the_next_year_is_asked_for_in_time(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """From two months before the end on, once a day, until it is given."""
    terms = place.terms()
    assert caplog.messages == []
    for asked, day in enumerate((31, 31, 30)):
        place.date = datetime(2026, 12, day, asked, tzinfo=UTC)
        place.now += LOOK_SECONDS
        terms.current()
    assert ["ends on 2026-12-31" in line and "calendar-ended" in line for line in caplog.messages] == [True, True]
    place.file.write_bytes(SHIPPED + b"[calendar.years.2027]\n")
    place.date, place.now = datetime(2026, 12, 29, tzinfo=UTC), place.now + LOOK_SECONDS
    terms.current()
    assert len(caplog.messages) == 2


def test_at_the_start_it_is_told_at_once(place: Place) -> None:
    """With its code."""
    place.file.write_bytes(SHIPPED + b'[[deadline]]\nstage = "deliver"\nwithin = "1 day"\nto = "kind:ministery"\n')
    with pytest.raises(ConfigurationError, match="ministery") as caught:
        place.terms()
    assert caught.value.code == "policy-invalid"
    place.file.unlink()
    with pytest.raises(ConfigurationError) as caught:
        place.terms()
    assert caught.value.code == "policy-missing"
