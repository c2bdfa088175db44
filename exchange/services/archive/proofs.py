"""Which origins get a proof of their last statement, and when (rule 3.5)."""

from collections.abc import Mapping

from exchange.archive.index import Index, OriginHead
from exchange.archive.reading import LogReader
from exchange.bus.producer import Outgoing
from exchange.domain.checkpoint import OriginProof, origin_key
from exchange.services.archive.topic import Place
from exchange.wire.records import encode

PROOF_SECONDS = 60.0
"""An origin gets a proof at most so often: agents keep what they sent for weeks."""
AT_ONCE = 100


class OriginProofs:
    """Proofs for the origins that moved. Not for several threads at once."""

    def __init__(self, index: Index, logs: LogReader) -> None:
        """Nobody moved yet.

        Args:
            index: of the archive's folder, open.
            logs: its logs.
        """
        self._index = index
        self._logs = logs
        self._since = 0
        self._moved: dict[bytes, OriginHead] = {}
        self._sent: dict[bytes, float] = {}

    def begin(self, published: Mapping[bytes, Place]) -> None:
        """Begin anew: everybody moved whose last statement is not what was published; by key of the topic."""
        heads = self._index.origin_heads()
        self._since = max((head.heads for head in heads), default=-1) + 1
        unproven = (head for head in heads if published.get(origin_key(head.origin)) != (head.partition, head.index))
        self._moved = {head.origin: head for head in unproven}
        self._sent = {}

    def due(self, size: int, now: float) -> list[Outgoing]:
        """Proofs under the newest checkpoint, which must count as witnessed: an agent believes no other.

        Args:
            size: of that checkpoint.
            now: seconds that only grow.

        Raises:
            ArchiveError, LogRefused: the folder is not what was written to it.
        """
        for head in self._index.origin_heads(self._since):
            self._moved[head.origin] = head
        self._since = size
        self._sent = {origin: at for origin, at in self._sent.items() if now < at + PROOF_SECONDS}
        waiting = (head for origin, head in self._moved.items() if origin not in self._sent and head.heads < size)
        chosen = [head for head, _ in zip(waiting, range(AT_ONCE), strict=False)]
        records = [self._record(head) for head in chosen]
        for head in chosen:
            self._sent[head.origin] = now
            del self._moved[head.origin]
        return records

    def _record(self, head: OriginHead) -> Outgoing:
        proof = self._logs.proof(head.partition, head.index)
        entry = self._logs.entry(f"journal/{head.partition}", head.index)
        return Outgoing(encode(OriginProof(entry, bytes(proof))), origin_key(head.origin))
