"""MEDO 2.6 receipts, read and written: квитанция about a message, уведомление about a document."""

from dataclasses import replace
from uuid import UUID

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.letters import (
    EXCHANGE_NAME,
    Remarks,
    own_extras,
    reason_of,
)
from adapters.formats.medo.parts import date_in, read_number, read_person, write_number, write_person
from adapters.formats.medo.words import (
    ACKNOWLEDGED,
    ACKNOWLEDGMENT_TYPE,
    ANNOTATION_CHARACTERS,
    COMMENT_CHARACTERS,
    DOCUMENT,
    EVENTS,
    FORMAT,
    MADE,
    NAMES,
    NOTICE_TYPE,
    NOTICES,
    NUMBER_CHARACTERS,
    SCHEMA,
    VERSION,
)
from adapters.formats.tree import Document, Reader, Writer, apply_extras
from adapters.formats.values import (
    cut,
    read_time,
    write_date,
    write_time,
)
from exchange.agent.ports import ArrivedReceipt, DraftReceipt
from exchange.domain.card import (
    Person,
    ReceiptCard,
)
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.reason import Reason
from exchange.wire.xml import schema


def read_notice(document: Document, root: Element) -> DraftReceipt:
    """An уведомление: it names the document's uid, in 2.6 perhaps the message's too."""
    notice = Reader(document, root).at("notification")
    _skip_envelope(document, root)
    kind = notice.attr("type")
    said = next(child for child in notice.children() if child.name() in EVENTS)
    event = EVENTS[said.name()]
    expected = {element: words for words, element in NOTICES.values()}.get(said.name(), "Опубликование")
    if kind != expected:
        fault = f"@type says '{kind}', the content is '{said.name()}': write '{expected}' or the content that fits"
        raise DocumentError(fault, place=notice.place)
    reason = said.text("reason")
    actor = _first_person(said, "executor", "signatory")
    number = _first(said, "num", "report/num")
    note = said.text("courseText") if said.at("courseText") else notice.text("comment")
    card = ReceiptCard(
        document_id=notice.attr("uid"),
        message_id=notice.attr("mid"),
        reg_number=read_number(number),
        reg_date=date_in(number.at("date")),
        reason_text=reason,
        actor=actor,
        note=note or said.text("publicationPoint"),
        source_format=FORMAT,
        extras=(),
    )
    # What the letter itself says is not repeated as extras.
    said.skip("foundation")
    at = read_time(said.text("time"), said.place)
    code = Reason.REFUSED_BY_RECIPIENT.value if event is Event.REFUSED else ""
    return DraftReceipt(event, at, code, replace(card, extras=tuple(document.unread(root))))


def read_acknowledgment(document: Document, root: Element) -> DraftReceipt:
    """A квитанция: it names the message's uid and says whether the EDMS took it in."""
    said = Reader(document, root).at("acknowledgment")
    _skip_envelope(document, root)
    accepted = said.text("accepted") in {"true", "1"}
    comment = said.text("comment")
    card = ReceiptCard(
        document_id="",
        message_id=said.attr("uid"),
        reg_number="",
        reg_date=None,
        reason_text="" if accepted else comment,
        actor=None,
        note=comment if accepted else "",
        source_format=FORMAT,
        extras=(),
    )
    at = read_time(said.text("time"), said.place)
    card = replace(card, extras=tuple(document.unread(root)))
    if accepted:
        return DraftReceipt(Event.HANDED_OVER, at, "", card)
    return DraftReceipt(Event.HAND_OVER_FAILED, at, Reason.HAND_OVER_FAILED.value, card)


def _skip_envelope(document: Document, root: Element) -> None:
    """Who speaks to whom is known from the signature and the letter."""
    message = Reader(document, root)
    message.skip("header")
    message.skip("deliveryIndex")


def _first(said: Reader, *paths: str) -> Reader:
    """The first of `paths` that is there, else an absent one."""
    return next((said.at(path) for path in paths if said.at(path)), said.at(paths[-1]))


def _first_person(said: Reader, *paths: str) -> Person | None:
    entry = _first(said, *paths)
    return read_person(entry) if entry else None


