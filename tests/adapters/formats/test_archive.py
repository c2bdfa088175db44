"""Zip archives of strangers: what is read, what is refused before it costs anything."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats.archive import ARCHIVE_BYTES, ARCHIVE_FILES, pack, unpack
from exchange.domain.errors import DocumentError
from tests.strategies import mutations

FILES = {"passport.xml": b"<a/>" * 100, "Кат №7.pdf": b"%PDF", "empty.txt": b""}


def zipped(*entries: tuple[zipfile.ZipInfo | str, bytes], comment: bytes = b"") -> bytes:
    """An archive with deflated entries."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content)
        archive.comment = comment
    return data.getvalue()


def entry(name: str, **attributes: int) -> zipfile.ZipInfo:
    """An entry with attributes that only a hostile or odd packer sets."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def code_of(data: bytes) -> str:
    """Code by which an archive is refused, with a place."""
    with pytest.raises(DocumentError) as caught:
        unpack(data, "document.edc.zip")
    assert caught.value.place.startswith("document.edc.zip")
    return caught.value.code


def test_files_return_in_their_order() -> None:
    """Names in any alphabet, contents of any length."""
    assert list(unpack(pack(FILES), "a").items()) == list(FILES.items())


def test_equal_files_give_equal_bytes() -> None:
    """No clock, no machine, no compressor has a say."""
    assert pack(FILES) == pack(dict(FILES))
    assert zlib.crc32(pack({"a": b"b"})) == 4131354346


@given(st.dictionaries(st.text("abйң №.-", min_size=1, max_size=6).filter(lambda name: name == name.strip(" .")),
                       st.binary(max_size=20), max_size=3))  # fmt: skip
@settings(max_examples=30)
def test_what_is_packed_is_unpacked(files: dict[str, bytes]) -> None:
    """Any files at all."""
    assert unpack(pack(files), "a") == files


@given(st.binary(max_size=60) | mutations(pack(FILES)))
@settings(max_examples=100)
def test_any_bytes_are_files_or_an_error(data: bytes) -> None:
    """Nothing but `DocumentError` is raised."""
    try:
        unpack(data, "a.zip")
    except DocumentError as error:
        assert error.place


def raw_name(archive: bytes, name: bytes) -> bytes:
    """The archive with the ASCII name `Q…` of its one entry replaced by bytes of the same length, without the flag."""
    return archive.replace(b"Q" * len(name), name)


@pytest.mark.parametrize("codec", ["cp866", "utf-8"])
def test_cyrillic_names_without_the_flag(codec: str) -> None:
    """Russian and Kyrgyz Windows write cp866, others utf-8, and neither says so."""
    name = "Письмо.pdf".encode(codec)
    assert list(unpack(raw_name(zipped(("Q" * len(name), b"1")), name), "a")) == ["Письмо.pdf"]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "/etc/passwd", "..", "con", "a\\b", "a:b", "x\n", "folder/", "я" * 121, ""]
)
def test_names_that_lead_elsewhere(name: str) -> None:
    """No entry is put anywhere but beside the others."""
    assert code_of(zipped((entry(name), b"1"))) == "file-name-unsafe"


def test_a_name_cut_short_by_a_zero_is_seen_whole() -> None:
    """What one program takes for `a.pdf`, another for something else."""
    assert code_of(raw_name(zipped(("QQQQQQ", b"1")), b"a.p\0df")) == "file-name-unsafe"


def test_one_name_twice() -> None:
    """Also when only case tells them apart."""
    assert code_of(zipped(("a.pdf", b"1"), ("A.PDF", b"2"))) == "file-name-repeated"


def patched(data: bytes, at: Callable[[bytes], int], form: str, value: int) -> bytes:
    """The archive with a number replaced."""
    place = at(data)
    return data[:place] + struct.pack(form, value) + data[place + struct.calcsize(form) :]


def central(offset: int) -> Callable[[bytes], int]:
    """A place in the first entry of the directory."""
    return lambda data: data.index(b"PK\x01\x02") + offset


def end(offset: int) -> Callable[[bytes], int]:
    """A place in the end record."""
    return lambda data: len(data) - 22 + offset


PLAIN = zipped(("a.txt", b"a" * 100))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x05\x06",
        PLAIN[:-1],
        PLAIN + b"x",
        b"x" + PLAIN,
        zipped(("a", b"1"), comment=b"hello"),
        patched(PLAIN, central(8), "<H", 0x1),
        patched(PLAIN, central(8), "<H", 0x40),
        patched(PLAIN, central(10), "<H", 12),
        patched(PLAIN, central(10), "<H", 99),
        patched(PLAIN, central(16), "<L", 7),
        patched(PLAIN, central(24), "<L", 1_000_000),
        patched(PLAIN, central(42), "<L", 5),
        patched(PLAIN, end(4), "<H", 1),
        patched(PLAIN, end(8), "<H", 2),
        patched(PLAIN, end(16), "<L", 1),
        zipped((entry("a", external_attr=0o120777 << 16), b"/etc/passwd")),
        zipped((entry("a", external_attr=0o040755 << 16), b"")),
    ],
)
def test_what_is_no_plain_archive(data: bytes) -> None:
    """Cut, glued, encrypted, exotic, lying about itself, links and folders."""
    assert code_of(data) == "archive-unsound"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """By what its directory says; the millionfold zeros never come to be."""
    bomb = zipped(("a.pdf", bytes(ARCHIVE_BYTES + 1)))
    assert len(bomb) < 100_000
    tracemalloc.start()
    assert code_of(bomb) == "archive-too-large"
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_is_cut() -> None:
    """It says a hundred bytes and has sixteen million: a chunk is unpacked, not all."""
    bomb = patched(zipped(("a.pdf", bytes(16_000_000))), central(24), "<L", 100)
    tracemalloc.start()
    assert code_of(bomb) == "archive-unsound"
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


def test_many_small_bombs_are_one() -> None:
    """Sizes are summed up, files counted."""
    assert code_of(zipped(*((f"{n}", bytes(1_000_000)) for n in range(68)))) == "archive-too-large"
    assert code_of(zipped(*((f"{n}", b"") for n in range(ARCHIVE_FILES + 1)))) == "archive-too-large"


def test_a_directory_of_millions_is_not_read() -> None:
    """Its length counts, not what it says of itself."""
    directory = PLAIN[PLAIN.index(b"PK\x01\x02") : -22] * 40_000
    data = directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    assert code_of(data) == "archive-too-large"


def test_files_are_in_memory_once() -> None:
    """A letter of 64 MB shares 256 MB with its package and its archive."""
    archive = pack({"a": bytes(8_000_000), "b": bytes(8_000_000)})
    tracemalloc.start()
    unpack(archive, "a")
    assert tracemalloc.get_traced_memory()[1] < 17_000_000
    tracemalloc.stop()
