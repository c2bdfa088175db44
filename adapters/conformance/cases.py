"""What a document system is handed, and what must come of it.

Letters are addressed to the system under test by a body made up for the purpose. A case is one package;
some share a letter, and are handed over one after the other in the order given here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from adapters.formats.files import file_info
from adapters.ports import WritingFormat
from exchange.agent.ports import ArrivedReceipt, DraftLetter, Package
from exchange.domain.card import Executor, FileRole, LetterCard, Link, Party, Person, ReceiptCard, Task
from exchange.domain.delivery import NEGATIVE
from exchange.domain.directory import Directory
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.reason import Reason
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency

SENDER, RECIPIENT = "conformance-kit", "system-under-test"
_TEXT = b"%PDF-1.4\n% a letter of the conformance kit\n"
_SIGNATORY = Person(name="А. Б. Сыдыкова", post="Статс-секретарь", organization="Conformance kit")
_NAME_CHARACTERS = 100


class Want(StrEnum):
    """What must come of a case."""

    DECIDED = "registered with number and date, or refused with a reason"
    ONCE = "decided as before, not under another number"
    NOT_TAKEN = "not registered"
    SURVIVED = "taken without an answer"


@dataclass(frozen=True, slots=True)
class Case:
    """A package to hand over.

    Attributes:
        about: what it tries, in words.
        letter: the ids of the letter concerned, as its sender wrote them; empty where there is none.
    """

    name: str
    about: str
    package: Package
    want: Want
    message_id: str = ""
    document_id: str = ""


def cases(fmt: WritingFormat, directory: Directory, now: datetime, own: DraftLetter | None) -> Iterator[Case]:
    """All cases, in their order.

    Args:
        fmt: what the system under test speaks.
        directory: identifiers of bodies; may list nobody.
        now: the time that documents bear.
        own: a letter that the system under test has sent, for receipts about it; None without one.
    """
    for name, about, draft in _letters(fmt.name, now):
        package = fmt.write(draft, now, directory, name)
        ids = (draft.message_id, draft.card.document_id)
        yield Case(name, about, package, Want.DECIDED, *ids)
        if name == "minimal":
            yield from _broken(package, draft, ids)
            yield Case("repeated", "the same letter handed over again", package, Want.ONCE, *ids)
    yield from _receipts(fmt, directory, now, own)
    last = _letter(fmt.name, now, "still-there")
    about = "a letter after all that"
    package = fmt.write(last, now, directory, "still-there")
    yield Case("still-there", about, package, Want.DECIDED, last.message_id, last.card.document_id)


def _letters(source_format: str, now: datetime) -> Iterator[tuple[str, str, DraftLetter]]:
    def letter(name: str, **card: object) -> DraftLetter:
        draft = _letter(source_format, now, name)
        return replace(draft, card=replace(draft.card, **card))  # type: ignore[arg-type]

    yield "minimal", "only what a letter must say", letter("minimal")
    title = "Өзгөчө маанилүү: ңөүҢӨҮ «тырмакча» — № 5"
    yield "kyrgyz", "letters that only Kyrgyz has, quotation marks, dashes", letter("kyrgyz", annotation=title)
    yield "long", "the longest annotation", letter("long", annotation="Узун аннотация. " * 240)
    yield "full", "persons, links, tasks with deadline and executor", letter(
        "full", kind="Письмо", executor=_SIGNATORY, links=(Link("Связан с", "d-1", "7-12/9", now.date()),),
        tasks=(Task("1", "Сообщить о готовности", now.date(), controlled=True, executors=(Executor(_SIGNATORY),)),),
    )  # fmt: skip
    draft = letter("several-files")
    names = ("Кат.pdf", "Тиркеме № 1.txt", "у" * _NAME_CHARACTERS + ".txt")
    roles = (FileRole.MAIN, FileRole.ANNEX, FileRole.ANNEX)
    infos = tuple(file_info(str(n), name, _TEXT, role) for n, (name, role) in enumerate(zip(names, roles, strict=True)))
    draft = replace(draft, files=(_TEXT,) * len(infos), card=replace(draft.card, files=infos))
    yield "several-files", "annexes with names in Cyrillic, one of them long", draft
    draft = letter("several-addressees")
    others = (*draft.card.addressees, Party(body="another-body", uid="another-body", name="Another body"))
    yield (
        "several-addressees",
        "a letter that others get too",
        replace(draft, card=replace(draft.card, addressees=others)),
    )
    draft = letter("reply", links=(Link("В ответ на", "d-unknown", "22-1/7", now.date()),))
    yield "reply", "a reply to a letter that was never seen here", replace(draft, kind=LetterKind.REPLY)


def _letter(source_format: str, now: datetime, name: str) -> DraftLetter:
    ident = digest(f"{name}\0{now.isoformat()}".encode()).hex()
    message_id, document_id = (f"{ident[at : at + 8]}-0000-4000-8000-{ident[at : at + 12]}" for at in (0, 12))
    card = LetterCard(
        document_id=document_id, local_id="1", kind="Письмо", reg_number="К-1/22", reg_date=now.date(),
        annotation="Кат", sender=Party(body=SENDER, uid=SENDER, name="Conformance kit"),
        addressees=(Party(body=RECIPIENT, uid=RECIPIENT, name="System under test"),), signatories=(_SIGNATORY,),
        files=(file_info("0", "letter.pdf", _TEXT, FileRole.MAIN, pages=1),), source_format=source_format,
    )  # fmt: skip
    return DraftLetter(
        message_id=message_id, consignment_id=message_id, kind=LetterKind.DOCUMENT, conversation=document_id,
        in_reply_to="", in_reply_to_number="", recipients=(RECIPIENT,), ack=AckPolicy.ALWAYS, wanted=(),
        urgency=Urgency.ROUTINE, reply_due=None, access=Access.PUBLIC, card=card, files=(_TEXT,),
    )  # fmt: skip


def _broken(package: Package, draft: DraftLetter, ids: tuple[str, str]) -> Iterator[Case]:
    """Packages that are no letters, each made of one that is; ids of its own, so that nothing was decided on it yet."""
    main = next(name for name, data in package.files.items() if data != draft.files[0])
    text = package.files[main]
    for name, about, document in (
        ("truncated", "a document that ends in the middle", text[: len(text) // 2]),
        ("empty", "a document without a byte", b""),
        ("entities", "a document type that declares an entity", _with_entity(text)),
        ("encoding", "bytes that are not the encoding that they declare", text.replace(b"1", b"\xff\xfe", 1)),
    ):
        fresh = document.replace(ids[0].encode(), f"{ids[0]}-{name}".encode())
        files = {**package.files, main: fresh}
        yield Case(name, about, Package(name, files), Want.NOT_TAKEN, f"{ids[0]}-{name}", ids[1])
    if len(package.files) == 1:
        return  # a format that holds its files within the document
    files = {name: data for name, data in package.files.items() if name == main}
    files[main] = text.replace(ids[0].encode(), f"{ids[0]}-bare".encode())
    about = "a document whose file is missing"
    yield Case("file-missing", about, Package("file-missing", files), Want.NOT_TAKEN, f"{ids[0]}-bare", ids[1])


def _with_entity(text: bytes) -> bytes:
    begin, end = text.split(b"?>", 1) if b"?>" in text else (b"", text)
    return begin + (b"?>" if begin else b"") + b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + end


_ORDERS = {
    "receipts-in-order": (Event.DELIVERED, Event.REGISTERED, Event.EXECUTOR_ASSIGNED, Event.REPLY_SENT),
    "receipts-backwards": (Event.REPLY_SENT, Event.EXECUTOR_ASSIGNED, Event.REGISTERED, Event.DELIVERED),
    "receipts-twice": (Event.REGISTERED, Event.REGISTERED),
    "refused-after-registered": (Event.REGISTERED, Event.REFUSED),
}


def _receipts(fmt: WritingFormat, directory: Directory, now: datetime, own: DraftLetter | None) -> Iterator[Case]:
    unknown = _letter(fmt.name, now, "never-sent")
    for about, draft in (("a letter that it sent", own), ("a letter that it never sent", unknown)):
        for name, events in _ORDERS.items() if draft is not None else ():
            for number, event in enumerate(events):
                package = fmt.render_receipt(_receipt(event, draft or unknown, now), RECIPIENT, directory)
                if package is not None:
                    key = f"{name}-{number + 1}-{event}{'' if draft is own else '-unknown'}"
                    yield Case(key, f"{event} about {about}", Package(key, package.files), Want.SURVIVED)


def _receipt(event: Event, draft: DraftLetter, now: datetime) -> ArrivedReceipt:
    ident = digest(f"{draft.message_id}\0{event}".encode())
    negative = event in NEGATIVE
    card = ReceiptCard(reg_number="ВХ-1/22", reg_date=now.date(), reason_text="Не по адресу" if negative else "")
    reason = Reason.REFUSED_BY_RECIPIENT.value if negative else ""
    return ArrivedReceipt(
        ident, ident, draft.message_id, draft.card, SENDER, event, now, reason, card.reason_text, card
    )
