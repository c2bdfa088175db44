"""The directory's document: one encoding, every field checked and named."""

import dataclasses
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.domain.directory import BodyStatus, CertificateUse, Directory, ListedCertificate
from exchange.security.directory import DOCUMENT_BYTES_MAX, decode, encode, exchange_id
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import KeyPair
from tests.security.support import DAY, NOW, body, certify, directory, encoded, listing, rsa_key

DOCUMENT = f"""\
{{
 "bodies": {{
  "mfa": {{
   "certificates": [],
   "inbound_origin": null,
   "kind": "министерство",
   "names": {{
    "en": "mfa in English",
    "ky": "mfa кыргызча",
    "ru": "mfa по-русски"
   }},
   "soate": "",
   "status": "connected",
   "uids": [
    "МИД"
   ]
  }}
 }},
 "exchange": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
 "format": 1,
 "issued": "2026-11-22T09:00:00.000000Z",
 "journal_partitions": 4,
 "lanes": 4,
 "previous": "{"00" * 32}",
 "version": 1
}}
"""


@pytest.fixture(scope="module")
def sample(root: KeyPair, mfa: KeyPair, minjust: KeyPair) -> Directory:
    """Two bodies with everything that a body can have."""
    old = listing(certify(root, "mfa"), revoked=NOW - DAY)
    transport = ListedCertificate(encoded(certify(root, "t").certificate), CertificateUse.TRANSPORT)
    first = body("mfa", mfa, old, transport, uids=("6f9619ff-8b86-d011-b42d-00cf4fc964ff", "МИД"))
    second = dataclasses.replace(
        body("minjust", minjust), inbound_origin=bytes(range(16)), soate="41711000000000", status=BodyStatus.SUSPENDED
    )
    return directory(root, second, first)


@pytest.fixture(scope="module")
def document(sample: Directory) -> bytes:
    """Its document."""
    return encode(sample)


def refusal(document: bytes) -> DirectoryRefused:
    """Why a document is refused."""
    with pytest.raises(DirectoryRefused) as caught:
        decode(document)
    return caught.value


def test_round_trip(sample: Directory, document: bytes) -> None:
    """What was written comes back, with the digest of exactly these bytes."""
    decoded = decode(document)
    assert decoded == dataclasses.replace(sample, digest=hashlib.sha256(document).digest())
    assert encode(decoded) == document
    assert "МИД".encode() in document, "a person can read it"


def test_a_document_byte_for_byte(root: KeyPair) -> None:
    """Decisions name the digest of exactly these bytes: sorted, indented by one, readable, a line at the end."""
    bare = dataclasses.replace(body("mfa", uids=("МИД",)), kind="министерство")
    published = dataclasses.replace(directory(root, bare), exchange=bytes(range(32)))
    assert encode(published).decode() == DOCUMENT


def test_exchange_id_is_the_root_s_digest(root: KeyPair) -> None:
    """Rule 1.2."""
    assert exchange_id(root.certificate) == hashlib.sha256(encoded(root.certificate)).digest()


