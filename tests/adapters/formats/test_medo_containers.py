"""Transport containers of MEDO 2.7 and 2.7.1: the samples, stamps, signatures, and what is wrong in one."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats import FORMATS
from adapters.formats.archive import pack, unpack
from adapters.formats.files import file_info
from adapters.formats.medo import MedoFormat
from adapters.formats.medo.versions import MEDO_2_6, MEDO_2_7, MEDO_2_7_1, VERSIONS, Version, passport_schema
from adapters.formats.medo.words import CONTAINER, DOCUMENT, PASSPORT, REMARKS_FILE
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.card import DocumentSignature, Extra, FileRole, Link, Person
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.statement import Access
from exchange.wire.xml import parse
from tests.adapters.support import (
    DAY,
    DIRECTORY,
    NAMES,
    NOW,
    SAMPLES,
    arrived,
    draft_of,
    letter_of,
    receipt_of,
    sample,
)
from tests.strategies import mutations

PASSPORT_SAMPLE = (SAMPLES / "passport_2.7.xml").read_bytes()
INNER = {
    PASSPORT: PASSPORT_SAMPLE,
    "mainDoc.pdf": b"%PDF",
    "attachment_1.pdf": b"%PDF-",
    "mainDoc_signature_1.p7s": b"0\x82",
    "attachment_1_signature.p7s": b"0\x83",
    "reg_stamp.png": b"\x89PNG",
    "signature_stamp_1.png": b"\x89PNG-",
}
OUTER = {
    DOCUMENT: (SAMPLES / "document_2.7.xml").read_bytes(),
    "envelope.ltr": (SAMPLES / "envelope.ltr").read_bytes(),
}
STAMPED = "authors/author/registration/registrationStamp/position"
POSITION = Extra(f"passport/{STAMPED}/topLeft/x", "15")
NEW = [MEDO_2_7, MEDO_2_7_1]


def container(**inner: bytes) -> Package:
    """The sample as it comes by mail; `inner` replaces files of the container, `_` for the dot, empty for none."""
    files = {**INNER, **{name.replace("_xml", ".xml").replace("_pdf", ".pdf"): data for name, data in inner.items()}}
    return Package("kat", {**OUTER, CONTAINER: pack({name: data for name, data in files.items() if data})})


def passport(before: str, after: str) -> Package:
    """The sample with a text of its passport replaced, which must be there."""
    text = PASSPORT_SAMPLE.decode()
    assert before in text
    return container(passport_xml=text.replace(before, after).encode())


def opened(package: Package) -> DraftLetter:
    """The letter of a package."""
    return letter_of(MedoFormat(MEDO_2_7).parse(package, DIRECTORY))


def passport_of(package: Package, version: Version = MEDO_2_7) -> str:
    """The passport of a package that was written, which must validate."""
    assert version.passport is not None
    data = unpack(package.files[CONTAINER], CONTAINER)[PASSPORT]
    passport_schema(version.passport).check(parse(data, PASSPORT), PASSPORT)
    return data.decode()


def test_the_sample_is_understood() -> None:
    """Who signed what stands in the passport, who it is for on the envelope alone."""
    draft = opened(container())
    card = draft.card
    assert (draft.message_id, card.document_id) == ("66666666-2222-4333-8444-555555555555",) * 2
    assert (draft.recipients, card.sender.body) == (("minjust",), "mfa")
    assert (card.kind, card.reg_number, card.reg_date, card.title) == ("Письмо", "01-5/123", DAY, "О переходе на СЭД")
    signer = Person(name="Иванов Иван Иванович", post="Министр", organization="Орган-отправитель")
    assert card.signatories == (signer,)
    assert card.signatures == (
        DocumentSignature("0", "mainDoc_signature_1.p7s", signer),
        DocumentSignature("1", "attachment_1_signature.p7s", Person()),
    )
    assert [(file.name, file.role, file.pages) for file in card.files] == [
        ("mainDoc.pdf", FileRole.MAIN, 1),
        ("attachment_1.pdf", FileRole.ANNEX, None),
        ("mainDoc_signature_1.p7s", FileRole.DATA, None),
        ("attachment_1_signature.p7s", FileRole.DATA, None),
        ("reg_stamp.png", FileRole.DATA, None),
        ("signature_stamp_1.png", FileRole.DATA, None),
    ]
    assert POSITION in card.extras


def test_the_sample_acknowledgment_is_understood() -> None:
    """2.7.1 has another namespace, and says the same in it."""
    taken = receipt_of(MedoFormat().parse(sample("acknowledgment_2.7.1.xml", DOCUMENT), DIRECTORY))
    assert (taken.event, taken.addressee) == (Event.HANDED_OVER, "mfa")
    assert taken.card.message_id == "66666666-2222-4333-8444-555555555555"
    assert taken.card.source_format == "medo-2.7.1"


@pytest.mark.parametrize("version", NEW)
def test_the_sample_returns_with_its_stamps(version: Version) -> None:
    """Pictures and positions in millimetres stand where they stood, in either version."""
    draft = opened(container())
    package = MedoFormat(version).write(draft, NOW, DIRECTORY, "kat")
    text = passport_of(package, version)
    for part in ('registrationStamp c:localName="reg_stamp.png"', 'signatureStamp c:localName="signature_stamp_1.png"',
                 "<c:x>80</c:x>", "<c:h>14</c:h>", 'c:type="Утверждающая"'):  # fmt: skip
        assert part in text
    again = letter_of(MedoFormat().parse(package, DIRECTORY))
    extras = tuple(extra for extra in draft.card.extras if extra.path != "envelope/subject")
    assert dataclasses.replace(again.card, source_format="medo-2.7") == dataclasses.replace(draft.card, extras=extras)
    assert again.files == draft.files


@pytest.mark.parametrize("target", FORMATS)
def test_pictures_of_stamps_go_along_anywhere(target: str) -> None:
    """A recipient of another format has them beside the letter, and the signatures too."""
    draft = opened(container())
    package = FORMATS[target].render_letter(arrived(draft), "minjust", DIRECTORY)
    read = letter_of(FORMATS[target].parse(package, DIRECTORY))
    assert {file.name for file in read.card.files} == {file.name for file in draft.card.files}


def test_signs_of_one_author_are_read_as_two() -> None:
    """Some systems group signatures by organisation; stamps keep their places all the same."""
    sign = PASSPORT_SAMPLE.decode().split("<c:sign>")[1].split("</c:sign>")[0]
    second = sign.replace("Иванов Иван Иванович", "Асанов").replace("mainDoc_signature_1", "second")
    package = passport("</c:author></c:authors>", f"<c:sign>{second}</c:sign></c:author></c:authors>")
    inner = {**unpack(package.files[CONTAINER], CONTAINER), "second.p7s": b"0\x84"}
    draft = opened(Package("kat", {**package.files, CONTAINER: pack(inner)}))
    assert [person.name for person in draft.card.signatories] == ["Иванов Иван Иванович", "Асанов"]
    text = passport_of(MedoFormat(MEDO_2_7).write(draft, NOW, DIRECTORY, "kat"))
    assert text.count("<c:author>") == text.count("<c:number>01-5/123<") == 2
    assert text.count("signature_stamp_1.png") == text.count("<c:y>200</c:y>") == 2


def test_links_of_another_shape_are_carried() -> None:
    """Nobody has described them: what is like a message's is understood, all else returns as it was."""
    links = (
        "<c:links><c:link><c:document><c:num>7</c:num></c:document></c:link>"
        "<c:link c:uid='d-1'><c:linkType>Ответ</c:linkType></c:link></c:links>"
    )
    draft = opened(passport("</c:annotation>", f"</c:annotation>{links}"))
    assert draft.card.links == (Link("Ответ", "d-1"),)
    assert Extra("passport/requisites/links/link/document/num", "7") in draft.card.extras
    alone = opened(passport("</c:annotation>", f"</c:annotation>{links.partition('<c:link c:uid')[0]}</c:links>"))
    assert "<c:num>7</c:num>" in passport_of(MedoFormat(MEDO_2_7).write(alone, NOW, DIRECTORY, "kat"))


