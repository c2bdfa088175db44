"""Tokens that openssl makes, checked by us and by openssl; and all that must not pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.embedded.time_authority import TimeAuthority
from exchange.security.documents import ber
from exchange.security.errors import KeyRefused
from exchange.security.keys import KeyPair
from exchange.security.timestamps import (
    Authorities,
    Imprint,
    Stamp,
    TimestampError,
    accept,
    query,
    read_token,
    token_of,
)
from exchange.security.timestamps.response import RESPONSE_BYTES
from exchange.security.validity import Validity
from tests.security.support import DAY, certify_root, openssl
from tests.security.timestamps.forging import (
    CONTENT_TYPE,
    DIGEST,
    MEANT_V1,
    MEANT_V2,
    ONLY,
    Forger,
    issued,
    meant_v1,
    meant_v2,
    weak_imprint,
)
from tests.strategies import mutations

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")

NOTE = b"exchange/00\n7\nAAAA\n\n\xe2\x80\x94 exchange/00 AAAA\n"
NONCE = 2**63 + 5
AT = datetime(2025, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def response(authority: TimeAuthority) -> bytes:
    """A good answer."""
    return authority.reply(query(Imprint.of(NOTE), NONCE))


def refusal(response: bytes, trusted: Authorities, now: datetime, note: bytes = NOTE, nonce: int = NONCE) -> str:
    """What is said against an answer."""
    with pytest.raises(TimestampError) as refused:
        accept(response, Imprint.of(note), nonce, trusted, now)
    assert refused.value.code == "timestamp-invalid"
    assert not refused.value.retriable
    return str(refused.value)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_what_openssl_stamps_holds(
    authority: TimeAuthority, trusted: Authorities, now: datetime, algorithm: str
) -> None:
    """By each digest, for request and answer; its chain's end is known."""
    imprint = Imprint.of(NOTE, algorithm)
    stamp = accept(authority.reply(query(imprint, NONCE)), imprint, NONCE, trusted, now)
    assert stamp.token.imprint == imprint
    assert abs(stamp.token.at - now) < timedelta(minutes=2)
    assert stamp.token.accuracy == timedelta(seconds=1)
    assert stamp.until == stamp.authority.not_valid_after_utc


