"""A console over a story of letters."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemBytecodeCache

from exchange.console.pages import rendering
from exchange.console.pages.language import Language
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from tests.console.auth.people import Staff, staffed
from tests.console.seed import seed_store
from tests.console.seed_acts import seed_acts
from tests.console.seed_tasks import seed_tasks
from tests.console.site import ConsoleSite, console_site
from tests.journal.synthetic import SyntheticJournal, story
from tests.services.evidence.filed import Filed
from tests.store.support import TOPIC, empty_store, fill
from tests.world import World


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A language's templates are compiled once for the consoles of all tests."""
    make = rendering._environment
    kept = {language: FileSystemBytecodeCache(str(tmp_path_factory.mktemp(language))) for language in Language}

    def made(language: Language, *rest: Any) -> Environment:
        environment = make(language, *rest)
        environment.bytecode_cache = kept[language]
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "_environment", made)
        yield


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story with a bit of everything."""
    return story(World(tmp_path_factory.mktemp("console")))


@pytest.fixture
def tracked(tmp_path: Path) -> Iterator[Store]:
    """An empty tracker's database, migrated."""
    with empty_store(tmp_path / "tracker.db") as opened:
        yield opened


@pytest.fixture
def site(told: SyntheticJournal, tracked: Store, tmp_path: Path) -> ConsoleSite:
    """A console that knows the whole story."""
    fill(tracked, told.records)
    tracked.count_changes(TOPIC)
    return console_site(tracked, told, tmp_path)


@pytest.fixture(scope="session")
def empty_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a desk with nobody at it: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("desk") / "desk.db"
    with DeskStore(f"sqlite:///{file}") as desk:
        desk.migrate()
    return file


@pytest.fixture
def staff(empty_desk: Path, tmp_path: Path) -> Iterator[Staff]:
    """A desk with nobody at it."""
    with staffed(shutil.copyfile(empty_desk, tmp_path / "desk.db")) as found:
        yield found


@pytest.fixture(scope="session")
def standing(told: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console that knows the whole story, for tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("standing")
    with Store(f"sqlite:///{folder}/tracker.db") as store:
        store.migrate()
        fill(store, told.records)
        store.count_changes(TOPIC)
        yield console_site(store, told, folder)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two months of letters; read only."""
    with Store(f"sqlite:///{tmp_path_factory.mktemp('seeded')}/tracker.db") as store:
        store.migrate()
        yield seed_acts(seed_store(store))


@pytest.fixture(scope="session")
def seeded_tasks(empty_desk: Path, seeded: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskStore]:
    """Tasks about these letters, one in each state; read only."""
    file = shutil.copyfile(empty_desk, tmp_path_factory.mktemp("tasks") / "desk.db")
    with DeskStore(f"sqlite:///{file}") as desk:
        yield seed_tasks(desk, seeded)


@pytest.fixture(scope="session")
def filed(told: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory) -> Filed:
    """The story in an archive."""
    found = Filed(told, tmp_path_factory.mktemp("archived") / "archive")
    found.take()
    (found.folder.parent / "log.policy").write_text(found.policy)
    return found
