"""DHX capsules: the sample, what is kept of it, every receipt."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.formats.dhx import DhxFormat
from adapters.formats.dhx.words import ADDITIONS, FORMAT, LETTER_DOCUMENT, RECEIPT_DOCUMENT
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.card import Extra, FileRole, Link, Person
from exchange.domain.errors import DocumentError
from exchange.domain.event import SERVICE_EVENTS, Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.statement import Access, AckPolicy, LetterKind
from tests.adapters.formats.official import assert_official
from tests.adapters.support import (
    DAY,
    DIRECTORY,
    MINISTER,
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

DHX = DhxFormat()
SAMPLE = sample("capsule_2.1.xml", LETTER_DOCUMENT)
RECEIPT = sample("receipt_dhx.xml", RECEIPT_DOCUMENT)
CODES = ("11111111111111", "22222222222222")
TREE = (
    '<treaty xmlns="urn:example:treaties" xmlns:k="urn:example:kinds" kind="k:bilateral">'
    "<party>KG</party> <party>EE</party></treaty>"
)


def extras(draft: DraftLetter) -> dict[str, str]:
    """Extras of a letter by path; those of foreign trees are looked at apart."""
    return {extra.path: extra.value for extra in draft.card.extras if extra.path != ADDITIONS}


def capsule(package: Package) -> str:
    """The capsule of a package, valid for our schema and the official one."""
    assert_official(package)
    return validated(package, LETTER_DOCUMENT, "dhx-capsule")


def told(package: Package | None) -> str:
    """The receipt of a package, which must validate."""
    return validated(package, RECEIPT_DOCUMENT, "dhx-exchange")


def test_the_sample_is_understood() -> None:
    """Fields of the capsule stand where the card has them."""
    draft = letter_of(DHX.parse(SAMPLE, DIRECTORY))
    card = draft.card
    assert (draft.message_id, card.document_id) == ("bbbbbbbb-2222-4333-8444-555555555555",) * 2
    assert (draft.kind, draft.recipients, draft.access) == (
        LetterKind.REPLY, ("minjust", "ak-bulun"), Access.RESTRICTED
    )  # fmt: skip
    assert (draft.reply_due, draft.ack) == (date(2022, 2, 20), AckPolicy.ALWAYS)
    assert (card.kind, card.reg_number, card.reg_date) == ("Кат", "11-10/77", DAY)
    assert (card.title, card.annotation) == ("Эл аралык келишимдер жөнүндө", "Келишимдердин долбоору жиберилет.")
    assert (card.language, card.access_basis, card.access_until) == ("ky", "12-берене", date(2027, 1, 20))
    assert (card.sender.body, card.sender.name, card.sender.unit) == ("mfa", "МИД", "Канцелярия")
    assert card.sender.person == Person(name="Б. Токтоматов")
    assert [(party.body, party.name) for party in card.addressees] == [
        ("minjust", "Минюст"),
        ("ak-bulun", "Ак-Булун а.ө."),
    ]
    assert card.executor == Person(
        name="Ж. Асанова", post="Башкы адис", organization="ТИМ", region="Бишкек ш.", contact="+996 312 00-00-00"
    )
    assert card.signatories == (Person(name="Н. Б. Өмүралиева"),)
    assert card.links == (
        Link("В ответ на", "cccccccc-2222-4333-8444-555555555555", "7-12/9"),
        Link("Документ-основание", "", "К-5", date(2022, 1, 10)),
    )
    assert [(file.name, file.role, file.media_type) for file in card.files] == [
        ("Кат №77.pdf", FileRole.MAIN, "application/pdf"), ("Тиркеме.txt", FileRole.ANNEX, "text/plain")
    ]  # fmt: skip
    assert draft.files == (b"%PDF-1.4 made up", "Тиркеме\n".encode())


def test_everything_else_is_kept() -> None:
    """Restrictions, verification, addresses, hours, foreign trees: as extras in the order of the card."""
    draft = letter_of(DHX.parse(SAMPLE, DIRECTORY))
    kept = extras(draft)
    assert kept["Access/AccessRestriction/RestrictionIdentifier"] == "Ч-1"
    assert kept["Access/AccessRestriction[2]/InformationOwner"] == "Минюст"
    assert kept["SignatureMetadata/Verified"] == "true"
    assert kept["RecordCreator/ContactData/Email"] == "asanova@mfa.example"
    assert kept["RecordMetadata/RecordDateRegistered"] == "2022-01-20T11:59:00+06:00"
    assert kept["RecordMetadata/RecordLanguage"] == "кыргызча"
    assert kept["File[2]/MimeType"] == "text, most likely"
    assert kept["DecMetadata/DecId"] == "410125"
    assert (kept["Transport/DecRecipient/PersonalIdCode"], kept["Recipient/Person/PersonalIdCode"]) == (CODES[0],) * 2
    assert kept["Recipient[2]/MessageForRecipient"] == "Для сведения"
    assert not {path for path in kept if path.endswith(("InformationOwner", "BeginDate")) and "[" not in path}
    trees = [extra.value for extra in draft.card.extras if extra.path == ADDITIONS]
    assert trees[0] == TREE
    assert trees[1].startswith("<plain")


def test_the_sample_returns_as_it_was() -> None:
    """Extras and all, read, written and read again; what the official schema demands is there."""
    draft = letter_of(DHX.parse(SAMPLE, DIRECTORY))
    again = DHX.write(draft, NOW, DIRECTORY, SAMPLE.name)
    assert letter_of(DHX.parse(again, DIRECTORY)) == draft
    text = capsule(again)
    assert TREE in text
    assert "<dec:DecFolder/>" in text
    assert "2022-01-10T09:30:00+06:00" in text
    assert again.files == DHX.write(draft, NOW, DIRECTORY, SAMPLE.name).files


def test_a_full_letter_returns_as_it_was() -> None:
    """Everything that a card holds survives in the exchange's own element."""
    draft = draft_of(FORMAT, access_basis="ст. 12", access_until=date(2023, 1, 1), personal_data=True)
    draft = dataclasses.replace(draft, ack=AckPolicy.NONE, reply_due=DAY, access=Access.CONFIDENTIAL)
    assert letter_of(DHX.parse(DHX.write(draft, NOW, DIRECTORY, "kat"), DIRECTORY)) == draft


