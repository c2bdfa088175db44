"""An archive in memory over a synthetic journal: real trees, a real checkpoint, signed by the log and a witness."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.domain.decision import Decided, Journalled
from exchange.domain.ids import digest
from exchange.domain.statement import Content, commitment_digest, concerned
from exchange.services.evidence.gathering import Place, TimeStamp
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import inclusion_proof, leaf_hash, root
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.policy import LogPolicy, parse_log_policy
from exchange.tlog.proof import Path, Proof
from exchange.wire.records import decode, decode_statement, kind_of
from tests.journal.synthetic import SyntheticJournal
from tests.tlog.trees import tree_hashes


@dataclass
class MemoryArchive:
    """What an archive has taken of a journal; `time` is that of its only heads."""

    journal: SyntheticJournal
    time: int = 1_772_355_700
    stamps: list[TimeStamp] = field(default_factory=list)
    kept: dict[bytes, Content] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take all records."""
        name = f"exchange/{self.journal.world.directory.exchange.hex()}"
        self.log = Signer(name, Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
        self.witness = Signer(
            "witness.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
        )
        self.entries: defaultdict[int, list[bytes]] = defaultdict(list)
        self.about: defaultdict[bytes, list[Place]] = defaultdict(list)
        for record in self.journal.records:
            carried = decode(Journalled, record.value)
            place = Place(record.position.partition, len(self.entries[record.position.partition]))
            self.entries[place.partition].append(carried.entry)
            self.kept |= {commitment_digest(content): content for content in carried.contents}
            if kind_of(carried.entry) is Decided:
                said = decode(Decided, carried.entry).statement
                self.about[concerned(decode_statement(said), digest(said))].append(place)
        self.checkpoint = self._checkpoint()

    @property
    def policy_text(self) -> str:
        """Whose word about the log counts."""
        witness = f"witness one {self.witness.verifier}\n"
        return f"log {self.log.verifier}\n{witness}group all 1 one\nquorum all\n"

    @property
    def policy(self) -> LogPolicy:
        """The same, read."""
        return parse_log_policy(self.policy_text)

    def places(self, letter: bytes) -> Sequence[Place]:
        return self.about[letter]

    def entry(self, place: Place) -> bytes:
        return self.entries[place.partition][place.index]

    def proof(self, place: Place) -> Proof:
        leaves = self._leaves(place.partition)
        path = inclusion_proof(place.index, len(leaves), tree_hashes(leaves))
        return Proof(place.partition, Path(place.index, tuple(path)), self._heads(), Path(0, ()), self.checkpoint)

    def content(self, commitment: bytes) -> Content | None:
        return self.kept.get(commitment)

    def time_stamps(self) -> Sequence[TimeStamp]:
        return self.stamps

    def _leaves(self, partition: int) -> list[bytes]:
        return [leaf_hash(entry) for entry in self.entries[partition]]

    def _heads(self) -> Heads:
        partitions = range(self.journal.world.journal_partitions)
        leaves = [self._leaves(partition) for partition in partitions]
        return Heads(self.time, tuple(Head(len(each), root(len(each), tree_hashes(each))) for each in leaves))

    def _checkpoint(self) -> bytes:
        text = str(Checkpoint(self.log.name, 1, leaf_hash(bytes(self._heads()))))
        note = Note(text, (self.log.sign(text), self.witness.sign(text, self.time + 1)))
        return str(note).encode()