def change(document: bytes, path: str, value: Any) -> bytes:
    """The document with one member set, or taken away with `...`, in canonical form."""
    content = json.loads(document)
    *parents, name = path.split("/")
    target = content
    for parent in parents:
        target = target[int(parent) if parent.isdigit() else parent]
    if value is ...:
        del target[name]
    else:
        target[name] = value
    return (json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("format", 2, "directory.format"),
        ("format", ..., "directory.format"),
        ("exchange", "00", "directory.exchange"),
        ("exchange", "zz", "directory.exchange"),
        ("exchange", 7, "directory.exchange"),
        ("version", 0, "directory.version"),
        ("version", True, "directory.version"),
        ("version", 1 << 31, "directory.version"),
        ("version", 2, "directory.previous"),
        ("previous", "11" * 32, "directory.previous"),
        ("issued", "yesterday", "directory.issued"),
        ("lanes", 0, "directory.lanes"),
        ("journal_partitions", "4", "directory.journal_partitions"),
        ("journal_partitions", 0, "directory.journal_partitions"),
        ("bodies", [], "directory.bodies"),
        ("bodies/mfa", None, "directory.bodies.mfa"),
        ("bodies/svc-router", {}, "directory.bodies.svc-router"),
        ("bodies/mfa/names", "mfa", "directory.bodies.mfa.names"),
        ("bodies/mfa/names/ky", None, "directory.bodies.mfa.names.ky"),
        ("bodies/mfa/kind", 1, "directory.bodies.mfa.kind"),
        ("bodies/mfa/status", "gone", "directory.bodies.mfa.status"),
        ("bodies/mfa/soate", "417", "directory.bodies.mfa.soate"),
        ("bodies/mfa/soate", "٤" * 14, "directory.bodies.mfa.soate"),
        ("bodies/mfa/uids", "one", "directory.bodies.mfa.uids"),
        ("bodies/mfa/uids", [1], "directory.bodies.mfa.uids"),
        ("bodies/mfa/uids", ["a", "a"], "directory.bodies.mfa.uids"),
        ("bodies/minjust/uids", ["МИД"], "directory.bodies.minjust"),
        ("bodies/mfa/inbound_origin", "00", "directory.bodies.mfa.inbound_origin"),
        ("bodies/mfa/certificates", {}, "directory.bodies.mfa.certificates"),
        ("bodies/mfa/certificates", [[]], "directory.bodies.mfa.certificates[0]"),
        ("bodies/mfa/certificates/0/der", "AAAA", "directory.bodies.mfa.certificates[0].der"),
        ("bodies/mfa/certificates/0/der", "?", "directory.bodies.mfa.certificates[0].der"),
        ("bodies/mfa/certificates/0/use", "mail", "directory.bodies.mfa.certificates[0].use"),
        ("bodies/mfa/certificates/0/revoked", "never", "directory.bodies.mfa.certificates[0].revoked"),
    ],
)
def test_names_the_field(document: bytes, path: str, value: Any, place: str) -> None:
    """The message begins with the place of what is wrong, and goes on with what is wrong."""
    error = refusal(change(document, path, value))
    assert error.code == "directory-field-invalid"
    assert re.match(rf"{re.escape(place)} (is|has) [^N]", str(error))


@pytest.mark.parametrize(
    "other",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip(),
        lambda text: text.replace("МИД", "\\u041c\\u0418\\u0414"),
        lambda text: text.replace('"version": 1', '"version": 1,\n "wishes": 1'),
        lambda text: text.replace('"version": 1', '"version": 1,\n "version": 1'),
        lambda text: text.replace("T09:00:00.000000Z", "T09:00:00.0Z", 1),
    ],
    ids=["line-ends", "no-last-line", "escaped", "unknown-member", "repeated-member", "short-time"],
)
def test_one_encoding(document: bytes, other: Any) -> None:
    """Another spelling of the same directory has another digest, so it is refused."""
    changed = other(document.decode()).encode()
    assert changed != document
    error = refusal(changed)
    assert error.code == "directory-not-canonical"
    assert "canonical encoding" in str(error)


def test_a_certificate_speaks_for_one_body_once(root: KeyPair, mfa: KeyPair) -> None:
    """Else the signer of a statement would be a matter of order."""
    for bodies in ((body("mfa", mfa), body("minjust", mfa)), (body("mfa", mfa, mfa),)):
        assert "listed already" in str(refusal(encode(directory(root, *bodies))))


def test_statement_certificates_have_accepted_keys(root: KeyPair) -> None:
    """A key that can never sign is refused before anybody relies on it; other uses are not looked at."""
    for key in (rsa_key(1024), ec.generate_private_key(ec.SECP521R1())):
        pair = certify(root, "mfa", key=key)
        error = refusal(encode(directory(root, body("mfa", pair))))
        assert str(error).startswith("directory.bodies.mfa.certificates[0].der cannot sign statements: ")
        transport = ListedCertificate(encoded(pair.certificate), CertificateUse.TRANSPORT)
        assert decode(encode(directory(root, body("mfa", transport)))).bodies["mfa"].certificates == (transport,)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"[]", b"null", b"{" * 100_000, b'"\\ud800"', b"[" * 100_000, b"1" * 10_000, b'{"a": NaN}'],
    ids=range(9),
)
def test_what_is_no_directory(data: bytes) -> None:
    """Deep, huge and foreign JSON included."""
    assert refusal(data).code in {"directory-unreadable", "directory-field-invalid"}


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize(("serial", "accepted"), [("01", True), ("00", False), ("ff", False)])
def test_serial_numbers_are_positive(root: KeyPair, serial: str, *, accepted: bool) -> None:
    """As RFC 5280, 4.1.2.2 has them; a signature that refers to another could not be made by most software."""
    version = "a003020102"
    der = encoded(certify(root, "mfa", serial=1).certificate)
    der = der.replace(bytes.fromhex(f"{version}020101"), bytes.fromhex(f"{version}0201{serial}"))
    document = encode(directory(root, body("mfa", ListedCertificate(der, CertificateUse.STATEMENT))))
    if accepted:
        assert decode(document).bodies["mfa"].certificates[0].der == der
    else:
        assert str(refusal(document)).startswith("directory.bodies.mfa.certificates[0].der has a serial number")