def test_personal_codes_mark_the_letter() -> None:
    """Anybody's personal code makes it a letter about persons."""
    assert letter_of(DHX.parse(SAMPLE, DIRECTORY)).card.personal_data
    text = SAMPLE.files[LETTER_DOCUMENT].decode()
    for code in CODES:
        text = text.replace(f"<PersonalIdCode>{code}</PersonalIdCode>", "")
    plain = letter_of(DHX.parse(Package("x", {LETTER_DOCUMENT: text.encode()}), DIRECTORY))
    assert not plain.card.personal_data


def test_what_is_said_of_an_addressee_stays_with_that_one() -> None:
    """The second recipient's capsule names it first, and does not give it the other's personal code."""
    draft = letter_of(DHX.parse(SAMPLE, DIRECTORY))
    handed = DHX.render_letter(arrived(draft), "ak-bulun", DIRECTORY)
    read = letter_of(DHX.parse(handed, DIRECTORY))
    assert [party.body for party in read.card.addressees] == ["ak-bulun", "minjust"]
    kept = extras(read)
    assert "Transport/DecRecipient/PersonalIdCode" not in kept
    assert (kept["Recipient/MessageForRecipient"], kept["Recipient[2]/Person/PersonalIdCode"]) == (
        "Для сведения", CODES[0]
    )  # fmt: skip
    same = extras(letter_of(DHX.parse(DHX.render_letter(arrived(draft), "minjust", DIRECTORY), DIRECTORY)))
    assert same["Transport/DecRecipient/PersonalIdCode"] == CODES[0]


