"""Time-stamps on the archive's disk."""

import errno
from pathlib import Path

import pytest

from exchange.archive.errors import ArchiveError
from exchange.archive.tokens import RESPONSE_BYTES, Stamped, Tokens
from exchange.tlog.errors import LogRefused


def note(size: int) -> bytes:
    """A checkpoint as a log signs it, but for the signature."""
    return f"exchange/00\n{size}\n{'A' * 43}=\n\n— exchange/00 AAAA\n".encode()


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """By sizes, in their order; half a pair is none."""
    tokens = Tokens(tmp_path)
    assert tokens.sizes() == []
    for size in (1000, 7):
        assert tokens.keep(note(size), b"answer") == size
    tokens.file(2000, "checkpoint").write_bytes(note(2000))
    (tokens.folder / ".draft").mkdir()
    assert tokens.sizes() == [7, 1000]
    assert tokens.read(7) == Stamped(7, note(7), b"answer")
    assert tokens.file(7, "tsr").name == "00000000000000000007.tsr"


def test_what_is_no_checkpoint_is_not_kept(tmp_path: Path) -> None:
    """Its size gives the file's name."""
    with pytest.raises(LogRefused):
        Tokens(tmp_path).keep(b"anything", b"answer")


def test_missing_and_endless_files(tmp_path: Path) -> None:
    """Each is told by its name."""
    tokens = Tokens(tmp_path)
    tokens.keep(note(7), bytes(RESPONSE_BYTES + 1))
    with pytest.raises(ArchiveError, match=r"7\.tsr") as refused:
        tokens.read(7)
    assert refused.value.code == "archive-damaged"
    with pytest.raises(ArchiveError) as missing:
        tokens.read(8)
    assert missing.value.code == "entry-missing"


def test_a_disk_that_says_no(tmp_path: Path) -> None:
    """In our words."""
    (tmp_path / "tokens").write_bytes(b"a file where the folder has to be")
    with pytest.raises(ArchiveError) as refused:
        Tokens(tmp_path).keep(note(7), b"answer")
    assert refused.value.code == "archive-unusable"
    assert isinstance(refused.value.__cause__, OSError)
    assert refused.value.__cause__.errno in {errno.EEXIST, errno.ENOTDIR}
