"""Signs how far the logs are, has it witnessed, and publishes it; at most once a second, if a log grew.

Each time in this order, so that what is signed can always be shown:

1. A leaf is added to the log of heads, durably.
2. Its tiles are laid out, so that witnesses can look before they cosign.
3. The checkpoint is signed, and every witness asked at the same time, for seconds at most. Who does not answer is
   left out: letters never wait for witnesses, and neither do checkpoints.
4. If a witness knows another log than ours, and so many others as the policy asks for may have cosigned that, too,
   it stays at this checkpoint until enough of them cosign it (`disputes`).
5. It is kept with the cosignatures that came, and published with proofs of the origins that moved.

Before the first one it is made sure that nobody was shown more of this log, or something else: on Kafka (`standing`),
and at the witnesses. Then whoever published before is fenced, and Kafka is read once more.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.archive.errors import ArchiveError
from exchange.archive.layout import HEADS_LOG
from exchange.archive.writer import ArchiveWriter
from exchange.bus.producer import Outgoing
from exchange.bus.transactions import SoleWriter
from exchange.domain.checkpoint import CHECKPOINT_KEY, PublishedCheckpoint
from exchange.services.archive import standing
from exchange.services.archive.disk import Disk
from exchange.services.archive.disputes import Disputes
from exchange.services.archive.enduring import endure
from exchange.services.archive.metrics import ArchiveMetrics
from exchange.services.archive.proofs import OriginProofs
from exchange.services.archive.standing import Identity, Own
from exchange.services.archive.taking import Taking
from exchange.services.archive.topic import PARTITION, Topic, read_published
from exchange.services.threads import finish
from exchange.services.witnessing import Answer, Witnesses
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head
from exchange.tlog.merkle import inclusion_proof
from exchange.tlog.note import Note
from exchange.tlog.policy import Seen
from exchange.wire.records import encode

LOOK_SECONDS = 1.0
ASK_AGAIN_SECONDS = 10.0
"""While nothing grows, witnesses that were away are asked again so often."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that is kept: its note, and what the policy makes of it."""

    note: bytes
    seen: Seen


