"""GOST R 53898: the samples, round trips, every receipt."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.formats.gost53898 import GostFormat
from adapters.formats.gost53898.words import LETTER_DOCUMENT, RECEIPT_DOCUMENT
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.card import Extra, FileRole, Link
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.statement import AckPolicy, LetterKind
from tests.adapters.support import (
    DAY,
    DIRECTORY,
    MINISTER,
    NOW,
    SIGNER,
    arrived,
    draft_of,
    edited,
    letter_of,
    receipt,
    receipt_of,
    sample,
    validated,
)

GOST = GostFormat()
SAMPLE = sample("DocInfo_synthetic.xml", LETTER_DOCUMENT, letter_pdf=b"%PDF", letter_p7s=b"0\x82")
REPORT = sample("Report_registered_synthetic.xml", RECEIPT_DOCUMENT)


def rendered(package: Package | None, document: str = LETTER_DOCUMENT) -> str:
    """The document of a package, which must validate."""
    return validated(package, document, "gost53898")


def test_the_sample_document_is_understood() -> None:
    """Fields of the sample stand where the card has them; the rest is kept."""
    draft = letter_of(GOST.parse(SAMPLE, DIRECTORY))
    assert (draft.message_id, draft.card.document_id) == (
        "66666666-2222-4333-8444-555555555555",
        "bbbbbbbb-2222-4333-8444-555555555555",
    )
    assert (draft.kind, draft.recipients, draft.card.sender.body) == (LetterKind.DOCUMENT, ("minjust",), "mfa")
    assert (draft.card.reg_number, draft.card.reg_date, draft.reply_due) == ("01-5/123", DAY, date(2022, 2, 20))
    assert draft.wanted == ("delivered", "registered", "progress", "redirected", "reply-sent")
    assert draft.card.sender.system == "Infodocs"
    assert Extra("Header/@ReturnID", "R-1") in draft.card.extras
    assert Extra("Subscriptions/@StopDayCount", "30") in draft.card.extras


def test_the_sample_report_is_understood() -> None:
    """A report names message and document, the registration stands behind it."""
    report = receipt_of(GOST.parse(REPORT, DIRECTORY))
    assert (report.event, report.at) == (Event.REGISTERED, datetime(2022, 1, 20, 6, 5, tzinfo=UTC))
    assert (report.card.message_id, report.card.document_id) == ("R-1", "bbbbbbbb-2222-4333-8444-555555555555")
    assert (report.card.reg_number, report.card.reg_date) == ("ВХ-77", DAY)


@pytest.mark.parametrize("package", [SAMPLE], ids=["sample"])
def test_the_sample_returns_as_it_was(package: Package) -> None:
    """Extras and all, read, written and read again."""
    draft = letter_of(GOST.parse(package, DIRECTORY))
    again = GOST.write(draft, NOW, DIRECTORY, package.name)
    assert letter_of(GOST.parse(again, DIRECTORY)) == draft
    text = rendered(again)
    assert 'ReturnID="R-1"' in text
    assert 'UID="SYS-A"' in text
    assert 'StopDayCount="30"' in text


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_a_full_letter_returns_as_it_was(encoding: str) -> None:
    """Everything that GOST has a field for survives, with the Expansion also what it has not."""
    fmt = GostFormat(encoding)
    draft = draft_of("gost53898", access_basis="ст. 12", access_until=date(2023, 1, 1))
    draft = dataclasses.replace(draft, ack=AckPolicy.NONE, reply_due=DAY)
    package = fmt.write(draft, NOW, DIRECTORY, "kat")
    assert encoding in package.files[LETTER_DOCUMENT][:60].decode("ascii").lower()
    assert fmt.parse(package, DIRECTORY) == draft


def test_an_addition_stays_one() -> None:
    """AddToDoc is an addition, whatever it links to."""
    draft = dataclasses.replace(draft_of("gost53898"), kind=LetterKind.ADDITION)
    assert letter_of(GOST.parse(GOST.write(draft, NOW, DIRECTORY, "kat"), DIRECTORY)).kind is LetterKind.ADDITION


def test_a_later_wording_is_an_addition_and_stays_what_it_is() -> None:
    """Editing is no kind of the exchange; a GOST recipient is handed it under its own word."""
    draft = letter_of(GOST.parse(edited(SAMPLE, LETTER_DOCUMENT, '"MainDoc"', '"Editing"'), DIRECTORY))
    assert draft.kind is LetterKind.ADDITION
    assert 'MessageType="Editing"' in rendered(GOST.render_letter(arrived(draft), "minjust", DIRECTORY))
    other = dataclasses.replace(draft, kind=LetterKind.DOCUMENT)
    assert 'MessageType="MainDoc"' in rendered(GOST.render_letter(arrived(other), "minjust", DIRECTORY))


def test_reports_shall_return_the_message_id_but_bring_back_the_senders() -> None:
    """The recipient's EDMS returns our message id; the sender's gets its own ReturnID."""
    draft = letter_of(GOST.parse(SAMPLE, DIRECTORY))
    handed = rendered(GOST.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert 'ReturnID="66666666-2222-4333-8444-555555555555"' in handed
    told = GOST.render_receipt(receipt(Event.DELIVERED, draft), "mfa", DIRECTORY)
    assert 'ReturnID="R-1"' in rendered(told, RECEIPT_DOCUMENT)


def test_resources_that_nothing_refers_to_go_along() -> None:
    """A file of the resource list that no File names is delivered as data."""
    package = edited(
        SAMPLE, LETTER_DOCUMENT, '<Resource UID="2"', '<Resource UID="9" UniqueName="t.csv"/><Resource UID="2"'
    )
    draft = letter_of(GOST.parse(Package("x", {**package.files, "t.csv": b"1"}), DIRECTORY))
    assert (draft.card.files[1].name, draft.card.files[1].role) == ("t.csv", FileRole.DATA)
    assert letter_of(GOST.parse(GOST.write(draft, NOW, DIRECTORY, "x"), DIRECTORY)) == draft


def test_a_link_to_a_document_that_is_not_there_is_kept() -> None:
    """The kind of link is told, its local id stays an extra."""
    link = '</Addressee><Link DocumentID="77"><LinkType>Связан с</LinkType></Link>'
    draft = letter_of(GOST.parse(edited(SAMPLE, LETTER_DOCUMENT, "</Addressee>", link), DIRECTORY))
    assert draft.card.links == (Link("Связан с"),)
    assert Extra("DocumentList/Document/Link/@DocumentID", "77") in draft.card.extras


def test_the_zone_of_the_header_counts() -> None:
    """Times without an offset are of Header/@TimeZone."""
    draft = letter_of(GOST.parse(edited(SAMPLE, LETTER_DOCUMENT, 'TimeZone="6"', 'TimeZone="3"'), DIRECTORY))
    assert draft.card.signatures[0].time == datetime(2022, 1, 20, 8, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('MessageType="MainDoc"', 'MessageType="Report"', "Header"),
        ('MessageType="MainDoc"', 'MessageType="Letter"', "MessageType"),
        (' MessageID="66666666-2222-4333-8444-555555555555"', "", "Header"),
        ('TimeZone="6"', 'TimeZone="60"', "Header"),
        ('TimeZone="6"', 'TimeZone="600000"', "Header"),
        ('ResourceID="1" Size', 'ResourceID="7" Size', "File"),
        ('Resource UID="2"', 'Resource UID="1"', "Resource"),
        ("2022-02-20", "2022-02-30", "Deadline"),
        ("<Deadline>2022-02-20</Deadline>", "<Deadline>12022-02-20</Deadline>", "Deadline"),
        ('MainDocument="true"', 'MainDocument="да"', "MainDocument"),
    ],
)
def test_a_fault_is_named_with_its_field_and_line(before: str, after: str, field: str) -> None:
    """Violations of the format are errors that say where."""
    with pytest.raises(DocumentError, match=rf"DocInfo\.xml, line \d+, .*{field}"):
        GOST.parse(edited(SAMPLE, LETTER_DOCUMENT, before, after), DIRECTORY)


def test_a_letter_without_recipients_has_no_way() -> None:
    """Neither header nor addressees have a UID."""
    text = SAMPLE.files[LETTER_DOCUMENT].decode()
    start, end = text.index("<Recipient>"), text.index("<ResourceList>")
    text = (text[:start] + text[end:]).replace(' UID="ORG-B"', "")
    with pytest.raises(DocumentError) as caught:
        GOST.parse(Package("x", {**SAMPLE.files, LETTER_DOCUMENT: text.encode()}), DIRECTORY)
    assert caught.value.code == "recipient-missing"


def test_a_report_must_name_its_letter() -> None:
    """Without ReturnID and UID it is about nothing."""
    package = edited(REPORT, RECEIPT_DOCUMENT, ' ReturnID="R-1"', "")
    package = edited(package, RECEIPT_DOCUMENT, ' UID="bbbbbbbb-2222-4333-8444-555555555555"', "")
    with pytest.raises(DocumentError, match="ReturnID"):
        GOST.parse(package, DIRECTORY)


NOTICES: list[tuple[Event, Event, dict[str, Any]]] = [
    (Event.DELIVERED, Event.HANDED_OVER, {"note": "Алынды"}),
    (Event.REGISTERED, Event.REGISTERED, {"reg_number": "ВХ-77/2022", "reg_date": DAY, "note": "Катталды"}),
    (Event.REFUSED, Event.REFUSED, {"reason_text": "Не подлежит регистрации"}),
    (Event.REJECTED, Event.REFUSED, {}),
    (Event.NOT_DELIVERED, Event.REFUSED, {}),
    (Event.HAND_OVER_FAILED, Event.REFUSED, {"reason_text": "Файл не открывается"}),
    (Event.EXECUTOR_ASSIGNED, Event.EXECUTOR_ASSIGNED, {"actor": MINISTER, "note": "до пятницы"}),
    (Event.PROGRESS, Event.PROGRESS, {"note": "Аткарылууда"}),
    (Event.REDIRECTED, Event.REDIRECTED, {"actor": SIGNER}),
    (Event.REPLY_PREPARED, Event.REPLY_PREPARED, {"note": "Проект готов"}),
    (Event.REPLY_SENT, Event.REPLY_SENT, {"reg_number": "5-1/9", "reg_date": DAY}),
]


@pytest.mark.parametrize(("event", "read", "fields"), NOTICES)
def test_every_notice_goes_both_ways(event: Event, read: Event, fields: dict[str, Any]) -> None:
    """What the recipient wrote is what the sender's EDMS reads, about message and document."""
    package = GOST.render_receipt(receipt(event, draft_of(""), "gap", "почему", **fields), "mfa", DIRECTORY)
    rendered(package, RECEIPT_DOCUMENT)
    assert package is not None
    back = receipt_of(GOST.parse(package, DIRECTORY))
    assert (back.event, back.at, back.addressee) == (read, NOW, "mfa")
    assert (back.card.document_id, back.card.message_id) == ("doc/№7 of 2022", "m:0001/22")
    assert {name: getattr(back.card, name) for name in fields} == fields


