"""From what a ledger gives out to what one Kafka transaction writes."""

from collections import Counter, defaultdict
from datetime import datetime

from exchange.bus.producer import Outgoing
from exchange.bus.topics import DEAD_LETTERS, JOURNAL, SEQUENCES, inbox
from exchange.bus.transactions import Writes
from exchange.domain.decision import Basis, DeadLetter, Journalled, LaneState, Notice, OriginState
from exchange.domain.ids import digest, journal_partition
from exchange.domain.origin import OriginKey
from exchange.domain.statement import Content
from exchange.domain.trace import Traces
from exchange.journal.ledger import Entry
from exchange.services.router.metrics import Outcome
from exchange.services.router.tracing import Decided
from exchange.wire.headers import cloud_event
from exchange.wire.records import decode, encode

ROUTER = "svc-router"


class Transaction:
    """The records of one transaction; `size` counts their value bytes, `statements` the entries."""

    def __init__(self, lane: int, journal_partitions: int, traces: Traces | None = None) -> None:
        """An empty transaction of a lane; `traces` is told of letters."""
        self.decided = Decided(traces)
        self._lane = lane
        self._journal_partitions = journal_partitions
        self._writes: defaultdict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        self.outcomes: Counter[Outcome] = Counter()
        self.size = 0
        self.statements = 0

    @property
    def writes(self) -> Writes:
        """By (topic, partition), in order."""
        return self._writes

    def add(self, taken: Entry | DeadLetter | None) -> None:
        """What a ledger made of one submission; None: it was held, and its origin will be told."""
        if isinstance(taken, Entry):
            self._entry(taken)
            self.outcomes["rejected" if taken.reason else "accepted", taken.reason or taken.kind] += 1
        elif taken is not None:
            self._dead(taken)
            self.outcomes["dead", taken.reason] += 1
        else:
            self.outcomes["held", ""] += 1

    def basis(self, entry: bytes, contents: tuple[Content, ...], now: datetime) -> None:
        """The ground that the following decisions name."""
        about = decode(Basis, entry).directory_digest
        headers = cloud_event("basis", ROUTER, digest(entry), now)
        self._journal(about, encode(Journalled(entry, contents)), headers)

    def tick(self, partition: int, entry: bytes, now: datetime) -> None:
        """How far the lane has come, for the readers of one journal partition."""
        headers = cloud_event("tick", ROUTER, digest(entry), now)
        self._add(JOURNAL, partition, Outgoing(encode(Journalled(entry, ())), None, headers))

    def notice(self, body: str, notice: Notice) -> None:
        """Tell an origin where it stands, in its body's inbox."""
        value = encode(notice)
        headers = cloud_event("notice", ROUTER, digest(value), notice.at)
        self._add(inbox(body), 0, Outgoing(value, notice.origin.hex().encode(), headers))

    def state(self, lane: LaneState, origins: dict[OriginKey, OriginState]) -> None:
        """What a successor goes on from."""
        for key, state in origins.items():
            self._add(SEQUENCES, self._lane, Outgoing(encode(state), origin_key_bytes(key), []))
        self._add(SEQUENCES, self._lane, Outgoing(encode(lane), lane_key_bytes(self._lane), []))

    def _entry(self, entry: Entry) -> None:
        """The same bytes to the journal and to each inbox: recipients hold the log's leaf itself."""
        value = encode(Journalled(entry.entry, entry.contents))
        headers = cloud_event(entry.kind, entry.body, entry.digest, entry.created, entry.traceparent)
        self._journal(entry.about, encode(Journalled(entry.entry, ())) if entry.withheld else value, headers)
        copy = Outgoing(value, (entry.conversation or entry.about.hex()).encode(), headers)
        for body in entry.inboxes:
            self._add(inbox(body), 0, copy)
        self.statements += 1

    def _dead(self, dead: DeadLetter) -> None:
        """Keep coordinates, reason and a sample of bytes that moved nothing."""
        headers = cloud_event("dead-letter", ROUTER, dead.digest, dead.arrived)
        self._add(DEAD_LETTERS, 0, Outgoing(encode(dead), None, headers))
        self.statements += 1

    def _journal(self, about: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        partition = journal_partition(about, self._journal_partitions)
        self._add(JOURNAL, partition, Outgoing(value, about, headers))

    def _add(self, topic: str, partition: int, record: Outgoing) -> None:
        self._writes[topic, partition].append(record)
        self.size += len(record.value or b"")


def lane_key_bytes(lane: int) -> bytes:
    """Key of a lane's own state in `exchange.sequences`; no body code starts with '@'."""
    return f"@{lane}".encode()


def origin_key_bytes(key: OriginKey) -> bytes:
    """Key of an origin's state in `exchange.sequences`: `<body>/<origin hex>`."""
    body, origin = key
    return f"{body}/{origin.hex()}".encode()


def read_state(lane: int, state: dict[bytes, bytes]) -> tuple[LaneState, dict[OriginKey, OriginState]]:
    """The lane's and its origins' state from what `Lane.arm` read."""
    own = lane_key_bytes(lane)
    origins = {}
    for key, value in state.items():
        if key != own:
            body, _, origin = key.decode().partition("/")
            origins[body, bytes.fromhex(origin)] = decode(OriginState, value)
    return (decode(LaneState, state[own]) if own in state else LaneState()), origins
