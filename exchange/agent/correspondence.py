"""What a body says about letters that it received: replies and receipts find their letter here.

The functions take a connection inside a transaction, so a reply and its `reply-sent` receipt, or a
registration and its number, are kept together or not at all.
"""

import sqlite3
from dataclasses import replace

from exchange.agent.arrivals import open_letter
from exchange.agent.drafts import Answered, Drafting, Words, edms_receipt_key, own_receipt_key
from exchange.agent.errors import DraftRefused, refused_draft
from exchange.agent.ports import DraftLetter, DraftReceipt
from exchange.agent.spool import incoming, outgoing
from exchange.agent.spool.incoming import Kept, Named
from exchange.domain.card import ReceiptCard
from exchange.domain.errors import SpoolError
from exchange.domain.event import SERVICE_EVENTS, Event
from exchange.domain.reason import Reason


def say_letter(connection: sqlite3.Connection, drafting: Drafting, body: str, draft: DraftLetter) -> None:
    """Draft a letter; one that answers a received letter goes on in its conversation.

    Raises:
        DraftRefused: `message-id-repeated`, `sender-differs`, or what the exchange could never take.
        SpoolError: `slowed-by-exchange`, retriable: so many wait already that no more are taken in.
    """
    if draft.card.sender.body not in {"", body}:
        message = f"card.sender: is '{draft.card.sender.body[:63]}', but this is the way out of '{body}'"
        raise DraftRefused(f"{message}; send it where it belongs", code="sender-differs")
    letter = _answered(connection, body, draft)
    answered = None
    if letter is not None:
        answered = Answered(letter.digest, open_letter(letter.record).letter.conversation)
    if outgoing.has_drafts(connection, body, drafting.backlog):
        message = f"{drafting.backlog} letters wait for the exchange, which takes no more now: send this one later"
        raise SpoolError(message, code="slowed-by-exchange", retriable=True)
    if not outgoing.add(connection, drafting.letter(body, draft, answered)):
        message = f"message_id: '{draft.message_id[:80]}' was used before; give every message an id of its own"
        raise DraftRefused(message, code="message-id-repeated")
    if letter is not None:
        words = Words(letter.digest, letter.sender, Event.REPLY_SENT, drafting.clock())
        key = own_receipt_key(Event.REPLY_SENT, letter.digest, draft.message_id)
        outgoing.add(connection, drafting.receipt(body, words, key))


def say_receipt(
    connection: sqlite3.Connection, drafting: Drafting, body: str, letter: Kept, draft: DraftReceipt
) -> None:
    """Draft a receipt about a received letter; the same words again are not said twice.

    Raises:
        DraftRefused: `event-unknown` for an event that is the exchange's to state.
    """
    if draft.event in SERVICE_EVENTS:
        raise refused_draft(Reason.EVENT_UNKNOWN, f"event: '{draft.event}'")
    card = _discreet(draft.card) if open_letter(letter.record).card.personal_data else draft.card
    words = Words(letter.digest, letter.sender, draft.event, draft.at, draft.reason, card)
    outgoing.add(connection, drafting.receipt(body, words, edms_receipt_key(words)))
    if draft.event is Event.REGISTERED and draft.card.reg_number:
        incoming.register(connection, letter.row, draft.card.reg_number)


def letter_meant(connection: sqlite3.Connection, body: str, draft: DraftReceipt) -> Kept:
    """The received letter that an EDMS's receipt names.

    Formats differ in which id they repeat (MEDO's quittance the message's, its notice the document's),
    and an EDMS may fill the other with an id of its own: the message id goes first. Anybody may send
    letters with the ids of another's: then the one counts to whose sender the receipt is addressed.

    Raises:
        DraftRefused: `receipt-letter-unknown`, `receipt-letter-ambiguous`.
    """
    card = draft.card
    if not card.message_id and not card.document_id:
        message = "the receipt names neither message id nor document id: say which letter it is about"
        raise DraftRefused(message, code="receipt-letter-unknown")
    named = f"message id '{card.message_id[:80]}' or document id '{card.document_id[:80]}'"
    found = _named(connection, body, card.message_id, card.document_id)
    if not found:
        message = f"no received letter has {named}: send the receipt again once the letter has arrived"
        raise DraftRefused(message, code="receipt-letter-unknown")
    if len({letter.sender for letter in found}) > 1:
        found = [letter for letter in found if letter.sender == draft.addressee]
    if not found:
        message = f"letters of several senders have {named}: name both ids, and address the receipt to the sender"
        raise DraftRefused(message, code="receipt-letter-ambiguous")
    return incoming.arrival_at(connection, found[0].row)


def _named(connection: sqlite3.Connection, body: str, message_id: str, document_id: str) -> list[Named]:
    """Letters with both ids, else with the message id, else with the document id; newest first."""
    both = {"message_id": message_id, "document_id": document_id}
    return (
        (incoming.letters_with(connection, body, **both) if all(both.values()) else [])
        or incoming.letters_with(connection, body, message_id=message_id)
        or incoming.letters_with(connection, body, document_id=document_id)
    )


def _discreet(card: ReceiptCard) -> ReceiptCard:
    """A receipt's card without words for operators: the tracker shows the reason, only the sender sees the note."""
    return replace(card, reason_text="", note="\n".join(filter(None, (card.reason_text, card.note))))


def _answered(connection: sqlite3.Connection, body: str, draft: DraftLetter) -> Kept | None:
    """The received letter that a draft answers: from one of its recipients, the newest that fits."""
    number = draft.in_reply_to_number
    found = (
        *incoming.letters_with(connection, body, document_id=draft.in_reply_to),
        *incoming.letters_with(connection, body, reg_number=number),
        *incoming.letters_with(connection, body, own_reg_number=number),
    )
    answered = next((letter for letter in found if letter.sender in draft.recipients), None)
    return None if answered is None else incoming.arrival_at(connection, answered.row)