def test_a_rejection_says_why_with_its_code() -> None:
    """The exchange's failure has words and code of its reason."""
    said = dataclasses.replace(receipt(Event.REJECTED, draft_of(""), "gap", "почему"), actor=EXCHANGE)
    text = rendered(GOST.render_receipt(said, "mfa", DIRECTORY), RECEIPT_DOCUMENT)
    assert '<sev:Failure Code="gap">почему (gap)</sev:Failure>' in text
    assert f'Organization UID="{EXCHANGE}"' in text


def test_the_recipients_own_code_of_failure_returns() -> None:
    """An extra of the same format stands where the exchange's code would."""
    said = receipt(
        Event.REFUSED, draft_of(""), reason_text="нет", source_format="gost53898",
        extras=(Extra("Notification/Failure/@Code", "39"),),
    )  # fmt: skip
    assert 'Failure Code="39"' in rendered(GOST.render_receipt(said, "mfa", DIRECTORY), RECEIPT_DOCUMENT)


@pytest.mark.parametrize("event", [Event.ACCEPTED, Event.RELAY_FAILED, Event.HANDED_OVER, Event.EXPIRED])
def test_events_without_a_word_stay_silent(event: Event) -> None:
    """GOST has no notification for these."""
    assert GOST.render_receipt(receipt(event, draft_of("")), "mfa", DIRECTORY) is None


