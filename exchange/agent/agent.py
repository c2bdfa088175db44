"""The agent: joins the parts for one body or many, starts them in order, and says how they are.

    Intake (per EDMS) ─┐                     ┌─ Submissions
    Mailbox ───────────┼─▶ spool ─▶ Outbound ┘
    Handover (per EDMS)◀─  spool ◀─ Inbound ◀── Inboxes

The spool is the only state: killed at any point, an agent goes on from it.
"""

import asyncio
import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exchange.agent.chain import Identity
from exchange.agent.handover import Handover
from exchange.agent.inbound import Inbound, Reading
from exchange.agent.intake import Edms, Intake
from exchange.agent.key_ring import KeyRing, NextKey, PresentKey
from exchange.agent.mailbox import Mailbox
from exchange.agent.office import Office, Wake
from exchange.agent.outbound import Line, Outbound
from exchange.agent.spool import incoming, outgoing
from exchange.agent.spool.outgoing import Backlog
from exchange.agent.status import BodyStatus, Waits
from exchange.agent.transport import Transport
from exchange.domain.errors import ConfigurationError, SpoolError
from exchange.domain.ids import lane_of
from exchange.security.errors import DirectoryRefused

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """A body that the agent carries; without an EDMS its letters wait in the spool for the client."""

    body: str
    present_key: PresentKey
    edms: Edms | None = None
    next_key: NextKey | None = None


class Agent:
    """One process's agent. `run` it in a task; the rest may be used meanwhile in the same event loop."""

    def __init__(self, office: Office, members: Sequence[Member], transport: Transport) -> None:
        """Join the parts; nothing is opened or read.

        Args:
            office: with an open spool, which stays the caller's to close after `run` has ended.
            members: the bodies, each once.
            transport: opens the connections.

        Raises:
            ConfigurationError: `agent-without-body`, `body-repeated`.
        """
        _require_distinct(members)
        self._office = office
        self._transport = transport
        self._waits = {member.body: Waits() for member in members}
        self._identities = [self._identity(member) for member in members]
        self._lines = {identity.body: self._line(identity) for identity in self._identities}
        self._outbound = Outbound(office, list(self._lines.values()))
        desks = [(member.body, member.edms) for member in members if member.edms is not None]
        self._intakes = [Intake(office, body, edms, self._waits[body], self._outbound.wake) for body, edms in desks]
        self._handovers = {
            body: Handover(office, body, edms, self._waits[body], self._outbound.wake) for body, edms in desks
        }
        self._inbound = Inbound(office, self._readings(), self._outbound)

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            SpoolError: `spool-in-use` (another agent runs on this spool), or the spool is damaged.
            PositionLost: an inbox is not the topic that was read before.
            ExceptionGroup: of these, when a part ended with one.
        """
        with _only_agent(self._office.spool.path):
            for identity in self._identities:
                await self._office.spool.run(identity.enrol)
            async with self._transport.submissions() as submissions, asyncio.TaskGroup() as group:
                group.create_task(self._inbound.run(self._transport), name="inbound")
                group.create_task(self._outbound.run(submissions), name="outbound")
                group.create_task(self._follow_directory(), name="directory")
                for intake in self._intakes:
                    group.create_task(intake.run(), name="intake")
                for handover in self._handovers.values():
                    group.create_task(handover.run(), name="handover")

    def mailbox(self, body: str) -> Mailbox:
        """The mailbox of one of the bodies."""
        wake_handover = self._wake_of(body)

        def changed() -> None:
            self._outbound.wake()
            wake_handover()

        return Mailbox(self._office.spool, self._lines[body].body, self._office.drafting, changed)

    async def status(self) -> list[BodyStatus]:
        """Where each body stands.

        Raises:
            SpoolError: the spool cannot be read.
        """
        backlogs, waiting = await self._office.spool.run(
            lambda connection: (outgoing.backlogs(connection), incoming.waiting(connection, self._handovers))
        )
        return [
            self._status(line, backlogs.get(body, Backlog(0, 0, None)), *waiting.get(body, (0, None)))
            for body, line in self._lines.items()
        ]

    def _identity(self, member: Member) -> Identity:
        office = self._office
        exchange = office.history.directory.exchange
        keys = KeyRing(
            member.body,
            member.present_key,
            member.next_key,
            lambda: office.history.directory,
            office.clock,
            office.monotonic,
            office.timing.change_over,
        )
        return Identity(member.body, exchange, keys, office.clock, office.drafting.random)

    def _line(self, identity: Identity) -> Line:
        now = self._office.monotonic()
        lane = lane_of(identity.body, self._office.history.directory.lanes)
        return Line(identity, lane, self._waits[identity.body], spoken=now, not_before=now)

    def _readings(self) -> dict[str, Reading]:
        return {
            body: Reading(line.identity, self._waits[body], self._wake_of(body)) for body, line in self._lines.items()
        }

    def _wake_of(self, body: str) -> Wake:
        handover = self._handovers.get(body)
        return _nobody if handover is None else handover.wake

    def _status(self, line: Line, backlog: Backlog, to_hand_over: int, oldest_arrival: datetime | None) -> BodyStatus:
        waits = self._waits[line.body]
        codes = {failure.code for failure in waits.reasons.values()} | (set() if line.ready else {"inbox"})
        return BodyStatus(
            body=line.body,
            ready=line.ready,
            halted=line.halted,
            waits_for=tuple(sorted(codes)),
            drafts=backlog.drafts,
            unproven=backlog.unproven,
            oldest=backlog.oldest,
            to_hand_over=to_hand_over,
            oldest_arrival=oldest_arrival,
            last_seen=waits.last_seen,
            failure=waits.latest,
        )

    async def _look_at_keys(self) -> None:
        """In the spool's thread, where they are used."""
        try:
            await self._office.spool.run(lambda _: self._change_over())
        except SpoolError as error:
            if not error.retriable:
                raise
            log.warning("keys cannot be looked at now: %s (%s)", error, error.code)

    def _change_over(self) -> None:
        for identity in self._identities:
            identity.keys.look()

    async def _follow_directory(self) -> None:
        """Use a newer directory once there is one, and next keys once it lists them.

        One that must not be used changes nothing.
        """
        while True:
            await asyncio.sleep(self._office.timing.directory_poll)
            await self._look_at_keys()
            try:
                await asyncio.to_thread(self._office.history.refresh)
            except DirectoryRefused as refused:
                log.warning("the directory stays as it is: %s (%s)", refused, refused.code)
            except (OSError, MemoryError) as error:
                log.warning("the directory cannot be looked at now: %s", error)


def _nobody() -> None:
    """A body without an EDMS has nobody to wake."""


def _require_distinct(members: Sequence[Member]) -> None:
    if not members:
        message = "an agent carries at least one body: name it in the agent's configuration"
        raise ConfigurationError(message, code="agent-without-body")
    bodies = [member.body for member in members]
    if len(set(bodies)) < len(bodies):
        message = "a body is named twice in the agent's configuration: name each once"
        raise ConfigurationError(message, code="body-repeated")


@contextmanager
def _only_agent(spool: Path) -> Iterator[None]:
    """One agent per spool; the lock goes with the process, however it ends."""
    path = spool.with_name(f"{spool.name}.lock")
    try:
        opened = path.open("ab")
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}): give the agent's user the right to write the folder"
        raise SpoolError(message, code="spool-unwritable") from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another agent runs on {spool}: stop it, or give this one a spool of its own"
            raise SpoolError(message, code="spool-in-use", retriable=True) from error
        yield
