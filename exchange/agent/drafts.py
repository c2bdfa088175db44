"""From what an EDMS wants said to a statement without a number, and from there to a numbered one.

A draft is a framed `Signed` whose statement has number 0 and no origin. Everything that is random
or depends on the clock (salts, time) is drawn here, once: numbering a draft is a pure function, so
every copy of a spool gives the same draft the same digest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exchange.agent.errors import DraftRefused, refused_draft
from exchange.agent.ports import DraftLetter
from exchange.agent.spool.origins import Origin
from exchange.agent.spool.outgoing import Draft, Kind
from exchange.domain.card import ReceiptCard
from exchange.domain.deadline import Stage
from exchange.domain.decision import Refusal
from exchange.domain.event import Event
from exchange.domain.group import GroupInvalid, parse_group, require_known_kinds
from exchange.domain.ids import ORIGIN_BYTES, ZERO_DIGEST, digest
from exchange.domain.policy import CARD_PARTS, FAN_OUT_BYTES, RECIPIENTS, RECORD_BYTES, STATEMENT_BYTES
from exchange.domain.reason import Reason
from exchange.domain.statement import (
    SALT_BYTES,
    Command,
    Commitment,
    Content,
    Deadline,
    Group,
    Head,
    Letter,
    Receipt,
    Signed,
    Statement,
    commit,
)
from exchange.journal.commands import JOURNALLED_MEDIA_TYPE, command_refusal, deadline_refusal, redrive_refusal
from exchange.journal.judge import CARD_MEDIA_TYPE, codes_bytes, parts_of, record_bytes
from exchange.wire.records import decode, encode, read_head, with_head

SIGNATURE_BYTES = 2048
"""Room that a draft leaves for its signature; an RSA-4096 one takes about 900 bytes."""
NUMBER_BYTES = 16
"""Room that a draft leaves for its number."""
FRAMING_BYTES = 1024
"""Room for Avro's own bytes around a record's parts."""

Random = Callable[[int], bytes]
"""So many random bytes, fit for salts and origins."""
Clock = Callable[[], datetime]
"""The present time, UTC."""


@dataclass(frozen=True, slots=True)
class Drafting:
    """What drafts are made with.

    Attributes:
        exchange: id of the exchange, 32 bytes.
        inline_bytes: largest sum of a statement's contents, bytes.
        backlog: drafts of a body that may wait for a number, before no more letters are taken in.
    """

    exchange: bytes
    inline_bytes: int
    clock: Clock
    random: Random
    backlog: int = 5_000

    def letter(self, body: str, draft: DraftLetter, answers: "Answered | None" = None) -> Draft:
        """The draft of a letter.

        Args:
            body: who says it.
            draft: what its EDMS wants sent.
            answers: the received letter that this one answers, when there is one.

        Raises:
            DraftRefused: with the code that the router would refuse it with, before it costs a number.
        """
        _require_sendable(draft)
        contents, commitments = self._carry(
            [(encode(draft.card), CARD_MEDIA_TYPE)]
            + [(data, info.media_type) for data, info in zip(draft.files, draft.card.files, strict=True)]
        )
        head = self._head(body)
        letter = Letter(
            head=head,
            message_id=draft.message_id,
            consignment_id=draft.consignment_id or draft.message_id,
            kind=draft.kind,
            conversation=answers.conversation if answers else draft.conversation or draft.message_id,
            in_reply_to=answers.digest if answers else None,
            recipients=draft.recipients,
            group=draft.group,
            ack=draft.ack,
            wanted=draft.wanted,
            urgency=draft.urgency,
            reply_due=draft.reply_due,
            access=draft.access,
            seal=None,
            contents=commitments,
        )
        record = self._record(letter, contents, letter.recipients)
        return Draft(body, Kind.LETTER, draft.message_id, head.created, record)

    def receipt(self, body: str, words: "Words", key: str) -> Draft:
        """The draft of a receipt; `key` makes it one and the same when it is asked for again.

        Raises:
            DraftRefused: its card is too large.
        """
        card = [] if words.card is None else [(encode(words.card), CARD_MEDIA_TYPE)]
        contents, commitments = self._carry(card)
        head = self._head(body)
        receipt = Receipt(head, words.letter, words.sender, words.event.value, words.at, words.reason, commitments)
        return Draft(body, Kind.RECEIPT, key, head.created, self._record(receipt, contents))

    def deadline(self, body: str, draft: "DraftDeadline", key: str) -> Draft:
        """The draft of a deadline; `key` makes it one and the same when it is asked for again.

        Raises:
            DraftRefused: with the code that the router would refuse it with.
        """
        head = self._head(body)
        said = Deadline(
            head,
            draft.letter,
            draft.sender,
            draft.recipient,
            draft.stage.value,
            draft.due,
            draft.through,
            draft.policy,
            draft.notify,
        )
        _require(deadline_refusal(said))
        return Draft(body, Kind.DEADLINE, key, head.created, self._record(said, ()))

    def command(self, body: str, draft: "DraftCommand", key: str) -> Draft:
        """The draft of a command; `key` makes it one and the same when it is asked for again.

        Raises:
            DraftRefused: with the code that the router would refuse it with.
        """
        head = self._head(body)
        contents = () if draft.carried is None else (Content(self.random(SALT_BYTES), draft.carried),)
        said = Command(
            head=head,
            action=draft.action,
            task=draft.task,
            person=draft.person,
            second=draft.second,
            reason=draft.reason,
            detail=draft.detail,
            letter=draft.letter,
            recipient=draft.recipient,
            contents=tuple(commit(content, JOURNALLED_MEDIA_TYPE) for content in contents),
        )
        _require(command_refusal(said) or (redrive_refusal(said, contents) if contents else None))
        return Draft(body, Kind.COMMAND, key, head.created, self._record(said, contents))

    def _head(self, body: str) -> Head:
        return Head(self.exchange, body, bytes(ORIGIN_BYTES), 0, ZERO_DIGEST, self.clock())

    def _carry(self, items: Sequence[tuple[bytes, str]]) -> tuple[tuple[Content, ...], tuple[Commitment, ...]]:
        contents = tuple(Content(self.random(SALT_BYTES), data) for data, _ in items)
        total = sum(len(content.data) for content in contents)
        if total > self.inline_bytes:
            raise refused_draft(Reason.CONTENT_TOO_LARGE, f"contents: {total} bytes of {self.inline_bytes}")
        types = (media_type for _, media_type in items)
        return contents, tuple(commit(content, kind) for content, kind in zip(contents, types, strict=True))

    def _record(self, statement: Statement, contents: tuple[Content, ...], recipients: tuple[str, ...] = ()) -> bytes:
        signed = Signed(encode(statement), b"", contents)
        size = len(signed.statement) + NUMBER_BYTES
        if size > STATEMENT_BYTES:
            raise refused_draft(Reason.OVERSIZED, f"statement: {size} bytes of {STATEMENT_BYTES}")
        whole = record_bytes(signed) + NUMBER_BYTES + SIGNATURE_BYTES + FRAMING_BYTES
        if whole > RECORD_BYTES:
            raise refused_draft(Reason.OVERSIZED, f"record: {whole} bytes of {RECORD_BYTES}")
        # How many a group has is the exchange's to say.
        copy = whole + codes_bytes(recipients)
        if copy * len(recipients) > FAN_OUT_BYTES:
            raise refused_draft(Reason.FAN_OUT_TOO_LARGE, f"{copy} bytes × {len(recipients)} recipients")
        return encode(signed)


@dataclass(frozen=True, slots=True)
class DraftDeadline:
    """That a stage of a delivery was not ended in time: see `exchange.domain.statement.Deadline`."""

    letter: bytes
    sender: str
    recipient: str
    stage: Stage
    due: datetime
    through: datetime
    policy: bytes
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftCommand:
    """An operator's act: see `exchange.domain.statement.Command`.

    Attributes:
        task: the act's own id, or that of the task that it is part of.
        carried: of a redrive the letter's record as it stands in the journal, else None.
    """

    action: str
    task: str
    person: str
    second: str = ""
    reason: str = ""
    detail: str = ""
    letter: bytes | None = None
    recipient: str = ""
    carried: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A received letter that a new one answers: it goes on in the same conversation."""

    digest: bytes
    conversation: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a receipt says: see `exchange.domain.statement.Receipt`."""

    letter: bytes
    sender: str
    event: Event
    at: datetime
    reason: str = ""
    card: ReceiptCard | None = None


def placed(statement: bytes, origin: Origin) -> bytes:
    """The bytes of a draft's statement as the next one of a chain."""
    head = read_head(statement)
    placed_head = replace(head, origin=origin.origin, number=origin.signed + 1, previous=origin.signed_digest)
    return with_head(statement, placed_head)


