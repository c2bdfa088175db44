"""Receipts of the profile, read and written."""

from datetime import UTC
from typing import Any

from adapters.formats.bodies import Bodies
from adapters.formats.json_profile import documents
from adapters.formats.json_profile.documents import FORMAT, alike
from adapters.formats.json_profile.letter_writer import add_extras, checked
from adapters.formats.json_profile.shapes import read_extras
from adapters.formats.json_profile.source import Source
from adapters.formats.letters import EXCHANGE_NAME
from exchange.agent.ports import ArrivedReceipt, DraftReceipt
from exchange.domain.card import Person, ReceiptCard
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.reason import Reason

_REASONS = {
    Event.REFUSED: Reason.REFUSED_BY_RECIPIENT.value,
    Event.HAND_OVER_FAILED: Reason.HAND_OVER_FAILED.value,
}
"""Reasons of events that need one, where the document gives none."""


def read_receipt(source: Source, bodies: Bodies) -> DraftReceipt:
    """What a document system says about a letter.

    Delivered is what its agent says; from a document system it means that the letter was taken in.

    Raises:
        DocumentError: a field is wrong, or the time is none that UTC has.
    """
    said = source.convert(source.tree, documents.Receipt)
    card = ReceiptCard(
        document_id=said.document_id,
        message_id=said.message_id,
        reg_number=said.reg_number,
        reg_date=said.reg_date,
        reason_text=said.reason_text,
        actor=alike(said.actor.person, Person) if said.actor.person else None,
        note=said.note,
        source_format=said.source_format or FORMAT,
        extras=read_extras(source.tree, documents.Receipt, said.extras),
    )
    try:
        at = said.event_time.astimezone(UTC)
    except OverflowError:
        raise source.fault(("event_time",), "no time of the calendar in UTC: correct it") from None
    event = Event.HANDED_OVER if said.event is Event.DELIVERED else said.event
    return DraftReceipt(event, at, said.reason_code or _REASONS.get(event, ""), card, bodies.find(said.addressee))


def write_receipt(arrived: ArrivedReceipt, recipient: str, bodies: Bodies) -> dict[str, Any]:
    """A receipt as a document's tree; the profile has a word for every event.

    Raises:
        DocumentError: the receipt's card holds what the profile cannot.
    """
    about, card = arrived.about, arrived.card or ReceiptCard()
    fields = {
        "message_type": "receipt",
        "event": arrived.event,
        "event_time": arrived.at,
        "message_id": arrived.message_id,
        "document_id": about.document_id,
        "addressee": recipient,
        "receipt_id": arrived.digest.hex(),
        "letter_id": arrived.letter.hex(),
        "local_id": about.local_id,
        "reg_number": card.reg_number,
        "reg_date": card.reg_date,
        "reason_code": arrived.reason,
        "reason_text": card.reason_text or arrived.text,
        "note": card.note,
        "actor": {
            "body": arrived.actor,
            "name": EXCHANGE_NAME if arrived.actor == EXCHANGE else bodies.name(arrived.actor),
            "person": card.actor,
        },
        "source_format": "" if card.source_format == FORMAT else card.source_format,
    }
    tree = checked(fields, documents.Receipt)
    add_extras(tree, card.extras, documents.Receipt)
    return tree
