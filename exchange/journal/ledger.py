"""A lane's ledger: takes examined submissions in order, chains decisions, collects notices.

Steps 10 to 13 of a decision. No I/O: the router writes what comes out in one transaction, and after
any failure throws the ledger away and makes a new one from what was committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from exchange.domain.decision import (
    DEAD_LETTER_SAMPLE_BYTES,
    Basis,
    DeadLetter,
    Decided,
    Decision,
    LaneState,
    Notice,
    OriginState,
    Place,
    Refusal,
    Step,
    Tick,
    Trouble,
    Verdict,
)
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.origin import OriginBook, OriginKey, in_order
from exchange.domain.reason import Reason
from exchange.domain.statement import Command, Content, Head, Letter, concerned
from exchange.journal.addressing import other_version
from exchange.journal.budget import Budget
from exchange.journal.examine import Examined, Ground, Standing
from exchange.journal.judge import record_bytes
from exchange.wire.records import encode

DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry to be written.

    Attributes:
        about: digest of the letter concerned: the journal's key.
        digest: statement digest.
        body: who said it.
        kind: lower-case name of the statement, for the headers.
        reason: code of its refusal, empty for an acceptance.
        created: when it was said.
        conversation: a letter's conversation, else empty: the inbox's key.
        traceparent: trace context that came with the submission.
        entry: framed bytes of the `Decided`.
        contents: what travels beside.
        withheld: whether the contents go to the inboxes only, because the journal has them already.
        inboxes: codes of the bodies that get a copy; none for a refusal.
    """

    about: bytes
    digest: bytes
    body: str
    kind: str
    reason: str
    created: datetime
    conversation: str
    traceparent: str | None
    entry: bytes
    contents: tuple[Content, ...]
    inboxes: tuple[str, ...]
    withheld: bool = False


@dataclass(slots=True)
class _Told:
    """What one origin will be told at the end of the batch."""

    steps: list[Step] = field(default_factory=list)
    trouble: Trouble | None = None