def test_an_unknown_word_for_access_returns() -> None:
    """It means restricted here, and stays what it was there."""
    draft = opened(passport("<c:annotation>", "<c:classification>Особая</c:classification><c:annotation>"))
    assert draft.access is Access.RESTRICTED
    assert "Особая" in passport_of(MedoFormat(MEDO_2_7).write(draft, NOW, DIRECTORY, "kat"))


@pytest.mark.parametrize("version", NEW)
def test_no_extra_adds_a_file_or_an_author(version: Version) -> None:
    """What a sender makes up is left out, and the rest is as it would be without."""
    extras = (
        Extra("passport/authors/author[2]/sign/person/name", "Х"),
        Extra("passport/authors/author/registration/registrationStamp/@localName", "../x"),
        Extra("passport/authors/author/registration/registrationStamp/position/page", "1"),
        Extra("passport/attachments/attachment[9]/@localName", "../passwd"),
        Extra("passport/document/@localName", "x"),
        Extra("passport/requisites/annotation/b", "1"),
        Extra("document/annotation", "x"),
        Extra("container/body", "x.zip"),
    )
    fmt = MedoFormat(version)
    plain = fmt.write(draft_of(version.format), NOW, DIRECTORY, "kat")
    for extra in extras:
        assert fmt.write(draft_of(version.format, extras=(extra,)), NOW, DIRECTORY, "kat") == plain


