"""The values of the golden records: one story, with every field said once and left out once."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime

from exchange.domain.card import (
    DocumentSignature,
    Executor,
    Extra,
    FileInfo,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    ReceiptCard,
    Task,
    Translation,
)
from exchange.domain.checkpoint import OriginProof, PublishedCheckpoint
from exchange.domain.decision import (
    Basis,
    DeadLetter,
    Decided,
    Decision,
    Journalled,
    LaneState,
    Notice,
    OriginState,
    Place,
    Step,
    Tick,
    Trouble,
    Verdict,
)
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.statement import (
    Access,
    AckPolicy,
    Command,
    Commitment,
    Content,
    Deadline,
    Form,
    Group,
    Head,
    Letter,
    LetterKind,
    Open,
    Predecessor,
    Receipt,
    Seal,
    Signed,
    Urgency,
    Void,
    commit,
)


def named_digest(name: str) -> bytes:
    """A digest that stands for something called `name`."""
    return hashlib.sha256(name.encode()).digest()


MOMENT = datetime(2022, 3, 1, 3, 30, 15, 123456, tzinfo=UTC)
ORIGIN = named_digest("origin")[:16]
OPENING = Head(named_digest("exchange"), "mfa", ORIGIN, 1, ZERO_DIGEST, MOMENT)
HEAD = Head(named_digest("exchange"), "mfa", ORIGIN, 7, named_digest("number 6"), MOMENT)
CONTENT = Content(named_digest("salt"), "Кат: Тышкы иштер министрлиги".encode())
PLACE = Place(3, 42, named_digest("entry 41"))
PERSON = Person(
    "Асанова Б. Т.", "Министр", "Катчылык", "Тышкы иштер министрлиги", "Бишкек", "+996 312", date(2022, 2, 28)
)
PARTY = Party("mfa", "0b21-uid", "Министерство иностранных дел", "Канцелярия", "medo", "GOV/70000001", "", PERSON)

LETTER = Letter(
    head=HEAD,
    message_id="8c2f-message",
    consignment_id="8c2f-consignment",
    kind=LetterKind.REPLY,
    conversation="8c2f-conversation",
    in_reply_to=named_digest("letter answered"),
    recipients=("minjust", "natstat"),
    group=Group("oblast:03 and status:connected", 12),
    ack=AckPolicy.ALWAYS,
    wanted=("registered", "refused"),
    urgency=Urgency.URGENT,
    reply_due=date(2022, 3, 15),
    access=Access.RESTRICTED,
    seal=Seal("hpke-p256-aes256gcm", named_digest("key"), named_digest("wraps")),
    contents=(
        commit(CONTENT, "application/vnd.kg.exchange.letter-card"),
        Commitment(named_digest("sealed"), 5_000_000_000, "application/pdf", Form.SEALED),
        Commitment(named_digest("stored"), 0, "", Form.REFERENCE),
    ),
)
BARE_LETTER = Letter(
    head=HEAD,
    message_id="",
    consignment_id="",
    kind=LetterKind.DOCUMENT,
    conversation="",
    in_reply_to=None,
    recipients=(),
    group=None,
    ack=AckPolicy.NONE,
    wanted=(),
    urgency=Urgency.ROUTINE,
    reply_due=None,
    access=Access.PUBLIC,
    seal=None,
    contents=(),
)
LETTER_CARD = LetterCard(
    document_id="2f5a-document",
    local_id="15",
    kind="Кат",
    purpose="на исполнение",
    reg_number="01-12/345",
    reg_date=date(2022, 2, 28),
    title="О переходе на электронный документооборот",
    annotation="Электрондук документ жүгүртүүгө өтүү жөнүндө",
    language="ru",
    access_basis="Для служебного пользования",
    access_until=date(2027, 2, 28),
    sender=PARTY,
    addressees=(Party(body="minjust"), Party(body="natstat", soate="41711000000000")),
    signatories=(PERSON,),
    executor=Person("Осмонов К."),
    links=(Link("В ответ на", "77aa-document", "22-1/7", date(2022, 2, 1)),),
    tasks=(
        Task("1", "Сообщить о готовности", date(2022, 3, 10), controlled=True, executors=(Executor(PERSON, "main"),)),
        Task("2", "Доложить", author=PERSON),
    ),
    files=(
        FileInfo("f1", "кат.pdf", "application/pdf", 34_567, named_digest("file"), FileRole.MAIN, "Текст", 2),
        FileInfo("f2", "кат.pdf.p7s", "application/pkcs7-signature", 1_234, named_digest("p7s"), FileRole.DATA),
    ),
    signatures=(DocumentSignature("f1", "f2", PERSON, MOMENT),),
    source_format="medo-2.6",
    extras=(Extra("document/specialMark", "Контроль"),),
    translations=(Translation("ky", "Электрондук документ жүгүртүүгө өтүү жөнүндө", "Кат"),),
    personal_data=True,
)
BARE_LETTER_CARD = LetterCard()
DECISION = Decision(
    place=PLACE,
    partition=3,
    offset=123_456_789,
    arrived=MOMENT,
    decided=MOMENT.replace(second=16),
    directory_version=12,
    directory_digest=named_digest("directory"),
    policy_digest=named_digest("policy"),
    statement=named_digest("statement"),
    verdict=Verdict.ACCEPTED,
    reason="",
    detail="",
    recipients=("minjust", "natstat"),
)
REFUSAL = Decision(
    place=PLACE,
    partition=3,
    offset=123_456_790,
    arrived=MOMENT,
    decided=MOMENT,
    directory_version=12,
    directory_digest=named_digest("directory"),
    policy_digest=named_digest("policy"),
    statement=named_digest("statement"),
    verdict=Verdict.REFUSED,
    reason="recipient-unknown",
    detail="recipients[1]",
    recipients=(),
)

SAMPLES: Mapping[type, Mapping[str, object]] = {
    Head: {"": HEAD, "opening": OPENING},
    Signed: {"": Signed(b"statement", b"signature", (CONTENT, Content(b"", b""))), "bare": Signed(b"", b"", ())},
    Letter: {"": LETTER, "bare": BARE_LETTER},
    Receipt: {
        "": Receipt(
            HEAD, named_digest("letter"), "minjust", "registered", MOMENT, "", (commit(CONTENT, "text/plain"),)
        ),
        "refused": Receipt(HEAD, named_digest("letter"), "minjust", "refused", MOMENT, "refused-by-recipient", ()),
    },
    Open: {"": Open(OPENING, Predecessor(bytes(16), 41, named_digest("number 41"))), "first": Open(OPENING, None)},
    Void: {"": Void(HEAD, named_digest("replaced"), "content-too-large")},
    Deadline: {
        "": Deadline(
            HEAD,
            named_digest("letter"),
            "mfa",
            "minjust",
            "register",
            MOMENT,
            MOMENT.replace(second=45),
            named_digest("policy"),
            ("mfa", "minjust"),
        ),
    },
    Command: {
        "": Command(
            head=HEAD,
            action="redrive",
            task="2026-000017",
            person="asanova",
            second="osmonov",
            reason="Катты документ жүгүртүү системасы жоготкон",
            detail="1 of 37",
            letter=named_digest("letter"),
            recipient="minjust",
            contents=(commit(CONTENT, "application/vnd.kg.exchange.journalled+avro"),),
        ),
        "bare": Command(HEAD, "sign-in", "", "asanova", "", "", "", None, "", ()),
    },
    LetterCard: {"": LETTER_CARD, "bare": BARE_LETTER_CARD},
    ReceiptCard: {
        "": ReceiptCard(
            document_id="2f5a-document",
            message_id="8c2f-message",
            reg_number="вх-77",
            reg_date=date(2022, 3, 1),
            reason_text="",
            actor=PERSON,
            note="Кабыл алынды",
            source_format="gost-53898",
            extras=(Extra("Report/Notification/Consideration", "1"),),
        ),
        "refused": ReceiptCard(message_id="8c2f-message", reason_text="Не подлежит регистрации"),
        "bare": ReceiptCard(),
    },
    Decided: {
        "": Decided(DECISION, b"statement", b"signature"),
        "refused": Decided(REFUSAL, b"statement", b"signature"),
    },
    Basis: {"": Basis(PLACE, MOMENT, 12, named_digest("directory"), named_digest("policy"))},
    Tick: {"": Tick(PLACE, MOMENT, 123_456_791, MOMENT, idle=True), "bare": Tick(PLACE, MOMENT, 0, None, idle=False)},
    Journalled: {"": Journalled(b"entry", (CONTENT,)), "bare": Journalled(b"entry", ())},
    Notice: {
        "": Notice(
            ORIGIN,
            7,
            named_digest("number 7"),
            (
                Step(named_digest("number 6"), "recipient-unknown", "recipients[0]"),
                Step(named_digest("number 7"), "", ""),
            ),
            Trouble("gap", "number"),
            MOMENT,
        ),
        "bare": Notice(ORIGIN, 0, ZERO_DIGEST, (), None, MOMENT),
    },
    LaneState: {
        "": LaneState(123_456_791, 43, named_digest("entry"), named_digest("directory"), named_digest("policy"))
    },
    OriginState: {
        "": OriginState(number=7, digest=named_digest("number 7"), closed=True, ignored=3, notified=True),
        "bare": OriginState(),
    },
    DeadLetter: {"": DeadLetter(3, 99, MOMENT, "unreadable", "value", 12, named_digest("value"), b"not a record")},
    PublishedCheckpoint: {
        "": PublishedCheckpoint(
            b"a signed checkpoint", b"exchange-heads/v1\n", (named_digest("left"), named_digest("up"))
        ),
        "first": PublishedCheckpoint(b"a signed checkpoint", b"exchange-heads/v1\n", ()),
    },
    OriginProof: {"": OriginProof(b"an entry", b"exchange-proof/v1\n")},
}
"""By class, then by variant; together the variants say every field."""
