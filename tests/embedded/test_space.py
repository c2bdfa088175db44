"""A full disk."""

from pathlib import Path

import pytest

from exchange.embedded.errors import SpaceMissingError
from exchange.embedded.space import space_for


def test_too_little_space_is_told_before_anything_starts(tmp_path: Path) -> None:
    """No disk holds 2**62 bytes: the block is not entered, the folder and the amount are named."""
    folder = tmp_path / "new"
    with pytest.raises(SpaceMissingError, match=str(folder)) as refused, space_for(folder, 2**62):
        pytest.fail("entered")
    assert (refused.value.code, refused.value.retriable) == ("embedded-no-space", True)


def test_space_that_runs_out_on_the_way_is_told(tmp_path: Path) -> None:
    """The kernel's own ENOSPC, from the device that is always full."""
    with pytest.raises(SpaceMissingError), space_for(tmp_path, 0), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    """Only a full disk is called one."""
    with pytest.raises(FileNotFoundError), space_for(tmp_path, 0):
        (tmp_path / "missing").read_bytes()
