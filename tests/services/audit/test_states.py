"""States out of the archive's log: those that a replay of the journal gives, and nothing of a log that is altered."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.domain.errors import ExchangeError
from exchange.services.audit.states import Folded, fold
from tests.audited import Archived
from tests.journal.synthetic import story
from tests.world import World


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """A story, archived."""
    made = Archived(tmp_path_factory.mktemp("archived"), story(World(tmp_path_factory.mktemp("states"))))
    made.archive(step=4)
    return made


def folded(archived: Archived, at: datetime | None = None, body: str = "") -> Folded:
    """What comes of it."""
    return fold(archived.opening()(), archived.keys.policy, lambda _done, _of: None, at=at, body=body)


def test_the_same_as_of_the_journal(archived: Archived) -> None:
    """All states, by all recipients; times are those of the heads."""
    report, states = archived.journal.replayed()
    found = folded(archived)
    assert (found.states, found.flags) == (report.states, report.flags)
    listed = {(each.letter, each.recipient): each.delivery.state for each in folded(archived, body="beta").deliveries}
    assert listed.items() <= {key: delivery.state for key, delivery in states.items()}.items()
    assert listed.keys() >= {key for key in states if key[1] == "beta"}


def test_as_of_an_instant(archived: Archived) -> None:
    """Heads that were made later do not count."""
    whole = folded(archived)
    assert whole.until is not None
    early = folded(archived, at=whole.until - timedelta(seconds=1))
    assert early.until is not None
    assert early.until < whole.until
    assert folded(archived, at=datetime(2020, 1, 1, tzinfo=UTC)).until is None


@pytest.mark.parametrize("log", ["heads", "journal/0", "journal/1"])
def test_another_log_is_not_folded(archived: Archived, tmp_path: Path, log: str) -> None:
    """Whatever byte of an entry differs: a root does, or it is no entry at all."""
    shutil.copytree(archived.folder, tmp_path / "archive")
    bundles = (tmp_path / "archive/log" / log / "tile/entries").rglob("*")
    for file in [path for path in bundles if path.is_file()]:
        data = bytearray(file.read_bytes())
        data[-3] ^= 1
        file.write_bytes(data)
    with pytest.raises(ExchangeError):
        folded(replace(archived, folder=tmp_path / "archive"))