def signed_record(statement: bytes, signature: bytes, record: bytes) -> bytes:
    """The bytes for the submissions topic; `record` is the draft's, empty for open and void."""
    contents = decode(Signed, record).contents if record else ()
    return encode(Signed(statement, signature, contents))


def own_receipt_key(event: Event, letter: bytes, more: str = "") -> str:
    """Key of a receipt that the agent itself makes: one per letter and event, and per command to hand over again."""
    return f"{event.value}:{letter.hex()}{':' if more else ''}{more}"


def edms_receipt_key(words: Words) -> str:
    """Key of a receipt that the EDMS makes: the same words again are the same receipt."""
    card = b"" if words.card is None else encode(words.card)
    text = f"{words.event.value}:{words.at.isoformat()}:{words.reason}:"
    return f"edms:{words.letter.hex()}:{digest(text.encode() + card).hex()}"


def _require(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise refused_draft(refusal.reason, refusal.detail)


def _require_sendable(draft: DraftLetter) -> None:
    if not draft.message_id:
        message = "message_id: is empty; give every message an id of its own"
        raise DraftRefused(message, code="message-id-missing")
    if len(draft.files) != len(draft.card.files):
        detail = f"files: {len(draft.files)} given, {len(draft.card.files)} described in the card"
        raise refused_draft(Reason.CONTENT_MISMATCH, detail)
    if (parts := parts_of(draft.card)) > CARD_PARTS:
        raise refused_draft(Reason.CONTENT_TOO_LARGE, f"card: {parts} parts, at most {CARD_PARTS}")
    if draft.group is not None:
        _require_group(draft, draft.group)
        return
    if not draft.recipients:
        raise refused_draft(Reason.RECIPIENT_MISSING, "recipients")
    if len(draft.recipients) > RECIPIENTS:
        raise refused_draft(Reason.RECIPIENTS_TOO_MANY, f"recipients: {len(draft.recipients)}")
    if len(set(draft.recipients)) < len(draft.recipients):
        raise refused_draft(Reason.RECIPIENT_REPEATED, "recipients")


def _require_group(draft: DraftLetter, group: Group) -> None:
    if draft.recipients:
        raise refused_draft(Reason.RECIPIENTS_AND_GROUP, f"group, recipients: {len(draft.recipients)}")
    try:
        require_known_kinds(parse_group(group.expression))
    except GroupInvalid as error:
        raise DraftRefused(str(error), code=error.code) from error