def test_openssl_says_the_same(authority: TimeAuthority, response: bytes, tmp_path: Path) -> None:
    """`openssl ts -verify` takes what we take, by the data and by our own request."""
    files = {"note": NOTE, "tsr": response, "tsq": query(Imprint.of(NOTE), NONCE), "token": token_of(response)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    common = ("ts", "-verify", "-CAfile", authority.root, "-in")
    assert openssl(*common, tmp_path / "tsr", "-data", tmp_path / "note").returncode == 0
    assert openssl(*common, tmp_path / "tsr", "-queryfile", tmp_path / "tsq").returncode == 0
    assert openssl(*common, tmp_path / "token", "-token_in", "-data", tmp_path / "note").returncode == 0


def test_openssl_asks_as_we_do(authority: TimeAuthority, trusted: Authorities, tmp_path: Path) -> None:
    """The same request from `openssl ts -query`, but for the nonce; its answer holds here."""
    (tmp_path / "note").write_bytes(NOTE)
    words = ("-data", tmp_path / "note", "-sha256", "-cert", "-no_nonce", "-out", tmp_path / "tsq")
    assert openssl("ts", "-query", *words).returncode == 0
    theirs = (tmp_path / "tsq").read_bytes()
    ours = query(Imprint.of(NOTE), 1)
    assert ber.sequence(ber.read(theirs))[1].written == ber.sequence(ber.read(ours))[1].written
    stamp = trusted.verify(token_of(authority.reply(theirs)), Imprint.of(NOTE))
    assert stamp.token.nonce is None


def test_another_content_root_request_or_clock(response: bytes, trusted: Authorities, now: datetime) -> None:
    """Each is refused in words of its own."""
    assert "something else" in refusal(response, trusted, now, note=NOTE + b"\n")
    assert "another request" in refusal(response, trusted, now, nonce=5)
    assert "no authority that is trusted" in refusal(response, Authorities((certify_root().certificate,)), now)
    assert "clock" in refusal(response, trusted, now + timedelta(hours=1))


def test_a_refusal_is_told_in_the_authoritys_words(authority: TimeAuthority) -> None:
    """It is no token, and another code."""
    with pytest.raises(TimestampError) as refused:
        token_of(authority.reply(b"no request"))
    assert refused.value.code == "timestamp-refused"
    assert "status 2" in str(refused.value)


@pytest.fixture(scope="module")
def root() -> KeyPair:
    """Vouches for the forger."""
    return certify_root("root of an authority")


@pytest.fixture(scope="module")
def forger(root: KeyPair) -> Forger:
    """An authority that does as it is told."""
    return Forger(issued(root))


def checked(forger: Forger, root: KeyPair, at: datetime = AT) -> Stamp:
    """What the token of a forger comes to."""
    return Authorities((root.certificate,)).verify(forger.token(Imprint.of(NOTE), at), Imprint.of(NOTE))


def test_a_token_of_few_lines(forger: Forger, root: KeyPair, tmp_path: Path) -> None:
    """The forger is a good authority as long as nobody tells it otherwise: openssl says so, too."""
    assert checked(forger, root).token.at == AT
    for name, data in {"note": NOTE, "tsr": forger.response(Imprint.of(NOTE), AT)}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "root").write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))
    done = openssl("ts", "-verify", "-in", tmp_path / "tsr", "-data", tmp_path / "note", "-CAfile", tmp_path / "root")
    assert done.returncode == 0, done.stderr


