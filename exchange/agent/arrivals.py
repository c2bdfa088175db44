"""What an inbox record proves, checked as of the decision's time and directory version (rule 3.2).

Pure: the same bytes and trust give the same result. The router's own word (the decision) is
believed because only the router can write to an inbox; what bodies said is checked again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.agent.errors import ArrivalFlagged
from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.decision import Decided, Journalled, Verdict
from exchange.domain.directory import Directory
from exchange.domain.errors import WireError
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.own_bodies import may_say
from exchange.domain.statement import (
    Command,
    Commitment,
    Content,
    Deadline,
    Form,
    Letter,
    Receipt,
    Statement,
    commitment_digest,
)
from exchange.journal.addressing import names
from exchange.journal.commands import REDRIVE
from exchange.security.errors import DirectoryRefused, SignatureRefused
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


@dataclass(frozen=True, slots=True)
class DeadlineArrival:
    """The exchange says that a deadline of a delivery from or to us has passed."""

    digest: bytes
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class RedriveArrival:
    """An operator has us hand over a letter again: the letter holds, `record` is as it once stood in our inbox."""

    digest: bytes
    command: Command
    letter: LetterArrival
    record: bytes


Arrival = LetterArrival | ReceiptArrival | DeadlineArrival | RedriveArrival


@dataclass(frozen=True, slots=True)
class _Verified:
    """A statement that somebody said and the exchange accepted for us."""

    digest: bytes
    statement: Statement
    contents: tuple[Content, ...]
    directory: Directory


def verify(value: bytes, body: str, trust_at: Callable[[int], Trust]) -> Arrival:
    """What a record of `body`'s inbox brings.

    Args:
        value: the record's bytes, framed `Journalled`.
        body: whose inbox it is.
        trust_at: trust by directory version.

    Raises:
        ArrivalFlagged: the code says which step failed.
        DirectoryRefused: that version is not here: the record's fault it is not, so ask again later.
    """
    verified = _verified(value, body, trust_at)
    # 5. It is addressed to us, and its contents are those that it commits to.
    match verified.statement:
        case Letter():
            return _letter(verified, verified.statement, body, trust_at)
        case Receipt():
            return _receipt(verified, verified.statement, body)
        case Deadline():
            return _deadline(verified, verified.statement, body)
        case Command():
            return _redrive(verified, verified.statement, body, trust_at)
    raise ArrivalFlagged(f"a {type(verified.statement).__name__} in an inbox", code="kind-unexpected")


def _verified(value: bytes, body: str, trust_at: Callable[[int], Trust]) -> _Verified:
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
    return _Verified(said, statement, contents, trust.directory)


def open_letter(value: bytes) -> LetterArrival:
    """A letter that was verified when it arrived, read again from the spool."""
    decided, contents = _entry(value)
    letter = decode(Letter, decided.statement)
    return LetterArrival(digest(decided.statement), letter, *_letter_parts(contents))


def open_deadline(value: bytes) -> Deadline:
    """A deadline that was verified when it arrived, read again from the spool."""
    return decode(Deadline, _entry(value)[0].statement)


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


def _letter(verified: _Verified, letter: Letter, body: str, trust_at: Callable[[int], Trust]) -> LetterArrival:
    if not names(letter, body, lambda version: trust_at(version).directory):
        place = "recipients: do" if letter.group is None else "group: does"
        raise ArrivalFlagged(f"{place} not name '{body}'", code="not-addressed")
    _require_contents(letter.contents, verified.contents)
    card, files = _letter_parts(verified.contents)
    if len(card.files) != len(files):
        message = f"card.files: {len(card.files)} described, {len(files)} carried"
        raise ArrivalFlagged(message, code="content-mismatch")
    return LetterArrival(verified.digest, letter, card, files)


def _deadline(verified: _Verified, deadline: Deadline, body: str) -> DeadlineArrival:
    _require_said_by_service(verified)
    if body not in {deadline.sender, deadline.recipient}:
        raise ArrivalFlagged(f"sender, recipient: neither is '{body}'", code="not-addressed")
    return DeadlineArrival(verified.digest, deadline)


def _redrive(verified: _Verified, command: Command, body: str, trust_at: Callable[[int], Trust]) -> RedriveArrival:
    """The letter is verified as on the day it came first: as of its own decision, which names us."""
    _require_said_by_service(verified)
    if command.action != REDRIVE or command.recipient != body:
        raise ArrivalFlagged(f"recipient: '{command.recipient}', action: '{command.action}'", code="not-addressed")
    _require_contents(command.contents, verified.contents)
    record = verified.contents[0].data if verified.contents else b""
    try:
        carried = _verified(record, body, trust_at)
    except DirectoryRefused as refused:
        # Later letters must not wait for a version of years ago.
        raise ArrivalFlagged(f"contents[0]: {refused}", code=refused.code) from refused
    if not isinstance(carried.statement, Letter) or carried.digest != command.letter:
        raise ArrivalFlagged("contents[0]: is not the letter that the command names", code="redrive-mismatch")
    letter = _letter(carried, carried.statement, body, trust_at)
    return RedriveArrival(verified.digest, command, letter, record)


def _require_said_by_service(verified: _Verified) -> None:
    """The router lets nobody else say it; a letter is not handed over twice on the word of somebody who might."""
    speaker = verified.directory.bodies[verified.statement.head.body]
    if not may_say(speaker, verified.statement):
        kind = type(verified.statement).__name__.lower()
        raise ArrivalFlagged(f"head.body: '{speaker.code}' may not say a {kind}", code="kind-forbidden")


def _receipt(verified: _Verified, receipt: Receipt, body: str) -> ReceiptArrival:
    if receipt.sender != body:
        raise ArrivalFlagged(f"sender: names '{receipt.sender}', not '{body}'", code="not-addressed")
    if receipt.event not in _EVENTS:
        raise ArrivalFlagged(f"event: '{receipt.event[:40]}' is not known here", code="event-unknown")
    _require_contents(receipt.contents, verified.contents)
    return ReceiptArrival(verified.digest, receipt, _receipt_card(verified.contents))


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
