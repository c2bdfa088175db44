"""Bodies come in: planned by a list, let in by their request; what is wrong is told at once, and nothing entered."""

from datetime import date
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Limits, ListedCertificate, Names, Paper
from exchange.domain.ids import digest
from exchange.security.authority import Authority
from exchange.security.crl import read_crl
from exchange.security.enrolment import decode_answer, encode_request, make_request
from exchange.security.keys import PrivateKey, load_certificate
from tests.cli.directory.place import NOW, Place

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
    assert "error[certificate-not-listed]" in place.run("answer", "one").stderr, "nobody let it in"
    again = place.run("import", str(file), "--reason", "the country", *place.keys())
    assert "error[draft-empty]" in again.stderr


def test_a_request_is_granted(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entered by one keeper with the request's SHA-256, approved by another: only then is there an answer."""
    mine, answer, draft = keys(), tmp_path / "one.answer.json", tmp_path / "draft.json"
    request = asked(place, tmp_path, "one", mine)
    options = ("--authority", place.authority, "--draft", str(draft))
    done = place.run("grant", str(request), "--reason", "r", *options, "--key", place.keeper(0))
    assert done.exit_code == 0, done.stdout + done.stderr
    assert digest(request.read_bytes()).hex() in done.stdout.replace("\n", "")
    assert "one" not in place.folder.latest().bodies
    assert not answer.exists()
    for words in ("one (new), by keeper-1", "names.ru: Один\n", "    + statement: CN=one, number "):
        assert words in done.stdout
    approved = place.run("approve", str(draft), "--key", place.keeper(1), "--clock", place.clock)
    assert approved.exit_code == 0, approved.stderr
    assert f"send to the body: {answer}" in approved.stdout
    body = place.folder.latest().bodies["one"]
    assert body.status is BodyStatus.TESTING
    given = decode_answer(answer.read_bytes()).certificates
    assert {use: certificate.public_key() for use, certificate in given.items()} == {
        use: key.public_key() for use, key in mine.items()
    }
    assert len(body.certificates) == 3
    monkeypatch.chdir(tmp_path)
    first = answer.read_bytes()
    answer.unlink()
    assert place.run("answer", "one").exit_code == 0
    assert answer.read_bytes() == first, "who lost it can have it again"
    assert place.run("connect", "one", "--reason", "selftest", *place.keys()).exit_code == 0


def test_a_request_is_granted_once(place: Place, tmp_path: Path) -> None:
    """The same keys again, for the same body or another, are refused with their codes; no answer is written."""
    mine, answer, draft = keys(), tmp_path / "one.answer.json", tmp_path / "draft.json"
    options = ("--reason", "r", "--authority", place.authority, "--draft", str(draft), *place.keys())
    assert place.run("grant", str(asked(place, tmp_path, "one", mine)), *options).exit_code == 0
    answer.unlink()
    for code in ("one", "other"):
        done = place.run("grant", str(asked(place, tmp_path, code, mine)), *options)
        assert done.exit_code == 1
        assert "key-reused" in done.stdout
        assert not answer.exists()
    assert place.folder.latest().version == 2


def test_a_further_certificate_is_issued(place: Place, tmp_path: Path) -> None:
    """For a body that is listed, by its own request; nobody else's, and by no authority that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    for name in ("mfa", "minjust"):
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        (tmp_path / f"{name}.csr.pem").write_bytes(csr.public_bytes(Encoding.PEM))
    mine = str(tmp_path / "mfa.csr.pem")
    options = ("--reason", "renewal", *place.keys())
    done = place.run("issue", "mfa", mine, "--authority", place.authority, *options)
    assert done.exit_code == 0, done.stderr
    issued = load_certificate(tmp_path / "mfa.csr.pem.crt.pem")
    assert issued.public_bytes(Encoding.DER) == place.folder.latest().bodies["mfa"].certificates[-1].der
    for arguments, code in (
        (("issue", "mfa", str(tmp_path / "minjust.csr.pem"), "--authority", place.authority), "csr-unreadable"),
        (("issue", "mfa", __file__, "--authority", place.authority), "csr-unreadable"),
        (("issue", "nobody", mine, "--authority", place.authority), "body-unknown"),
        (("issue", "mfa", mine, "--authority", str(tmp_path)), "authority-missing"),
    ):
        assert f"error[{code}]" in place.run(*arguments, *options).stderr
    Authority(tmp_path / "strange", now=NOW)
    strange = place.run("issue", "mfa", mine, "--authority", str(tmp_path / "strange"), *options)
    assert "error[authority-missing]: the directory does not trust" in strange.stderr


def test_what_was_planned_stays(place: Place, tmp_path: Path) -> None:
    """Limits and dates of paper are the keepers'; the bridge that spoke for a body speaks no more."""
    bridge = ListedCertificate(load_certificate(place.issuer()).public_bytes(Encoding.DER), CertificateUse.TRANSPORT)
    names, paper = Names("Бир айыл", "Один", ""), Paper(date(2027, 1, 1), None)
    place.change(
        Body("one", names, "ayil-okmotu", BodyStatus.PLANNED, limits=Limits(5, 6), paper=paper, certificates=(bridge,))
    )
    draft = ("--draft", str(tmp_path / "draft.json"))
    options = ("--authority", place.authority, *draft, "--reason", "r", *place.keys())
    done = place.run("grant", str(asked(place, tmp_path, "one", keys())), *options)
    assert done.exit_code == 0, done.stdout + done.stderr
    body = place.folder.latest().bodies["one"]
    assert (body.limits, body.paper, body.status) == (Limits(5, 6), paper, BodyStatus.TESTING)
    assert [each.revoked is None for each in body.certificates] == [False, True, True, True]


def test_what_is_revoked_becomes_a_list_for_others(place: Place, tmp_path: Path) -> None:
    """A whole CRL of the authority's own, which a router takes; it names nobody else."""
    statements = {
        code: next(each.der for each in body.certificates if each.use is CertificateUse.STATEMENT)
        for code, body in place.folder.latest().bodies.items()
        if code in {"mfa", "minjust"}
    }
    revoked = place.run("revoke", "mfa", digest(statements["mfa"]).hex()[:16], "--reason", "stolen", *place.keys())
    assert revoked.exit_code == 0, revoked.stderr
    file = tmp_path / "own.crl"
    done = place.run("crl", "--authority", place.authority, "-o", str(file), "--days", "7")
    assert done.exit_code == 0, done.stderr
    root = load_certificate(Path(place.authority) / "ca" / "statement.crt.pem")
    crl = read_crl(file.read_bytes(), [root])
    serials = {code: x509.load_der_x509_certificate(der).serial_number for code, der in statements.items()}
    assert crl.revoked(serials["mfa"]) is not None
    assert crl.revoked(serials["minjust"]) is None
    assert (crl.next_update - crl.this_update).days == 7
