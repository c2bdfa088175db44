"""Reads what the transparency log proves of our origins, and lets go what it covers (rules 2.6, 3.5).

Of each active origin the archive publishes a proof of its last statement: since each names the digest of the one
before, that proves all before it. The first look reads the topic from its begin, each later one goes on where the last
one stood. Whose word counts is said by the policy of the agent's own settings. If the log has
another statement than ours at a number that the exchange told us was taken, the exchange has contradicted itself: the
proof is kept.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from exchange.agent.office import Office
from exchange.agent.spool import origins, witnessed
from exchange.agent.spool.witnessed import Contradiction
from exchange.agent.transport import Partition, Transport
from exchange.bus.records import Position, Record, Taken
from exchange.bus.topics import CHECKPOINTS
from exchange.domain.checkpoint import OriginProof
from exchange.domain.decision import Decided
from exchange.domain.errors import BusError, SpoolError, WireError
from exchange.domain.ids import digest
from exchange.tlog.errors import LogRefused
from exchange.tlog.policy import LogPolicy
from exchange.tlog.proof import Proof
from exchange.wire.records import decode, read_head

log = logging.getLogger(__name__)

PARTITION: Partition = (CHECKPOINTS, 0)
READ_SECONDS = 5.0
READ_RECORDS = 200
AT_ONCE = 20
"""Letters in one transaction, of up to a megabyte each."""
_ORIGIN_DIGITS = 32


class Outcome(StrEnum):
    """What came of a proof, as it is counted."""

    COVERED = "covered"
    UNWITNESSED = "unwitnessed"
    """Too few witnesses cosigned the checkpoint."""
    REFUSED = "refused"
    """It does not hold, or is of something else."""
    AHEAD = "ahead"
    """Of a number that we were not told is taken: the spool may be an older copy, which notices tell (rule 2.5)."""
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class _Proven:
    """What a proof that holds is of."""

    origin: bytes
    number: int
    digest: bytes
    said: OriginProof


class Witnessing:
    """Reads proofs for all bodies of the process; `run` is its task."""

    def __init__(self, office: Office, policy: LogPolicy) -> None:
        """Nothing is read yet."""
        self._office = office
        self._policy = policy
        self._next: int | None = None
        """Offset at which reading goes on; None: at the begin."""
        self._ahead: dict[bytes, bytes] = {}
        """Proofs by origin, of numbers that we are not told are taken yet; they are looked at again."""

    async def run(self, transport: Transport) -> None:
        """Look now and then until cancelled.

        Raises:
            SpoolError: the spool is damaged.
        """
        while True:
            try:
                await self._look(transport)
                await self._release()
            except (BusError, SpoolError) as error:
                if isinstance(error, SpoolError) and not error.retriable:
                    raise
                log.warning("the log's proofs cannot be read now: %s (%s)", error, error.code)
            await asyncio.sleep(self._office.timing.log_poll)

    async def _look(self, transport: Transport) -> None:
        await self._take({**self._ahead})
        stood, self._next = self._next, None  # after whatever goes wrong from its begin
        at = None if stood is None else Position.without_record(stood)
        async with transport.inboxes({PARTITION: at}) as reader:
            ends = await reader.end_offsets()
            if stood is not None and ends[PARTITION] < stood:
                return  # another topic of that name
            while not reader.reached(ends):
                await self._take(dict(_keyed(await reader.read(READ_SECONDS, READ_RECORDS))))
            self._next = reader.next_offsets()[PARTITION]

    async def _release(self) -> None:
        """Let go what no longer need be sent again."""
        now, released = self._office.clock(), AT_ONCE
        while released == AT_ONCE:
            released = await self._office.spool.run(lambda connection: witnessed.release(connection, now, AT_ONCE))

    async def _take(self, values: Mapping[bytes, bytes]) -> None:
        """The newest proof of each of our origins."""
        owners = await self._office.spool.run(lambda connection: witnessed.owners(connection, values))
        for origin, body in owners.items():
            found = await asyncio.to_thread(self._examine, values[origin])
            if isinstance(found, _Proven) and found.origin == origin:
                outcome = await self._office.spool.run(lambda connection: self._keep(connection, body, found))  # noqa: B023
            else:
                outcome = found if isinstance(found, Outcome) else Outcome.REFUSED
            self._ahead.pop(origin, None)
            if outcome is Outcome.AHEAD:
                self._ahead[origin] = values[origin]
            self._office.counters.add("agent_log_proofs_total", body=body, outcome=outcome.value)

    def _examine(self, value: bytes) -> "_Proven | Outcome":
        """What a published proof is of; pure, in a thread."""
        try:
            said = decode(OriginProof, value)
            seen = Proof.parse(said.proof).verify(said.entry, self._policy)
            statement = decode(Decided, said.entry).statement
            head = read_head(statement)
        except (LogRefused, WireError) as error:
            log.warning("a proof of the log does not hold: %s (%s)", error, error.code)
            return Outcome.REFUSED
        if not seen.witnessed:
            return Outcome.UNWITNESSED
        return _Proven(head.origin, head.number, digest(statement), said)

    def _keep(self, connection: sqlite3.Connection, body: str, proven: _Proven) -> Outcome:
        origin = origins.find(connection, body, proven.origin)
        if origin is None or proven.number > origin.taken:
            return Outcome.AHEAD
        own, _ = origins.statement_at(connection, origin, proven.number)
        if own == proven.digest:
            witnessed.cover(connection, body, proven.origin, proven.number)
            return Outcome.COVERED
        found = Contradiction(body, proven.origin, proven.number, proven.said.entry, proven.said.proof)
        if witnessed.keep(connection, found, self._office.clock()):
            ids = {"body": body, "origin": proven.origin.hex(), "number": proven.number}
            log.error("the log has another statement than ours: the proof is kept in the spool", extra=ids)
        return Outcome.CONTRADICTION


def _keyed(records: Iterable[Taken]) -> Iterable[tuple[bytes, bytes]]:
    """Origins with what stands under their keys."""
    for record in records:
        if isinstance(record, Record) and record.key and record.value and len(record.key) == _ORIGIN_DIGITS:
            try:
                yield bytes.fromhex(record.key.decode("ascii")), record.value
            except ValueError:
                continue
