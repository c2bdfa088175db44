"""From a record of the journal to the log's leaf, what finds it again, and the contents to keep. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from exchange.archive.layout import ENTRY_BYTES, Kept, TakenRecord
from exchange.bus.records import PoisonedBatch
from exchange.domain.decision import Basis, Decided, Journalled, Tick, Verdict
from exchange.domain.errors import WireError
from exchange.domain.ids import digest
from exchange.domain.statement import Content, Letter, Receipt, Statement, commitment_digest, concerned
from exchange.services.reading import Taken
from exchange.wire.records import decode, decode_statement, kind_of, read_head


@dataclass(frozen=True, slots=True)
class Stray:
    """A value in the journal's topic that is no record of the journal, and so no leaf."""

    partition: int
    offset: int
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What is taken at once.

    Attributes:
        records: in the order of each partition; one without an entry moves the position alone.
        strays: those without an entry.
    """

    records: Sequence[TakenRecord]
    strays: Sequence[Stray]


def batch_of(taken: Iterable[Taken]) -> Batch:
    """What records say, and which of them say nothing."""
    records, strays = [], []
    for each in taken:
        try:
            records.append(_record(each))
        except WireError as error:
            strays.append(Stray(each.partition, each.offset, str(error)))
            position = each.position
            records.append(TakenRecord(each.partition, position.offset, position.digest, each.timestamp, None))
    return Batch(records, strays)


def _record(taken: Taken) -> TakenRecord:
    if isinstance(taken, PoisonedBatch):
        raise WireError(f"a batch that was not unpacked: {taken.reason}"[:200])
    carried = decode(Journalled, taken.value or b"")
    if len(carried.entry) > ENTRY_BYTES:
        raise WireError(f"an entry of {len(carried.entry)} bytes: no bundle holds more than {ENTRY_BYTES}")
    kind, position = kind_of(carried.entry), taken.position
    about = said = origin = None
    number = 0
    kept: tuple[Kept, ...] = ()
    if kind is Basis:
        decode(Basis, carried.entry)
        kept = _kept(carried.contents)
    elif kind is Tick:
        decode(Tick, carried.entry)
    else:
        decided = decode(Decided, carried.entry)
        statement = _statement(decided.statement)
        head = read_head(decided.statement) if statement is None else statement.head
        said, origin, number = digest(decided.statement), head.origin, head.number
        about = concerned(statement, said)
        if decided.decision.verdict is Verdict.ACCEPTED and isinstance(statement, Letter | Receipt):
            kept = _kept(carried.contents, {commitment.digest for commitment in statement.contents})
    return TakenRecord(
        taken.partition,
        position.offset,
        position.digest,
        taken.timestamp,
        carried.entry,
        about=about,
        statement=said,
        origin=origin,
        number=number,
        contents=kept,
    )


def _statement(data: bytes) -> Statement | None:
    """The statement; None for one that was refused because nobody here can read it (rule 1.8)."""
    try:
        return decode_statement(data)
    except WireError:
        return None


def _kept(contents: tuple[Content, ...], promised: Collection[bytes] | None = None) -> tuple[Kept, ...]:
    """What came of what was promised; of a basis, which promises nothing, everything.

    Items by reference lie in the exchange's own store, deleted ones nowhere; what a redrive carries is in an entry of
    this journal already.
    """
    named = ((commitment_digest(content), content) for content in contents)
    return tuple(
        Kept(name, content, promised is None) for name, content in named if promised is None or name in promised
    )
