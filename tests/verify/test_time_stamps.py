"""Time-stamps in a package: each is over what it stands beside, by an authority under the reader's own roots."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.security import der
from exchange.security.timestamps import Imprint
from exchange.security.validity import Validity
from exchange.services.evidence.container import asic_s, zipped
from tests.security.timestamps.forging import (
    CONTENT_TYPE,
    DIGEST,
    MEANT_V1,
    MEANT_V2,
    Forger,
    issued,
    meant_v1,
    meant_v2,
    weak_imprint,
)
from tests.verify.making import LOOKED, STAMPED, Course, flipped, inner, zip_files
from tests.world import NOW

LETTER, STAMP, MANIFEST = "statements/0001-letter.asics", "META-INF/timestamp.tst", "META-INF/ASiCManifest.xml"
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
DATA, SIGNED_DATA = "06092a864886f70d010701", "06092a864886f70d010702"
ENDED = Validity(NOW - timedelta(days=30), NOW - timedelta(days=1))
FORGERIES: Mapping[str, Callable[[Forger], Forger]] = {
    "a certificate for servers": lambda by: replace(by, signer=issued(by.chain[0], usages=(SERVER_AUTH,))),
    "a key for no signatures": lambda by: replace(by, signer=issued(by.chain[0], signs=False)),
    "a certificate that had ended": lambda by: replace(by, signer=issued(by.chain[0], validity=ENDED)),
    "another certificate meant": lambda by: replace(by, attributes={MEANT_V2: meant_v2(by.chain[0].certificate)}),
    "no certificate meant": lambda by: replace(by, attributes={MEANT_V2: None}),
    "no digest of what it says": lambda by: replace(by, attributes={DIGEST: None}),
    "a digest of something else": lambda by: replace(by, attributes={DIGEST: der.encode(der.OCTET_STRING, bytes(32))}),
    "a signature of something else": lambda by: replace(by, attributes={CONTENT_TYPE: bytes.fromhex(DATA)}),
    "two signers": lambda by: replace(by, signers=2),
    "another kind of content": lambda by: replace(by, kind=DATA),
    "a weak digest": lambda by: by,
}


@pytest.fixture(scope="module")
def stamped(course: Course) -> dict[str, bytes]:
    """A package with time-stamps, manifest and all."""
    return zip_files(course.package(stamped=True))


def test_time_stamps_of_other_bytes_or_authorities(course: Course) -> None:
    """And those whose authority's certificate ended before the reader had the package."""
    stamped = zip_files(course.package(stamped=True))
    found = course.look(zipped({**stamped, "META-INF/timestamp.tst": flipped(stamped["META-INF/timestamp.tst"], -1)}))
    assert (found.step, "timestamp.tst" in found.refused) == (9, True)
    other = course.files(stamped=True)
    other["tokens/3.tsr"] = course.stamp(b"something else")
    assert "it is of other bytes" in course.look(course.zipped(other, stamped=True)).refused
    assert course.look(course.package(stamped=True), authorities=[course.statement_root.certificate]).step == 9
    late = course.look(course.package(stamped=True), at=LOOKED + timedelta(days=800))
    assert "say with --at" in late.refused


def test_a_time_stamp_of_another_signature(course: Course) -> None:
    """And whatever else stands behind a signature, where nothing is signed."""
    turned = course.files(stamped=True, tokens=lambda data: course.tokens(data[::-1]))
    found = course.look(course.zipped(turned, stamped=True))
    assert (found.step, found.refused) == (9, f"step 9: {LETTER}: it is of other bytes")
    files = course.files(stamped=True)
    statement, signature = (inner(files, LETTER, each) for each in ("statement", "META-INF/signature.p7s"))
    other = signature.replace(bytes.fromhex("060b2a864886f70d010910020e"), bytes.fromhex("060b2a864886f70d010910020f"))
    found = course.look(course.zipped({**files, LETTER: asic_s(statement, other)}, stamped=True))
    assert (found.step, "it holds more than a time-stamp" in found.refused) == (4, True)


@pytest.mark.parametrize("what", ["lists", "time-stamp"])
def test_other_parts_of_a_signature(course: Course, what: str) -> None:
    """Certificates, lists and one time-stamp: nothing signs what else could be put there."""
    files = course.files(stamped=True)
    statement, signature = (inner(files, LETTER, each) for each in ("statement", "META-INF/signature.p7s"))
    token = signature.index(bytes.fromhex("060b2a864886f70d010910020e"))
    at = {"lists": signature.index(der.encode(der.CONTEXT_1, course.crl)), "time-stamp": token - 8}[what]
    assert signature[at] == der.CONTEXT_1
    other = signature[:at] + b"\xa2" + signature[at + 1 :]
    found = course.look(course.zipped({**files, LETTER: asic_s(statement, other)}, stamped=True))
    assert (found.step, "it has other parts" in found.refused) == (4, True)


@pytest.mark.parametrize("what", FORGERIES)
def test_what_is_none(course: Course, stamped: Mapping[str, bytes], what: str) -> None:
    """Under a key that an authority of the reader's certified, and still no word of that authority's."""
    weak = weak_imprint(stamped[MANIFEST]) if what == "a weak digest" else b""
    forger = replace(FORGERIES[what](course.stamper), imprint=weak)
    forged = forger.token(Imprint.of(stamped[MANIFEST]), STAMPED)
    found = course.look(zipped({**stamped, STAMP: forged}))
    assert (found.step, STAMP in found.refused) == (9, True), found


def test_what_is_not_said_to_be_signed(course: Course, stamped: Mapping[str, bytes]) -> None:
    """Its outermost name is under no signature."""
    other = stamped[STAMP].replace(bytes.fromhex(SIGNED_DATA), bytes.fromhex(DATA), 1)
    found = course.look(zipped({**stamped, STAMP: other}))
    assert (found.step, f"{STAMP}: it is no time-stamp" in found.refused) == (9, True), found


def test_the_older_form(course: Course, stamped: Mapping[str, bytes]) -> None:
    """Some authorities name their certificate by the older attribute, which has SHA-1 alone."""
    attributes = {MEANT_V2: None, MEANT_V1: meant_v1(course.stamper.signer.certificate)}
    token = replace(course.stamper, attributes=attributes).token(Imprint.of(stamped[MANIFEST]), STAMPED)
    assert course.look(zipped({**stamped, STAMP: token})).refused == ""


@settings(max_examples=12, deadline=None)
@given(which=st.booleans(), at=st.integers(0, 1 << 30), by=st.integers(1, 255))
def test_nor_in_a_time_stamp(course: Course, stamped: Mapping[str, bytes], *, which: bool, at: int, by: int) -> None:
    """Another time, or the time of something else."""
    name = "tokens/3.tsr" if which else "META-INF/timestamp.tst"
    whole = {**stamped, name: flipped(stamped[name], at, by)}
    inside = {each: data for each, data in whole.items() if each != "mimetype" and not each.startswith("META-INF/")}
    found = course.look(course.zipped(inside, stamped=True) if which else zipped(whole))
    assert found.refused or found.steps == course.look(zipped(stamped)).steps
