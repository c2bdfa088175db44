"""GOST R 53898-2013 reports, read and written."""

from dataclasses import replace
from uuid import UUID

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.gost53898.parts import (
    OWN_RESOURCE,
    read_contact,
    write_contact,
    write_header,
    write_party,
    write_registration,
    zone_of,
)
from adapters.formats.gost53898.words import (
    EVENTS,
    FORMAT,
    MADE,
    NAMES,
    NOTICES,
    RECEIPT_DOCUMENT,
    SCHEMA,
)
from adapters.formats.letters import (
    EXCHANGE_NAME,
    own_extras,
    reason_of,
)
from adapters.formats.tree import Document, Reader, Writer, apply_extras, extra_value
from adapters.formats.values import (
    read_time,
    write_date,
    write_time,
)
from exchange.agent.ports import ArrivedReceipt, DraftReceipt
from exchange.domain.card import Extra, Party, ReceiptCard
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.reason import Reason
from exchange.wire.xml import schema


def read_receipt(document: Document, root: Element) -> DraftReceipt:
    """A Report: ReturnID names the message, InitialDoc the document."""
    report = Reader(document, root)
    header, notification = report.at("Header"), report.at("Notification")
    zone = zone_of(header)
    said = next(child for child in notification.children() if child.name() in EVENTS)
    event = EVENTS[said.name()]
    time = said.attr("SystemDate") or header.attr("Time")
    registration = _registered(report, said.attr("DocumentID"))
    text = said.text("Text")
    card = ReceiptCard(
        document_id=notification.at("InitialDoc").attr("UID"),
        message_id=header.attr("ReturnID"),
        reg_number=registration.text("Number"),
        reg_date=registration.date("Date"),
        reason_text=said.text() if event is Event.REFUSED else "",
        actor=read_contact(said.at("Contact")) if said.at("Contact") else None,
        note=text or notification.text("Note"),
        source_format=FORMAT,
        extras=(),
    )
    # Who speaks is known from the signature, the initial document from the letter.
    report.skip("Header")
    report.skip("Notification/InitialDoc")
    if not card.document_id and not card.message_id:
        fault = "neither Header/@ReturnID nor InitialDoc/@UID says which letter this is about: fill one"
        raise DocumentError(fault, place=header.place)
    code = Reason.REFUSED_BY_RECIPIENT.value if event is Event.REFUSED else ""
    # A consideration or a signing is told to a GOST sender as such, not as the event that it is here.
    kept = () if NOTICES.get(event) == said.name() else (Extra(f"Notification/{said.name()}", ""),)
    card = replace(card, extras=(*document.unread(root), *kept))
    return DraftReceipt(event, read_time(time, said.place, zone), code, card)


def _registered(report: Reader, document_id: str) -> Reader:
    """Registration of the document that a notification names, else of the first."""
    documents = report.all("DocumentList/Document")
    named = [entry for entry in documents if entry.peek_attr("DocumentID") == document_id] or documents
    if not named:
        return report.at("DocumentList/Document")
    for name in ("DocumentID", "Type", "MainDocument"):
        named[0].attr(name)
    return named[0].at("RegistrationInfo")


def write_receipt(arrived: ArrivedReceipt, recipient: str, bodies: Bodies) -> Element | None:
    """A receipt as a validated message; None where GOST has no word for the event."""
    if arrived.event not in NOTICES:
        return None
    about, element = arrived.about, _element(arrived)
    actor = Party(name=EXCHANGE_NAME)
    uid = EXCHANGE
    if arrived.actor != EXCHANGE:
        actor, uid = Party(name=bodies.name(arrived.actor)), bodies.uid(arrived.actor)
    root = Writer.root(NAMES, "Report", {})
    kind = element if element in {"Reception", "Failure"} else "Report"
    return_id = extra_value(own_extras(about, FORMAT), "Header/@ReturnID") or arrived.message_id
    header = write_header(root, str(UUID(bytes=arrived.digest[:16])), arrived.at, kind, return_id)
    write_party(header.add("Sender"), actor, uid)
    named = Party(name=about.sender.name or bodies.name(recipient))
    write_party(header.add("Recipient"), named, bodies.uid(recipient, about.sender.uid))
    resources = header.add("ResourceList")
    resources.add("Resource", attributes={"UID": OWN_RESOURCE, "UniqueName": RECEIPT_DOCUMENT})
    _notification(root, arrived, element)
    root_element = apply_extras(root.element, own_extras(arrived.card, FORMAT), NAMES, schema(SCHEMA), MADE)
    schema(SCHEMA).check(root_element, RECEIPT_DOCUMENT)
    return root_element


def _element(arrived: ArrivedReceipt) -> str:
    """The element that tells the event: the recipient's own where it is one of several."""
    own = {extra.path.removeprefix("Notification/") for extra in own_extras(arrived.card, FORMAT)}
    telling = (name for name, event in EVENTS.items() if event is arrived.event and name in own)
    return next(telling, NOTICES[arrived.event])


def _notification(root: Writer, arrived: ArrivedReceipt, element: str) -> None:
    """The notification, with the registered document behind it where there is one."""
    about, card = arrived.about, arrived.card
    notification = root.add("Notification")
    initial = notification.add("InitialDoc", attributes={"UID": about.document_id or arrived.message_id})
    initial.maybe("Number", about.reg_number)
    initial.maybe("Date", write_date(about.reg_date))
    initial.maybe("Group", about.kind)
    note, time = (card.note if card else ""), write_time(arrived.at)
    number, day = (card.reg_number, write_date(card.reg_date)) if card else ("", "")
    registered = "1" if number or day else ""
    match arrived.event:
        case Event.DELIVERED:
            notification.add(element, attributes={"SystemDate": time})
            notification.maybe("Note", note)
        case Event.REGISTERED:
            notification.add(element, attributes={"DocumentID": registered, "SystemDate": time})
            notification.maybe("Note", note)
        case _ if element == "Failure":
            own = any(extra.path.endswith("Failure/@Code") for extra in own_extras(card, FORMAT))
            notification.add(element, reason_of(arrived), {} if own else {"Code": arrived.reason})
            notification.maybe("Note", note)
        case _:
            said = notification.add(element, attributes={"DocumentID": registered, "SystemDate": time})
            if card and card.actor:
                write_contact(said, card.actor)
            said.maybe("Text", note)
    if registered:
        ident = {"DocumentID": registered, "Type": "Incoming", "MainDocument": "true"}
        write_registration(root.add("DocumentList").add("Document", attributes=ident), number, day)
