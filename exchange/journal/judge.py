"""Is a statement that is signed and in order acceptable? Numbered rules over recorded inputs (rule 3.1).

Every rule is a function of a `Case` and gives the refusal, or None. They are tried in the order that `RULES`
has for the statement's kind; the first refusal is the verdict.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.decision import Refusal
from exchange.domain.directory import Body
from exchange.domain.errors import WireError
from exchange.domain.event import SERVICE_EVENTS, Event
from exchange.domain.own_bodies import may_say
from exchange.domain.policy import (
    CARD_PARTS,
    DECISION_BYTES,
    ENTRY_BYTES,
    FAN_OUT_BYTES,
    Policy,
    folded_kind,
)
from exchange.domain.reason import Reason
from exchange.domain.statement import (
    SALT_BYTES,
    Command,
    Commitment,
    Content,
    Deadline,
    Form,
    Letter,
    Open,
    Receipt,
    Signed,
    Statement,
    Void,
    commitment_digest,
)
from exchange.journal.addressing import Addressed
from exchange.journal.commands import command_refusal, deadline_refusal, redrive_refusal
from exchange.wire.records import decode

CARD_MEDIA_TYPE = "application/vnd.kg.exchange.card+avro"


@dataclass(frozen=True, slots=True)
class Case:
    """What a verdict is found from.

    Attributes:
        speaker: who says it.
        record_bytes: as `record_bytes` counts them.
        entry_bytes: of statement and signature.
        addressed: to whom it goes.
        withheld: whether contents that were judged before are not at hand: left out of the journal, or deleted since.
    """

    statement: Statement
    speaker: Body
    contents: tuple[Content, ...]
    record_bytes: int
    entry_bytes: int
    addressed: Addressed
    policy: Policy
    now: datetime
    withheld: bool = False


Rule = Callable[[Case], Refusal | None]


def record_bytes(signed: Signed) -> int:
    """Size of a record that fan-out is counted by: its parts' bytes, without framing."""
    carried = sum(len(content.salt) + len(content.data) for content in signed.contents)
    return len(signed.statement) + len(signed.signature) + carried


def judge(case: Case) -> Refusal | None:
    """The refusal of a statement, None when it is acceptable."""
    return _first(RULES[type(case.statement)], case)


def parts_of(card: LetterCard) -> int:
    """How many things a reader of a card must look at."""
    lists = (card.addressees, card.signatories, card.links, card.tasks, card.files, card.signatures, card.extras)
    return sum(map(len, lists)) + sum(len(task.executors) for task in card.tasks)


def _first(rules: tuple[Rule, ...], case: Case) -> Refusal | None:
    for rule in rules:
        refusal = rule(case)
        if refusal is not None:
            return refusal
    return None


def _for_the_speaker(case: Case) -> Refusal | None:
    """Deadlines and commands are for the exchange's own services to say, and nothing else is."""
    if may_say(case.speaker, case.statement):
        return None
    return Refusal(Reason.KIND_FORBIDDEN, type(case.statement).__name__.lower())


def _clock(case: Case) -> Refusal | None:
    """Only the future is refused (rule 3.2): spooled letters are rightly old."""
    ahead = case.statement.head.created - case.now
    if ahead > case.policy.clock_skew:
        return Refusal(Reason.CLOCK_AHEAD, f"head.created is {int(ahead.total_seconds())} s ahead")
    return None


def _opens_first(case: Case) -> Refusal | None:
    """An origin is opened once, by its number 1 (rule 2.2)."""
    statement = case.statement
    if isinstance(statement, Open) and statement.head.number != 1:
        return Refusal(Reason.KIND_FORBIDDEN, f"an open as number {statement.head.number}")
    return None


def _addressed(case: Case) -> Refusal | None:
    """It goes to somebody, and only to whom it may go (rule 1.7)."""
    return case.addressed.refusal


def _entry_small(case: Case) -> Refusal | None:
    """The decision names everybody, and a journal entry stays below 60 KB (rule 5.1)."""
    size = case.entry_bytes + DECISION_BYTES + codes_bytes(case.addressed.recipients)
    return Refusal(Reason.GROUP_TOO_LARGE, f"group: an entry of {size} bytes") if size > ENTRY_BYTES else None


def codes_bytes(codes: tuple[str, ...]) -> int:
    """Bytes of body codes in an entry; each stands behind a byte that says how long it is."""
    return sum(map(len, codes)) + len(codes)


def _contents_match(case: Case) -> Refusal | None:
    """Contents are exactly the items committed to (rules 1.5, 1.6); inline only in this version."""
    commitments = _commitments(case.statement)
    if not case.withheld and len(commitments) != len(case.contents):
        detail = f"contents: {len(case.contents)} items, {len(commitments)} committed"
        return Refusal(Reason.CONTENT_MISMATCH, detail)
    if isinstance(case.statement, Letter) and case.statement.seal is not None:
        return Refusal(Reason.CONTENT_UNSUPPORTED, "seal")
    for index, commitment in enumerate(commitments):
        if commitment.form is not Form.INLINE:
            return Refusal(Reason.CONTENT_UNSUPPORTED, f"contents[{index}].form is {commitment.form}")
        content = None if case.withheld else case.contents[index]
        refusal = None if content is None else _carried(index, commitment, content)
        if refusal is not None:
            return refusal
    return None


def _carried(index: int, commitment: Commitment, content: Content) -> Refusal | None:
    if len(content.salt) != SALT_BYTES or commitment.size != len(content.data):
        return Refusal(Reason.CONTENT_MISMATCH, f"contents[{index}]: size")
    if commitment_digest(content) != commitment.digest:
        return Refusal(Reason.CONTENT_MISMATCH, f"contents[{index}]: digest")
    return None


