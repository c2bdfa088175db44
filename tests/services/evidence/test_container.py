"""Containers: the same bytes for the same files, in the form that ETSI EN 319 162-1 asks for."""

import io
import zipfile
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from exchange.services.evidence.container import MANIFEST, TIMESTAMP, asic_e, asic_s, safe_name

ASIC = "{http://uri.etsi.org/02918/v1.2.1#}"
FILES = {"case.json": b"{}", "contents/0001-хат.pdf": b"%PDF"}


def opened(data: bytes) -> zipfile.ZipFile:
    """A zip in memory."""
    return zipfile.ZipFile(io.BytesIO(data))


def test_the_media_type_comes_first_and_uncompressed() -> None:
    """So that the kind of file can be seen at a fixed place (EN 319 162-1, A.1)."""
    for data, kind in (
        (asic_s(b"said", b"signed"), b"application/vnd.etsi.asic-s+zip"),
        (asic_e(FILES, None), b"application/vnd.etsi.asic-e+zip"),
    ):
        assert data[30:].startswith(b"mimetype" + kind)


def test_the_same_files_give_the_same_bytes() -> None:
    """No clock, no compressor, nothing of the machine."""
    assert asic_e(FILES, None) == asic_e(dict(FILES), None)
    with opened(asic_e(FILES, None)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())


def test_the_manifest_names_each_file_s_digest_and_is_what_is_stamped() -> None:
    """Names as URIs; the time-stamp is over these very bytes."""
    data = asic_e(FILES, lambda data: [b"token of " + sha256(each).digest() for each in data])
    with opened(data) as archive:
        manifest = archive.read(MANIFEST)
        assert archive.read(TIMESTAMP) == b"token of " + sha256(manifest).digest()
    root = etree.fromstring(manifest)
    assert [each.get("URI") for each in root] == [
        "META-INF/timestamp.tst",
        "case.json",
        "contents/0001-%D1%85%D0%B0%D1%82.pdf",
    ]
    assert [value.text for value in root.iter("{*}DigestValue")] == [
        b64encode(sha256(data).digest()).decode() for data in FILES.values()
    ]


def test_without_an_authority_the_manifest_names_no_time_stamp() -> None:
    """And there is none."""
    with opened(asic_e(FILES, None)) as archive:
        assert TIMESTAMP not in archive.namelist()
        assert etree.fromstring(archive.read(MANIFEST)).find(f"{ASIC}SigReference") is None


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Кат №5.pdf", "Кат_5.pdf"),
        ("../../etc/passwd", "etc_passwd"),
        ("a" * 200 + ".docx", "a" * 75 + ".docx"),
        ("...", ""),
        ("con", "con"),
    ],
)
def test_names_that_people_gave_are_made_safe(name: str, safe: str) -> None:
    """Letters, digits and dots of any script stay."""
    assert safe_name(name) == safe


@given(st.text())
def test_no_name_leads_elsewhere(name: str) -> None:
    """Whatever the card calls its files."""
    safe = safe_name(name)
    assert len(safe) <= 80
    assert "/" not in safe
    assert "\\" not in safe
    assert not safe.startswith(".")
    assert safe.isprintable()
