"""A body's chain in its spool: numbers and signs drafts, and does what notices ask for.

Everything here runs inside one transaction of the spool. Sending again, waiting and stopping are
for `outbound`, which is told of all actions.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from exchange.agent.bounds import BYTES_AT_ONCE
from exchange.agent.drafts import Clock, Random, placed
from exchange.agent.key_ring import KeyRing
from exchange.agent.protocol import (
    Abandon,
    Action,
    Chain,
    Halt,
    Replace,
    Resend,
    SignAgain,
    Stand,
    Take,
    numbers_of,
    respond,
)
from exchange.agent.spool import incoming, origins, outgoing
from exchange.agent.spool.incoming import ArrivalKind, Arrived
from exchange.agent.spool.origins import Origin
from exchange.agent.spool.outgoing import Kind, OutgoingState
from exchange.domain.decision import Notice
from exchange.domain.ids import EXCHANGE, ORIGIN_BYTES, digest
from exchange.domain.reason import Reason
from exchange.domain.statement import Head, Open, Signed, Void
from exchange.security.errors import SignatureRefused
from exchange.security.form import parse
from exchange.wire.records import decode, encode, read_head, with_head

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A notice about a body's current origin, and what was done or is to be done about it."""

    notice: Notice
    actions: tuple[Action, ...]


Candidate = tuple[int | None, bytes]
"""What may come next in a chain: the draft's row (None: it is the open) and its statement."""

SAID_BEFORE = 16
"""Drafts that are looked for among statements of another copy; they were said again in the order of their making."""


