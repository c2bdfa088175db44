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
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from exchange.agent.chain import Identity
from exchange.agent.feed import Doorbell, Feed
from exchange.agent.handover import Handover
from exchange.agent.inbound import Inbound, Reading
from exchange.agent.intake import Edms, Intake
from exchange.agent.key_ring import KeyRing, NextKey, PresentKey
from exchange.agent.mailbox import Mailbox
from exchange.agent.office import Office
from exchange.agent.outbound import Line, Outbound
from exchange.agent.spool import incoming, outgoing, witnessed
from exchange.agent.spool.outgoing import Backlog
from exchange.agent.spool.witnessed import Coverage
from exchange.agent.status import BodyStatus, Waits
from exchange.agent.transport import Transport
from exchange.agent.witnessing import Witnessing
from exchange.bus.topics import lane_source
from exchange.domain.errors import ConfigurationError, SpoolError
from exchange.domain.own_bodies import lane_in
from exchange.security.errors import DirectoryRefused
from exchange.tlog.policy import LogPolicy

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """A body that the agent carries; without an EDMS its letters wait in the spool for the client."""

    body: str
    present_key: PresentKey
    edms: Edms | None = None
    next_key: NextKey | None = None


@dataclass(frozen=True, slots=True)
class _Carried:
    """A member with the parts that work for it alone; `desk` is there where it has a document system."""

    identity: Identity
    line: Line
    waits: Waits
    desk: "_Desk | None"
    bell: Doorbell = field(default_factory=Doorbell)

    def wake(self) -> None:
        """Something arrived for it."""
        self.bell.ring()
        if self.desk is not None:
            self.desk.handover.wake()


@dataclass(frozen=True, slots=True)
class _Desk:
    """The way from and to a body's document system."""

    intake: Intake
    handover: Handover

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.intake.run(), name="intake")
            group.create_task(self.handover.run(), name="handover")


