"""A writer killed, or its machine cut off, between any two steps: nothing is torn, nothing that was safe is lost."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from exchange.archive.checking import check
from exchange.archive.contents import Contents
from exchange.archive.writer import ArchiveWriter
from tests.archive.dying import BATCH, JOURNAL_LENGTH, TAKEN
from tests.archive.support import PARTITIONS, POLICY, files, publish, records, take_rest

STRIDE = 37
ROOT = Path(__file__).parents[2]
JOURNAL = records(JOURNAL_LENGTH, content_each=25)


def dying(job: str, *folders: Path) -> str:
    """Let processes fill archives, and die; what they print."""
    command = [sys.executable, "-m", "tests.archive.dying", job, *map(str, folders)]
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many there are when nobody dies."""
    return int(dying("count", tmp_path_factory.mktemp("whole") / "0"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Tiles of the journal, without the log of heads, which depends on when they were made."""
    folder = tmp_path_factory.mktemp("whole")
    with ArchiveWriter(folder, PARTITIONS) as writer:
        writer.take(JOURNAL)
        publish(writer, 0)
    return {path: data for path, data in files(folder).items() if "/journal/" in path}


@pytest.mark.parametrize("job", ["kill", "cut"])
def test_dead_between_any_two_steps(job: str, steps: int, whole: Mapping[str, bytes], tmp_path: Path) -> None:
    """The next start goes on behind what was safe, and comes to the same logs."""
    first = STRIDE // 2 if job == "cut" else 0
    # Threads take turns, so no two runs have quite as many steps; the last of these is behind the end of any.
    folders = [tmp_path / str(step) for step in (*range(first, steps, STRIDE), 2 * steps)]
    dying(job, *folders)
    reached = set()
    for folder in folders:
        said = (tmp_path / f"{folder.name}.{TAKEN}").read_text().split() if folder.exists() else []
        safe = int(said[-1]) if said else 0
        with ArchiveWriter(folder, PARTITIONS) as writer:
            taken = sum(head.size for head in writer.logs)
            assert taken in {safe, min(safe + BATCH, JOURNAL_LENGTH)}, folder.name
            reached.add(taken)
            for each in JOURNAL[:taken]:
                for kept in each.contents:
                    assert Contents(folder).get(kept.commitment, each.journalled) == kept.content
            take_rest(writer, JOURNAL, step=200)
            publish(writer, JOURNAL_LENGTH)
            assert writer.unsigned is None
        with ArchiveWriter(folder, PARTITIONS):  # removes partial tiles of earlier checkpoints
            pass
        found = {path: data for path, data in files(folder).items() if "/journal/" in path}
        assert found == whole, folder.name
        assert list(check(folder, lambda *_: None, POLICY)) == []
    assert len(reached) == len(range(0, JOURNAL_LENGTH, BATCH)) + 1, "some before each batch, some behind the last"