def test_base64_has_nothing_in_between(document: bytes) -> None:
    """What a tolerant decoder would pass over is named, not only found to be another encoding."""
    path = "bodies/mfa/certificates/0/der"
    der = json.loads(document)["bodies"]["mfa"]["certificates"][0]["der"]
    error = refusal(change(document, path, f"{der[:4]}!{der[4:]}"))
    assert str(error).startswith("directory.bodies.mfa.certificates[0].der is no certificate")


def test_the_smallest_installation(root: KeyPair) -> None:
    """One lane, one partition, nobody in it."""
    alone = dataclasses.replace(directory(root), lanes=1, journal_partitions=1)
    decoded = decode(encode(alone))
    assert (decoded.lanes, decoded.journal_partitions, decoded.bodies) == (1, 1, {})


@pytest.mark.parametrize("lone", [b"\\ud800", b"\\udc00", b"\\udfff"])
def test_lone_surrogates_are_no_text(document: bytes, lone: bytes) -> None:
    """JSON can say them, UTF-8 cannot."""
    for path in ("kind", "uids"):
        placeholder = "placeholder" if path == "kind" else ["placeholder"]
        changed = change(document, f"bodies/mfa/{path}", placeholder)
        error = refusal(changed.replace(b"placeholder", lone))
        assert f"directory.bodies.mfa.{path}" in str(error)


@pytest.mark.parametrize(
    ("size", "words"), [(DOCUMENT_BYTES_MAX, "is no JSON"), (DOCUMENT_BYTES_MAX + 1, "is this the right file")]
)
def test_size_is_looked_at_first(size: int, words: str) -> None:
    """The wrong file is not read into JSON."""
    assert words in str(refusal(bytes(size)))


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Nothing but the family comes out."""
    assert refusal(data).code.startswith("directory-")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=8,
)


@given(value=JSON_VALUES, data=st.data())
def test_any_value_in_any_place_is_read_or_refused(document: bytes, value: Any, data: st.DataObject) -> None:
    """Whatever stands in a member, the answer is a directory of these bytes or the family."""
    content = json.loads(document)
    target: Any = content
    while True:
        key = data.draw(
            st.sampled_from(sorted(target)) if isinstance(target, dict) else st.sampled_from(range(len(target)))
        )
        if not isinstance(target[key], dict | list) or not target[key] or data.draw(st.booleans()):
            break
        target = target[key]
    target[key] = value
    changed = (json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode(errors="surrogatepass")
    try:
        assert encode(decode(changed)) == changed
    except DirectoryRefused as error:
        assert error.code.startswith("directory-")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
@example(at=86, flip=5)  # a negative serial number
def test_changed_bytes_are_read_or_refused(document: bytes, at: int, flip: int) -> None:
    """A damaged file as well, damaged certificates included."""
    changed = bytearray(document)
    changed[at % len(changed)] ^= flip
    try:
        assert encode(decode(bytes(changed))) == changed
    except DirectoryRefused as error:
        assert error.code.startswith("directory-")


@pytest.mark.usefixtures("bishkek")
def test_times_are_utc(sample: Directory) -> None:
    """Wherever the publisher is, and in whichever zone it gives the time."""
    issued = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    for moment in (issued, issued.astimezone()):
        moved = dataclasses.replace(sample, issued=moment)
        assert '"issued": "2026-01-02T03:04:05.000006Z"' in encode(moved).decode()
