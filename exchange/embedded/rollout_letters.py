"""Letters of the roll-out's story: composed, signed, and judged as a router judges them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from exchange.domain.card import LetterCard
from exchange.domain.directory import Directory
from exchange.domain.ids import ORIGIN_BYTES, ZERO_DIGEST, lane_of
from exchange.domain.paper import BISHKEK, goes_by_paper
from exchange.domain.policy import Policy
from exchange.domain.statement import (
    SALT_BYTES,
    Access,
    AckPolicy,
    Content,
    Head,
    Letter,
    LetterKind,
    Signed,
    Urgency,
    commit,
)
from exchange.embedded.rollout_calendar import LAST_DAY, NO_PAPER, NO_PAPER_TO_PRESIDENT
from exchange.journal.examine import Ground, Submission, examine
from exchange.journal.judge import CARD_MEDIA_TYPE
from exchange.security.cades import Signer
from exchange.security.trust import Trust
from exchange.wire.records import encode

NOON = time(12)
MIDNIGHT = time.min
BEFORE_MIDNIGHT = time(23, 59, 59)
EARLY = "ak-bulun"
"""An ayil okmotu that is connected in January."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A letter that will be sent."""

    at: datetime
    sender: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it: whether it went by paper, and the refusal's code and words, empty when accepted."""

    posting: Posting
    by_paper: bool
    reason: str
    detail: str


def postings(last: str) -> tuple[Posting, ...]:
    """The story's letters in order; `last` is the ayil okmotu that is connected last."""
    february, march = date(2022, 2, 28), date(2022, 3, 31)
    return (
        _posting(date(2022, 1, 10), NOON, "mfa", "minekonom"),
        _posting(date(2022, 1, 10), NOON, "natstatkom", last),
        _posting(february, BEFORE_MIDNIGHT, last, "prezident"),
        _posting(NO_PAPER_TO_PRESIDENT, MIDNIGHT, last, "prezident"),
        _posting(NO_PAPER_TO_PRESIDENT, MIDNIGHT, last, "minjust"),
        _posting(NO_PAPER_TO_PRESIDENT, NOON, "prezident", last),
        _posting(NO_PAPER_TO_PRESIDENT, NOON, EARLY, "prezident"),
        _posting(march, BEFORE_MIDNIGHT, "minjust", last),
        _posting(march, BEFORE_MIDNIGHT, last, "minjust"),
        _posting(NO_PAPER, MIDNIGHT, "minjust", last),
        _posting(NO_PAPER, MIDNIGHT, last, "minjust"),
        _posting(LAST_DAY, NOON, "minjust", last),
        _posting(LAST_DAY, NOON, last, "prezident"),
    )


def post(posting: Posting, signer: Signer, directory: Directory, policy: Policy) -> Posted:
    """Sign the letter and judge it by the version of the directory that is in force."""
    signed = _letter(posting, signer, directory.exchange)
    lane = lane_of(posting.sender, directory.lanes)
    submission = Submission(lane, 0, posting.at, encode(signed))
    examined = examine(submission, Ground(directory, policy, Trust(directory)), posting.at)
    ends = directory.bodies[posting.sender], directory.bodies[posting.recipient]
    refusal = examined.refusal
    by_paper = goes_by_paper(*ends)
    return Posted(posting, by_paper, *(("", "") if refusal is None else (refusal.reason.value, refusal.detail)))


def _letter(posting: Posting, signer: Signer, exchange: bytes) -> Signed:
    """A letter that says nothing but that it is one; each body's first, so its origin need not be counted."""
    document = f"{posting.sender}-{posting.at:%m-%d}"
    card = LetterCard(
        document_id=document,
        kind="Письмо",
        reg_number=document,
        reg_date=posting.at.date(),
        title="О переходе на электронный документооборот",
        language="ru",
    )
    content = Content(bytes(SALT_BYTES), encode(card))
    letter = Letter(
        head=Head(exchange, posting.sender, bytes(ORIGIN_BYTES), 1, ZERO_DIGEST, posting.at),
        message_id=document,
        consignment_id=document,
        kind=LetterKind.DOCUMENT,
        conversation=document,
        in_reply_to=None,
        recipients=(posting.recipient,),
        group=None,
        ack=AckPolicy.ALWAYS,
        wanted=(),
        urgency=Urgency.ROUTINE,
        reply_due=None,
        access=Access.PUBLIC,
        seal=None,
        contents=(commit(content, CARD_MEDIA_TYPE),),
    )
    statement = encode(letter)
    return Signed(statement, signer.sign(statement, posting.at), (content,))


def _posting(day: date, at: time, sender: str, recipient: str) -> Posting:
    return Posting(datetime.combine(day, at, BISHKEK).astimezone(UTC), sender, recipient)
