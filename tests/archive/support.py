"""Records for an archive, and who signs its checkpoints."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.archive.layout import LOGS, Kept, TakenRecord
from exchange.archive.writer import ArchiveWriter
from exchange.domain.statement import Content, commitment_digest
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Signer
from exchange.tlog.policy import LogPolicy

PARTITIONS = 2
SIGNER = Signer("exchange/aa", Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(32)))
POLICY = LogPolicy(SIGNER.verifier, (), {})
BEGAN = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)


def record(partition: int, number: int, *, with_content: bool = False) -> TakenRecord:
    """The number-th record of a partition: a letter, or each third one a receipt for the one before."""
    entry = hashlib.sha256(b"%d:%d" % (partition, number)).digest() * (1 + number % 3)
    said = statement(partition, number)
    kept = content(partition, number)
    return TakenRecord(
        partition=partition,
        offset=2 * number,
        digest=hashlib.sha256(entry).digest(),
        journalled=BEGAN + timedelta(seconds=number),
        entry=entry,
        about=statement(partition, number - 1) if number % 3 == 2 else said,
        statement=said,
        origin=bytes([partition]) * 16,
        number=number + 1,
        contents=(Kept(commitment_digest(kept), kept),) if with_content else (),
    )


def statement(partition: int, number: int) -> bytes:
    """Digest of a record's statement."""
    return hashlib.sha256(b"statement %d:%d" % (partition, number)).digest()


def content(partition: int, number: int) -> Content:
    """What a record may carry."""
    return Content(statement(partition, number), b"what people wrote, %d:%d" % (partition, number))


def records(count: int, *, content_each: int = 0) -> list[TakenRecord]:
    """Records in turns of all partitions; each so many-th with contents."""
    turns = ((at, *divmod(at, PARTITIONS)) for at in range(count))
    return [
        record(partition, number, with_content=content_each > 0 and at % content_each == 0)
        for at, number, partition in turns
    ]


def sign(writer: ArchiveWriter) -> bytes:
    """A checkpoint over all heads so far, as it is to be kept."""
    head = writer.head
    text = str(Checkpoint(SIGNER.name, head.size, head.root))
    return f"{text}\n{SIGNER.sign(text)}".encode()


def publish(writer: ArchiveWriter, now: int) -> None:
    """A leaf of heads, if any is due, and the checkpoint that it, or the one before, lacks."""
    writer.add_heads(now)
    if writer.unsigned is not None:
        writer.keep_checkpoint(sign(writer))


def take_rest(writer: ArchiveWriter, journal: Iterable[TakenRecord], *, step: int) -> None:
    """Take what a journal has behind the writer's positions, in batches."""
    rest = [each for each in journal if _is_behind(writer, each)]
    for at in range(0, len(rest), step):
        writer.take(rest[at : at + step])


def _is_behind(writer: ArchiveWriter, each: TakenRecord) -> bool:
    position = writer.positions[each.partition]
    return position is None or each.offset > position.offset


def files(folder: Path) -> dict[str, bytes]:
    """All files of all logs."""
    paths = sorted(path for path in (folder / LOGS).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def entries_of(journal: Sequence[TakenRecord], partition: int) -> list[bytes]:
    """Leaves of a partition's log."""
    return [each.entry for each in journal if each.partition == partition and each.entry is not None]
