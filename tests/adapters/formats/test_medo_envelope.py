"""The envelope of MEDO's mail: what it says, and in which letters."""

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats.files import file_info
from adapters.formats.medo import MedoFormat
from adapters.formats.medo.envelope import (
    ENVELOPE_BYTES,
    Envelope,
    mailed_name,
    open_envelope,
    subject_of,
    write_envelope,
)
from adapters.formats.medo.versions import MEDO_2_2, MEDO_2_6, MEDO_2_7_1, VERSIONS, Version
from adapters.formats.medo.words import CONTAINER, DOCUMENT
from exchange.agent.ports import Package
from exchange.domain.card import DocumentSignature, Extra, FileRole, Person
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from tests.adapters.support import DAY, DIRECTORY, NOW, SAMPLES, draft_of, letter_of, receipt, receipt_of

SAMPLE = (SAMPLES / "envelope.ltr").read_bytes()
FILES = {DOCUMENT: b"<a/>", CONTAINER: b"PK"}


def opened(data: bytes, name: str = "envelope.ltr") -> Envelope:
    """The envelope of a package that has all files of the sample."""
    return open_envelope(Package("kat", {**FILES, name: data}))


def test_the_sample_is_understood() -> None:
    """Addresses without the name of the network, and the subject."""
    assert opened(SAMPLE) == Envelope(("ORG-B",), "ЭСД МЭДО (01-5/123 от 20.01.2022)")
    assert opened(SAMPLE, "ENVELOPE.INI") == opened(SAMPLE)


def test_a_package_without_one_has_an_empty_one() -> None:
    """Most come without."""
    assert open_envelope(Package("kat", FILES)) == Envelope()


def test_what_is_written_is_read() -> None:
    """One line each, in windows-1251 and with the line ends of Windows."""
    data = write_envelope("Кат\r\n[АДРЕСАТЫ]", ["ORG-A", "КОД 7/ОРГ"], [CONTAINER, DOCUMENT], NOW)
    assert opened(data) == Envelope(("ORG-A", "КОД 7/ОРГ"), "Кат [АДРЕСАТЫ]")
    assert data.decode("cp1251").count("\r\n") == data.count(b"\n") == 14
    assert "ДАТА=20.01.2022 12:00:00" in data.decode("cp1251")
    assert b"?" in write_envelope("ң", [], [], NOW)


def test_a_line_in_utf8_is_read_as_such() -> None:
    """A gateway on the way has added a line, or a mark in front, in its own encoding."""
    mixed = SAMPLE + "1=MEDO~x\r\n[АДРЕСАТЫ]\r\n1=MEDO~Ак-Булуң\r\n".encode().replace(b"1=MEDO~x\r\n", b"")
    assert opened(mixed).addresses == ("ORG-B", "Ак-Булуң")
    assert opened(b"\xef\xbb\xbf" + SAMPLE.decode("cp1251").encode()) == opened(SAMPLE)


def test_a_file_that_the_envelope_lists_must_be_there() -> None:
    """Half of the mail has not come yet, or was lost."""
    with pytest.raises(DocumentError, match=r"envelope\.ltr, \[ФАЙЛЫ\] '0'.*wait for the rest") as caught:
        open_envelope(Package("kat", {DOCUMENT: b"<a/>", "envelope.ltr": SAMPLE}))
    assert caught.value.code == "file-missing"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[\x98]", "document-encoding"),
        (b"0=" + b"a" * ENVELOPE_BYTES, "document-too-large"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, code: str) -> None:
    """With its line."""
    with pytest.raises(DocumentError) as caught:
        opened(data)
    assert caught.value.code == code


@given(st.binary(max_size=80) | st.text("[]=\n АДРЕСТЫФЙЛ0~", max_size=40).map(str.encode))
def test_any_bytes_are_an_envelope_or_an_error(data: bytes) -> None:
    """Nothing else is raised."""
    try:
        opened(data)
    except DocumentError as error:
        assert error.place


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
@pytest.mark.parametrize("name", ["envelope.ini", "envelope.ltr"])
def test_packages_are_written_with_it_where_that_is_wanted(version: Version, name: str) -> None:
    """It lists every other file, and the package is read again; so is a receipt's."""
    fmt = MedoFormat(version, envelope=name)
    draft = draft_of(version.format)
    package = fmt.write(draft, NOW, DIRECTORY, "kat")
    listed = package.files[name].decode("cp1251").partition("[ФАЙЛЫ]\r\n")[2].splitlines()
    assert {line.partition("=")[2] for line in listed} == set(package.files) - {name}
    read = letter_of(fmt.parse(package, DIRECTORY))
    assert Extra("envelope/subject", "ЭСД МЭДО (11-10/77 от 20.01.2022)") in read.card.extras
    told = fmt.render_receipt(receipt(Event.DELIVERED, draft), "mfa", DIRECTORY)
    assert told is not None
    assert receipt_of(fmt.parse(told, DIRECTORY)).card.message_id == draft.message_id


@pytest.mark.parametrize("version", [MEDO_2_6, MEDO_2_7_1])
def test_a_subject_returns(version: Version) -> None:
    """It is an extra of the letter, and no part of any document."""
    fmt = MedoFormat(version, envelope="envelope.ltr")
    draft = draft_of(version.format, extras=(Extra("envelope/subject", "Лично министру"),))
    package = fmt.write(draft, NOW, DIRECTORY, "kat")
    assert "ТЕМА=Лично министру\r\n".encode("cp1251") in package.files["envelope.ltr"]
    assert b"envelope" not in package.files[DOCUMENT]


def test_names_of_files_can_be_mailed() -> None:
    """Where an envelope lists the files, they have names in its letters."""
    assert mailed_name("Үй-бүлөнүн каты №7 — көчүрмө😀.pdf") == "Уй-булонун каты №7 — кочурмо_.pdf"
    draft = draft_of("medo-2.2")
    files = tuple(dataclasses.replace(file, name=f"ң{file.name}") for file in draft.card.files)
    draft = dataclasses.replace(draft, card=dataclasses.replace(draft.card, files=files, signatures=()))
    fmt = MedoFormat(MEDO_2_2, envelope="envelope.ini")
    assert "нКат №77.pdf" in fmt.write(draft, NOW, DIRECTORY, "kat").files
    name = "Үй.p7s"
    signed = (DocumentSignature("0", name, Person(name="Х")),)
    files = (file_info("0", "Үй.pdf", b"1", FileRole.MAIN), file_info(name, name, b"2", FileRole.DATA))
    draft = dataclasses.replace(draft_of("", files=files, signatures=signed), files=(b"1", b"2"))
    fmt = MedoFormat(MEDO_2_6, envelope="envelope.ini")
    read = letter_of(fmt.parse(fmt.write(draft, NOW, DIRECTORY, "kat"), DIRECTORY)).card
    assert read.signatures == (DocumentSignature("0", "Уй.p7s", Person(name="Х")),)
    assert [file.id for file in read.files] == ["0", "Уй.p7s"]


@pytest.mark.parametrize(
    ("number", "day", "subject"),
    [
        ("7", DAY, "ЭСД МЭДО (7 от 20.01.2022)"),
        ("7", None, "ЭСД МЭДО (7)"),
        ("", date(1, 2, 3), "ЭСД МЭДО (б/н от 03.02.0001)"),
    ],
)
def test_a_subject_is_made_where_the_letter_has_none(number: str, day: date | None, subject: str) -> None:
    """Number and date, as MEDO's systems write it."""
    assert subject_of(number, day) == subject