@dataclass(slots=True)
class Identity:
    """Who speaks: a body with its keys, in one exchange."""

    body: str
    exchange: bytes
    keys: KeyRing
    clock: Clock
    random: Random

    def enrol(self, connection: sqlite3.Connection) -> Origin:
        """Draw the body's origin when the spool has none yet; sign again what another key signed and nobody took.

        The router tells once what is in the way of a statement, then waits for one that is better. Whoever was
        told while the old key was in use, and then is given another one, is told no more.
        """
        origin = origins.enrol(connection, self.body, self.random(ORIGIN_BYTES), self.clock())
        self._sign_with_key_in_use(connection, origin)
        return origin

    def extend(self, connection: sqlite3.Connection, limit: int, window: int) -> Origin:
        """Number and sign the oldest drafts: at most `limit`, and at most `window` unproven at a time.

        Nothing follows the open before it is taken: a refused open would make it all worthless.
        """
        origin = origins.current(connection, self.body)
        if origin.signed and not origin.taken:
            return origin
        room = min(limit, window - (origin.signed - origin.taken))
        last = None
        for last, draft in self._candidates(connection, origin, max(room, 0)):
            origin = self._append(connection, origin, last, placed(draft, origin))
        self._save(connection, origin, last)
        return origin

    def renew(self, connection: sqlite3.Connection, origin: Origin) -> None:
        """The exchange is silent: sign with the key that it knows, if that is another one by now."""
        self.keys.doubted()
        self._sign_with_key_in_use(connection, origin)

    def hear(self, connection: sqlite3.Connection, notice: Notice) -> "Heard | None":
        """Do what a notice asks for (rule 2.5); None when it is not about our current origin."""
        origin = origins.find(connection, self.body, notice.origin)
        if origin is None:
            return None  # another agent of the body
        before = origins.heard(connection, origin)
        origins.hear(connection, origin, notice.number, notice.digest)
        heard = self._respond(connection, origin, notice) if origin.current else None
        self._recognise_elsewhere(connection, origin, notice, before)
        return heard

    def _respond(self, connection: sqlite3.Connection, origin: Origin, notice: Notice) -> "Heard":
        origin = self._recognise(connection, origin, notice)
        numbers = [number for number in (*numbers_of(notice), notice.number) if number > 0]
        known = origins.digests(connection, origin, numbers) if numbers else {}
        actions = respond(Chain(origin.signed, origin.taken, known), notice)
        for action in actions:
            self._perform(connection, origin, action, notice.at)
        return Heard(notice, actions)

    def _perform(self, connection: sqlite3.Connection, origin: Origin, action: Action, at: datetime) -> None:
        """The part of an action that concerns the spool; `at` is the exchange's time."""
        match action:
            case Take():
                self._settle(connection, origin, action, at)
            case Stand(number):
                origins.stand(connection, origin, number)
            case SignAgain(number):
                self.keys.refused()
                self._sign_again(connection, origin, number)
            case Replace(number, reason):
                self._replace(connection, origin, number, reason)
            case Abandon(continued):
                self._abandon(connection, continued=continued)
            case Resend() | Halt():
                pass  # nothing is kept of it: see outbound

    def _candidates(self, connection: sqlite3.Connection, origin: Origin, limit: int) -> list[Candidate]:
        """What comes next in the chain: the open, else drafts.

        Only the first has its final place; the others get theirs as the chain grows.
        """
        if origin.signed == 0:
            head = Head(self.exchange, self.body, bytes(ORIGIN_BYTES), 0, origin.signed_digest, origin.created)
            return [(None, encode(Open(head, origins.predecessor(connection, origin))))]
        drafts = outgoing.next_drafts(connection, self.body, limit, BYTES_AT_ONCE)
        return [(row, decode(Signed, record).statement) for row, record in drafts]

    def _append(self, connection: sqlite3.Connection, origin: Origin, row: int | None, statement: bytes) -> Origin:
        signature = self.keys.signer.sign(statement, self.clock())
        return origins.append(connection, origin, statement, signature, row)

    def _save(self, connection: sqlite3.Connection, origin: Origin, last: int | None) -> None:
        """Write how far the chain goes, and that the drafts up to row `last` are in it."""
        if last is not None:
            outgoing.mark_signed(connection, self.body, last)
        origins.save(connection, origin)

    def _recognise(self, connection: sqlite3.Connection, origin: Origin, notice: Notice) -> Origin:
        """Number drafts to which a notice bears witness.

        A spool restored from a copy still holds as drafts what was sent since. Numbering gives the
        same digests again, so what the exchange took is recognised and not said twice.
        """
        for number, step in zip(numbers_of(notice), notice.steps, strict=True):
            if number != origin.signed + 1:
                continue
            origin = self._recognise_one(connection, origin, self._possible(connection, origin), step.digest)
        origins.save(connection, origin)
        return origin

    def _recognise_elsewhere(
        self, connection: sqlite3.Connection, origin: Origin, notice: Notice, before: tuple[int, bytes]
    ) -> None:
        """Find drafts among the statements with which another copy of the spool went on.

        What was refused because a clock was ahead is said again when its refusal is heard, so it may come behind
        letters that this copy never knew. Its own digest, in that place, still proves that it was taken.
        `before` is the last number that was heard of before the notice, with its digest.
        """
        origin = origins.again(connection, origin)
        if notice.number <= origin.signed:
            return
        last, previous = before
        candidates = self._said_before(connection)
        for number, step in zip(numbers_of(notice), notice.steps, strict=True):
            if number > origin.signed and number == last + 1:
                place = replace(origin, signed=last, signed_digest=previous)
                if self._recognise_one(connection, place, candidates, step.digest) is not place:
                    self._settle(connection, origin, Take(number, step.reason, step.detail), notice.at)
                    candidates = self._said_before(connection)
            last, previous = number, step.digest

    def _recognise_one(
        self, connection: sqlite3.Connection, place: Origin, candidates: Iterable[Candidate], said: bytes
    ) -> Origin:
        """Give the candidate whose statement behind `place` has the digest `said` its number there."""
        for row, draft in candidates:
            statement = placed(draft, place)
            if digest(statement) == said:
                if row is not None:
                    outgoing.mark_one_signed(connection, row)
                return self._append(connection, place, row, statement)
        return place

    def _possible(self, connection: sqlite3.Connection, origin: Origin) -> Iterator[Candidate]:
        """What another copy of the spool may have said next, the likeliest first."""
        yield from self._candidates(connection, origin, 1)
        if origin.signed:
            yield from self._drafts(connection, 1, said_before=False)
            yield from self._said_before(connection)

    def _said_before(self, connection: sqlite3.Connection) -> list[Candidate]:
        """The oldest drafts that were refused in other words before."""
        return self._drafts(connection, SAID_BEFORE, said_before=True)

    def _drafts(self, connection: sqlite3.Connection, limit: int, *, said_before: bool) -> list[Candidate]:
        drafts = outgoing.drafts_said(connection, self.body, limit, before=said_before)
        return [(row, decode(Signed, record).statement) for row, record in drafts]

    def _settle(self, connection: sqlite3.Connection, origin: Origin, taken: Take, at: datetime) -> None:
        """Write what became of a statement; of a refused letter the EDMS is told.

        What was refused because our clock is ahead is nobody's fault but the machine's: it is said
        again with the exchange's own time, which every copy of the spool hears alike.
        """
        said, row = origins.statement_at(connection, origin, taken.number)
        if row is None or outgoing.said_last(connection, row) != said:
            return
        if taken.reason == Reason.CLOCK_AHEAD:
            draft = decode(Signed, outgoing.record_of(connection, row)[1])
            statement = with_head(draft.statement, replace(read_head(draft.statement), created=at))
            outgoing.say_again(connection, row, at, encode(replace(draft, statement=statement)))
            return
        state = OutgoingState.REFUSED if taken.reason else OutgoingState.TAKEN
        kind = outgoing.settle(connection, row, state, taken.reason, taken.detail)
        if kind is Kind.LETTER and taken.reason:
            self._reject(connection, row, said, taken.reason, taken.detail)
        elif kind is Kind.COMMAND:
            outgoing.lighten(connection, row)

    def _sign_again(self, connection: sqlite3.Connection, origin: Origin, number: int) -> None:
        now = self.clock()
        rows = origins.statements(connection, origin, number)
        origins.resign(connection, [(self.keys.signer.sign(statement, now), row) for row, statement, _ in rows])

    def _sign_with_key_in_use(self, connection: sqlite3.Connection, origin: Origin) -> None:
        """Sign again with the key in use what another key signed and nobody took."""
        unproven = origins.statements(connection, origin, origin.taken + 1)
        if not all(self._is_ours(signature) for _, _, signature in unproven):
            self._sign_again(connection, origin, origin.taken + 1)

    def _is_ours(self, signature: bytes) -> bool:
        """Whether it names the key in use."""
        try:
            return parse(signature).signer == self.keys.signer.signer
        except SignatureRefused:
            return False

    def _replace(self, connection: sqlite3.Connection, origin: Origin, number: int, reason: str) -> None:
        """Put a void in the place of a statement, and what followed behind it (rule 2.4)."""
        said, row = origins.statement_at(connection, origin, number)
        if row is not None and outgoing.settle(connection, row, OutgoingState.VOID, reason, "") is Kind.LETTER:
            self._reject(connection, row, said, reason, "")
        origin = origins.withdraw(connection, origin, number)
        head = Head(self.exchange, self.body, origin.origin, number, origin.signed_digest, self.clock())
        origins.save(connection, self._append(connection, origin, None, encode(Void(head, said, reason))))

    def _abandon(self, connection: sqlite3.Connection, *, continued: bool) -> None:
        """Leave the origin; what is not proven taken is a draft again (rule 2.5)."""
        origin = origins.current(connection, self.body)
        origins.withdraw(connection, origin, origin.taken + 1)
        origins.leave(connection, origin, self.random(ORIGIN_BYTES), self.clock(), continued=continued)

    def _reject(self, connection: sqlite3.Connection, row: int, said: bytes, reason: str, detail: str) -> None:
        now = self.clock()
        incoming.keep(
            connection,
            Arrived(self.body, ArrivalKind.REJECTION, said, EXCHANGE, now, b"", reason, detail, outgoing=row),
        )
