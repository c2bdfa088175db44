"""A submission, examined up to the point where order matters: steps 1 to 9.

Pure: the same bytes, ground and time give the same result, in any order, on any thread. Signatures
are checked here, so this is where the time goes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from exchange.domain.decision import Refusal
from exchange.domain.directory import Directory
from exchange.domain.errors import WireError
from exchange.domain.ids import digest
from exchange.domain.own_bodies import lane_in
from exchange.domain.policy import RECORD_BYTES, STATEMENT_BYTES, Policy
from exchange.domain.reason import Reason
from exchange.domain.statement import Content, Head, Signed, Statement
from exchange.journal.addressing import Expand, Standpoint, Versions, addressed, other_version, remembering
from exchange.journal.judge import Case, judge, record_bytes
from exchange.security.errors import SignatureRefused
from exchange.wire.records import decode, decode_statement, read_head


class Verifier(Protocol):
    """Says whose statement it is; a pure function of its arguments, safe in any thread."""

    def verify_statement(self, statement: bytes, signature: bytes, at: datetime) -> str:
        """Code of the body that signed; raises `SignatureRefused`."""
        ...


def _no_other(_version: int) -> Directory | None:
    """There is but the version in force."""
    return None


@dataclass(frozen=True, slots=True)
class Ground:
    """What decisions stand upon: directory, policy, and the trust that the directory makes.

    `versions` gives the versions around the one in force, by which letters to groups are expanded: always
    the same ones, once they are there. None means that it is not there yet.
    `expand` remembers whom groups reach here.
    """

    directory: Directory
    policy: Policy
    trust: Verifier
    versions: Versions = _no_other
    expand: Expand = field(init=False, repr=False, compare=False, default_factory=remembering)


@dataclass(frozen=True, slots=True)
class Submission:
    """A record of submissions or commands; `partition` is the lane, `traceparent` an unsigned hint."""

    partition: int
    offset: int
    arrived: datetime
    value: bytes
    traceparent: str | None = None


Supply = Callable[[Statement], tuple[Content, ...] | None]


class Standing(Enum):
    """How far a submission came."""

    DEAD = auto()
    """Nobody's word: a dead letter by coordinates, no notice to anybody (rule 3.4)."""
    HELD = auto()
    """The body's word, but it cannot be taken: its origin is told (rule 2.4)."""
    FIT = auto()
    """The body's word: taken when it is in order, whatever the verdict."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of a submission before its order.

    Attributes:
        signed: None when the bytes are no signed statement.
        digest: statement digest, or of the whole value when there is no statement.
        head: None for a dead letter whose head cannot be trusted.
        statement: None when it does not decode canonically.
        refusal: why it is dead, held, or refused; None when acceptable.
        recipients: codes of the bodies that get a copy; none unless it is acceptable.
    """

    submission: Submission
    standing: Standing
    digest: bytes
    signed: Signed | None = None
    head: Head | None = None
    statement: Statement | None = None
    refusal: Refusal | None = None
    recipients: tuple[str, ...] = ()


TOLD = frozenset(
    {
        Reason.CERTIFICATE_EXPIRED,
        Reason.CERTIFICATE_NOT_YET_VALID,
        Reason.CERTIFICATE_REVOKED,
        Reason.REVOCATION_STALE,
    }
)
"""Refused signatures that were nevertheless made with the body's listed key: its agent is told to
sign the same statement with its present key, or to wait for the issuer's list (rule 2.4)."""


def examine(submission: Submission, ground: Ground, now: datetime) -> Examined:
    """Steps 1 to 3 of a decision: sizes, the signed record cut, the statement's size (rule 1.3)."""
    value = submission.value
    # 1. A record is at most 1 MB (rule 1.7).
    if len(value) > RECORD_BYTES:
        return _dead(submission, digest(value), Refusal(Reason.OVERSIZED, f"record: {len(value)} bytes"))
    # 2. It is a framed `Signed`, of no more items than a statement can name.
    try:
        signed = decode(Signed, value)
    except WireError as error:
        return _dead(submission, digest(value), Refusal(Reason.UNREADABLE, str(error)))
    # 3. Its statement is at most 48 KB (rule 1.7).
    if len(signed.statement) > STATEMENT_BYTES:
        refusal = Refusal(Reason.OVERSIZED, f"statement: {len(signed.statement)} bytes")
        return _dead(submission, signed.digest, refusal)
    return examine_signed(submission, signed, ground, now)


