"""A synthetic journal in a real archive's folder, with a checkpoint by a log and a witness, time-stamped if wanted."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.archive.layout import Kept, TakenRecord
from exchange.archive.renewals import Renewals
from exchange.archive.tokens import Tokens
from exchange.archive.writer import ArchiveWriter
from exchange.domain.decision import Decided, Journalled
from exchange.domain.ids import digest
from exchange.domain.statement import commitment_digest, concerned
from exchange.embedded.time_authority import TimeAuthority
from exchange.journal.facts import JournalRecord
from exchange.security.timestamps import Imprint, query
from exchange.security.timestamps.renewal import next_chain
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Note, Signer
from exchange.wire.records import decode, decode_statement, kind_of
from tests.journal.synthetic import SyntheticJournal


@dataclass(frozen=True)
class Filed:
    """An archive in a folder that takes what its journal says."""

    journal: SyntheticJournal
    folder: Path
    time: int = 1_772_355_700

    @property
    def log(self) -> Signer:
        """The log's key."""
        name = f"exchange/{self.journal.world.directory.exchange.hex()}"
        return Signer(name, Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))

    @property
    def witness(self) -> Signer:
        """A witness's key."""
        return Signer("witness.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32))

    @property
    def policy(self) -> str:
        """Whose word about the log counts."""
        return f"log {self.log.verifier}\nwitness one {self.witness.verifier}\nquorum one\n"

    def take(self, authority: TimeAuthority | None = None) -> int:
        """Take what the journal has more than the archive; the size of the log of heads, whose checkpoint is signed."""
        with ArchiveWriter(self.folder, self.journal.world.journal_partitions) as writer:
            known = {partition: -1 if at is None else at.offset for partition, at in writer.positions.items()}
            new = [each for each in self.journal.records if each.position.offset > known[each.position.partition]]
            writer.take([_taken(each) for each in new])
            writer.add_heads(self.time)
            head = writer.head
            text = str(Checkpoint(self.log.name, head.size, head.root))
            note = str(Note(text, (self.log.sign(text), self.witness.sign(text, self.time + 1)))).encode()
            writer.keep_checkpoint(note)
        if authority is not None:
            Tokens(self.folder).keep(note, authority.reply(query(Imprint.of(note), 7)))
        return head.size

    def renew(self, authority: TimeAuthority) -> None:
        """Have all time-stamps taken into a batch, whose evidence records there are from then on."""
        renewals = Renewals(self.folder)
        batch = renewals.begin(renewals.kept.sizes())
        batch.keep(authority.reply(query(next_chain(batch.digests, [], "sha256"), 8)), begins_chain=True)


def _taken(record: JournalRecord) -> TakenRecord:
    carried = decode(Journalled, record.value)
    place, about, said = record.position, None, None
    if kind_of(carried.entry) is Decided:
        statement = decode(Decided, carried.entry).statement
        said = digest(statement)
        about = concerned(decode_statement(statement), said)
    return TakenRecord(
        place.partition,
        place.offset,
        digest(record.value),
        record.journalled,
        carried.entry,
        about=about,
        statement=said,
        contents=tuple(Kept(commitment_digest(content), content, not content.salt) for content in carried.contents),
    )
