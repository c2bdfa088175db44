"""Files appear whole, with the right mode, or not at all."""

import stat
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


def test_a_draft_left_by_a_crash_is_replaced(tmp_path: Path) -> None:
    """Neither its bytes nor its mode survive."""
    draft = tmp_path / ".key.pem.new"
    draft.write_bytes(b"half")
    draft.chmod(0o644)
    write_atomically(tmp_path / "key.pem", b"whole", mode=PRIVATE)
    assert (tmp_path / "key.pem").read_bytes() == b"whole"
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == PRIVATE


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    """When the target cannot be replaced, it stays as it was."""
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_atomically(target, b"data")
    assert (target / "inside").is_dir()
