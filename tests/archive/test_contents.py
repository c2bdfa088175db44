"""The content store: what was committed to comes back, or who ordered that it does not."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.archive.contents import Authority, Contents
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import CONTENTS, PROOFS, Kept
from exchange.domain.ids import digest
from exchange.domain.statement import Content, commitment_digest

NOVEMBER = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
ORDER = Authority(3, 77)


def item(number: int, size: int = 5000) -> Kept:
    """Some content, with a text that is easy to find on a disk."""
    content = Content(digest(number.to_bytes(8)), b"confidential %d " % number * (size // 16))
    return Kept(commitment_digest(content), content)


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    """Ten items in two months."""
    (tmp_path / CONTENTS).mkdir()
    contents = Contents(tmp_path)
    contents.put((NOVEMBER if number < 5 else DECEMBER, item(number)) for number in range(10))
    return contents


def code(contents: Contents, commitment: bytes, at: datetime | None = None) -> str:
    """Why there is no such item."""
    with pytest.raises(ArchiveError) as caught:
        contents.get(commitment, at)
    return caught.value.code


def test_kept(contents: Contents) -> None:
    """By its commitment, with or without the time of its entry; put twice it stays what it is."""
    assert contents.months() == ["2026-12", "2026-11"]
    contents.put([(NOVEMBER, item(1))])
    for number in range(10):
        assert contents.get(item(number).commitment) == item(number).content
        assert contents.get(item(number).commitment, NOVEMBER if number < 5 else DECEMBER) == item(number).content
    assert code(contents, item(1).commitment, DECEMBER) == code(contents, bytes(32)) == "content-missing"


def test_deleted(contents: Contents, tmp_path: Path) -> None:
    """Salt and bytes leave the disk; who ordered it stays, the first for good; nothing else is touched."""
    wanted = item(3)
    with contents:
        contents.delete(wanted.commitment, ORDER)
        contents.delete(wanted.commitment, Authority(0, 1))
        contents.put([(NOVEMBER, wanted)])
        with pytest.raises(ArchiveError, match="entry 77 of journal/3") as caught:
            contents.get(wanted.commitment)
    assert caught.value.code == "content-deleted"
    data = b"".join(path.read_bytes() for path in (tmp_path / CONTENTS).iterdir())
    assert wanted.content.data[:30] not in data
    assert wanted.content.salt not in data
    assert contents.get(item(2).commitment) == item(2).content
    with pytest.raises(ArchiveError) as caught:
        contents.delete(bytes(32), ORDER)
    assert caught.value.code == "content-missing"


def test_a_month_forgotten(contents: Contents) -> None:
    """Its file goes; what was deleted in it by an order of its own still says by which."""
    contents.delete(item(3).commitment, Authority(0, 1))
    assert contents.forget("2026-11", ORDER) == 5
    assert contents.months() == ["2026-12"]
    assert code(contents, item(3).commitment) == code(contents, item(2).commitment, NOVEMBER) == "content-deleted"
    assert code(contents, item(2).commitment) == "content-missing"
    contents.delete(item(3).commitment, ORDER)
    assert contents.get(item(7).commitment) == item(7).content
    with pytest.raises(ArchiveError, match="2026-12") as caught:
        contents.forget("2026-11", ORDER)
    assert caught.value.code == "content-missing"


def test_what_decisions_rest_on_stays(contents: Contents) -> None:
    """Whatever month is forgotten; it is no letter's, so no order names it."""
    proof = replace(item(30), is_proof=True)
    contents.put([(NOVEMBER, proof)])
    contents.forget("2026-11", ORDER)
    assert (contents.months(), contents.parts()) == (["2026-12"], ["2026-12", PROOFS])
    assert contents.get(proof.commitment) == contents.get(proof.commitment, NOVEMBER) == proof.content
    assert list(contents.check(PROOFS)) == []
    for refused in (lambda: contents.forget(PROOFS, ORDER), lambda: contents.delete(proof.commitment, ORDER)):
        with pytest.raises(ArchiveError) as caught:
            refused()
        assert caught.value.code == "content-missing"


def test_a_month_that_is_open_is_forgotten(contents: Contents) -> None:
    """By whoever writes to it."""
    with contents:
        contents.put([(NOVEMBER, item(20))])
        assert contents.forget("2026-11", ORDER) == 6
        assert contents.months() == ["2026-12"]
        contents.put([(DECEMBER, item(21))])
        assert contents.get(item(21).commitment) == item(21).content


def test_altered(contents: Contents, tmp_path: Path) -> None:
    """Never handed out."""
    file = tmp_path / CONTENTS / "2026-12.sqlite"
    file.write_bytes(file.read_bytes().replace(b"confidential 7 ", b"confidential 8 "))
    with pytest.raises(ArchiveError, match=r"2026-12\.sqlite") as caught:
        contents.get(item(7).commitment)
    assert caught.value.code == "archive-damaged"
    assert list(contents.check("2026-12")) == [item(7).commitment]
