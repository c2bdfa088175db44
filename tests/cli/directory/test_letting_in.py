"""Bodies come in: planned by a list, let in by their request; what is wrong is told at once, and nothing entered."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Names
from exchange.domain.ids import digest
from exchange.security.enrolment import decode_answer, encode_request, make_request
from exchange.security.keys import PrivateKey
from tests.cli.directory.test_looking import NOW, Place

WRONG = """code;kind;name_ky;name_ru;soate
one;ayil-okmotu;Бир;Один;99999999999999
one;ayil-okmotu;Бир;Один;
svc-router;ayil-okmotu;Бир;Один;
two;wizard;Эки;Два;
"""
GOOD = """code;kind;name_ky;name_ru;soate;parent
one;ayil-okmotu;Бир айыл;Один;41702205807000;two
two;raion;Эки район;Два;41702205000000;
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation that does not run."""
    return Place(tmp_path / "installation")


def keys() -> dict[CertificateUse, PrivateKey]:
    """One for each use."""
    return {use: ec.generate_private_key(ec.SECP256R1()) for use in CertificateUse}


def asked(place: Place, folder: Path, code: str, of: dict[CertificateUse, PrivateKey]) -> Path:
    """A body's request in a file."""
    body = Body(code, Names("Бир айыл", "Один", ""), "ayil-okmotu", BodyStatus.REQUESTED, soate="41702205807000")
    file = folder / f"{code}.request.json"
    file.write_bytes(encode_request(make_request(body, place.folder.exchange, of, NOW)))
    return file


def test_a_list_with_mistakes(place: Place, tmp_path: Path) -> None:
    """All of them, with line and column; nothing is entered."""
    file = tmp_path / "list.csv"
    file.write_text(WRONG, encoding="utf-8")
    done = place.run("import", str(file), "--reason", "the country", *place.keys())
    assert done.exit_code == 1
    for words in ("line 2, column soate", "line 3, column code", "line 4, column code", "line 5, column kind"):
        assert words in done.stdout
    assert place.folder.latest().version == 1
    assert "error[file-unreadable]" in place.run("import", "nowhere.csv", "--reason", "r", *place.keys()).stderr


def test_a_list_is_planned(place: Place, tmp_path: Path) -> None:
    """One draft for all; the same list again changes nothing."""
    file = tmp_path / "list.csv"
    file.write_text(GOOD, encoding="utf-8-sig")
    done = place.run("import", str(file), "--reason", "the country", *place.keys())
    assert done.exit_code == 0, done.stdout + done.stderr
    assert place.status("one") is place.status("two") is BodyStatus.PLANNED
    again = place.run("import", str(file), "--reason", "the country", *place.keys())
    assert "error[draft-empty]" in again.stderr


def test_a_request_is_granted(place: Place, tmp_path: Path) -> None:
    """Entered by one keeper with the request's SHA-256, approved by another; the certificates are the body's."""
    mine, answer, draft = keys(), tmp_path / "one.answer.json", tmp_path / "draft.json"
    request = asked(place, tmp_path, "one", mine)
    options = ("--authority", place.authority, "--answer", str(answer), "--draft", str(draft))
    done = place.run("grant", str(request), "--reason", "r", *options, "--key", place.keeper(0))
    assert done.exit_code == 0, done.stdout + done.stderr
    assert digest(request.read_bytes()).hex() in done.stdout.replace("\n", "")
    assert "one" not in place.folder.latest().bodies
    approved = place.run("approve", str(draft), "--key", place.keeper(1), "--clock", place.clock)
    assert approved.exit_code == 0, approved.stderr
    body = place.folder.latest().bodies["one"]
    assert body.status is BodyStatus.TESTING
    given = decode_answer(answer.read_bytes()).certificates
    assert {use: certificate.public_key() for use, certificate in given.items()} == {
        use: key.public_key() for use, key in mine.items()
    }
    assert len(body.certificates) == 3
    assert place.run("connect", "one", "--reason", "selftest", *place.keys()).exit_code == 0


def test_a_request_is_granted_once(place: Place, tmp_path: Path) -> None:
    """The same keys again, for the same body or another, are refused with their codes; no answer is written."""
    mine, answer = keys(), tmp_path / "answer.json"
    options = ("--reason", "r", "--authority", place.authority, "--answer", str(answer), *place.keys())
    assert place.run("grant", str(asked(place, tmp_path, "one", mine)), *options).exit_code == 0
    answer.unlink()
    for code in ("one", "other"):
        done = place.run("grant", str(asked(place, tmp_path, code, mine)), *options)
        assert done.exit_code == 1
        assert "key-reused" in done.stdout
        assert not answer.exists()
    assert place.folder.latest().version == 2
