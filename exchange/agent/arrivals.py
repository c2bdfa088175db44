"""What an inbox record proves, checked as of the decision's time and directory version (rule 3.2).

Pure: the same bytes and trust give the same result. The router's own word (the decision) is
believed because only the router can write to an inbox; what bodies said is checked again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.agent.errors import ArrivalFlagged
from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.decision import Decided, Journalled, Verdict
from exchange.domain.errors import WireError
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.statement import (
    Commitment,
    Content,
    Form,
    Letter,
    Receipt,
    commitment_digest,
)
from exchange.journal.addressing import names
from exchange.security.errors import SignatureRefused
from exchange.security.trust import Trust
from exchange.wire.records import decode, decode_statement

_EVENTS = frozenset(event.value for event in Event)


@dataclass(frozen=True, slots=True)
class LetterArrival:
    """A letter for us that holds: its card and the bytes of its files."""

    digest: bytes
    letter: Letter
    card: LetterCard
    files: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ReceiptArrival:
    """A receipt for us that holds; whether it concerns a letter of ours is for the spool to say."""

    digest: bytes
    receipt: Receipt
    card: ReceiptCard | None


Arrival = LetterArrival | ReceiptArrival


def verify(value: bytes, body: str, trust_at: Callable[[int], Trust]) -> Arrival:
    """The letter or receipt in a record of `body`'s inbox.

    Args:
        value: the record's bytes, framed `Journalled`.
        body: whose inbox it is.
        trust_at: trust by directory version.

    Raises:
        ArrivalFlagged: the code says which step failed.
        DirectoryRefused: that version is not here: the record's fault it is not, so ask again later.
    """
    # 1. The record is a journal entry: a decision with the statement that it is about.
    decided, contents = _entry(value)
    decision = decided.decision
    # 2. The decision accepts this very statement, for us.
    said = digest(decided.statement)
    if decision.statement != said:
        raise ArrivalFlagged("decision.statement: is not the digest of the statement", code="decision-mismatch")
    if decision.verdict is not Verdict.ACCEPTED or body not in decision.recipients:
        raise ArrivalFlagged(f"decision: does not accept it for '{body}'", code="not-accepted")
    # 3. The signature held at the decision's time, by the directory that the decision names.
    trust = _trust(trust_at, decision.directory_version, decision.directory_digest)
    try:
        signer = trust.verify_statement(decided.statement, decided.signature, decision.decided)
    except SignatureRefused as refused:
        raise ArrivalFlagged(str(refused), code=refused.code) from refused
    # 4. The statement decodes whole and canonically, and is of this exchange and of its signer.
    try:
        statement = decode_statement(decided.statement)
    except WireError as error:
        raise ArrivalFlagged(str(error), code=error.code) from error
    if statement.head.exchange != trust.directory.exchange:
        raise ArrivalFlagged("head.exchange: another exchange's", code="foreign-exchange")
    if statement.head.body != signer:
        raise ArrivalFlagged(f"head.body: '{statement.head.body}', signed by '{signer}'", code="wrong-signer")
    # 5. It is addressed to us, and its contents are those that it commits to.
    if isinstance(statement, Letter):
        return _letter(said, statement, contents, body, trust_at)
    if isinstance(statement, Receipt):
        return _receipt(said, statement, contents, body)
    raise ArrivalFlagged(f"a {type(statement).__name__} in an inbox", code="kind-unexpected")


def open_letter(value: bytes) -> LetterArrival:
    """A letter that was verified when it arrived, read again from the spool."""
    decided, contents = _entry(value)
    letter = decode(Letter, decided.statement)
    return LetterArrival(digest(decided.statement), letter, *_letter_parts(contents))


def open_receipt(value: bytes) -> ReceiptArrival:
    """A receipt that was verified when it arrived, read again from the spool."""
    decided, contents = _entry(value)
    receipt = decode(Receipt, decided.statement)
    return ReceiptArrival(digest(decided.statement), receipt, _receipt_card(contents))


def _entry(value: bytes) -> tuple[Decided, tuple[Content, ...]]:
    try:
        journalled = decode(Journalled, value)
        return decode(Decided, journalled.entry), journalled.contents
    except WireError as error:
        raise ArrivalFlagged(str(error), code="unreadable") from error


def _trust(trust_at: Callable[[int], Trust], version: int, named: bytes) -> Trust:
    trust = trust_at(version)
    if trust.directory.digest != named:
        message = f"decision.directory_digest: not that of version {version} as it is known here"
        raise ArrivalFlagged(message, code="directory-mismatch")
    return trust


def _letter(
    said: bytes, letter: Letter, contents: tuple[Content, ...], body: str, trust_at: Callable[[int], Trust]
) -> LetterArrival:
    if not names(letter, body, lambda version: trust_at(version).directory):
        place = "recipients: do" if letter.group is None else "group: does"
        raise ArrivalFlagged(f"{place} not name '{body}'", code="not-addressed")
    _require_contents(letter.contents, contents)
    card, files = _letter_parts(contents)
    if len(card.files) != len(files):
        message = f"card.files: {len(card.files)} described, {len(files)} carried"
        raise ArrivalFlagged(message, code="content-mismatch")
    return LetterArrival(said, letter, card, files)


def _receipt(said: bytes, receipt: Receipt, contents: tuple[Content, ...], body: str) -> ReceiptArrival:
    if receipt.sender != body:
        raise ArrivalFlagged(f"sender: names '{receipt.sender}', not '{body}'", code="not-addressed")
    if receipt.event not in _EVENTS:
        raise ArrivalFlagged(f"event: '{receipt.event[:40]}' is not known here", code="event-unknown")
    _require_contents(receipt.contents, contents)
    return ReceiptArrival(said, receipt, _receipt_card(contents))


def _require_contents(commitments: tuple[Commitment, ...], contents: tuple[Content, ...]) -> None:
    """Contents are exactly the items committed to (rule 1.5)."""
    if len(commitments) != len(contents):
        message = f"contents: {len(contents)} items, {len(commitments)} committed"
        raise ArrivalFlagged(message, code="content-mismatch")
    for index, (commitment, content) in enumerate(zip(commitments, contents, strict=True)):
        if commitment.form is not Form.INLINE:
            raise ArrivalFlagged(f"contents[{index}]: is {commitment.form}", code="content-unsupported")
        if commitment.size != len(content.data) or commitment.digest != commitment_digest(content):
            raise ArrivalFlagged(f"contents[{index}]: is not what was signed", code="content-mismatch")


def _letter_parts(contents: tuple[Content, ...]) -> tuple[LetterCard, tuple[bytes, ...]]:
    if not contents:
        raise ArrivalFlagged("contents[0]: a letter has a card", code="card-missing")
    try:
        card = decode(LetterCard, contents[0].data)
    except WireError as error:
        raise ArrivalFlagged(f"contents[0]: {error}", code="card-unreadable") from error
    return card, tuple(content.data for content in contents[1:])


def _receipt_card(contents: tuple[Content, ...]) -> ReceiptCard | None:
    if not contents:
        return None
    try:
        return decode(ReceiptCard, contents[0].data)
    except WireError as error:
        raise ArrivalFlagged(f"contents[0]: {error}", code="card-unreadable") from error
