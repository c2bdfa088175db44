"""Packages made to exhaust whoever reads them: a refusal comes, by file, before anything large is made."""

from collections.abc import Mapping

import pytest

from exchange.services.evidence.container import ASIC_E, asic_manifest, asic_s, zipped
from tests.verify.making import Course

FRAME, DECIDED = b"\0\0\0\0", b"\x1e"
DEEP = 200_000
ENTRY, LETTER = "entries/0001.entry", "statements/0001-letter.asics"
HOSTILE: Mapping[str, tuple[str, bytes, int]] = {
    "a number without end": (ENTRY, FRAME + DECIDED + b"\xff" * 1_000_000, 3),
    "a text of 2^62 bytes": (ENTRY, FRAME + DECIDED + b"\0\0" + bytes(32) + b"\xff" * 8 + b"\x7f", 3),
    "DER in DER": (LETTER, asic_s(b"", b"\x30\x80" * DEEP), 3),
    "arrays in arrays": ("case.json", b"[" * DEEP, 2),
    "objects in objects": ("directory/2.root.json", b'{"signed":' * DEEP, 2),
    "a number of a million digits": ("case.json", b"9" * 1_000_000, 2),
    "a million lines": ("entries/0001.proof", b"\n" * 1_000_000, 6),
    "no text": ("entries/0001.proof", b"\xff" * 1_000, 6),
    "many certificates": ("directory/issuers.crt.pem", b"-----BEGIN CERTIFICATE-----\n" * 10_000, 5),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_is_refused_by_its_name(course: Course, name: str) -> None:
    """With the step that reads it."""
    file, data, step = HOSTILE[name]
    found = course.look({**course.files(), file: data})
    assert (found.step, file in found.refused) == (step, True), found


def test_a_deep_manifest(course: Course) -> None:
    """XML is read by a parser that does not recurse, and what is odd in it is refused."""
    files = course.files()
    manifest = asic_manifest(files, "").replace(b"<ds:DigestMethod", b"<a>" * DEEP + b"<ds:DigestMethod", 1)
    found = course.look(zipped({"mimetype": ASIC_E, "META-INF/ASiCManifest.xml": manifest, **files}))
    assert (found.step, "META-INF/ASiCManifest.xml" in found.refused) == (1, True)