@pytest.mark.parametrize("told", ["Consideration", "SignInformation"])
def test_two_elements_may_tell_one_event(told: str) -> None:
    """Consideration is an executor's, signing is progress; a GOST sender is told it as it was said."""
    text = REPORT.files[RECEIPT_DOCUMENT].decode().replace("<Registration ", f"<{told} ")
    said = receipt_of(GOST.parse(Package("x", {RECEIPT_DOCUMENT: text.encode()}), DIRECTORY))
    assert said.event is {"Consideration": Event.EXECUTOR_ASSIGNED, "SignInformation": Event.PROGRESS}[told]
    back = dataclasses.replace(receipt(said.event, draft_of("")), card=said.card)
    assert f"<sev:{told} " in rendered(GOST.render_receipt(back, "mfa", DIRECTORY), RECEIPT_DOCUMENT)
    other = dataclasses.replace(back, event=Event.REDIRECTED)
    assert "<sev:Redirection " in rendered(GOST.render_receipt(other, "mfa", DIRECTORY), RECEIPT_DOCUMENT)


def full(draft: DraftLetter) -> DraftLetter:
    """`draft` with files whose ids are no numbers, as GOST has them."""
    files = tuple(
        dataclasses.replace(file, id=f"F-{file.id}") if file.id.isdigit() else file for file in draft.card.files
    )
    signatures = tuple(dataclasses.replace(each, file_id=f"F-{each.file_id}") for each in draft.card.signatures)
    return dataclasses.replace(draft, card=dataclasses.replace(draft.card, files=files, signatures=signatures))


def test_ids_of_files_are_any_text() -> None:
    """F-1 as well as 1."""
    draft = full(draft_of("gost53898"))
    assert letter_of(GOST.parse(GOST.write(draft, NOW, DIRECTORY, "x"), DIRECTORY)) == draft