def test_a_letter_of_older_fields_keeps_them_as_remarks() -> None:
    """Tasks, executor, urgency: people read them in the comment of the header."""
    package = MedoFormat(MEDO_2_7).write(draft_of(""), NOW, DIRECTORY, "kat")
    text = package.files[DOCUMENT].decode()
    for line in ("Пункт 1: Представить сведения", "Исполнитель: Ж. Асанова, Министр", "Срочность: Срочно"):
        assert line in text


def test_a_letter_without_files_is_its_text() -> None:
    """A container must have a document: the annotation is it."""
    draft = draft_of("", files=(), signatures=())
    draft = dataclasses.replace(draft, files=())
    read = letter_of(MedoFormat().parse(MedoFormat(MEDO_2_7).write(draft, NOW, DIRECTORY, "kat"), DIRECTORY))
    assert [file.name for file in read.card.files] == ["document.txt"]
    assert read.files[0].decode() == draft.card.annotation


def test_long_remarks_are_an_attachment() -> None:
    """As in a document of 2.6."""
    draft = draft_of("", access_basis="ст. 12 " * 400)
    read = letter_of(MedoFormat().parse(MedoFormat(MEDO_2_7).write(draft, NOW, DIRECTORY, "kat"), DIRECTORY))
    assert read.card.files[2].name == REMARKS_FILE
    assert draft.card.access_basis.strip() in read.files[2].decode()


def test_signatures_of_signatures_and_of_nothing_are_files() -> None:
    """Each file of the letter is named once at least, whatever a card says of signatures."""
    files = [file_info(name, name, b"x", FileRole.DATA) for name in ("a.pdf", "a.p7s", "b.p7s", "c.p7s")]
    signed = (("a.pdf", "a.p7s"), ("a.p7s", "b.p7s"), ("gone", "c.p7s"), ("a.pdf", "missing.p7s"))
    signatures = tuple(DocumentSignature(ident, name, Person(name="Х")) for ident, name in signed)
    draft = draft_of("", files=tuple(files), signatures=signatures, signatories=())
    draft = dataclasses.replace(draft, files=(b"x",) * 4)
    read = letter_of(MedoFormat().parse(MedoFormat(MEDO_2_7).write(draft, NOW, DIRECTORY, "kat"), DIRECTORY))
    assert {file.name for file in read.card.files} == {file.name for file in files}
    assert [person.name for person in read.card.signatories] == ["Х"]


def test_each_recipient_gets_its_own_destination() -> None:
    """The passport names all addressees, the message the one; names tell which it is."""
    package = MedoFormat(MEDO_2_7).render_letter(arrived(draft_of("medo-2.7")), "natstatkom", DIRECTORY)
    draft = letter_of(MedoFormat().parse(package, DIRECTORY))
    assert draft.recipients == ("natstatkom",)
    assert [(party.body, party.name) for party in draft.card.addressees] == [
        ("natstatkom", NAMES["natstatkom"]), ("", "Минюст"),
    ]  # fmt: skip


