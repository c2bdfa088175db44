"""Bytes that nobody should send: one error family, with a code, whatever they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats import FORMATS
from adapters.formats.files import delivered_names, file_info
from exchange.agent.ports import Package
from exchange.domain.card import FileRole
from exchange.domain.errors import DocumentError
from tests.adapters.support import DIRECTORY, SAMPLES, arrived, draft_of, draft_with
from tests.strategies import mutations

XML = ("medo-2.6", "gost53898", "dhx-2.1")
"""One of each kind: whichever version of MEDO is written, all are read."""

MEDO, GOST = FORMATS["medo-2.6"], FORMATS["gost53898"]
DOCUMENT = (SAMPLES / "document_2.6.xml").read_bytes()
DOC_INFO = (SAMPLES / "DocInfo_synthetic.xml").read_bytes()
CAPSULE = (SAMPLES / "capsule_2.1.xml").read_bytes()
FILES = {"letter.pdf": b"%PDF", "letter.p7s": b"0\x82"}


def medo(document: bytes, **files: bytes) -> Package:
    """A MEDO package."""
    return Package("kat", {"document.xml": document, **FILES, **files})


def code_of(package: Package, name: str = "medo-2.6") -> str:
    """Code by which a package is refused; its message says where."""
    with pytest.raises(DocumentError) as caught:
        FORMATS[name].parse(package, DIRECTORY)
    assert caught.value.place
    return caught.value.code


ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;">' % (letter, *[letter - 1] * 3) for letter in range(ord("b"), ord("z")))
    + b"]><a>&y;</a>"
)


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize(
    ("document", "code"),
    [
        (ENTITY, "document-type-forbidden"),
        (BOMB, "document-type-forbidden"),
        (b"<!-- a --> <?b?>\n<!DOCTYPE a>" + DOCUMENT, "document-type-forbidden"),
        (b"", "document-malformed"),
        (b"PK\x03\x04", "document-malformed"),
        (b"<a>", "document-malformed"),
        (b"<a>&x;</a>", "document-malformed"),
        (b"<a" + b" " * (8 * 1024 * 1024) + b"/>", "document-too-large"),
        (b"<a>" * 100 + b"</a>" * 100, "document-malformed"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "document-encoding"),
        (b"<?xml version='1.0' encoding='koi8-r'?><a/>", "document-encoding"),
        (b"<?xml version='1.0' encoding='utf-8'?><a>" + "Кат".encode("cp1251") + b"</a>", "document-encoding"),
        (b"<?xml version='1.0' encoding='windows-1251'?><a>" + "Письмо".encode() + b"</a>", "document-encoding"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='windows-1251'?><a/>", "document-encoding"),
        (b"<a/>", "document-namespace"),
        (b"<communication xmlns='urn:IEDMS:OTHER'/>", "document-namespace"),
        (b"<DocInfo/>", "document-namespace"),
    ],
)
def test_bad_xml_is_refused_by_code(name: str, document: bytes, code: str) -> None:
    """External entities, bombs, wrong encodings and namespaces, garbage."""
    assert code_of(Package("kat", {"document.xml": document}), name) == code


@pytest.mark.parametrize("name", XML)
@given(data=st.data())
@settings(max_examples=100)
def test_any_bytes_are_a_message_or_an_error(name: str, data: st.DataObject) -> None:
    """Mutilated samples and noise raise nothing but `DocumentError`."""
    sample = {"medo-2.6": DOCUMENT, "gost53898": DOC_INFO, "dhx-2.1": CAPSULE}[name]
    document = data.draw(mutations(sample) | st.binary(max_size=60))
    try:
        FORMATS[name].parse(Package("kat", {"document.xml": document, **FILES}), DIRECTORY)
    except DocumentError as error:
        assert error.code


@pytest.mark.parametrize("wrong", ["1e5", "-1", "0001-01-01T00:00:00+14:00", "99999-01-01T00:00:00", "24:00"])
def test_times_beyond_the_calendar_are_errors(wrong: str) -> None:
    """Years that XML allows and the calendar does not."""
    document = DOCUMENT.replace(b"2022-01-20T11:58:00", wrong.encode())
    assert code_of(medo(document)) == "document-invalid"


@pytest.mark.parametrize(
    "name",
    [
        "../letter.pdf",
        "a/b.pdf",
        "a\\b.pdf",
        "..",
        ".hidden",
        "CON",
        "nul.txt",
        "COM1.pdf",
        "a:b",
        "x.",
        "я" * 121,
    ],
)
def test_unsafe_names_are_refused(name: str) -> None:
    """Names that lead elsewhere, or that some system reserves."""
    document = DOCUMENT.replace(b'localName="letter.pdf"', f'localName="{name}"'.encode())
    assert code_of(medo(document)) == "file-name-unsafe"
    assert code_of(medo(DOCUMENT, **{name: b"x"})) == "file-name-unsafe"
    assert code_of(medo(DOCUMENT, **{f"a\t{name}": b"x"})) == "file-name-unsafe"
    draft = draft_of("medo-2.6", files=(file_info("0", name, b"x", FileRole.MAIN),), signatures=())
    for fmt in FORMATS.values():
        with pytest.raises(DocumentError, match="card, files"):
            fmt.render_letter(arrived(draft_with(draft)), "minjust", DIRECTORY)


def test_named_and_present_must_agree() -> None:
    """A file named but absent, present but not named, named twice, empty."""
    assert code_of(Package("kat", {"document.xml": DOCUMENT, "letter.p7s": b"1"})) == "file-missing"
    assert code_of(Package("kat", {"document.xml": DOCUMENT, "letter.pdf": b"1"})) == "file-missing"
    assert code_of(medo(DOCUMENT, **{"other.txt": b"1"})) == "file-unnamed"
    assert code_of(medo(DOCUMENT, **{"letter.pdf": b""})) == "file-empty"
    assert code_of(medo(DOCUMENT, **{"LETTER.PDF": b"1"})) == "file-name-repeated"
    assert code_of(medo(DOCUMENT.replace(b'"letter.pdf"', b'"document.xml"'))) == "file-name-repeated"
    twice = DOCUMENT.replace(
        b"</xdms:files>\n  <xdms:delivery",
        '<xdms:file xdms:localName="b.pdf" xdms:localId="0"><xdms:group>Данные</xdms:group></xdms:file>'
        "</xdms:files>\n  <xdms:delivery".encode(),
    )
    assert code_of(medo(twice, **{"b.pdf": b"1"})) == "file-name-repeated"


def test_gost_resources_must_agree() -> None:
    """The same for resources, which files are named by."""
    package = {"DocInfo.xml": DOC_INFO, **FILES}
    assert code_of(Package("x", {**package, "other.txt": b"1"}), "gost53898") == "file-unnamed"
    assert code_of(Package("x", {**package, "letter.p7s": b""}), "gost53898") == "file-empty"
    same = DOC_INFO.replace(b"<Addressee>", b'<File UID="F-1" ResourceID="2"/><Addressee>')
    assert code_of(Package("x", {**package, "DocInfo.xml": same}), "gost53898") == "file-name-repeated"


def test_the_document_must_be_found() -> None:
    """By its name, or as the only XML file."""
    assert code_of(Package("kat", {"letter.pdf": b"1"})) == "document-missing"
    assert code_of(Package("kat", {"a.xml": DOCUMENT, "b.xml": DOCUMENT})) == "document-ambiguous"
    lone = MEDO.parse(Package("kat", {"any.xml": DOCUMENT, **FILES}), DIRECTORY)
    assert lone == MEDO.parse(medo(DOCUMENT), DIRECTORY)
    named = GOST.parse(Package("kat", {"DOCINFO.XML": DOC_INFO, **FILES}), DIRECTORY)
    assert named == GOST.parse(Package("kat", {"DocInfo.xml": DOC_INFO, **FILES}), DIRECTORY)


def test_names_that_collide_are_numbered() -> None:
    """A GOST sender may attach a document.xml, and two files of one name are two files."""
    files = [file_info(str(i), name, b"x", FileRole.DATA) for i, name in enumerate(["Document.xml", "a", "A", "a"])]
    assert delivered_names(files, ["document.xml"]) == ["Document-1.xml", "a", "A-1", "a-2"]


def test_card_and_contents_must_agree() -> None:
    """A sender's agent that sends fewer files than it describes is found out."""
    draft = draft_of("medo-2.6", files=(), signatures=())
    with pytest.raises(DocumentError) as caught:
        MEDO.render_letter(arrived(draft), "minjust", DIRECTORY)
    assert caught.value.code == "file-missing"


def test_messages_never_repeat_content() -> None:
    """An error may be logged; what people wrote may not."""
    for field in (b"01-5/123", b"2022-01-20T11:59:00", b">1</xdms:pages>", b"2022-02-20", b'xdms:id="4711"'):
        secret = b"s3cret" * 60
        document = DOCUMENT.replace(field, field[:9] + secret + field[-14:] if field[:1] == b">" else secret)
        document = document.replace(secret, b'xdms:id="' + secret + b'"') if field[:4] == b"xdms" else document
        with pytest.raises(DocumentError) as caught:
            MEDO.parse(medo(document), DIRECTORY)
        assert "s3cret" not in str(caught.value)