class Checkpoints:
    """One process; `run` is its task."""

    def __init__(
        self,
        identity: Identity,
        taking: Taking,
        disk: Disk,
        proofs: OriginProofs,
        witnesses: Witnesses,
        topic: Topic,
        metrics: ArchiveMetrics,
        now: Callable[[], datetime],
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            identity: whose word the log is; its key is the policy's.
            taking: brings entries, beside.
            disk: the archive's folder.
            proofs: of origins.
            witnesses: those of the policy.
            topic: where checkpoints are published.
            metrics: counters of this process.
            now: the clock.
        """
        self._identity = identity
        self._taking = taking
        self._disk = disk
        self._proofs = proofs
        self._witnesses = witnesses
        self._topic = topic
        self._metrics = metrics
        self._now = now
        self._disputes = Disputes(identity.policy, disk.folder, now)
        self._asked = 0.0
        self.newest: Signed | None = None
        """What was published last by this process."""
        self.waiting_for = "Kafka: what was published is not known yet"
        """What keeps checkpoints from being published; empty when they are."""

    async def run(self) -> None:
        """Sign and publish until cancelled.

        Raises:
            LogRefused: `log-rolled-back`, `log-forked`: more was published, or something else. Nothing is signed any
                more.
            ArchiveError: the folder is not what was written to it.
        """
        await endure("the archive's publishing", self._publish, self._told)

    def _told(self, waiting_for: str, code: str) -> None:
        self.waiting_for = waiting_for
        self._metrics.fail(code)

    async def _publish(self) -> None:
        await self._require_standing()
        async with self._topic.open_writer() as writer:
            await self._require_standing()  # whoever was fenced may have published meanwhile
            self.newest = None
            while True:
                begun = asyncio.get_running_loop().time()
                await self._round(writer, begun)
                self.waiting_for = ""
                await asyncio.sleep(max(0.0, begun + LOOK_SECONDS - asyncio.get_running_loop().time()))

    async def _require_standing(self) -> None:
        """What was published is the beginning of what is here, and so is what witnesses know."""
        published = await read_published(self._topic.open_reader)
        if published.checkpoint is not None:
            checkpoint, identity = published.checkpoint, self._identity
            owed = await self._disk.use(lambda writer: standing.require_continued(checkpoint, identity, _own(writer)))
            await self._require_rebuilt(owed)
        head = await self._disk.use(lambda writer: writer.head)
        if head.size:
            await self._signed(head)
        await finish(lambda: self._proofs.begin(published.proofs, self._now()))

    async def _require_rebuilt(self, owed: tuple[Head, ...]) -> None:
        """Wait until every entry that was published is here again; compare them."""
        while missing := standing.behind(owed, await self._disk.use(lambda writer: writer.logs)):
            if self._taking.caught_up.is_set():
                raise standing.lost(missing)
            self.waiting_for = f"the journal: {missing} entries that were published before"
            await asyncio.sleep(LOOK_SECONDS)
        await self._disk.use(lambda writer: standing.require_rebuilt(owed, writer.root_at))

    async def _round(self, writer: SoleWriter, begun: float) -> None:
        """One checkpoint, if there is anything new to say."""
        at, oldest = int(self._now().timestamp()), self._taking.oldest()
        await self._disk.use(lambda disk: disk.add_heads(at))
        head = await self._disk.use(lambda disk: disk.head)
        said = self.newest
        grew = said is None or said.seen.checkpoint.size < head.size
        incomplete = said is not None and not said.seen.witnessed and begun >= self._asked + ASK_AGAIN_SECONDS
        if not head.size or not (grew or incomplete):
            return
        self._asked = begun
        signed = await self._signed(head)
        records = await finish(self._records, signed, begun)
        await writer.write({PARTITION: records})
        self.newest, now = signed, self._now()
        self._metrics.published(head.size, len(records) - 1, now, witnessed=signed.seen.witnessed)
        if oldest is not None:
            self._metrics.delayed(oldest, now)

    async def _signed(self, head: Head) -> Signed:
        """The checkpoint over everything here, kept with the cosignatures that came; waits while it is disputed."""
        signer = self._identity.signer
        checkpoint = Checkpoint(signer.name, head.size, head.root)
        note = Note(str(checkpoint), (signer.sign(str(checkpoint)),))
        await self._disk.use(lambda writer: writer.lay_out())
        while True:
            answers = await self._witnesses.ask(note, self._disk.logs.tree("heads", head.size).hashes)
            signed = await self._disk.use(lambda writer: self._keep(writer, note, answers))  # noqa: B023 - awaited
            if isinstance(signed, Signed):
                return signed
            self.waiting_for = f"witnesses, who may know another log than this one: {signed}: docs/operate/archive.md"
            await asyncio.sleep(ASK_AGAIN_SECONDS)

    def _keep(self, writer: ArchiveWriter, note: Note, answers: Sequence[Answer]) -> Signed | str:
        """With what witnesses said now; one that is away may have said it before, of the same heads.

        Returns:
            Why it is not kept, when it is disputed.
        """
        lines = {line.split(" ")[1]: line for line in self._kept_lines(note)}
        lines |= {line.split(" ")[1]: line for answer in answers for line in answer.lines}
        data = str(note.with_lines(lines.values())).encode()
        seen = self._identity.policy.open(data)
        self._disputes.hear(note, answers)
        if why := self._disputes.stop(seen):
            return why
        writer.keep_checkpoint(data)
        return Signed(data, seen)

    def _kept_lines(self, note: Note) -> tuple[str, ...]:
        """Signatures under the checkpoint that is kept, if it says the same."""
        try:
            kept = Note.parse(self._disk.logs.checkpoint())
        except ArchiveError as error:
            if error.code != "entry-missing":
                raise
            return ()
        return kept.lines if kept.text == note.text else ()

    def _records(self, signed: Signed, now: float) -> list[Outgoing]:
        """What the topic gets: the checkpoint, and proofs if it counts."""
        checkpoint = signed.seen.checkpoint
        tree = self._disk.logs.tree("heads", checkpoint.size)
        path = tuple(inclusion_proof(checkpoint.size - 1, checkpoint.size, tree.hashes))
        heads = bytes(self._disk.logs.heads(checkpoint))
        said = Outgoing(encode(PublishedCheckpoint(signed.note, heads, path)), CHECKPOINT_KEY)
        return [said, *(self._proofs.due(checkpoint.size, now) if signed.seen.witnessed else ())]


def _own(writer: ArchiveWriter) -> Own:
    return Own(writer.head.size, lambda size: writer.root_at(HEADS_LOG, size))
