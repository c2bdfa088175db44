"""What tests of commands share: an installation that does not run."""

import shutil
from pathlib import Path

import pytest

from tests.cli.directory.place import Place


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that nobody changes: making all its keys takes longer than most tests."""
    folder = tmp_path_factory.mktemp("installed")
    Place.make(folder)
    return folder


@pytest.fixture
def place(installed: Path, tmp_path: Path) -> Place:
    """A copy, to be changed."""
    return Place(shutil.copytree(installed, tmp_path / "installation"))
