"""MEDO up to 2.6: the samples, round trips, every receipt."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.formats import FORMATS
from adapters.formats.medo import MedoFormat
from adapters.formats.medo.versions import VERSIONS
from adapters.formats.medo.words import DOCUMENT, REMARKS_FILE
from exchange.agent.ports import Package
from exchange.domain.card import Extra, FileRole, Link, Party, Person
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.statement import Access, LetterKind
from tests.adapters.support import (
    DAY,
    DIRECTORY,
    MINISTER,
    NAMES,
    NOW,
    arrived,
    draft_of,
    edited,
    letter_of,
    receipt,
    receipt_of,
    sample,
    validated,
)

MEDO = MedoFormat()
SAMPLE = sample("document_2.6.xml", DOCUMENT, letter_pdf=b"%PDF", letter_p7s=b"0\x82")


def rendered(package: Package | None) -> str:
    """The document of a package, which must validate."""
    return validated(package, DOCUMENT, "medo")


def test_the_sample_document_is_understood() -> None:
    """Fields of the 2.6 sample stand where the card has them."""
    draft = letter_of(MEDO.parse(SAMPLE, DIRECTORY))
    assert (draft.message_id, draft.card.document_id) == (
        "66666666-2222-4333-8444-555555555555",
        "bbbbbbbb-2222-4333-8444-555555555555",
    )
    assert draft.kind is LetterKind.REPLY
    assert draft.in_reply_to_number == "7-12/9"
    assert (draft.recipients, draft.card.sender.body) == (("minjust",), "mfa")
    assert (draft.card.reg_number, draft.card.reg_date) == ("01-5/123", DAY)
    assert [(file.name, file.role) for file in draft.card.files] == [
        ("letter.pdf", FileRole.MAIN),
        ("letter.p7s", FileRole.DATA),
    ]
    assert draft.card.signatures[0].time == datetime(2022, 1, 20, 5, 58, tzinfo=UTC)
    assert draft.card.extras == ()


def test_the_sample_receipts_are_understood() -> None:
    """A квитанция names the message, an уведомление (of 2.2 too) the document."""
    taken = receipt_of(MEDO.parse(sample("receipt_2.6.xml", DOCUMENT), DIRECTORY))
    accepted = receipt_of(MEDO.parse(sample("accepted_2.2.xml", DOCUMENT), DIRECTORY))
    refused = receipt_of(MEDO.parse(sample("refused_2.2.xml", DOCUMENT), DIRECTORY))
    assert (taken.event, taken.card.message_id, taken.card.document_id) == (
        Event.HANDED_OVER,
        "66666666-2222-4333-8444-555555555555",
        "",
    )
    assert (accepted.event, accepted.card.reg_number, accepted.card.message_id) == (Event.REGISTERED, "33306/МС", "")
    assert (refused.event, refused.card.reason_text, refused.card.note) == (
        Event.REFUSED,
        "Не подлежит регистрации",
        "по договоренности",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_a_full_letter_returns_as_it_was(encoding: str) -> None:
    """Everything that MEDO has a field for survives writing and reading, Kyrgyz letters too."""
    fmt, draft = MedoFormat(encoding=encoding), draft_of("medo-2.6")
    package = fmt.write(draft, NOW, DIRECTORY, "kat")
    assert encoding in package.files[DOCUMENT][:60].decode("ascii").lower()
    assert fmt.parse(package, DIRECTORY) == draft


def test_unknown_fields_return_in_the_same_format() -> None:
    """What the card has no name for goes along as extras and comes out where it stood."""
    text = SAMPLE.files[DOCUMENT].decode()
    text = text.replace("<xdms:kind>", '<xdms:kind xdms:id="k-1" xdms:retro="true">').replace(
        "<xdms:files>0</xdms:files>\n  </xdms:document>",
        "<xdms:files>0</xdms:files><xdms:comment>Лично</xdms:comment>\n  </xdms:document>",
    )
    text = text.replace("<xdms:signatories>", "<xdms:specialMark>Экз. 2</xdms:specialMark><xdms:signatories>")
    draft = letter_of(MEDO.parse(Package("x", {**SAMPLE.files, DOCUMENT: text.encode()}), DIRECTORY))
    assert draft.card.extras == (
        Extra("document/kind/@id", "k-1"),
        Extra("document/kind/@retro", "true"),
        Extra("document/specialMark", "Экз. 2"),
        Extra("document/comment", "Лично"),
    )
    again = MEDO.render_letter(arrived(draft), "minjust", DIRECTORY)
    assert letter_of(MEDO.parse(again, DIRECTORY)).card == dataclasses.replace(
        draft.card,
        sender=dataclasses.replace(draft.card.sender, name=NAMES["mfa"]),
        addressees=(dataclasses.replace(draft.card.addressees[0], name=NAMES["minjust"]),),
    )
    assert "Экз. 2" in rendered(again)


def test_extras_never_overrule_the_letter() -> None:
    """A made-up extra neither replaces a field, nor adds a file, nor breaks the document."""
    extras = (
        Extra("header/@uid", "other"),
        Extra("header/source/@uid", "39b3deb1-9f60-49a5-8fb9-2af8020071ed"),
        Extra("document/num/number", "1"),
        Extra("files/file[9]/@localName", "../passwd"),
        Extra("deliveryIndex/destination[2]/destination/@uid", "x"),
        Extra("../../x", "1"),
        Extra("document/annotation/b", "1"),
    )
    plain = MEDO.write(draft_of("medo-2.6"), NOW, DIRECTORY, "kat")
    assert MEDO.write(draft_of("medo-2.6", extras=extras), NOW, DIRECTORY, "kat") == plain


def test_the_sender_is_who_signed() -> None:
    """A card that claims another body's uid is handed over under the uid of its signer."""
    draft = draft_of("medo-2.6", sender=Party(body="minjust", uid="ORG-B", name="Минюст"))
    text = rendered(MEDO.render_letter(arrived(draft, "mfa"), "minjust", DIRECTORY))
    assert 'source xdms:uid="aaaaaaaa-2222-4333-8444-555555555555"' in text


