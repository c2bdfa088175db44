"""What lies where in the archive's folder, and the values that pass its doors.

archive.sqlite              what is not yet in full tiles, positions, what finds entries; the truth at a start
log/heads/checkpoint        newest signed checkpoint of the log of heads
log/heads/tile/…            tiles and bundles of the log of heads (C2SP tlog-tiles)
log/journal/<n>/tile/…      the same of each partition's log
log/journal/<n>/place/…     beside each full bundle: where its entries stood in Kafka, and when
index/<level>-<number>      what finds an entry by a digest, sorted; derived
contents/<month>.sqlite     contents by commitment
contents/proofs.sqlite      what proves the directory's versions and policies, by digest
tokens/<size>.checkpoint    checkpoints that were stamped, and .tsr: the time-stamps
disputes/                   what witnesses said against the log; nothing is ever read from it
tmp/                        files that are being written; emptied at each start

Under an address the same paths name the same bytes, but for three, which stand for what lies in databases:

proofs/<digest>             a file that proves a version of the directory, a policy, or a revocation list
letters/<digest>            where the log has entries about a letter (JSON)
tokens/sizes                which checkpoints are stamped (JSON)
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exchange.domain.statement import Content
from exchange.tlog.tiles import WIDTH, Tile

DATABASE = "archive.sqlite"
LOCK = "archive.lock"
TEMPORARY = "tmp"
LOGS = "log"
INDEX = "index"
CONTENTS = "contents"
DISPUTES = "disputes"
HEADS = "heads"
CHECKPOINT = "checkpoint"
TOKENS = "tokens"
PROOFS = "proofs"
"""Stands for a month where what no retention takes is kept."""
HEADS_LOG = -1
"""Number of the log of heads where logs have numbers."""
ENTRY_BYTES = 65_535
"""No bundle holds a longer entry."""
KEY_BYTES = 16
"""Of a digest, as far as places keep it."""
NO_KEY = bytes(KEY_BYTES)
"""Of what there is none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
PLACE = struct.Struct(f">QQ{KEY_BYTES}s{KEY_BYTES}s")
"""Offset, microseconds since 1970, beginnings of two digests: what the entry is about, and its statement."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a partition of the journal was taken: the last record's offset and SHA-256 of its value."""

    offset: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """One item to keep in the content store.

    Attributes:
        is_proof: whether it proves a version of the directory or a policy (rule 5.3): no retention takes that away.
    """

    commitment: bytes
    content: Content
    is_proof: bool = False


@dataclass(frozen=True, slots=True)
class TakenRecord:
    """A record of the journal as the archive takes it.

    Attributes:
        partition: of the journal.
        offset: in it.
        digest: SHA-256 of the record's value.
        journalled: the broker's `LogAppendTime`.
        entry: the log's leaf; None for a value that is no record of the journal: only the position moves.
        about: digest of the letter that it concerns (`domain.statement.concerned`), None for entries about none.
        statement: digest of the entry's statement, None for entries without one.
        origin: 16 bytes of the statement's origin, None for entries without one, and for those that moved no number.
        number: the statement's in its origin.
        contents: items to keep.
    """

    partition: int
    offset: int
    digest: bytes
    journalled: datetime
    entry: bytes | None
    about: bytes | None = None
    statement: bytes | None = None
    origin: bytes | None = None
    number: int = 0
    contents: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is: in its partition's log, and in Kafka; `journalled` is the broker's time."""

    partition: int
    index: int
    offset: int
    journalled: datetime


def log_name(number: int) -> str:
    """A log's name under `log/`."""
    return HEADS if number == HEADS_LOG else f"journal/{number}"


def tile_file(log: str, tile: Tile) -> str:
    """A tile's path in the archive's folder."""
    return f"{LOGS}/{log}/{tile.path}"


def place_file(log: str, bundle: int) -> str:
    """Path of what stands beside a full bundle."""
    return f"{LOGS}/{log}/{Tile(0, bundle).path.replace('tile/0', 'place', 1)}"


def proof_file(digest: bytes) -> str:
    """Where a file that proves the directory or a policy is served, by its SHA-256."""
    return f"{PROOFS}/{digest.hex()}"


def letter_file(letter: bytes) -> str:
    """Where it is served which entries are about a letter, by the letter's digest."""
    return f"letters/{letter.hex()}"


def token_file(size: int, kind: str) -> str:
    """Path of a `checkpoint` that was stamped, or of its time-stamp, `tsr`; names sort as sizes."""
    return f"{TOKENS}/{size:020}.{kind}"


CHECKPOINT_FILE = f"{LOGS}/{HEADS}/{CHECKPOINT}"
STAMPED_FILE = f"{TOKENS}/sizes"
CHECKPOINT_SECONDS = 2
"""How long what still grows may be kept by who fetched it."""


def cache_rule(path: str) -> str:
    """What a cache may do with what is served under a path (RFC 9111); the same wherever it is served from.

    All but three kinds never change. What tells who wrote to whom is kept by who asked for it alone.
    """
    if path in {CHECKPOINT_FILE, STAMPED_FILE}:
        return f"public, max-age={CHECKPOINT_SECONDS}"
    if path.startswith("letters/"):
        return "no-store"
    names_bodies = path.startswith(f"{LOGS}/journal/") and "/tile/entries/" in path
    return f"{'private' if names_bodies else 'public'}, max-age=31536000, immutable"


def pack_place(record: TakenRecord) -> bytes:
    """What is kept of a record beside its entry."""
    micros = (record.journalled - _EPOCH) // _MICROSECOND
    about, statement = record.about or b"", record.statement or b""
    return PLACE.pack(record.offset, micros, about[:KEY_BYTES], statement[:KEY_BYTES])


def unpack_place(partition: int, index: int, data: bytes) -> tuple[Place, bytes, bytes]:
    """A place, with the beginnings of what it is about and of its statement's digest."""
    offset, micros, about, statement = PLACE.unpack(data)
    return Place(partition, index, offset, _EPOCH + micros * _MICROSECOND), about, statement


def seal_places(packed: bytes) -> bytes:
    """A file of a full bundle's places: SHA-256 of them behind them."""
    return packed + hashlib.sha256(packed).digest()


def are_sealed(data: bytes) -> bool:
    """Whether a file of places is what was written."""
    packed = data[: WIDTH * PLACE.size]
    return seal_places(packed) == data and len(packed) == WIDTH * PLACE.size


def month_of(at: datetime) -> str:
    """Name of a time's month, UTC."""
    return at.astimezone(UTC).isoformat()[:7]


def contents_file(folder: Path, month: str) -> Path:
    """A month's file."""
    return folder / f"{month}.sqlite"
