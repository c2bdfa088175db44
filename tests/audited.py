"""An archive of a synthetic journal: what the archive's service makes of Kafka's, with keys that tests hold."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.archive.contents import Contents
from exchange.archive.index import Index
from exchange.archive.layout import Kept, Place, TakenRecord
from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.domain.decision import Basis, Decided, Journalled
from exchange.domain.delivery import Position
from exchange.domain.errors import WireError
from exchange.domain.ids import digest
from exchange.domain.statement import Content, Statement, commitment_digest, concerned
from exchange.journal.facts import JournalRecord
from exchange.services.audit.crew import check_here
from exchange.services.audit.findings import Verified
from exchange.services.audit.material import Opening
from exchange.services.audit.service import verify
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.policy import LogPolicy, parse_log_policy
from exchange.wire.records import decode, decode_statement, kind_of, read_head
from tests.journal.synthetic import SyntheticJournal

QUORUM = ("justice", "archive", "abroad")


@dataclass
class Keys:
    """The log's key and its witnesses', of which two are to cosign."""

    log: Signer
    witnesses: dict[str, Signer]

    @property
    def policy(self) -> LogPolicy:
        """As auditors have it."""
        return parse_log_policy(self.text)

    @property
    def text(self) -> str:
        """The policy as a file has it."""
        names = " ".join(self.witnesses)
        lines = [f"witness {name} {signer.verifier}" for name, signer in self.witnesses.items()]
        return "\n".join([f"log {self.log.verifier}", *lines, f"group all 2 {names}", "quorum all"])

    def checkpoint(self, checkpoint: Checkpoint, at: int, *witnesses: str) -> bytes:
        """Signed, and cosigned by these."""
        text = str(checkpoint)
        lines = [self.log.sign(text), *(self.witnesses[name].sign(text, at) for name in witnesses)]
        return str(Note(text, tuple(lines))).encode()


def make_keys(world_exchange: bytes) -> Keys:
    """Keys that are the same in every run."""

    def key(number: int) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)

    log = Signer(f"exchange/{world_exchange.hex()}", Kind.NOTE, key(1))
    return Keys(log, {name: Signer(f"{name}.example", Kind.COSIGNATURE, key(2 + at)) for at, name in enumerate(QUORUM)})


def taken(record: JournalRecord) -> TakenRecord:
    """A record of the journal as the archive takes it."""
    carried = decode(Journalled, record.value)
    kind, position = kind_of(carried.entry), record.position
    basics = (position.partition, position.offset, digest(record.value), record.journalled, carried.entry)
    if kind is Decided:
        decided = decode(Decided, carried.entry)
        head, said = read_head(decided.statement), digest(decided.statement)
        about = concerned(readable(decided.statement), said)
        contents = () if decided.decision.reason else kept(carried.contents)
        return TakenRecord(*basics, about, said, head.origin, head.number, contents)
    return TakenRecord(*basics, contents=kept(carried.contents) if kind is Basis else ())


def readable(statement: bytes) -> Statement | None:
    """A statement, if it is one."""
    try:
        return decode_statement(statement)
    except WireError:
        return None


def renumbered(records: Iterable[JournalRecord], ends: Counter[int]) -> list[JournalRecord]:
    """Records at growing offsets of their partitions, as Kafka has them in whatever order somebody wrote them."""
    made = []
    for record in records:
        partition = record.position.partition
        made.append(replace(record, position=Position(partition, ends[partition])))
        ends[partition] += 2
    return made


def kept(contents: Iterable[Content]) -> tuple[Kept, ...]:
    """Items under their commitments."""
    return tuple(Kept(commitment_digest(content), content, is_proof=not content.salt) for content in contents)


@dataclass
class Archived:
    """An archive in a folder, made of a journal's records, and its auditor."""

    folder: Path
    journal: SyntheticJournal
    keys: Keys = field(init=False)
    ends: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Nothing is archived yet."""
        self.keys = make_keys(self.journal.world.directory.exchange)

    def archive(self, records: Sequence[JournalRecord] | None = None, *witnesses: str, step: int = 7) -> bytes:
        """Archive records, a heads leaf behind every few of them; the newest checkpoint, cosigned by two."""
        world = self.journal.world
        chosen = renumbered(self.journal.records if records is None else records, self.ends)
        note = b""
        with ArchiveWriter(self.folder, world.journal_partitions) as writer:
            for start in range(0, len(chosen), step):
                part = chosen[start : start + step]
                writer.take([taken(record) for record in part])
                heads = writer.add_heads(int(part[-1].journalled.timestamp()) + 1)
                assert heads is not None
                at = Checkpoint(self.keys.log.name, writer.head.size, writer.head.root)
                note = self.keys.checkpoint(at, heads.time, *(witnesses or QUORUM[:2]))
                writer.keep_checkpoint(note)
        return note

    @property
    def reader(self) -> LogReader:
        """Its logs."""
        return LogReader(self.folder)

    @property
    def contents(self) -> Contents:
        """Its content store."""
        return Contents(self.folder)

    def places(self, letter: bytes) -> list[Place]:
        """Where everything about a letter is."""
        with Index(self.folder) as index:
            return index.places(letter)

    def place(self, statement: bytes) -> Place:
        """Where a statement's entry is."""
        with Index(self.folder) as index:
            return index.place_of(statement)

    def opening(self, *, with_contents: bool = True) -> Opening:
        """As an auditor opens it, who has a directory and a root file of their own."""
        world = self.journal.world
        return Opening(self.folder, world.published.folder, world.root, with_contents)

    def verified(self, since: datetime | None = None, until: datetime | None = None) -> Verified:
        """What an auditor finds."""
        opening = self.opening()
        return verify(opening, self.keys.policy, check_here(opening), since=since, until=until)