class Agent:
    """One process's agent. `run` it in a task; the rest may be used meanwhile in the same event loop."""

    def __init__(
        self, office: Office, members: Sequence[Member], transport: Transport, log_policy: LogPolicy | None = None
    ) -> None:
        """Join the parts; nothing is opened or read.

        Args:
            office: with an open spool, which stays the caller's to close after `run` has ended.
            members: the bodies, each once; a gateway may begin with none.
            transport: opens the connections.
            log_policy: whose word about the transparency log counts; None: its proofs are not read.

        Raises:
            ConfigurationError: `body-repeated`.
        """
        _require_distinct(members)
        self._office = office
        self._transport = transport
        self._outbound = Outbound(office)
        self._inbound = Inbound(office, self._outbound)
        self._witnessing = None if log_policy is None else Witnessing(office, log_policy)
        self._carried = {member.body: self._joined(member) for member in members}
        self._group: asyncio.TaskGroup | None = None
        self._desks: dict[str, asyncio.Task[None]] = {}

    @property
    def bodies(self) -> frozenset[str]:
        """Codes of those that it carries now."""
        return frozenset(self._carried)

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            SpoolError: `spool-in-use` (another agent runs on this spool), or the spool is damaged.
            PositionLost: an inbox is not the topic that was read before.
            ExceptionGroup: of these, when a part ended with one.
        """
        with _only_agent(self._office.spool.path):
            async with self._transport.submissions() as submissions, asyncio.TaskGroup() as group:
                self._group = group
                for carried in list(self._carried.values()):
                    await self._begin(carried, group)
                group.create_task(self._inbound.run(self._transport), name="inbound")
                group.create_task(self._outbound.run(submissions), name="outbound")
                group.create_task(self._follow_directory(), name="directory")
                if self._witnessing is not None:
                    group.create_task(self._witnessing.run(self._transport), name="witnessing")

    async def add(self, member: Member) -> None:
        """Carry one more body from now on; the others are not disturbed.

        Raises:
            ConfigurationError: `body-repeated`, or its key cannot be used.
            SpoolError: the spool cannot be written.
        """
        if member.body in self._carried:
            raise _repeated()
        carried = self._joined(member)
        if self._group is not None:
            await self._begin(carried, self._group)
        self._carried[member.body] = carried

    async def remove(self, body: str) -> None:
        """Carry a body no longer; what the spool has of it stays there."""
        del self._carried[body]
        self._inbound.drop(body)
        self._outbound.drop(body)
        if (task := self._desks.pop(body, None)) is not None:
            task.cancel()
            await asyncio.wait([task])

    def wake(self) -> None:
        """Something was left in the spool to be said."""
        self._outbound.wake()

    def mailbox(self, body: str) -> Mailbox:
        """The mailbox of one of the bodies."""
        wake_handover = self._carried[body].wake

        def changed() -> None:
            self._outbound.wake()
            wake_handover()

        keys = self._carried[body].identity.keys
        return Mailbox(self._office.spool, body, self._office.drafting, changed, keys.hindrance)

    def feed(self, body: str) -> Feed:
        """What arrives for one of the bodies."""
        return Feed(self._office.spool, body, self._carried[body].bell)

    async def status(self) -> list[BodyStatus]:
        """Where each body stands.

        Raises:
            SpoolError: the spool cannot be read.
        """
        with_edms = [body for body, carried in self._carried.items() if carried.desk is not None]
        backlogs, waiting, covered = await self._office.spool.run(
            lambda connection: (
                outgoing.backlogs(connection),
                incoming.waiting(connection, with_edms),
                {} if self._witnessing is None else witnessed.coverage(connection),
            )
        )
        return [
            _status(carried, backlogs.get(body, Backlog(0, 0, None)), waiting.get(body, (0, None)), covered.get(body))
            for body, carried in self._carried.items()
        ]

    def _joined(self, member: Member) -> _Carried:
        """The parts of a member; none of them works yet."""
        office, waits, identity = self._office, Waits(), self._identity(member)
        directory = office.history.directory
        line = Line(
            identity,
            lane_source(lane_in(directory, member.body), directory.lanes),
            waits,
            spoken=office.monotonic(),
            not_before=office.monotonic(),
        )
        if member.edms is None:
            return _Carried(identity, line, waits, None)
        parts = (office, member.body, member.edms, waits, self._outbound.wake)
        return _Carried(identity, line, waits, _Desk(Intake(*parts), Handover(*parts)))

    async def _begin(self, carried: _Carried, group: asyncio.TaskGroup) -> None:
        """Let the parts of a member work."""
        await self._office.spool.run(carried.identity.enrol)
        self._outbound.add(carried.line)
        self._inbound.add(Reading(carried.identity, carried.waits, carried.wake))
        if carried.desk is not None:
            self._desks[carried.identity.body] = group.create_task(carried.desk.run(), name="desk")

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

    async def _look_at_keys(self) -> None:
        """In the spool's thread, where they are used."""
        try:
            await self._office.spool.run(lambda _: self._change_over())
        except SpoolError as error:
            if not error.retriable:
                raise
            log.warning("keys cannot be looked at now: %s (%s)", error, error.code)

    def _change_over(self) -> None:
        for carried in list(self._carried.values()):
            carried.identity.keys.look()

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


def _require_distinct(members: Sequence[Member]) -> None:
    if len({member.body for member in members}) < len(members):
        raise _repeated()


def _repeated() -> ConfigurationError:
    message = "a body is named twice in the agent's configuration: name each once"
    return ConfigurationError(message, code="body-repeated")


def _status(
    carried: _Carried, backlog: Backlog, waiting: tuple[int, datetime | None], coverage: Coverage | None
) -> BodyStatus:
    waits, line = carried.waits, carried.line
    to_hand_over, oldest_arrival = waiting
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
        coverage=coverage,
    )


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
