"""Files appear whole, with the right mode, or not at all."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exchange.security.files import PRIVATE, write_atomically


def test_writes_with_mode_and_leaves_no_draft(tmp_path: Path) -> None:
    """A private file is private, and nothing else stays in the folder."""
    path = tmp_path / "new" / "key.pem"
    write_atomically(path, b"one", mode=PRIVATE)
    write_atomically(path, b"two", mode=PRIVATE)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == PRIVATE
    assert [entry.name for entry in path.parent.iterdir()] == ["key.pem"]


def test_several_writers_at_once(tmp_path: Path) -> None:
    """As two processes that follow the directory into one folder: each writes all of its own, one is the last."""
    path = tmp_path / "timestamp.json"
    contents = [str(number).encode() * 4096 for number in range(8)]

    def write(data: bytes) -> None:
        for _ in range(10):
            write_atomically(path, data)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as writers:
        list(writers.map(write, contents))
    assert [entry.name for entry in tmp_path.iterdir()] == ["timestamp.json"]


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    """When the target cannot be replaced, it stays as it was."""
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_atomically(target, b"data")
    assert (target / "inside").is_dir()
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