def test_destinations_without_a_description_keep_the_numbers_right() -> None:
    """A recipient that no Recipient describes gets one, and the others' extras keep theirs."""
    text = SAMPLE.files[LETTER_DOCUMENT].decode()
    start, end = text.index("  <Recipient>"), text.index("  <Recipient>\n    <RecipientRecordGuid>")
    draft = letter_of(DHX.parse(Package("x", {LETTER_DOCUMENT: (text[:start] + text[end:]).encode()}), DIRECTORY))
    assert [party.body for party in draft.card.addressees] == ["minjust", "ak-bulun"]
    assert letter_of(DHX.parse(DHX.write(draft, NOW, DIRECTORY, "x"), DIRECTORY)) == draft
    assert "Recipient/Person/PersonalIdCode" in extras(draft)


def test_a_letter_without_files_or_registration_is_a_capsule() -> None:
    """What a capsule demands is written, and not taken for said."""
    draft = draft_of(FORMAT, files=(), signatures=(), reg_number="", reg_date=None)
    draft = dataclasses.replace(draft, files=())
    package = DHX.write(draft, NOW, DIRECTORY, "kat")
    text = capsule(package)
    assert "<dec:FileName>letter.txt</dec:FileName>" in text
    assert "<dec:RecordDateRegistered>2022-01-20T12:00:00.250000</dec:RecordDateRegistered>" in text
    assert letter_of(DHX.parse(package, DIRECTORY)) == draft


def test_the_first_file_is_the_main_one_where_none_says() -> None:
    """`RecordMainComponent` is optional."""
    package = edited(SAMPLE, LETTER_DOCUMENT, "    <RecordMainComponent>true</RecordMainComponent>\n", "")
    draft = letter_of(DHX.parse(package, DIRECTORY))
    assert [file.role for file in draft.card.files] == [FileRole.MAIN, FileRole.ANNEX]


def test_a_remark_of_another_format_reaches_the_recipient() -> None:
    """MEDO's comment is a message for the recipient."""
    draft = draft_of("medo-2.6", extras=(Extra("document/comment", "Срочно прочтите"),))
    text = capsule(DHX.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert "<dec:MessageForRecipient>Срочно прочтите</dec:MessageForRecipient>" in text


@pytest.mark.parametrize(
    "value", ["", "<a", "no tree", "</a></a><b/><a><a>", "<!DOCTYPE a><a/>", "<a>" * 70 + "</a>" * 70, "<a>&x;</a>"]
)
def test_made_up_trees_spoil_nothing(value: str) -> None:
    """A sender's agent may claim anything to be a foreign tree: the capsule stays one."""
    draft = draft_of(FORMAT, extras=(Extra(ADDITIONS, value), Extra(ADDITIONS, TREE)))
    package = DHX.write(draft, NOW, DIRECTORY, "x")
    assert TREE in capsule(package)
    assert letter_of(DHX.parse(package, DIRECTORY)).card.extras == (Extra(ADDITIONS, TREE),)


def test_a_tree_cannot_pass_for_our_own() -> None:
    """What the exchange's element says is the card's to say."""
    own = '<Letter xmlns="urn:exchange:dhx" MessageId="another"/>'
    draft = draft_of(FORMAT, extras=(Extra(ADDITIONS, own),))
    assert "another" not in capsule(DHX.write(draft, NOW, DIRECTORY, "x"))


def test_extras_that_make_no_capsule_are_left_out() -> None:
    """A made-up extra costs the extras, not the letter."""
    made_up = (Extra("RecordCreator/ContactData/PostalAddress/PostalCode", "none"), Extra("DecMetadata/DecId", "1"))
    text = capsule(DHX.write(draft_of(FORMAT, extras=made_up), NOW, DIRECTORY, "x"))
    assert "PostalCode" not in text


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("<RecordType>Кат</RecordType>", "", "RecordOriginalIdentifier|RecordMetadata"),
        ("bbbbbbbb-2222-4333-8444-555555555555", "b-2", "RecordGuid"),
        ("AK</Access", "ДСП</Access", "AccessConditionsCode"),
        ("2022-02-20", "2022-02-30", "ReplyDueDate"),
        ("2022-02-20", "12022-02-20", "ReplyDueDate"),
        ("2022-01-20T11:59:00+06:00", "2022-01-20", "RecordDateRegistered"),
        ("<OrganisationCode>ORG-B</OrganisationCode>\n      <P", "<OrganisationCode/>\n      <P", "OrganisationCode"),
        (
            "<OrganisationCode>ORG-B</OrganisationCode>\n      <P",
            "<OrganisationCode>x!</OrganisationCode><P",
            "DecRecipient",
        ),
        (
            '<treaty xmlns="urn:example:treaties"',
            '<Letter xmlns="urn:exchange:dhx" x="1"/><treaty xmlns="urn:t"',
            "Letter",
        ),
    ],
)
def test_a_fault_is_named_with_its_field_and_line(before: str, after: str, field: str) -> None:
    """Violations of the format are errors that say where."""
    with pytest.raises(DocumentError, match=rf"capsule\.xml, line \d+, .*({field})"):
        DHX.parse(edited(SAMPLE, LETTER_DOCUMENT, before, after), DIRECTORY)