def examine_signed(
    submission: Submission,
    signed: Signed,
    ground: Ground,
    now: datetime,
    *,
    withheld: bool = False,
    supply: Supply | None = None,
) -> Examined:
    """Steps 4 to 9: signature, head, body, canonical text, group, verdict. Replay begins here.

    Args:
        submission: where it came.
        signed: what came.
        ground: what is decided by.
        now: the time of the decision.
        withheld: whether the contents were judged before and are left out here, as in a replay.
        supply: gives the contents of what was signed and read, where they are kept elsewhere; None: they are withheld.
    """
    statement_digest = signed.digest
    held: Refusal | None = None
    # 4. The signature is in the one accepted form and holds for a listed certificate (rule 1.4).
    try:
        signer = ground.trust.verify_statement(signed.statement, signed.signature, now)
    except SignatureRefused as refused:
        held = Refusal(refused.reason, str(refused))
        if refused.reason not in TOLD or refused.body is None:
            return _dead(submission, statement_digest, held)
        signer = refused.body
    # 5. The head belongs to this exchange, to the signer, and to this lane (rules 1.2, 2.1).
    statement, unread = _decode_whole(signed.statement)
    try:
        head = read_head(signed.statement) if statement is None else statement.head
    except WireError as error:
        return _dead(submission, statement_digest, Refusal(Reason.UNREADABLE, str(error)))
    misplaced = _misplaced(head, signer, submission.partition, ground.directory)
    if misplaced is not None:
        return _dead(submission, statement_digest, misplaced)
    # 6. The body is connected.
    if held is None:
        held = _not_connected(head.body, ground.directory)
    if held is not None:
        return Examined(submission, Standing.HELD, statement_digest, signed, head, statement, held)
    # 7. The statement decodes whole, in its canonical encoding (rule 1.3).
    if statement is None:
        return Examined(submission, Standing.FIT, statement_digest, signed, head, None, unread)
    if supply is not None:
        contents = supply(statement)
        withheld = contents is None
        signed = Signed(signed.statement, signed.signature, contents) if contents else signed
    standing, refusal, recipients = _judged(statement, signed, ground, now, withheld=withheld)
    return Examined(submission, standing, statement_digest, signed, head, statement, refusal, recipients)


def _judged(
    statement: Statement, signed: Signed, ground: Ground, now: datetime, *, withheld: bool
) -> tuple[Standing, Refusal | None, tuple[str, ...]]:
    # 8. The version by which a group is expanded is there (rule 3.1).
    version = other_version(statement, ground.directory)
    named = ground.directory if version is None else ground.versions(version)
    if named is None:
        missing = Refusal(Reason.GROUP_VERSION_MISSING, f"group.directory_version: {version}")
        return Standing.HELD, missing, ()
    # 9. What it says is acceptable.
    found = addressed(statement, Standpoint(ground.directory, named, ground.policy, now, ground.expand))
    entry_bytes = len(signed.statement) + len(signed.signature)
    case = Case(
        statement=statement,
        speaker=ground.directory.bodies[statement.head.body],
        contents=signed.contents,
        record_bytes=record_bytes(signed),
        entry_bytes=entry_bytes,
        addressed=found,
        policy=ground.policy,
        now=now,
        withheld=withheld,
    )
    refusal = judge(case)
    return Standing.FIT, refusal, () if refusal else found.recipients


def _decode_whole(statement: bytes) -> tuple[Statement | None, Refusal | None]:
    try:
        return decode_statement(statement), None
    except WireError as error:
        reason = Reason.STATEMENT_UNREADABLE if error.code == WireError.code else Reason(error.code)
        return None, Refusal(reason, str(error))


def _misplaced(head: Head, signer: str, partition: int, directory: Directory) -> Refusal | None:
    if head.exchange != directory.exchange:
        return Refusal(Reason.FOREIGN_EXCHANGE, "head.exchange")
    if head.body != signer:
        return Refusal(Reason.WRONG_SIGNER, f"head.body: '{head.body[:63]}', signed by '{signer}'")
    if lane_in(directory, head.body) != partition:
        return Refusal(Reason.WRONG_LANE, f"partition {partition}")
    return None


def _not_connected(code: str, directory: Directory) -> Refusal | None:
    body = directory.bodies.get(code)
    if body is None or not body.reachable:
        return Refusal(Reason.BODY_SUSPENDED, f"head.body: '{code[:63]}'")
    return None


def _dead(submission: Submission, found: bytes, refusal: Refusal) -> Examined:
    return Examined(submission, Standing.DEAD, found, refusal=refusal)