def test_a_chain_with_an_issuer_between(root: KeyPair) -> None:
    """It may be for time-stamps only, as those of public authorities are; the shortest life counts."""
    short = Validity(AT - DAY, AT + DAY)
    between = issued(root, ca=True, validity=short)
    forger = Forger(issued(between), (between,))
    assert checked(forger, root).until == short.not_after
    with pytest.raises(TimestampError, match="no authority that is trusted"):
        checked(replace(forger, chain=()), root)
    mail = issued(root, ca=True, usages=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    with pytest.raises(TimestampError, match="no authority that is trusted"):
        checked(Forger(issued(mail), (mail,)), root)


def test_an_authority_as_they_are_in_the_world(authority: TimeAuthority, now: datetime, tmp_path: Path) -> None:
    """RSA, an issuer between, SHA-512, and a root of long ago that marks nothing as critical."""
    words = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-config", tmp_path / "req.cnf", "-subj")
    parts = "[req]\ndistinguished_name = dn\n[dn]\n[root]\nbasicConstraints = CA:TRUE\n"
    usage = "extendedKeyUsage = {0}timeStamping\n"
    between = f"[between]\nbasicConstraints = CA:TRUE\nkeyUsage = keyCertSign\n{usage.format('')}"
    signer = f"[authority]\nkeyUsage = digitalSignature\n{usage.format('critical,')}"
    (tmp_path / "req.cnf").write_text(parts + between + signer)
    above: tuple[str | Path, ...] = ()
    for name in ("root", "between", "authority"):
        files = ("-keyout", tmp_path / f"{name}.key.pem", "-out", tmp_path / f"{name}.crt.pem")
        done = openssl(*words, f"/CN={name}", "-extensions", name, *files, *above)
        assert done.returncode == 0, done.stderr
        above = ("-CA", tmp_path / f"{name}.crt.pem", "-CAkey", tmp_path / f"{name}.key.pem")
    lines = (authority.folder / "openssl.cnf").read_text().replace(str(authority.folder), str(tmp_path))
    lines = lines.replace("root.crt.pem", "between.crt.pem").replace("signer_digest = sha256", "signer_digest = sha512")
    (tmp_path / "openssl.cnf").write_text(lines)
    answer = replace(authority, folder=tmp_path).reply(query(Imprint.of(NOTE), NONCE))
    trusted = Authorities.load(tmp_path / "root.crt.pem")
    stamp = accept(answer, Imprint.of(NOTE), NONCE, trusted, now)
    assert stamp.token.signed_data.signers[0].digest.oid == "2.16.840.1.101.3.4.2.3"


def test_a_root_that_is_no_issuer() -> None:
    """A certificate for anything else vouches for nobody, trusted or not."""
    leaf = issued(certify_root())
    with pytest.raises(TimestampError, match="no authority that is trusted"):
        checked(Forger(issued(leaf)), leaf)


def test_the_chain_holds_as_of_the_stated_time(root: KeyPair) -> None:
    """A certificate that ended since is as good as it was; one that had ended is not."""
    forger = Forger(issued(root, validity=Validity(AT - DAY, AT + DAY)))
    assert checked(forger, root, AT).until < datetime.now(UTC)
    for at in (AT - 2 * DAY, AT + 2 * DAY):
        with pytest.raises(TimestampError, match="no authority that is trusted"):
            checked(forger, root, at)


@pytest.mark.parametrize(
    ("usages", "critical"),
    [(ONLY, False), (None, True), ((*ONLY, ExtendedKeyUsageOID.CODE_SIGNING), True)],
)
def test_a_certificate_for_other_things(
    root: KeyPair,
    usages: tuple[x509.ObjectIdentifier, ...] | None,
    critical: bool,  # noqa: FBT001
) -> None:
    """Time-stamps have to be its only use, and that critical (RFC 3161, 2.3)."""
    with pytest.raises(TimestampError, match="no authority that is trusted"):
        checked(Forger(issued(root, usages=usages, critical=critical)), root)


def test_which_certificate_was_meant(forger: Forger, root: KeyPair) -> None:
    """RFC 2634's words do as well as RFC 5035's; none, or those of another certificate, do not."""
    mine, another = forger.signer.certificate, root.certificate
    good: list[dict[str, bytes | None]] = [
        {MEANT_V2: None, MEANT_V1: meant_v1(mine)},
        {MEANT_V1: meant_v1(mine)},
    ]
    bad: list[dict[str, bytes | None]] = [
        {MEANT_V2: None},
        {MEANT_V2: meant_v2(another)},
        {MEANT_V2: None, MEANT_V1: meant_v1(another)},
        {MEANT_V1: meant_v1(another)},
    ]
    for attributes in good:
        checked(replace(forger, attributes=attributes), root)
    for attributes in bad:
        with pytest.raises(TimestampError, match="meant another certificate"):
            checked(replace(forger, attributes=attributes), root)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"signers": 2}, "2 signers"),
        ({"signers": 0}, "0 signers"),
        ({"kind": "06092a864886f70d010701"}, "no token"),
        ({"attributes": {CONTENT_TYPE: bytes.fromhex("06092a864886f70d010701")}}, "signed no token"),
        ({"attributes": {CONTENT_TYPE: None}}, "signed no token"),
        ({"attributes": {DIGEST: b"\x04\x01\x00"}}, "altered"),
        ({"attributes": {DIGEST: b"\x05\x00"}}, "broken"),
        ({"attributes": {MEANT_V2: b"\x30\x00"}}, "broken"),
        ({"behind": b"\xa1\x0c\x30\x0a\x06\x03\x2a\x03\x04\x01\x01\xff\x04\x00"}, "critical extension"),
        ({"behind": b"\x02\x01\x01\x01\x01\xff"}, "something unknown"),
        ({"behind": b"\x30\x04\x80\x02\x7f\xff"}, "accuracy"),
        ({"behind": b"\x30\x80\x00\x00"}, "not DER"),
        ({"version": 2}, "version 2"),
    ],
)
def test_odd_tokens(forger: Forger, root: KeyPair, changes: dict[str, Any], words: str) -> None:
    """What an authority, or somebody who took its key, might leave out or put in."""
    with pytest.raises(TimestampError, match=words) as refused:
        checked(replace(forger, **changes), root)
    assert refused.value.code == "timestamp-invalid"


