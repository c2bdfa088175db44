"""Origins: nothing vanishes, nothing is doubled (protocol section 2).

An origin is a chain of numbered statements of one body. The book keeps where each stands; `in_order`
says whether a statement is the very next one.

    head.number   origin unknown        origin open              origin closed
    1             taken if an Open      REPEAT                   ORIGIN_CLOSED
    taken + 1     ORIGIN_UNKNOWN        taken, if previous fits  ORIGIN_CLOSED
    ≤ taken       ORIGIN_UNKNOWN        REPEAT                   ORIGIN_CLOSED
    > taken + 1   ORIGIN_UNKNOWN        GAP                      ORIGIN_CLOSED
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from exchange.domain.decision import OriginState, Refusal
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.policy import OPEN_ORIGINS, ORIGINS
from exchange.domain.reason import Reason
from exchange.domain.statement import Head, Open, Statement

OriginKey = tuple[str, bytes]
"""Body code and the origin's 16 bytes: a body cannot touch another's origins."""


class OriginBook:
    """Where every origin of a lane stands; remembers what changed since it was last asked."""

    def __init__(self, states: Mapping[OriginKey, OriginState] | None = None) -> None:
        """Start from the states that were kept."""
        self._states: dict[OriginKey, OriginState] = dict(states or {})
        self._ever = Counter(body for body, _ in self._states)
        self._open = Counter(body for (body, _), state in self._states.items() if not state.closed)
        self._changed: set[OriginKey] = set()

    def __getitem__(self, key: OriginKey) -> OriginState | None:
        """Where an origin stands; None when it was never opened."""
        return self._states.get(key)

    @property
    def states(self) -> Mapping[OriginKey, OriginState]:
        """Where every origin stands."""
        return MappingProxyType(self._states)

    def open_origins(self, body: str) -> int:
        """How many origins of the body are open (rule 2.2)."""
        return self._open[body]

    def origins(self, body: str) -> int:
        """How many origins the body ever opened."""
        return self._ever[body]

    def take(self, head: Head, statement: Statement | None, digest: bytes) -> None:
        """Move the number to that of a statement that is in order; number 1, an `Open`, closes its predecessor."""
        key = (head.body, head.origin)
        opens = key not in self._states
        if opens:
            self._ever[head.body] += 1
            self._open[head.body] += 1
        self._put(key, OriginState(number=head.number, digest=digest))
        # An `Open` further on is refused, and what it names was never compared with what we know.
        if opens and isinstance(statement, Open) and statement.predecessor is not None:
            before = (head.body, statement.predecessor.origin)
            self._put(before, replace(self._states[before], closed=True))
            self._open[head.body] -= 1

    def ignore(self, key: OriginKey, *, notified: bool) -> None:
        """Count a statement that was not taken; origins that were never opened leave no trace."""
        state = self._states.get(key)
        if state is not None:
            self._put(key, replace(state, ignored=state.ignored + 1, notified=state.notified or notified))

    def drain_changed(self) -> dict[OriginKey, OriginState]:
        """What changed since the last call."""
        changed = {key: self._states[key] for key in self._changed}
        self._changed.clear()
        return changed

    def _put(self, key: OriginKey, state: OriginState) -> None:
        self._states[key] = state
        self._changed.add(key)


def in_order(book: OriginBook, head: Head, statement: Statement | None) -> Refusal | None:
    """None when the statement is its origin's next one, else why it is not (rules 2.2 to 2.4)."""
    state = book[head.body, head.origin]
    if state is None:
        return _may_open(book, head, statement)
    if state.closed:
        return Refusal(Reason.ORIGIN_CLOSED)
    if head.number <= state.number:
        return Refusal(Reason.REPEAT, f"number {head.number}, taken up to {state.number}")
    if head.number > state.number + 1:
        return Refusal(Reason.GAP, f"number {head.number}, expected {state.number + 1}")
    if head.previous != state.digest:
        return Refusal(Reason.CHAIN_BROKEN, f"number {head.number}")
    return None


def _may_open(book: OriginBook, head: Head, statement: Statement | None) -> Refusal | None:
    if head.number != 1 or not isinstance(statement, Open):
        return Refusal(Reason.ORIGIN_UNKNOWN, f"number {head.number}")
    if head.previous != ZERO_DIGEST:
        return Refusal(Reason.CHAIN_BROKEN, "number 1 has no previous statement")
    if book.origins(head.body) >= ORIGINS:
        return Refusal(Reason.ORIGINS_EXHAUSTED, f"{ORIGINS} opened")
    predecessor = statement.predecessor
    if predecessor is None:
        exhausted = book.open_origins(head.body) >= OPEN_ORIGINS
        return Refusal(Reason.ORIGINS_EXHAUSTED, f"{OPEN_ORIGINS} open") if exhausted else None
    before = book[head.body, predecessor.origin]
    if before is None or before.closed or (before.number, before.digest) != (predecessor.number, predecessor.digest):
        return Refusal(Reason.PREDECESSOR_MISMATCH)
    return None