def test_each_recipient_gets_its_own_destination() -> None:
    """The delivery index names the one recipient, the addressees all."""
    package = MEDO.render_letter(arrived(draft_of("medo-2.6")), "natstatkom", DIRECTORY)
    draft = letter_of(MEDO.parse(package, DIRECTORY))
    assert draft.recipients == ("natstatkom",)
    assert [party.body for party in draft.card.addressees] == ["natstatkom", "minjust"]


def test_what_is_too_long_is_cut_and_told() -> None:
    """Number and annotation are cut to the format's limits; the comment has them whole."""
    draft = draft_of("medo-2.6", reg_number="9" * 40, title="", annotation="слово " * 700)
    draft = dataclasses.replace(draft, reply_due=date(2022, 2, 4))
    package = MEDO.write(draft, NOW, DIRECTORY, "kat")
    text = rendered(package)
    assert "9" * 30 + "…<" in text
    assert f"Полностью в файле {REMARKS_FILE}" in text
    remarks = package.files[REMARKS_FILE].decode()
    assert "Номер: " + "9" * 40 in remarks
    assert "Срок ответа: 2022-02-04" in remarks
    assert draft.card.annotation in remarks
    assert REMARKS_FILE in [file.name for file in letter_of(MEDO.parse(package, DIRECTORY)).card.files]


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("01-5/123", "1" * 32, "number"),
        ("О переходе на электронный документооборот", "я" * 4001, "annotation"),
        ('xdms:uid="bbbbbbbb-2222-4333-8444-555555555555"', "", "document"),
        ("2022-02-20", "2022-02-30", "deadline"),
        ("<xdms:pages>1</xdms:pages>\n    <xdms:annot", "<xdms:pages>-1</xdms:pages>\n    <xdms:annot", "pages"),
        ("В ответ на", "В пику", "linkType"),
        ('xdms:type="Документ"', 'xdms:type="Уведомление"', "header"),
        ('xdms:header xdms:type="Документ" xdms:uid="66666666-2222-4333-8444-555555555555"',
         'xdms:header xdms:type="Документ"', "header"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_field_and_line(before: str, after: str, field: str) -> None:
    """Violations of the format are errors that say where."""
    with pytest.raises(DocumentError, match=rf"document\.xml, line \d+, .*{field}"):
        MEDO.parse(edited(SAMPLE, DOCUMENT, before, after), DIRECTORY)


def test_an_addressee_that_could_be_a_code_passes_on() -> None:
    """The exchange refuses an unknown body; what could never be a code is refused here."""
    uid = "39b3deb1-9f60-49a5-8fb9-2af8020071ed"
    assert letter_of(MEDO.parse(edited(SAMPLE, DOCUMENT, uid, "Nowhere"), DIRECTORY)).recipients == ("nowhere",)
    with pytest.raises(DocumentError) as caught:
        MEDO.parse(edited(SAMPLE, DOCUMENT, uid, "ГДЕ-ТО"), DIRECTORY)
    assert caught.value.code == "recipient-unknown"


def test_a_letter_without_any_uid_has_no_way() -> None:
    """Without a delivery index and addressees' uids there is nowhere to send to."""
    text = SAMPLE.files[DOCUMENT].decode().replace(' xdms:uid="39b3deb1-9f60-49a5-8fb9-2af8020071ed"', "")
    start, end = text.index("<xdms:deliveryIndex>"), text.index("</xdms:communication>")
    with pytest.raises(DocumentError) as caught:
        MEDO.parse(
            Package("x", {**SAMPLE.files, DOCUMENT: (text[:start] + text[end:]).encode()}), DIRECTORY
        )  # fmt: skip
    assert caught.value.code == "recipient-missing"


def test_secret_words_are_taken_cautiously() -> None:
    """An unknown word for access restricts; the word itself comes back in the same format."""
    package = edited(SAMPLE, DOCUMENT, "</xdms:num>\n    <xdms:sign",
                     "</xdms:num><xdms:classification>Особая</xdms:classification>\n    <xdms:sign")  # fmt: skip
    draft = letter_of(MEDO.parse(package, DIRECTORY))
    assert draft.access is Access.RESTRICTED
    text = rendered(MEDO.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert "<xdms:classification>Особая<" in text
    lowered = dataclasses.replace(draft, access=Access.CONFIDENTIAL)
    assert "<xdms:classification>Конфиденциально<" in rendered(
        MEDO.render_letter(arrived(lowered), "minjust", DIRECTORY)
    )


def test_a_letter_without_signatory_or_number_still_goes() -> None:
    """MEDO requires both: the organisation stands for the one, `б/н` for the other."""
    draft = draft_of("", signatories=(), reg_number="", reg_date=None, links=(Link("К сведению", "", "", DAY),))
    text = rendered(MEDO.write(draft, NOW, DIRECTORY, "kat"))
    assert "<xdms:number>б/н</xdms:number>" in text
    assert "<xdms:comment>К сведению</xdms:comment>" in text
    back = letter_of(MEDO.parse(MEDO.write(draft, NOW, DIRECTORY, "kat"), DIRECTORY)).card
    assert back.signatories == (Person(organization="МИД"),)
    assert (back.reg_number, back.links) == ("", (Link("Связан с", "", "", DAY),))


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("event", [Event.REJECTED, Event.NOT_DELIVERED, Event.HAND_OVER_FAILED])
def test_failures_come_back_as_a_negative_acknowledgment(event: Event, name: str) -> None:
    """The квитанция says false and why, with the code to look up, in every version."""
    said = receipt(event, draft_of(""), "recipient-unknown", "нет такого")
    package = FORMATS[name].render_receipt(said, "mfa", DIRECTORY)
    assert package is not None
    assert b"accepted>false<" in package.files[DOCUMENT]
    back = receipt_of(MEDO.parse(package, DIRECTORY))
    assert (back.event, back.reason) == (Event.HAND_OVER_FAILED, "hand-over-failed")
    assert (back.card.message_id, back.card.reason_text) == ("m:0001/22", "нет такого (recipient-unknown)")
    assert back.addressee == "mfa"


def test_a_clock_at_the_end_of_time() -> None:
    """A recipient's receipt may state any time: it is shown all the same."""
    said = dataclasses.replace(receipt(Event.DELIVERED, draft_of("")), at=datetime.max.replace(tzinfo=UTC))
    assert "9999-12-31T23:59:59" in rendered(MEDO.render_receipt(said, "mfa", DIRECTORY))


def test_the_exchange_speaks_under_its_own_name() -> None:
    """A rejection comes from no body."""
    said = dataclasses.replace(receipt(Event.REJECTED, draft_of(""), "gap", "почему"), actor=EXCHANGE)
    assert f'source xdms:uid="{EXCHANGE}"' in rendered(MEDO.render_receipt(said, "mfa", DIRECTORY))


def test_delivered_is_a_positive_acknowledgment() -> None:
    """What the sender learns as delivered, an EDMS says as taken in."""
    package = MEDO.render_receipt(receipt(Event.DELIVERED, draft_of("")), "mfa", DIRECTORY)
    assert "<xdms:accepted>true</xdms:accepted>" in rendered(package)
    assert package is not None
    assert receipt_of(MEDO.parse(package, DIRECTORY)).event is Event.HANDED_OVER


NOTICES: list[tuple[Event, dict[str, Any]]] = [
    (Event.REGISTERED, {"reg_number": "ВХ-77/2022", "reg_date": DAY, "note": "Катталды"}),
    (Event.REFUSED, {"reason_text": "Не подлежит регистрации"}),
    (Event.EXECUTOR_ASSIGNED, {"actor": dataclasses.replace(MINISTER, signed=None)}),
    (Event.PROGRESS, {"note": "Аткарылууда"}),
    (Event.REPLY_PREPARED, {"actor": MINISTER}),
    (Event.REPLY_SENT, {"reg_number": "5-1/9", "reg_date": DAY}),
]


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize(("event", "fields"), NOTICES)
def test_every_notice_goes_both_ways(event: Event, fields: dict[str, Any], name: str) -> None:
    """What the recipient wrote is what the sender's EDMS reads, about the document's uid, in every version."""
    package = FORMATS[name].render_receipt(receipt(event, draft_of(""), **fields), "mfa", DIRECTORY)
    assert package is not None
    back = receipt_of(MEDO.parse(package, DIRECTORY))
    assert (back.event, back.at, back.addressee) == (event, NOW, "mfa")
    assert (back.card.document_id, back.card.source_format) == ("doc/№7 of 2022", name)
    assert back.card.message_id == ("" if name == "medo-2.2" else "m:0001/22")
    assert {name: getattr(back.card, name) for name in fields} == fields


@pytest.mark.parametrize("event", [event for event, _ in NOTICES])
def test_a_notice_of_few_words_is_whole(event: Event) -> None:
    """Required elements stand there although the recipient wrote no card."""
    rendered(MEDO.render_receipt(receipt(event, draft_of("", reg_number="")), "mfa", DIRECTORY))


@pytest.mark.parametrize(
    "event", [Event.ACCEPTED, Event.RELAY_FAILED, Event.HANDED_OVER, Event.REDIRECTED, Event.EXPIRED]
)
def test_events_without_a_word_stay_silent(event: Event) -> None:
    """MEDO has no document for these."""
    assert MEDO.render_receipt(receipt(event, draft_of("")), "mfa", DIRECTORY) is None


def test_extras_of_a_notice_return() -> None:
    """Secretary and manager are no fields of the card, yet reach a MEDO sender."""
    said = receipt(
        Event.EXECUTOR_ASSIGNED,
        draft_of(""),
        actor=Person(name="Ж. Асанова"),
        source_format="medo-2.6",
        extras=(Extra("notification/executorAssigned/secretary/person", "К. Токтогулова"),),
    )
    assert "<xdms:person>К. Токтогулова</xdms:person>" in rendered(MEDO.render_receipt(said, "mfa", DIRECTORY))


def test_a_long_registration_number_is_told_whole() -> None:
    """The field holds 31 characters, the comment the rest."""
    text = rendered(MEDO.render_receipt(receipt(Event.REGISTERED, draft_of(""), reg_number="7" * 40), "mfa", DIRECTORY))
    assert "<xdms:comment>Номер: " + "7" * 40 in text


def test_a_notice_whose_type_and_content_differ_is_refused() -> None:
    """Registered by its type, refused by its content: nobody can say which."""
    with pytest.raises(DocumentError, match="Отказано"):
        MEDO.parse(
            edited(sample("refused_2.2.xml", DOCUMENT), DOCUMENT, "Отказано в регистрации", "Зарегистрирован"),
            DIRECTORY,
        )


def test_transport_files_are_no_attachments() -> None:
    """`envelope.ltr` belongs to the mail that carried the package."""
    package = Package("x", {**SAMPLE.files, "envelope.ltr": b"[\xcf]"})
    assert MEDO.parse(package, DIRECTORY) == MEDO.parse(SAMPLE, DIRECTORY)
