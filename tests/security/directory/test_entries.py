"""The directory's files: one encoding, every field checked and named."""

import dataclasses
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.domain.directory import (
    Body,
    BodyStatus,
    CertificateUse,
    Change,
    Contact,
    Limits,
    ListedCertificate,
    Paper,
)
from exchange.security.directory.entries import Settings, decode_body, decode_settings, encode_body, encode_settings
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import KeyPair
from tests.security.support import DAY, NOW, body, certify, encoded, listing, rsa_key

DOCUMENT = """\
{
 "certificates": [],
 "change": null,
 "code": "mfa",
 "contacts": [],
 "format": 1,
 "formats": [],
 "gateway": "",
 "inbound_origin": null,
 "kind": "министерство",
 "limits": null,
 "names": {
  "en": "mfa in English",
  "ky": "mfa кыргызча",
  "ru": "mfa по-русски"
 },
 "paper": null,
 "parent": "",
 "soate": "",
 "status": "connected",
 "systems": [],
 "uids": [
  "МИД"
 ]
}
"""


@pytest.fixture(scope="module")
def sample(root: KeyPair, mfa: KeyPair) -> Body:
    """A body with everything that it can have."""
    old = listing(certify(root, "mfa"), revoked=NOW - DAY)
    transport = ListedCertificate(encoded(certify(root, "t").certificate), CertificateUse.TRANSPORT)
    first = body("mfa", mfa, old, transport, uids=("6f9619ff-8b86-d011-b42d-00cf4fc964ff", "МИД"))
    return dataclasses.replace(
        first,
        inbound_origin=bytes(range(16)),
        soate="41711000000000",
        status=BodyStatus.SUSPENDED,
        parent="government",
        gateway="oblast",
        systems=("Infodocs",),
        contacts=(Contact("IT", "Айгүл Осмонова", "it@mfa.example", "+996 312 00 00 00"),),
        formats=("medo-2.6", "gost53898"),
        limits=Limits(2_000_000, 100),
        paper=Paper(date(2022, 3, 1), None),
        change=Change(2, bytes(range(32)), NOW, "a.osmonova", "the new key"),
    )


@pytest.fixture(scope="module")
def document(sample: Body) -> bytes:
    """Its entry."""
    return encode_body(sample)


def refusal(document: bytes) -> DirectoryRefused:
    """Why a document is refused."""
    with pytest.raises(DirectoryRefused) as caught:
        decode_body(document, "mfa")
    return caught.value


def test_round_trip(sample: Body, document: bytes) -> None:
    """What was written comes back."""
    assert decode_body(document, "mfa") == sample
    assert "МИД".encode() in document, "a person can read it"


def test_an_entry_byte_for_byte() -> None:
    """Lists name the digest of exactly these bytes: sorted, indented by one, readable, a line at the end."""
    bare = dataclasses.replace(body("mfa", uids=("МИД",)), kind="министерство")
    assert encode_body(bare).decode() == DOCUMENT