class Ledger:
    """One lane's decisions."""

    def __init__(self, lane: int, ground: Ground, state: LaneState, origins: Mapping[OriginKey, OriginState]) -> None:
        """Go on from what was committed."""
        self.lane = lane
        self.ground = ground
        self._offset, self._number, self._last = state.offset, state.number, state.digest
        self._known = (state.directory_digest, state.policy_digest)
        self._origins = OriginBook(origins)
        self._arrived: datetime | None = None
        self._budget = Budget(ground.policy)
        self._told: dict[OriginKey, _Told] = {}
        self._journalled: set[int] = set()

    @property
    def state(self) -> LaneState:
        """What a successor needs, beside the origins that changed."""
        return LaneState(self._offset, self._number, self._last, *self._known)

    @property
    def known(self) -> tuple[bytes, bytes]:
        """Digests of the directory and the policy by which was decided last; zeros before any."""
        return self._known

    def stand_on(self, ground: Ground) -> bool:
        """Decide by `ground` from here on; whether that is news, and so has its `basis` journalled first."""
        self._budget = self._budget if self._budget.is_by(ground.policy) else Budget(ground.policy)
        self.ground = ground
        known = (ground.directory.digest, ground.policy.digest)
        is_news, self._known = known != self._known, known
        self._journalled.add(ground.directory.version)
        return is_news

    def basis(self, now: datetime) -> bytes:
        """The next entry says what is decided by; one for each part of the files that prove it (rule 5.3)."""
        directory, policy = self.ground.directory, self.ground.policy
        return self._chain(encode(Basis(self._next_place(), now, directory.version, directory.digest, policy.digest)))

    def tick(self, now: datetime, end: int) -> bytes:
        """The next entry says how far the lane has come (rule 4.3); one goes into each journal partition.

        Args:
            now: the router's time.
            end: where submissions ended when they were asked, after the lane's previous tick was written.
        """
        return self._chain(encode(Tick(self._next_place(), now, self._offset, self._arrived, self._offset >= end)))

    def unproven(self, examined: Examined) -> int | None:
        """A version of the directory that `examined` is judged by, and that the lane has to journal before (rule 5.3).

        Told once for each version: `basis` entries with its files beside are to follow.
        """
        version = other_version(examined.statement, self.ground.directory)
        if version is None or version in self._journalled or examined.standing is not Standing.FIT:
            return None
        self._journalled.add(version)
        return version

    def take(self, examined: Examined, now: datetime) -> Entry | DeadLetter | None:
        """Steps 10 to 13; None for a statement that is not taken: its origin is told by `notices`."""
        submission = examined.submission
        self._offset, self._arrived = submission.offset + 1, submission.arrived
        if examined.standing is Standing.DEAD or examined.signed is None or examined.head is None:
            return _dead_letter(examined)
        # 10. It is its origin's next statement (rules 2.2 to 2.4). Asked first, because anybody may send
        # again what was taken years ago under a key that has expired: that holds nothing back.
        disorder = in_order(self._origins, examined.head, examined.statement)
        if disorder is not None:
            self._hold(examined.head, disorder)
            return None
        # 11. What cannot be taken holds its origin back.
        if examined.standing is Standing.HELD and examined.refusal is not None:
            self._hold(examined.head, examined.refusal)
            return None
        # 12. The body's share of the lane pays for it (rule 3.4).
        cost = record_bytes(examined.signed) * max(1, len(examined.recipients))
        if not self._budget.spend(examined.head.body, submission.arrived, cost):
            self._hold(examined.head, Refusal(Reason.OVER_BUDGET))
            return None
        # 13. The number moves, whatever the verdict.
        self._origins.take(examined.head, examined.statement, examined.digest)
        return self._decide(examined, now)

    def skip(self, dead: DeadLetter) -> DeadLetter:
        """Go on behind records that could not even be read."""
        self._offset, self._arrived = dead.offset + 1, dead.arrived
        return dead

    def notices(self, now: datetime) -> list[tuple[str, Notice]]:
        """What to tell the origins touched since the last call, each with its body's code (rule 2.5)."""
        told, self._told = self._told, {}
        return [(key[0], self._notice(key, words, now)) for key, words in told.items()]

    def drain_origins(self) -> dict[OriginKey, OriginState]:
        """Origins that changed since the last call."""
        return self._origins.drain_changed()

    def _hold(self, head: Head, refusal: Refusal) -> None:
        """Count a statement that is not taken; tell its origin once per expected number (rule 2.4).

        A repeat is answered each time: that is how an agent asks where it stands. A body that is not
        connected has no inbox that may be written to: it is told when it comes back.
        """
        key = (head.body, head.origin)
        if not self._reaches(head.body):
            self._origins.ignore(key, notified=False)
            return
        state = self._origins[key]
        silent = state is not None and state.notified and refusal.reason is not Reason.REPEAT
        self._origins.ignore(key, notified=refusal.reason is not Reason.REPEAT)
        if silent:
            return
        words = self._told.setdefault(key, _Told())
        if words.trouble is None or words.trouble.reason == Reason.REPEAT:
            words.trouble = Trouble(refusal.reason.value, refusal.detail[:DETAIL_CHARACTERS])

    def _decide(self, examined: Examined, now: datetime) -> Entry:
        signed, head, submission = examined.signed, examined.head, examined.submission
        if signed is None or head is None:
            message = "only examined statements are decided"
            raise TypeError(message)
        refusal = examined.refusal
        reason = "" if refusal is None else refusal.reason.value
        detail = "" if refusal is None else refusal.detail[:DETAIL_CHARACTERS]
        ground = self.ground
        decision = Decision(
            place=self._next_place(),
            partition=submission.partition,
            offset=submission.offset,
            arrived=submission.arrived,
            decided=now,
            directory_version=ground.directory.version,
            directory_digest=ground.directory.digest,
            policy_digest=ground.policy.digest,
            statement=examined.digest,
            verdict=Verdict.ACCEPTED if refusal is None else Verdict.REFUSED,
            reason=reason,
            detail=detail,
            recipients=examined.recipients,
        )
        words = self._told.setdefault((head.body, head.origin), _Told())
        words.steps.append(Step(examined.digest, reason, detail))
        words.trouble = None
        statement = examined.statement
        return Entry(
            about=concerned(statement, examined.digest),
            digest=examined.digest,
            body=head.body,
            kind="statement" if statement is None else type(statement).__name__.lower(),
            reason=reason,
            created=head.created,
            conversation=statement.conversation if isinstance(statement, Letter) else "",
            traceparent=submission.traceparent,
            entry=self._chain(encode(Decided(decision, signed.statement, signed.signature))),
            contents=signed.contents,
            inboxes=examined.recipients,
            withheld=refusal is None and isinstance(statement, Command),
        )

    def _reaches(self, code: str) -> bool:
        body = self.ground.directory.bodies.get(code)
        return body is not None and body.reachable

    def _next_place(self) -> Place:
        return Place(self.lane, self._number + 1, self._last)

    def _chain(self, entry: bytes) -> bytes:
        self._number, self._last = self._number + 1, digest(entry)
        return entry

    def _notice(self, key: OriginKey, words: _Told, now: datetime) -> Notice:
        state = self._origins[key]
        number, last = (0, ZERO_DIGEST) if state is None else (state.number, state.digest)
        return Notice(key[1], number, last, tuple(words.steps), words.trouble, now)


def _dead_letter(examined: Examined) -> DeadLetter:
    submission, refusal = examined.submission, examined.refusal
    return DeadLetter(
        partition=submission.partition,
        offset=submission.offset,
        arrived=submission.arrived,
        reason="" if refusal is None else refusal.reason.value,
        detail="" if refusal is None else refusal.detail[:DETAIL_CHARACTERS],
        size=len(submission.value),
        digest=digest(submission.value),
        sample=submission.value[:DEAD_LETTER_SAMPLE_BYTES],
    )