def _contents_small(case: Case) -> Refusal | None:
    """Inline contents stay within the policy; the copies together within 32 MB (rule 1.7).

    Each copy names everybody: of a short letter to a country that is the larger part. What is not at hand is as large
    as was committed to.
    """
    if case.withheld:
        commitments = _commitments(case.statement)
        total = sum([commitment.size for commitment in commitments])
        record = case.entry_bytes + total + SALT_BYTES * len(commitments)
    else:
        total, record = sum([len(content.data) for content in case.contents]), case.record_bytes
    if total > case.policy.inline_bytes:
        return Refusal(Reason.CONTENT_TOO_LARGE, f"contents: {total} bytes of {case.policy.inline_bytes}")
    recipients = case.addressed.recipients
    copies = (record + codes_bytes(recipients)) * len(recipients)
    return Refusal(Reason.FAN_OUT_TOO_LARGE, f"{copies} bytes") if copies > FAN_OUT_BYTES else None


def _card_present(case: Case) -> Refusal | None:
    """Item 0 of a letter is its card (rule 1.5)."""
    commitments = _commitments(case.statement)
    if not commitments or commitments[0].media_type != CARD_MEDIA_TYPE:
        return Refusal(Reason.CARD_MISSING, "contents[0]")
    return None


def _card_readable(case: Case) -> Refusal | None:
    """A card decodes whole by the schema that it names; a letter's fits the letter and the policy."""
    if not case.contents:
        return None
    kind = LetterCard if isinstance(case.statement, Letter) else ReceiptCard
    try:
        card = decode(kind, case.contents[0].data)
    except WireError as error:
        return Refusal(Reason.CARD_UNREADABLE, f"contents[0]: {error}"[:200])
    if not isinstance(card, LetterCard):
        return None
    return _fits(card, len(case.contents) - 1) or _signed_by_person(card, case.policy)


def _fits(card: LetterCard, files: int) -> Refusal | None:
    """It describes the files that the letter carries, in not too many words."""
    if len(card.files) != files:
        return Refusal(Reason.CONTENT_MISMATCH, f"card.files: {len(card.files)} described, {files} carried")
    if parts_of(card) > CARD_PARTS:
        return Refusal(Reason.CONTENT_TOO_LARGE, f"card: {parts_of(card)} parts, at most {CARD_PARTS}")
    return None


def _signed_by_person(card: LetterCard, policy: Policy) -> Refusal | None:
    """Some kinds of document count only with a person's name, or signature, under them."""
    kind = folded_kind(card.kind)
    if kind in policy.signatory_kinds and not card.signatories:
        return Refusal(Reason.SIGNATORY_MISSING, f"card.signatories: '{card.kind[:60]}' must name one")
    if kind in policy.signature_kinds and not card.signatures:
        return Refusal(Reason.SIGNATURE_MISSING, f"card.signatures: '{card.kind[:60]}' must carry one")
    return None


def _event_stateable(case: Case) -> Refusal | None:
    """A body states events of its own, never the exchange's (rule 4.1)."""
    event = case.statement.event if isinstance(case.statement, Receipt) else ""
    if event not in _STATEABLE:
        return Refusal(Reason.EVENT_UNKNOWN, f"event: '{event[:40]}'")
    return None


_STATEABLE = frozenset(event.value for event in Event if event not in SERVICE_EVENTS)


def _carried_matches(case: Case) -> Refusal | None:
    """As `_contents_match`, of what was not left out because the journal has it already."""
    return None if case.withheld else _contents_match(case)


def _said_rightly(case: Case) -> Refusal | None:
    """A deadline or command has the form that it must have."""
    if isinstance(case.statement, Deadline):
        return deadline_refusal(case.statement)
    return command_refusal(case.statement) if isinstance(case.statement, Command) else None


def _redrives(case: Case) -> Refusal | None:
    """A redrive carries the letter that it names."""
    if case.withheld or not case.contents or not isinstance(case.statement, Command):
        return None
    return redrive_refusal(case.statement, case.contents)


BARE_RULES: tuple[Rule, ...] = (_for_the_speaker, _clock, _opens_first)
DEADLINE_RULES: tuple[Rule, ...] = (_for_the_speaker, _clock, _said_rightly, _addressed)
COMMAND_RULES: tuple[Rule, ...] = (
    _for_the_speaker,
    _clock,
    _said_rightly,
    _addressed,
    _carried_matches,
    _redrives,
)
LETTER_RULES: tuple[Rule, ...] = (
    _for_the_speaker,
    _clock,
    _addressed,
    _entry_small,
    _contents_match,
    _contents_small,
    _card_present,
    _card_readable,
)
RECEIPT_RULES: tuple[Rule, ...] = (
    _for_the_speaker,
    _clock,
    _event_stateable,
    _addressed,
    _contents_match,
    _contents_small,
    _card_readable,
)


RULES: Mapping[type, tuple[Rule, ...]] = MappingProxyType(
    {
        Letter: LETTER_RULES,
        Receipt: RECEIPT_RULES,
        Open: BARE_RULES,
        Void: BARE_RULES,
        Deadline: DEADLINE_RULES,
        Command: COMMAND_RULES,
    }
)


def _commitments(statement: Statement) -> tuple[Commitment, ...]:
    return statement.contents if isinstance(statement, Letter | Receipt | Command) else ()
