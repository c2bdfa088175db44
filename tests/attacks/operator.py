"""What an operator can do who has brokers, routers, the archive's disk and the log's key, but no body's key."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exchange.domain.decision import Basis, Decided, Journalled, Place, Tick
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.journal.facts import JournalRecord
from exchange.services.audit.crew import check_here
from exchange.services.audit.findings import Verified
from exchange.services.audit.ports import HEADS
from exchange.services.audit.service import verify
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head
from exchange.tlog.merkle import EMPTY_ROOT, consistency_proof
from exchange.tlog.note import Note
from exchange.tlog.tiles import ENTRIES, Tile
from exchange.tlog.witness import AddCheckpoint, Verdict, judge
from exchange.wire.records import decode, encode, kind_of
from tests.audited import Archived
from tests.journal.synthetic import with_value


def rechained(records: Sequence[JournalRecord]) -> list[JournalRecord]:
    """The lanes' chains made whole again: decisions bear nobody's signature."""
    lanes: dict[int, tuple[int, bytes]] = {}
    made = []
    for record in records:
        carried = decode(Journalled, record.value)
        entry = _placed(carried.entry, lanes)
        made.append(with_value(record, encode(Journalled(entry, carried.contents))))
    return made


def _placed(entry: bytes, lanes: dict[int, tuple[int, bytes]]) -> bytes:
    kind = kind_of(entry)
    if kind is Decided:
        decided = decode(Decided, entry)
        place = _next(decided.decision.place.lane, lanes)
        made = encode(dataclasses.replace(decided, decision=dataclasses.replace(decided.decision, place=place)))
    else:
        said = decode(Tick, entry) if kind is Tick else decode(Basis, entry)
        place = _next(said.place.lane, lanes)
        made = encode(dataclasses.replace(said, place=place))
    lanes[place.lane] = (place.number, digest(made))
    return made


def _next(lane: int, lanes: dict[int, tuple[int, bytes]]) -> Place:
    number, previous = lanes.get(lane, (0, ZERO_DIGEST))
    return Place(lane, number + 1, previous)


@dataclass
class Auditor:
    """Verifies an archive again and again, and remembers how far it came."""

    state: Path

    def verify(self, archived: Archived) -> Verified:
        """What is found now."""
        opening = archived.opening()
        return verify(opening, archived.keys.policy, check_here(opening), state=self.state)


@dataclass
class WitnessOf:
    """What a witness remembers of a log: the rule of tlog-witness, without its process."""

    head: Head = field(default_factory=lambda: Head(0, EMPTY_ROOT))
    refused: list[Verdict] = field(default_factory=list)

    def ask(self, archived: Archived, note: bytes) -> bool:
        """Whether it cosigns; the operator proves as well as the archive lets them."""
        parsed = Note.parse(note)
        new = Checkpoint.parse(parsed.text)
        known, old = self.head, self.head.size
        proof: tuple[bytes, ...] = ()
        if old <= new.size:
            proof = tuple(consistency_proof(old, new.size, archived.reader.tree(HEADS, new.size).hashes))
        verdict = judge(known, AddCheckpoint(old, proof, parsed), new)
        if verdict is not Verdict.COSIGN:
            self.refused.append(verdict)
            return False
        self.head = Head(new.size, new.root)
        return True


def first_file(archived: Archived, log: str, level: int = ENTRIES) -> Path:
    """A small log's one bundle, or its tile of a level, under the newest checkpoint."""
    return archived.folder / "log" / log / Tile(level, 0, archived.reader.size(log)).path


def flip(file: Path, at: int) -> None:
    """Alter one bit of a file."""
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
