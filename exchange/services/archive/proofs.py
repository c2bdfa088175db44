"""Which origins get a proof of their last statement, and when (rule 3.5); and which ones' proofs are taken away.

An origin that said nothing for `PROOFS_FOR` was closed or left. Its agent has long read the proof and keeps what it
came to; one that was away for all that time keeps its statements whole, and the next one covers those of an origin
that goes on. Else the proofs of all origins that ever were would be read by every agent that starts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from exchange.archive.index import Index, OriginHead
from exchange.archive.layout import HEADS
from exchange.archive.reading import LogReader
from exchange.bus.producer import Outgoing
from exchange.domain.checkpoint import OriginProof, origin_key
from exchange.services.archive.topic import Place
from exchange.tlog.heads import Heads
from exchange.wire.records import encode

PROOFS_FOR = timedelta(days=400)
"""From the heads over an origin's last statement; looked at when the archive starts."""
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
        self._ended: set[bytes] = set()
        """Origins whose proofs are to be taken away."""

    def begin(self, published: Mapping[bytes, Place], now: datetime) -> None:
        """Begin anew: everybody moved whose last statement is not what was published; by key of the topic.

        Raises:
            ArchiveError, LogRefused: the folder is not what was written to it.
        """
        heads = self._index.origin_heads()
        self._since = max((head.heads for head in heads), default=-1) + 1
        first = self._first_since(int((now - PROOFS_FOR).timestamp()))
        ended = {head.origin for head in heads if head.heads < first}
        self._ended = {origin for origin in ended if origin_key(origin) in published}
        unproven = (head for head in heads if published.get(origin_key(head.origin)) != (head.partition, head.index))
        self._moved = {head.origin: head for head in unproven if head.origin not in ended}
        self._sent = {}

    def _first_since(self, at: int) -> int:
        """The first leaf of the log of heads that is not older; as many as there are when all are."""
        low, high = 0, self._since
        while low < high:
            middle = (low + high) // 2
            if Heads.parse(self._logs.entry(HEADS, middle)).time < at:
                low = middle + 1
            else:
                high = middle
        return low

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
            self._ended.discard(head.origin)
        self._since = size
        self._sent = {origin: at for origin, at in self._sent.items() if now < at + PROOF_SECONDS}
        waiting = (head for origin, head in self._moved.items() if origin not in self._sent and head.heads < size)
        chosen = [head for head, _ in zip(waiting, range(AT_ONCE), strict=False)]
        records = [self._record(head) for head in chosen]
        for head in chosen:
            self._sent[head.origin] = now
            del self._moved[head.origin]
        gone = [self._ended.pop() for _ in range(min(AT_ONCE, len(self._ended)))]
        return [*records, *(Outgoing(None, origin_key(origin)) for origin in gone)]

    def _record(self, head: OriginHead) -> Outgoing:
        proof = self._logs.proof(head.partition, head.index)
        entry = self._logs.entry(f"journal/{head.partition}", head.index)
        return Outgoing(encode(OriginProof(entry, bytes(proof))), origin_key(head.origin))
