"""A story that nobody altered, and archives of it that tests may spoil."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from exchange.journal.facts import JournalRecord
from tests.attacks.operator import Auditor
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal, story
from tests.world import World

Archiving = Callable[..., Archived]


@pytest.fixture(scope="package")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """Some of everything that can happen to letters."""
    return story(World(tmp_path_factory.mktemp("attacks")))


@pytest.fixture
def archive(tmp_path: Path, journal: SyntheticJournal) -> Archiving:
    """Makes archives, of other records where the operator wants it."""
    made: list[Archived] = []

    def make(records: Sequence[JournalRecord] | None = None, of: SyntheticJournal | None = None) -> Archived:
        archived = Archived(tmp_path / f"archive-{len(made)}", of or journal)
        archived.archive(archived.journal.records if records is None else records)
        made.append(archived)
        return archived

    return make


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    """Somebody who comes back."""
    return Auditor(tmp_path / "auditor.state")
