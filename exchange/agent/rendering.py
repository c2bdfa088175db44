"""Arrivals as an EDMS's format takes them, and which of them the sender's EDMS wants to see."""

from exchange.agent.arrivals import open_deadline, open_letter, open_receipt
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt
from exchange.agent.spool.incoming import ArrivalKind, Kept
from exchange.domain.card import LetterCard
from exchange.domain.delivery import NEGATIVE
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.reason import Reason, text
from exchange.domain.statement import AckPolicy, Deadline, Letter, Signed
from exchange.wire.records import decode


def is_wanted(receipt: ArrivedReceipt, ack: AckPolicy) -> bool:
    """Whether the letter's sender asked for receipts like this one."""
    if ack is AckPolicy.ERRORS:
        return receipt.event in NEGATIVE
    return ack is AckPolicy.ALWAYS


def arrived_letter(kept: Kept) -> ArrivedLetter:
    """A kept letter as a format takes it."""
    arrival = open_letter(kept.record)
    return ArrivedLetter(kept.digest, kept.sender, arrival.letter, arrival.card, arrival.files)


def arrived_receipt(kept: Kept) -> tuple[ArrivedReceipt, AckPolicy]:
    """A kept receipt, rejection or deadline as a format takes it, and which ones the letter's sender wants."""
    signed = decode(Signed, kept.about)
    letter, about = decode(Letter, signed.statement), decode(LetterCard, signed.contents[0].data)
    if kept.kind is ArrivalKind.REJECTION:
        return _rejection(kept, letter, about), letter.ack
    if kept.kind is ArrivalKind.DEADLINE:
        return _lateness(kept, letter, about), letter.ack
    arrival = open_receipt(kept.record)
    receipt, card = arrival.receipt, arrival.card
    arrived = ArrivedReceipt(
        digest=kept.digest,
        letter=receipt.letter,
        message_id=letter.message_id,
        about=about,
        actor=kept.sender,
        event=Event(receipt.event),
        at=receipt.at,
        reason=receipt.reason,
        text="" if card is None else card.reason_text or card.note,
        card=card,
    )
    return arrived, letter.ack


def _rejection(kept: Kept, letter: Letter, about: LetterCard) -> ArrivedReceipt:
    return ArrivedReceipt(
        digest=kept.digest,
        letter=kept.digest,
        message_id=letter.message_id,
        about=about,
        actor=EXCHANGE,
        event=Event.REJECTED,
        at=kept.received,
        reason=kept.reason,
        text=": ".join(part for part in (kept.detail, in_words(kept.reason)) if part),
        card=None,
    )


def _lateness(kept: Kept, letter: Letter, about: LetterCard) -> ArrivedReceipt:
    deadline = open_deadline(kept.record)
    return ArrivedReceipt(
        digest=kept.digest,
        letter=deadline.letter,
        message_id=letter.message_id,
        about=about,
        actor=EXCHANGE,
        event=Event.EXPIRED,
        at=deadline.due,
        reason="",
        text=late_words(deadline),
        card=None,
    )


def late_words(deadline: Deadline) -> str:
    """Who has not done what until when, for people."""
    return f"{deadline.recipient}: '{deadline.stage}' was due {deadline.due.isoformat(timespec='minutes')}"


def in_words(code: str) -> str:
    """What a reason code means and what to do next; a code of a later exchange is given as it is."""
    try:
        return text(Reason(code))
    except ValueError:
        return code