def test_the_sample_receipt_is_understood() -> None:
    """A document system that knows DVK's statuses needs no other word."""
    said = receipt_of(DHX.parse(RECEIPT, DIRECTORY))
    assert (said.event, said.at, said.addressee) == (Event.REGISTERED, datetime(2022, 1, 20, 6, 5, tzinfo=UTC), "mfa")
    assert (said.card.message_id, said.card.document_id) == ("bbbbbbbb-2222-4333-8444-555555555555",) * 2
    assert (said.card.reg_number, said.card.reg_date, said.card.extras) == ("ВХ-77", DAY, ())


@pytest.mark.parametrize(
    ("said", "event"),
    [
        ('RecipientStatus="9"', Event.HANDED_OVER),
        ('RecipientStatus="5" SendingStatus="102"', Event.REFUSED),
        ('RecipientStatus="7"', Event.PROGRESS),
        ('SendingStatus="102"', Event.HANDED_OVER),
        ('SendingStatus="103"', Event.HAND_OVER_FAILED),
        ('Event="redirected" RecipientStatus="7"', Event.REDIRECTED),
    ],
)
def test_statuses_count_where_no_event_is_told(said: str, event: Event) -> None:
    """The recipient's first, then that of sending."""
    package = edited(RECEIPT, RECEIPT_DOCUMENT, 'RecipientStatus="8"', said)
    assert receipt_of(DHX.parse(package, DIRECTORY)).event is event


def test_a_person_makes_processing_an_assignment() -> None:
    """Status 7 says that somebody works on it; a person, who."""
    package = edited(RECEIPT, RECEIPT_DOCUMENT, 'RecipientStatus="8"', 'RecipientStatus="7"')
    package = edited(package, RECEIPT_DOCUMENT, "</Receipt>", '<Person Name="А. Баетов"/></Receipt>')
    said = receipt_of(DHX.parse(package, DIRECTORY))
    assert (said.event, said.card.actor) == (Event.EXECUTOR_ASSIGNED, Person(name="А. Баетов"))


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('RecipientStatus="8"', 'SendingStatus="101"', "Event"),
        ('RecipientStatus="8"', "", "Event"),
        ('RecipientStatus="8"', 'RecipientStatus="6"', "RecipientStatus"),
        ('RecipientStatus="8"', 'Event="lost"', "Event"),
        ('Time="2022-01-20T12:05:00+06:00"', 'Time="noon"', "Time"),
    ],
)
def test_a_receipt_that_says_nothing_is_refused(before: str, after: str, field: str) -> None:
    """Neither event nor status, or another than there are."""
    with pytest.raises(DocumentError, match=rf"receipt\.xml, line \d+, .*{field}"):
        DHX.parse(edited(RECEIPT, RECEIPT_DOCUMENT, before, after), DIRECTORY)