def test_keys_for_other_things(root: KeyPair) -> None:
    """An authority whose key may not sign; an issuer between whose key may not certify."""
    with pytest.raises(TimestampError, match="no authority that is trusted"):
        checked(Forger(issued(root, signs=False)), root)
    between = issued(root, ca=True, signs=False)
    with pytest.raises(TimestampError, match="no authority that is trusted"):
        checked(Forger(issued(between), (between,)), root)


def test_a_signature_that_does_not_hold(forger: Forger, root: KeyPair) -> None:
    """By another key, and by an algorithm that was broken."""
    stranger = Forger(KeyPair(certify_root().key, forger.signer.certificate))
    with pytest.raises(TimestampError, match="signature does not hold"):
        checked(stranger, root)
    token = forger.token(Imprint.of(NOTE), AT)
    before, _, value = token.rpartition(bytes.fromhex("06082a8648ce3d040302"))
    changed = before + bytes.fromhex("06082a8648ce3d040301") + value
    with pytest.raises(TimestampError, match="not relied on"):
        Authorities((root.certificate,)).verify(changed, Imprint.of(NOTE))


def test_a_token_without_its_certificate(forger: Forger, root: KeyPair) -> None:
    """It is asked for; nobody looks for it elsewhere."""
    alone = replace(forger, signer=KeyPair(forger.signer.key, issued(root).certificate))
    token = alone.token(Imprint.of(NOTE), AT)
    number = alone.signer.certificate.serial_number
    before, serial, behind = token.rpartition(number.to_bytes(number.bit_length() // 8 + 1, "big"))
    named = before + bytes(len(serial)) + behind
    with pytest.raises(TimestampError, match="certificate of its signer is not in it"):
        Authorities((root.certificate,)).verify(named, Imprint.of(NOTE))


def test_a_weak_digest(forger: Forger, root: KeyPair) -> None:
    """A token over SHA-1 is none, whoever signed it."""
    token = replace(forger, imprint=weak_imprint(NOTE)).token(Imprint.of(NOTE), AT)
    with pytest.raises(TimestampError):
        Authorities((root.certificate,)).verify(token, Imprint.of(NOTE))
    with pytest.raises(TimestampError, match="sha256"):
        Imprint("sha1", bytes(20))


def test_no_root_no_trust(tmp_path: Path) -> None:
    """Somebody has to be trusted."""
    with pytest.raises(KeyRefused):
        Authorities.load()
    (tmp_path / "empty.pem").touch()
    with pytest.raises(KeyRefused):
        Authorities.load(tmp_path / "empty.pem")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_other_bytes_have_one_kind_of_error(forger: Forger, root: KeyPair, data: st.DataObject) -> None:
    """Near misses of an answer: they are refused, or the change is where nothing is signed."""
    answer = data.draw(mutations(forger.response(Imprint.of(NOTE), AT)))
    try:
        stamp = Authorities((root.certificate,)).verify(token_of(answer), Imprint.of(NOTE))
    except TimestampError as error:
        assert error.code in {"timestamp-invalid", "timestamp-refused"}
    else:
        assert (stamp.token.imprint, stamp.token.at) == (Imprint.of(NOTE), AT)


def test_answers_beyond_every_size() -> None:
    """They are not even read."""
    for data in (bytes(RESPONSE_BYTES + 1), b"\x30\x84\xff\xff\xff\xff", b""):
        with pytest.raises(TimestampError):
            token_of(data)
        with pytest.raises(TimestampError):
            read_token(data)