def test_settings(root: KeyPair) -> None:
    """What holds for the whole exchange, and what is refused of it."""
    settings = Settings(1, 16, (encoded(root.certificate),))
    document = encode_settings(settings)
    assert decode_settings(document) == settings
    for path, value in (
        ("lanes", 0),
        ("lanes", True),
        ("lanes", 1 << 31),
        ("journal_partitions", "4"),
        ("journal_partitions", 0),
        ("issuers", []),
        ("issuers", ["AAAA"]),
        ("issuers", "AAAA"),
        ("format", 2),
    ):
        with pytest.raises(DirectoryRefused, match=rf"exchange\.{path} ") as caught:
            decode_settings(change(document, path, value))
        assert caught.value.code == "directory-field-invalid"


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
        ("format", 2, "bodies.mfa.format"),
        ("format", ..., "bodies.mfa.format"),
        ("parent", "svc-router", "bodies.mfa.parent"),
        ("gateway", "A", "bodies.mfa.gateway"),
        ("systems", ["a", "a"], "bodies.mfa.systems"),
        ("contacts/0/email", 7, "bodies.mfa.contacts[0].email"),
        ("formats", "medo", "bodies.mfa.formats"),
        ("limits", [], "bodies.mfa.limits"),
        ("limits/bytes_per_second", 0, "bodies.mfa.limits.bytes_per_second"),
        ("limits/request_percent", True, "bodies.mfa.limits.request_percent"),
        ("paper", ..., "bodies.mfa.paper"),
        ("paper/inbound", "1 March", "bodies.mfa.paper.inbound"),
        ("paper/outbound", 7, "bodies.mfa.paper.outbound"),
        ("change/number", 1, "bodies.mfa.change.previous"),
        ("change/previous", "00" * 32, "bodies.mfa.change.previous"),
        ("change/at", "now", "bodies.mfa.change.at"),
        ("change/reason", None, "bodies.mfa.change.reason"),
        ("code", "minjust", "bodies.mfa.code"),
        ("code", 7, "bodies.mfa.code"),
        ("names", "mfa", "bodies.mfa.names"),
        ("names/ky", None, "bodies.mfa.names.ky"),
        ("kind", 1, "bodies.mfa.kind"),
        ("status", "gone", "bodies.mfa.status"),
        ("soate", "417", "bodies.mfa.soate"),
        ("soate", "٤" * 14, "bodies.mfa.soate"),
        ("uids", "one", "bodies.mfa.uids"),
        ("uids", [1], "bodies.mfa.uids"),
        ("uids", ["a", "a"], "bodies.mfa.uids"),
        ("inbound_origin", "00", "bodies.mfa.inbound_origin"),
        ("certificates", {}, "bodies.mfa.certificates"),
        ("certificates", [[]], "bodies.mfa.certificates[0]"),
        ("certificates/0/der", "AAAA", "bodies.mfa.certificates[0].der"),
        ("certificates/0/der", "?", "bodies.mfa.certificates[0].der"),
        ("certificates/0/use", "mail", "bodies.mfa.certificates[0].use"),
        ("certificates/0/revoked", "never", "bodies.mfa.certificates[0].revoked"),
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
        lambda text: text.replace('"format": 1', '"format": 1,\n "wishes": 1'),
        lambda text: text.replace('"format": 1', '"format": 1,\n "format": 1'),
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


def test_statement_certificates_have_accepted_keys(root: KeyPair) -> None:
    """A key that can never sign is refused before anybody relies on it; other uses are not looked at."""
    for key in (rsa_key(1024), ec.generate_private_key(ec.SECP521R1())):
        pair = certify(root, "mfa", key=key)
        error = refusal(encode_body(body("mfa", pair)))
        assert str(error).startswith("bodies.mfa.certificates[0].der cannot sign statements: ")
        transport = ListedCertificate(encoded(pair.certificate), CertificateUse.TRANSPORT)
        assert decode_body(encode_body(body("mfa", transport)), "mfa").certificates == (transport,)


def test_codes_are_body_codes() -> None:
    """Nobody is listed under a service's name."""
    with pytest.raises(DirectoryRefused, match=r"bodies\.svc-router\.code is no body code"):
        decode_body(encode_body(body("svc-router")), "svc-router")


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
    document = encode_body(body("mfa", ListedCertificate(der, CertificateUse.STATEMENT)))
    if accepted:
        assert decode_body(document, "mfa").certificates[0].der == der
    else:
        assert str(refusal(document)).startswith("bodies.mfa.certificates[0].der has a serial number")


def test_base64_has_nothing_in_between(document: bytes) -> None:
    """What a tolerant decoder would pass over is named, not only found to be another encoding."""
    path = "certificates/0/der"
    der = json.loads(document)["certificates"][0]["der"]
    error = refusal(change(document, path, f"{der[:4]}!{der[4:]}"))
    assert str(error).startswith("bodies.mfa.certificates[0].der is no certificate")


@pytest.mark.parametrize("lone", [b"\\ud800", b"\\udc00", b"\\udfff"])
def test_lone_surrogates_are_no_text(document: bytes, lone: bytes) -> None:
    """JSON can say them, UTF-8 cannot."""
    for path in ("kind", "uids"):
        placeholder = "placeholder" if path == "kind" else ["placeholder"]
        changed = change(document, path, placeholder)
        error = refusal(changed.replace(b"placeholder", lone))
        assert f"bodies.mfa.{path}" in str(error)


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
        assert encode_body(decode_body(changed, "mfa")) == changed
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
        assert encode_body(decode_body(bytes(changed), "mfa")) == changed
    except DirectoryRefused as error:
        assert error.code.startswith("directory-")


@pytest.mark.usefixtures("bishkek")
def test_times_are_utc(sample: Body) -> None:
    """Wherever the publisher is, and in whichever zone it gives the time."""
    revoked = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    for moment in (revoked, revoked.astimezone()):
        certificate = dataclasses.replace(sample.certificates[0], revoked=moment)
        moved = dataclasses.replace(sample, certificates=(certificate,))
        assert '"revoked": "2026-01-02T03:04:05.000006Z"' in encode_body(moved).decode()