def test_a_receipt_must_name_its_letter() -> None:
    """Without any id it is about nothing."""
    guid = "bbbbbbbb-2222-4333-8444-555555555555"
    package = edited(RECEIPT, RECEIPT_DOCUMENT, f'ConsignmentId="{guid}" RecordGuid="{guid}"', "")
    with pytest.raises(DocumentError, match="ConsignmentId"):
        DHX.parse(package, DIRECTORY)


FIELDS: dict[Event, dict[str, Any]] = {
    Event.REGISTERED: {"reg_number": "ВХ-77/2022", "reg_date": DAY, "note": "Катталды"},
    Event.REFUSED: {"reason_text": "Не подлежит регистрации"},
    Event.HAND_OVER_FAILED: {"reason_text": "Файл не открывается"},
    Event.EXECUTOR_ASSIGNED: {"actor": MINISTER, "note": "до пятницы"},
    Event.PROGRESS: {"note": "Аткарылууда"},
    Event.REPLY_SENT: {"reg_number": "5-1/9", "reg_date": DAY},
}


@pytest.mark.parametrize("event", Event)
def test_every_event_goes_both_ways(event: Event) -> None:
    """What the recipient wrote is what the sender's EDMS reads, about message and document."""
    fields = FIELDS.get(event, {"note": "..."})
    package = DHX.render_receipt(receipt(event, draft_of(""), **fields), "mfa", DIRECTORY)
    told(package)
    assert package is not None
    back = receipt_of(DHX.parse(package, DIRECTORY))
    read = Event.HANDED_OVER if event is Event.DELIVERED else event
    assert (back.event, back.at, back.addressee) == (read, NOW, "mfa")
    assert (back.card.document_id, back.card.message_id) == ("doc/№7 of 2022", "m:0001/22")
    assert {name: getattr(back.card, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("event", "reason", "code"),
    [
        (Event.REJECTED, "recipient-unknown", "DHX.InvalidAddressee"),
        (Event.REJECTED, "content-too-large", "DHX.SizeLimitExceeded"),
        (Event.REJECTED, "repeat", "DHX.Duplicate"),
        (Event.REJECTED, "schema-unknown", "DHX.UnsupportedVersion"),
        (Event.REJECTED, "signature-missing", "DHX.Validation"),
        (Event.NOT_DELIVERED, "no reason of ours", "DHX.Validation"),
        (Event.RELAY_FAILED, "gap", "Server"),
    ],
)
def test_a_failure_says_why_in_the_words_of_dhx(event: Event, reason: str, code: str) -> None:
    """The exchange's reasons are DHX's faults, and stand beside them."""
    said = dataclasses.replace(receipt(event, draft_of(""), reason, "почему"), actor=EXCHANGE)
    text = told(DHX.render_receipt(said, "mfa", DIRECTORY))
    assert f'<x:Fault Code="{code}" Reason="{reason}">почему ({reason})</x:Fault>' in text
    assert f'Sender OrganisationCode="{EXCHANGE}"' in text


def test_the_recipients_own_fault_returns() -> None:
    """An extra of the same format stands where the exchange's code would."""
    said = receipt(
        Event.REFUSED, draft_of(""), reason_text="нет", source_format=FORMAT, extras=(Extra("Fault/@Code", "K-39"),)
    )
    assert 'Fault Code="K-39"' in told(DHX.render_receipt(said, "mfa", DIRECTORY))


def test_what_only_the_exchange_can_say_is_left_to_the_agent_to_refuse() -> None:
    """The format reads it; the agent knows who may say what."""
    for event in SERVICE_EVENTS:
        package = edited(RECEIPT, RECEIPT_DOCUMENT, 'RecipientStatus="8"', f'Event="{event}"')
        assert receipt_of(DHX.parse(package, DIRECTORY)).event is event
