"""How a service says something: as a body of its own, with the outbound half of an agent.

    say ─▶ spool ─▶ numbered, signed ─▶ exchange.commands ─▶ router ─▶ journal
                                                              └─▶ notice ─▶ settled

What is said is kept in a spool before `say` returns and is sent until the exchange is proven to have it, so
it is said once, whatever is killed in between. Each process has a spool and so an origin of its own: a
service may have as many processes as a body may have open origins (8).

Everything said has a key, and is said once per key and spool. A spool that is lost is begun anew, with a new
origin. Whether something was said then stands in the journal alone, so a key is made of what the journal
repeats (`deadline_key`, `command_key`): before a caller says something anew it asks what the journal says of
it, once it has read the journal up to where it ended when the process started. In the moment that is left,
between the journal and who reads it, a statement may be said twice; the second changes nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from exchange.agent.agent import Agent, Member
from exchange.agent.drafts import DraftCommand, DraftDeadline
from exchange.agent.errors import may_pass
from exchange.agent.office import Office
from exchange.agent.spool import outgoing
from exchange.agent.spool.outgoing import OutgoingState, Word
from exchange.agent.transport import Transport
from exchange.domain.deadline import Stage
from exchange.domain.errors import SpoolError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often what somebody waits for is looked up; once for all who wait."""

_SETTLED = frozenset({OutgoingState.TAKEN, OutgoingState.REFUSED, OutgoingState.VOID})


@dataclass(frozen=True, slots=True)
class Said:
    """What became of something that was said.

    Attributes:
        settled: whether the exchange has decided on it.
        reason: code, when it was refused; then it has no effect and is not said again.
        detail: names the field of a refusal.
        statement: its digest; None while it has no number.
    """

    settled: bool
    reason: str
    detail: str
    statement: bytes | None

    @property
    def accepted(self) -> bool:
        """Whether it stands in the journal as accepted."""
        return self.settled and not self.reason


def deadline_key(letter: bytes, recipient: str, stage: Stage) -> str:
    """Key of a deadline: of a delivery each stage passes once."""
    return f"{letter.hex()}:{recipient}:{stage.value}"


def command_key(action: str, task: str, letter: bytes | None = None, recipient: str = "") -> str:
    """Key of a command: of a task each action concerns a delivery once."""
    return f"{action}:{task}:{'' if letter is None else letter.hex()}:{recipient}"


class Speaker:
    """Speaks as one of the exchange's own bodies. `run` it in a task; the rest is used meanwhile in the same loop."""

    def __init__(self, office: Office, member: Member, transport: Transport) -> None:
        """Nothing is opened or read.

        Args:
            office: with an open spool, which stays the caller's to close after `run` has ended.
            member: the service's body, without a document system.
            transport: opens the connections.

        Raises:
            ConfigurationError: the body's key cannot be used.
        """
        self._office = office
        self._body = member.body
        self._agent = Agent(office, [member], transport)
        self._waiting: dict[str, asyncio.Future[Said]] = {}

    async def run(self) -> None:
        """Send and listen until cancelled; whoever waits then for something is cancelled too.

        Raises:
            SpoolError: `spool-in-use` (another process runs on this spool), or the spool is damaged.
            PositionLost: the inbox is not the topic that was read before.
            ExceptionGroup: of these.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._agent.run(), name="agent")
                group.create_task(self._look(), name="settled")
        finally:
            for future in self._waiting.values():
                future.cancel()
            self._waiting.clear()

    async def waiting_for(self) -> str:
        """What keeps the exchange from taking what is said; empty when nothing does.

        Raises:
            SpoolError: the spool cannot be read.
        """
        (status,) = await self._agent.status()
        if status.failure is not None:
            return f"{status.failure.code}: {status.failure.message}"
        return "" if status.ready else "its inbox to be read"

    async def say(self, key: str, draft: DraftDeadline | DraftCommand) -> bool:
        """Keep something to be said; on disk when this returns. What was said under that key stays as it was.

        Args:
            key: `deadline_key` or `command_key` of it.
            draft: what is said.

        Returns:
            Whether it is new in this spool.

        Raises:
            DraftRefused: `command-invalid`, `redrive-mismatch`, `oversized`: the exchange would refuse it.
            SpoolError: `spool-full` and the like: nothing was kept, try again later.
        """
        drafting = self._office.drafting
        if isinstance(draft, DraftDeadline):
            kept = drafting.deadline(self._body, draft, key)
        else:
            kept = drafting.command(self._body, draft, key)
        new = await self._office.spool.run(lambda connection: outgoing.add(connection, kept))
        self._agent.wake()
        return new

    async def said(self, key: str) -> Said | None:
        """What became of it by now; None when nothing was said under that key in this spool.

        Raises:
            SpoolError: the spool cannot be read.
        """
        found = await self._words([key])
        return _said(found[0]) if found else None

    async def all_said(self, keys: Sequence[str]) -> dict[str, Said]:
        """What became of many things by now; what was not said under its key in this spool is left out.

        Raises:
            SpoolError: the spool cannot be read.
        """
        return {word.key: _said(word) for word in await self._words(keys)}

    async def settled(self, key: str) -> Said:
        """Wait until the exchange has decided on what was said under that key.

        Raises:
            KeyError: nothing was.
            SpoolError: the spool cannot be read.
        """
        said = await self.said(key)
        if said is None:
            raise KeyError(key)
        if said.settled:
            return said
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(future)

    async def _look(self) -> None:
        """Tell whoever waits what became of it; a spool that cannot be read for a while is waited out."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._waiting:
                continue
            try:
                found = await self._words(list(self._waiting))
            except SpoolError as error:
                if not may_pass(error):
                    raise
                log.warning("what was settled cannot be read now: %s (%s)", error, error.code)
                continue
            for word in found:
                if word.state in _SETTLED and (future := self._waiting.pop(word.key, None)) is not None:
                    with contextlib.suppress(asyncio.InvalidStateError):  # whoever waited was cancelled
                        future.set_result(_said(word))

    async def _words(self, keys: Sequence[str]) -> list[Word]:
        return await self._office.spool.run(lambda connection: outgoing.words(connection, self._body, keys))


def _said(word: Word) -> Said:
    return Said(word.state in _SETTLED, word.reason, word.detail, word.digest)
