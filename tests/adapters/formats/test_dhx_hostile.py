"""Files inside capsules that nobody should send: refused by code, in bounded memory."""

import base64
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats.dhx import DhxFormat
from adapters.formats.dhx.contents import FILES_BYTES, pack, unpack
from adapters.formats.dhx.words import LETTER_DOCUMENT, RECEIPT_DOCUMENT
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError
from tests.adapters.support import DIRECTORY, SAMPLES, edited, letter_of, sample
from tests.strategies import mutations

DHX = DhxFormat()
SAMPLE = sample("capsule_2.1.xml", LETTER_DOCUMENT)
RECEIPT = (SAMPLES / "receipt_dhx.xml").read_bytes()
CONTENT = pack("Тиркеме\n".encode())
NAMED = "<FileName>Тиркеме.txt</FileName>"


def code_of(package: Package) -> str:
    """Code by which a package is refused; its message says where and repeats no content."""
    with pytest.raises(DocumentError) as caught:
        DHX.parse(package, DIRECTORY)
    assert caught.value.place
    assert CONTENT not in str(caught.value)
    return caught.value.code


def bomb(size: int) -> str:
    """That many zeros, packed."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "не base64",
        "A",
        "AAAA",
        CONTENT[:-1],
        CONTENT[:-4],
        CONTENT + "AAAA",
        base64.b64encode(b"plain").decode(),
        base64.b64encode(gzip.compress(b"x", mtime=0)[:-1]).decode(),
        base64.b64encode(gzip.compress(b"x", mtime=0) * 2).decode(),
        base64.b64encode(gzip.compress(b"x", mtime=0)[:-5] + b"wrong").decode(),
    ],
)
def test_content_that_is_none_is_refused(content: str) -> None:
    """No base64, no gzip, a part of one, two of them, a wrong checksum."""
    assert code_of(edited(SAMPLE, LETTER_DOCUMENT, CONTENT, content)) == "file-content-invalid"


def test_blanks_in_base64_do_not_count() -> None:
    """Lines of any length, tabs, blanks at both ends."""
    broken = " \t" + "\n ".join(CONTENT[at : at + 5] for at in range(0, len(CONTENT), 5)) + "\r\n"
    draft = letter_of(DHX.parse(edited(SAMPLE, LETTER_DOCUMENT, CONTENT, broken), DIRECTORY))
    assert draft.files[1] == "Тиркеме\n".encode()


def test_an_empty_file_is_refused() -> None:
    """There is nothing to deliver."""
    assert code_of(edited(SAMPLE, LETTER_DOCUMENT, CONTENT, pack(b""))) == "file-empty"


@pytest.mark.parametrize("size", ["15", "017", "-16", "9" * 18])
def test_another_size_is_refused(size: str) -> None:
    """`FileSize` is that of the file before packing."""
    package = edited(SAMPLE, LETTER_DOCUMENT, "<FileSize>16</FileSize>", f"<FileSize>{size}</FileSize>")
    assert code_of(package) == "file-content-invalid"


def test_numbers_without_end_are_refused() -> None:
    """Validators skip leading zeros, Python does not."""
    zeros = "0" * 5000
    package = edited(SAMPLE, LETTER_DOCUMENT, "<FileSize>16</FileSize>", f"<FileSize>{zeros}16</FileSize>")
    assert code_of(package) == "document-invalid"
    guid = "dddddddd-2222-4333-8444-555555555555"
    for own in (f'<File Guid="{guid}" Pages="{zeros}2"/>', f'<Signatory Number="{zeros}1"/>'):
        letter = f'<Letter xmlns="urn:exchange:dhx">{own}</Letter><plain'
        assert code_of(edited(SAMPLE, LETTER_DOCUMENT, "<plain", letter)) == "document-invalid"


def test_bombs_are_not_unpacked() -> None:
    """Neither one file nor all together pass the limit."""
    assert code_of(edited(SAMPLE, LETTER_DOCUMENT, CONTENT, bomb(FILES_BYTES))) == "document-too-large"
    small = bomb(2**20)
    assert len(unpack(small, "here", 2**20)) == 2**20
    with pytest.raises(DocumentError, match="here"):
        unpack(small, "here", 2**20 - 1)


@pytest.mark.parametrize("name", ["../a.pdf", "a/b", "CON", ".hidden", "я" * 121, "a\tb"])
def test_unsafe_names_are_refused(name: str) -> None:
    """Names that lead elsewhere, or that some system reserves."""
    assert code_of(edited(SAMPLE, LETTER_DOCUMENT, NAMED, f"<FileName>{name}</FileName>")) == "file-name-unsafe"


def test_files_must_be_told_apart() -> None:
    """The same name in another case, the same GUID; a file beside the capsule."""
    same = edited(SAMPLE, LETTER_DOCUMENT, NAMED, "<FileName>КАТ №77.PDF</FileName>")
    assert code_of(same) == "file-name-repeated"
    same = edited(
        SAMPLE, LETTER_DOCUMENT, "eeeeeeee-2222-4333-8444-555555555555", "dddddddd-2222-4333-8444-555555555555"
    )
    assert code_of(same) == "file-name-repeated"
    assert code_of(Package("x", {**SAMPLE.files, "other.pdf": b"1"})) == "file-unnamed"


@pytest.mark.parametrize(
    ("before", "many"),
    [
        ("  <RecordMetadata>", "<Recipient/>"),
        ("  <RecordTypeSpecificMetadata>", "<SignatureMetadata/>"),
        ("<plain", "<a xmlns='urn:a'/>"),
    ],
)
def test_nothing_is_repeated_without_end(before: str, many: str) -> None:
    """A thousand of each kind, no more: what follows takes time by the square."""
    assert code_of(edited(SAMPLE, LETTER_DOCUMENT, before, many * 1001 + before)) == "document-invalid"


@given(data=st.data())
@settings(max_examples=100)
def test_any_bytes_are_a_receipt_or_an_error(data: st.DataObject) -> None:
    """Mutilated receipts raise nothing but `DocumentError`."""
    document = data.draw(mutations(RECEIPT))
    try:
        DHX.parse(Package("kat", {RECEIPT_DOCUMENT: document}), DIRECTORY)
    except DocumentError as error:
        assert error.code


@given(st.binary(max_size=200))
def test_packed_and_unpacked_is_the_same(data: bytes) -> None:
    """And the same bytes give the same text."""
    assert unpack(pack(data), "here") == data
    assert pack(data) == pack(data)
