"""A directory, letters and receipts for tests of formats and connectors."""

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

from adapters.formats.files import file_info
from adapters.ports import Machine
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.card import (
    DocumentSignature,
    Executor,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    ReceiptCard,
    Task,
)
from exchange.domain.directory import Body, BodyStatus, Directory, Names
from exchange.domain.event import Event
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.statement import Access, AckPolicy, Head, Letter, LetterKind, Urgency
from exchange.wire.xml import parse, schema

NOW = datetime(2022, 1, 20, 6, 0, 0, 250_000, tzinfo=UTC)
DAY = date(2022, 1, 20)
MACHINE = Machine(lambda: NOW, bytes, {})
SAMPLES = Path(__file__).parent / "formats" / "samples"
UIDS = {
    "mfa": ("aaaaaaaa-2222-4333-8444-555555555555", "ORG-A"),
    "minjust": ("39b3deb1-9f60-49a5-8fb9-2af8020071ed", "ORG-B"),
    "natstatkom": ("КОД 7/ОРГ",),
    "ak-bulun": (),
}
NAMES = {
    "mfa": "Министерство иностранных дел",
    "minjust": "Министерство юстиции",
    "natstatkom": "Национальный статистический комитет",
    "ak-bulun": "Ак-Булунский айыл окмоту",
}
DIRECTORY = Directory(
    exchange=ZERO_DIGEST,
    version=1,
    digest=ZERO_DIGEST,
    previous=ZERO_DIGEST,
    issued=NOW,
    lanes=4,
    journal_partitions=4,
    issuers=(),
    bodies=MappingProxyType(
        {
            code: Body(code, Names(ky=code, ru=NAMES[code], en=code), "ministry", BodyStatus.CONNECTED, uids)
            for code, uids in UIDS.items()
        }
    ),
)

LETTER_PDF, ANNEX_TXT, SIGNATURE_P7S = b"%PDF-1.4 made up", "Тиркеме\n".encode(), b"0\x82made up"
MINISTER = Person(
    name="Н. Б. Өмүралиева", post="Министр", department="Аппарат", organization="ТИМ", region="г. Бишкек",
    contact="0312 00-00-00", signed=DAY,
)  # fmt: skip
SIGNER = Person(name="Н. Б. Өмүралиева")
CARD = LetterCard(
    document_id="doc/№7 of 2022",
    local_id="4711",
    kind="Письмо",
    purpose="Исходящее",
    reg_number="11-10/77",
    reg_date=DAY,
    title="Эл аралык келишимдер жөнүндө",
    annotation="Эл аралык келишимдер жөнүндө\nО международных договорах",
    language="ky",
    access_basis="",
    access_until=None,
    sender=Party(body="mfa", uid=UIDS["mfa"][0], name="МИД"),
    addressees=(
        Party(
            body="minjust", uid=UIDS["minjust"][0], name="Минюст", unit="Отдел права", person=Person(name="А. Баетов")
        ),
        Party(body="natstatkom", uid=UIDS["natstatkom"][0], name="Нацстатком"),
    ),
    signatories=(MINISTER,),
    executor=dataclasses.replace(MINISTER, name="Ж. Асанова", signed=None),
    links=(Link("В ответ на", "d-9", "7-12/9", DAY), Link("Связан с", "", "8", None)),
    tasks=(
        Task("1", "Представить сведения", DAY, controlled=True, executors=(Executor(SIGNER, "ответственный"),)),
        Task("2", "Маалымат берүү"),
    ),
    files=(
        file_info("0", "Кат №77.pdf", LETTER_PDF, FileRole.MAIN, description="Кат", pages=2),
        file_info("1", "Тиркеме.txt", ANNEX_TXT, FileRole.ANNEX),
        file_info("Кат №77.p7s", "Кат №77.p7s", SIGNATURE_P7S, FileRole.DATA),
    ),
    signatures=(DocumentSignature("0", "Кат №77.p7s", SIGNER, NOW),),
    source_format="",
    extras=(),
)
DRAFT = DraftLetter(
    message_id="m:0001/22",
    consignment_id="m:0001/22",
    kind=LetterKind.REPLY,
    conversation="d-9",
    in_reply_to="d-9",
    in_reply_to_number="7-12/9",
    recipients=("minjust", "natstatkom"),
    ack=AckPolicy.ALWAYS,
    wanted=(),
    urgency=Urgency.URGENT,
    reply_due=None,
    access=Access.RESTRICTED,
    card=CARD,
    files=(LETTER_PDF, ANNEX_TXT, SIGNATURE_P7S),
)
"""A letter with something in every field that both formats have."""

RECEIPT_CARD = ReceiptCard(
    document_id="", message_id="", reg_number="", reg_date=None, reason_text="", actor=None, note="",
    source_format="", extras=(),
)  # fmt: skip


def validated(package: Package | None, document: str, schema_name: str) -> str:
    """The text of a package's document, which must be there and validate."""
    assert package is not None
    schema(schema_name).check(parse(package.files[document], document), document)
    return package.files[document].decode()


def draft_of(source_format: str, **changes: object) -> DraftLetter:
    """`DRAFT` as if that format had been parsed; `changes` go into the card."""
    card = dataclasses.replace(CARD, source_format=source_format, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(DRAFT, card=card)


def arrived(draft: DraftLetter, sender: str = "mfa") -> ArrivedLetter:
    """A draft at the end of its way through the exchange."""
    letter = Letter(
        head=Head(ZERO_DIGEST, sender, bytes(16), 2, ZERO_DIGEST, NOW),
        message_id=draft.message_id,
        consignment_id=draft.consignment_id,
        kind=draft.kind,
        conversation=draft.conversation,
        in_reply_to=None,
        recipients=draft.recipients,
        group=None,
        ack=draft.ack,
        wanted=draft.wanted,
        urgency=draft.urgency,
        reply_due=draft.reply_due,
        access=draft.access,
        seal=None,
        contents=(),
    )
    return ArrivedLetter(digest(b"letter"), sender, letter, draft.card, draft.files)


def receipt(event: Event, about: DraftLetter, reason: str = "", text: str = "", **card: object) -> ArrivedReceipt:
    """A receipt of `minjust` about a letter; `card` are fields of what it wrote."""
    written = dataclasses.replace(RECEIPT_CARD, **card) if card else None  # type: ignore[arg-type]
    return ArrivedReceipt(
        digest=digest(event.encode()), letter=digest(b"letter"), message_id=about.message_id, about=about.card,
        actor="minjust", event=event, at=NOW, reason=reason, text=text, card=written,
    )  # fmt: skip


def letter_of(message: DraftLetter | DraftReceipt) -> DraftLetter:
    """The message, which must be a letter."""
    assert isinstance(message, DraftLetter)
    return message


def receipt_of(message: DraftLetter | DraftReceipt) -> DraftReceipt:
    """The message, which must be a receipt."""
    assert isinstance(message, DraftReceipt)
    return message


def sample(name: str, document: str, **files: bytes) -> Package:
    """A package around one of the sample documents; `files` by name, `_` for the dot."""
    named = {key.replace("_", "."): data for key, data in files.items()}
    return Package(name, {document: (SAMPLES / name).read_bytes(), **named})


def edited(package: Package, document: str, before: str, after: str) -> Package:
    """The package with a text of its document replaced, which must be there."""
    text = package.files[document].decode()
    assert before in text
    return Package(package.name, {**package.files, document: text.replace(before, after).encode()})


def draft_with(draft: DraftLetter) -> DraftLetter:
    """The draft with one byte for each file of its card."""
    return dataclasses.replace(draft, files=tuple(b"x" for _ in draft.card.files))