@pytest.mark.parametrize(("contact", "phone", "email"), [
    ("0312 00-00-00", "0312 00-00-00", None), ("a@b.kg", None, "a@b.kg"), ("0312, a@b.kg", "0312", "a@b.kg"),
    ("a@b.kg, 0312", "a@b.kg, 0312", None), (", a@b.kg", ", a@b.kg", None),
])  # fmt: skip
def test_telephone_and_mail_are_one_contact(contact: str, phone: str | None, email: str | None) -> None:
    """Passports keep them apart, the card does not."""
    signer = Person(name="Х", organization="МИД", contact=contact)
    package = MedoFormat(MEDO_2_7).write(draft_of("medo-2.7", signatories=(signer,)), NOW, DIRECTORY, "kat")
    text = passport_of(package)
    assert (f"<c:phone>{phone}<" in text, f"<c:email>{email}<" in text) == (phone is not None, email is not None)
    assert letter_of(MedoFormat().parse(package, DIRECTORY)).card.signatories[0] == signer


def code_of(package: Package) -> str:
    """Code by which a package is refused; its message says where."""
    with pytest.raises(DocumentError) as caught:
        opened(package)
    assert caught.value.place
    return caught.value.code


def test_what_is_wrong_with_a_container_is_named() -> None:
    """The archive, its passport, its files, and who it is for."""
    whole = container().files
    assert code_of(Package("kat", {**whole, CONTAINER: b"PK"})) == "archive-unsound"
    assert code_of(Package("kat", {DOCUMENT: OUTER[DOCUMENT]})) == "file-missing"
    assert code_of(Package("kat", {**whole, "more.pdf": b"1"})) == "file-unnamed"
    assert code_of(Package("kat", {DOCUMENT: OUTER[DOCUMENT], CONTAINER: whole[CONTAINER]})) == "recipient-missing"
    assert code_of(container(passport_xml=b"")) == "document-missing"
    assert code_of(container(passport_xml=b"<container/>")) == "document-namespace"
    assert code_of(container(passport_xml=b"<!DOCTYPE a><a/>")) == "document-type-forbidden"
    assert code_of(container(mainDoc_pdf=b"")) == "file-missing"
    assert code_of(container(more_pdf=b"1")) == "file-unnamed"
    assert code_of(passport("mainDoc.pdf", "passport.xml")) == "file-name-repeated"
    assert code_of(passport("mainDoc.pdf", "../mainDoc.pdf")) == "file-name-unsafe"
    assert code_of(passport('"attachment_1.pdf"', '"mainDoc.pdf"')) == "file-name-repeated"
    assert code_of(passport("<c:x>15", "<c:x>-15")) == "document-invalid"
    assert code_of(passport("<c:date>2022-01-20", "<c:date>2022-02-30")) == "document-invalid"
    typed = OUTER[DOCUMENT].replace("Транспортный контейнер".encode(), "Документ".encode())
    assert code_of(Package("kat", {**whole, DOCUMENT: typed})) == "document-invalid"
    unknown = OUTER["envelope.ltr"].replace(b"ORG-B", b"ORG B")
    assert code_of(Package("kat", {**whole, "envelope.ltr": unknown})) == "recipient-unknown"


def test_a_fault_in_a_passport_is_named_with_its_line() -> None:
    """File within file, line and field."""
    with pytest.raises(DocumentError, match=rf"^{CONTAINER}/{PASSPORT}, line \d+, .*pagesQuantity"):
        opened(passport("<c:pagesQuantity>1", "<c:pagesQuantity>-1"))


@given(data=st.data())
@settings(max_examples=40)
def test_any_passport_is_a_letter_or_an_error(data: st.DataObject) -> None:
    """Mutilated ones raise nothing but `DocumentError`."""
    package = container(passport_xml=data.draw(mutations(PASSPORT_SAMPLE)) or b"x")
    try:
        opened(package)
    except DocumentError as error:
        assert error.code


@pytest.mark.parametrize("name", VERSIONS)
def test_a_document_within_a_message_of_2_7_is_one_of_2_6(name: str) -> None:
    """2.7 did not take the older kind of message away."""
    text = (SAMPLES / "document_2.6.xml").read_text(encoding="utf-8")
    newer = text.replace('version="2.6"', 'version="2.7"').replace("http://www.infpres.com/IEDMS", "urn:IEDMS:MESSAGE")
    files = {DOCUMENT: newer.encode(), "letter.pdf": b"%PDF", "letter.p7s": b"0\x82"}
    draft = letter_of(MedoFormat(VERSIONS[name]).parse(Package("kat", files), DIRECTORY))
    assert draft.card.source_format == MEDO_2_6.format
    assert draft.card.reg_number == "01-5/123"
