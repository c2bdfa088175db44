"""Receipts beside capsules, read and written: this project's own, for DHX has none that is a file."""

from dataclasses import replace
from uuid import UUID

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.dhx.addition import person_attributes, read_person
from adapters.formats.dhx.parts import guid_of
from adapters.formats.dhx.words import (
    EVENT_OF_RECIPIENT,
    EVENT_OF_SENDING,
    FAULTS,
    FORMAT,
    OWN_NAMES,
    OWN_SCHEMA,
    RECEIPT_DOCUMENT,
    RECIPIENT_STATUS,
    SENDING_STATUS,
    TECHNICAL,
    VALIDATION,
)
from adapters.formats.letters import EXCHANGE_NAME, own_extras, reason_of
from adapters.formats.tree import Document, Reader, Writer, extra_value
from adapters.formats.values import read_date, read_time, write_date, write_time
from exchange.agent.ports import ArrivedReceipt, DraftReceipt
from exchange.domain.card import ReceiptCard
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.reason import Reason
from exchange.wire.xml import schema

_REASONS = {
    Event.REFUSED: Reason.REFUSED_BY_RECIPIENT,
    Event.HAND_OVER_FAILED: Reason.HAND_OVER_FAILED,
    Event.NOT_DELIVERED: Reason.HAND_OVER_FAILED,
}
_FAULT_CODE = "Fault/@Code"


def read_receipt(document: Document, root: Element) -> DraftReceipt:
    """A receipt: `About` names message and document, `Event`, or else a status, says what happened.

    Raises:
        DocumentError: it says neither what happened nor to which letter.
    """
    receipt = Reader(document, root)
    about, registration = receipt.at("About"), receipt.at("Registration")
    event = _event(receipt)
    reason_text = receipt.text("Fault")
    receipt.at("Fault").attr("Reason")
    card = ReceiptCard(
        document_id=about.attr("DocumentId") or about.attr("RecordGuid"),
        message_id=about.attr("ConsignmentId"),
        reg_number=registration.attr("Number"),
        reg_date=read_date(registration.attr("Date"), registration.place),
        reason_text=reason_text,
        actor=read_person(receipt.at("Person")) if receipt.at("Person") else None,
        note=receipt.text("Note"),
        source_format=FORMAT,
    )
    if not card.document_id and not card.message_id:
        fault = "About says nothing of the letter: fill @ConsignmentId or @RecordGuid"
        raise DocumentError(fault, place=about.place)
    at = read_time(receipt.attr("Time"), receipt.place)
    # Who speaks to whom is known from the signature and the letter; the status follows from the event.
    receipt.attr("Id")
    for path in ("Sender", "Recipient", "About"):
        receipt.skip(path)
    card = replace(card, extras=tuple(document.unread(root)))
    reason = _REASONS.get(event)
    return DraftReceipt(event, at, "" if reason is None else reason.value, card)


def _event(receipt: Reader) -> Event:
    """What happened: in the exchange's word, else by the recipient's status, else by that of sending."""
    told, handled, sent = (receipt.attr(name) for name in ("Event", "RecipientStatus", "SendingStatus"))
    if told:
        # A document system that calls a letter delivered has it.
        return Event.HANDED_OVER if told == Event.DELIVERED else Event(told)
    if handled == RECIPIENT_STATUS[Event.EXECUTOR_ASSIGNED] and receipt.at("Person"):
        return Event.EXECUTOR_ASSIGNED
    event = EVENT_OF_RECIPIENT.get(handled) or EVENT_OF_SENDING.get(sent)
    if event is None:
        fault = "neither @Event nor a status says what happened to the letter: fill @Event"
        raise DocumentError(fault, place=receipt.place)
    return event


def write_receipt(arrived: ArrivedReceipt, recipient: str, bodies: Bodies) -> Element:
    """A receipt as a validated document; every event has its word."""
    about, card = arrived.about, arrived.card
    root = Writer.root(
        OWN_NAMES,
        "Receipt",
        {
            "Id": str(UUID(bytes=arrived.digest[:16])),
            "Time": write_time(arrived.at),
            "Event": arrived.event.value,
            "SendingStatus": SENDING_STATUS.get(arrived.event, ""),
            "RecipientStatus": RECIPIENT_STATUS.get(arrived.event, ""),
        },
    )
    actor = {"OrganisationCode": EXCHANGE, "Name": EXCHANGE_NAME}
    if arrived.actor != EXCHANGE:
        actor = {"OrganisationCode": bodies.uid(arrived.actor), "Name": bodies.name(arrived.actor)}
    root.add("Sender", attributes=actor)
    root.add("Recipient", attributes={"OrganisationCode": bodies.uid(recipient, about.sender.uid)})
    named = about.document_id or arrived.message_id
    guid = guid_of(named)
    root.add("About", attributes={"ConsignmentId": arrived.message_id, "RecordGuid": guid,
                                  "DocumentId": "" if named == guid else named,
                                  "RecordOriginalIdentifier": about.reg_number})  # fmt: skip
    if reason := reason_of(arrived):
        code = extra_value(own_extras(card, FORMAT), _FAULT_CODE) or _fault_code(arrived)
        root.add("Fault", reason, {"Code": code, "Reason": arrived.reason})
    if card is not None and (card.reg_number or card.reg_date):
        root.add("Registration", attributes={"Number": card.reg_number, "Date": write_date(card.reg_date)})
    if card is not None and card.actor is not None:
        root.add("Person", attributes=person_attributes(card.actor))
    root.maybe("Note", card.note if card else "")
    schema(OWN_SCHEMA).check(root.element, RECEIPT_DOCUMENT)
    return root.element


def _fault_code(arrived: ArrivedReceipt) -> str:
    """DHX's code for why a letter did not get through; empty where it did."""
    if arrived.event is Event.RELAY_FAILED:
        return TECHNICAL
    if arrived.event in {Event.REJECTED, Event.NOT_DELIVERED, Event.HAND_OVER_FAILED}:
        return FAULTS.get(Reason(arrived.reason), VALIDATION) if arrived.reason in set(Reason) else VALIDATION
    return ""