def write_receipt(arrived: ArrivedReceipt, recipient: str, bodies: Bodies) -> Element | None:
    """A receipt as a validated message; None where MEDO has no word for the event."""
    if arrived.event not in ACKNOWLEDGED and arrived.event not in NOTICES:
        return None
    acknowledged = arrived.event in ACKNOWLEDGED
    actor, actor_uid = EXCHANGE_NAME, EXCHANGE
    if arrived.actor != EXCHANGE:
        actor, actor_uid = bodies.name(arrived.actor), bodies.uid(arrived.actor)
    root = Writer.root(NAMES, "communication", {"version": VERSION})
    header = root.add(
        "header",
        attributes={
            "type": ACKNOWLEDGMENT_TYPE if acknowledged else NOTICE_TYPE,
            "uid": str(UUID(bytes=arrived.digest[:16])),
            "created": write_time(arrived.at),
        },
    )
    header.add("source", attributes={"uid": actor_uid}).add("organization", actor)
    if acknowledged:
        _write_acknowledgment(root, arrived)
    else:
        _write_notice(root, arrived, actor, bodies.name(recipient))
    destination = root.add("deliveryIndex").add("destination")
    partner = destination.add("destination", attributes={"uid": bodies.uid(recipient, arrived.about.sender.uid)})
    partner.add("organization", arrived.about.sender.name or bodies.name(recipient))
    element = apply_extras(root.element, own_extras(arrived.card, FORMAT), NAMES, schema(SCHEMA), MADE)
    schema(SCHEMA).check(element, DOCUMENT)
    return element


def _write_acknowledgment(root: Writer, arrived: ArrivedReceipt) -> None:
    said = root.add("acknowledgment", attributes={"uid": arrived.message_id})
    accepted = ACKNOWLEDGED[arrived.event]
    said.add("time", write_time(arrived.at))
    said.add("accepted", "true" if accepted else "false")
    comment = (arrived.card.note if arrived.card else "") if accepted else reason_of(arrived)
    said.maybe("comment", cut(comment, COMMENT_CHARACTERS))


def _write_notice(root: Writer, arrived: ArrivedReceipt, actor: str, addressed: str) -> None:
    """The notice of an event, about the document as its sender knows it."""
    about, card = arrived.about, arrived.card
    words, element = NOTICES[arrived.event]
    notice = root.add(
        "notification",
        attributes={"type": words, "uid": about.document_id or arrived.message_id, "id": about.local_id,
                    "mid": arrived.message_id},
    )  # fmt: skip
    said = notice.add(element)
    said.add("time", write_time(arrived.at))
    foundation = said.add("foundation")
    foundation.add("organization", about.sender.name or addressed)
    if about.reg_number:
        write_number(foundation, cut(about.reg_number, NUMBER_CHARACTERS), write_date(about.reg_date))
    remarks = Remarks()
    number = remarks.fit("Номер", card.reg_number, NUMBER_CHARACTERS) if card else ""
    note = remarks.text(card.note if card else "")
    day = write_date(card.reg_date) if card else ""
    person = (card.actor if card else None) or Person(organization=actor)
    match arrived.event:
        case Event.REGISTERED:
            write_number(said, number, day)
        case Event.REFUSED:
            said.add("reason", reason_of(arrived))
        case Event.EXECUTOR_ASSIGNED:
            for role in ("secretary", "manager"):
                entry = said.add(role)
                if not _is_told(arrived, f"notification/{element}/{role}"):
                    entry.add("organization", actor)
            write_person(said.add("executor"), person)
        case Event.REPLY_PREPARED:
            signatory = said.add("signatory")
            write_person(signatory, person)
            signatory.maybe("signed", write_date(person.signed))
        case Event.REPLY_SENT:
            report = said.add("report")
            if number or day:
                write_number(report, number, day)
        case _:
            said.add("courseText", cut(note, ANNOTATION_CHARACTERS))
            note = ""
    notice.maybe("comment", cut(note, COMMENT_CHARACTERS))


def _is_told(arrived: ArrivedReceipt, path: str) -> bool:
    """Whether the recipient's own extras fill the element at `path`."""
    return any(extra.path.startswith(f"{path}/") for extra in own_extras(arrived.card, FORMAT))
