"""A piece of a log, read and checked by itself: what is done in several processes at once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

from exchange.domain.delivery import Position
from exchange.domain.errors import ExchangeError
from exchange.domain.statement import Command
from exchange.journal.commands import deletion_order
from exchange.journal.findings import FindingCode
from exchange.journal.links import Link
from exchange.journal.single import Checked, Deleted, Entries
from exchange.services.audit.findings import TreeCode, Wrong
from exchange.services.audit.ports import Log, entries_between, journal_log
from exchange.tlog.merkle import fold, leaf_hash, node_hash
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, TiledTree

PIECE_ENTRIES = 2 * WIDTH


@dataclass(frozen=True, slots=True)
class Piece:
    """Entries of a partition's log.

    Attributes:
        partition: whose.
        first: index of the first.
        last: index behind the last; they are within two bundles.
        size: of the log, as the tiles are read.
    """

    partition: int
    first: int
    last: int
    size: int


@dataclass(slots=True)
class Outcome:
    """What came of a piece.

    Attributes:
        hashes: of its leaves, as the tree has them.
        links: for the chains.
        wrong: what was found.
    """

    piece: Piece
    hashes: list[bytes] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    unjudged: int = 0
    kept: int = 0
    deleted: int = 0


ORDERS = 1024


class Orders:
    """Deletions that the log orders; the log itself verifies who did."""

    def __init__(self, log: Log) -> None:
        """Nothing is read yet."""
        self._ordered = lru_cache(ORDERS)(partial(_ordered, log))

    def hold(self, item: Deleted, about: bytes) -> bool:
        """Whether the entry that is said to order it does: of that letter, or of whole months."""
        command = self._ordered(item.partition, item.index)
        return command is not None and command.letter in {None, about}


def _ordered(log: Log, partition: int, index: int) -> Command | None:
    try:
        return deletion_order(log.entry(journal_log(partition), index))
    except ExchangeError:
        return None


@dataclass(frozen=True, slots=True)
class Material:
    """What pieces are checked with, in one process."""

    log: Log
    entries: Entries
    orders: Orders


OpenMaterial = Callable[[], Material]
"""Opens it in whichever process it is called."""


def file_of(log: str, index: int, size: int, level: int = ENTRIES) -> str:
    """Path under the archive's folder of the bundle, or tile of the leaves, that an entry is in."""
    tile = index // WIDTH
    return f"log/{log}/{Tile(level, tile, min(WIDTH, size - tile * WIDTH)).path}"


def check_piece(material: Material, piece: Piece) -> Outcome:
    """Read a piece, compare it with its tiles, check every entry."""
    name = journal_log(piece.partition)
    outcome = Outcome(piece)
    tree = material.log.tree(name, piece.size)
    at = piece.first
    while at < piece.last:
        end = min(piece.last, (at // WIDTH + 1) * WIDTH)
        _check_bundle(material, tree, at, end, outcome)
        at = end
    return outcome


def _check_bundle(material: Material, tree: TiledTree, first: int, last: int, outcome: Outcome) -> None:
    name, piece = journal_log(outcome.piece.partition), outcome.piece
    entries = _read(material, name, first, last, outcome)
    hashes = [*map(leaf_hash, entries)]
    for index, entry in enumerate(entries, first):
        checked = material.entries.check(Position(piece.partition, index), entry)
        _note(outcome, name, index, checked, material.orders)
    if len(entries) == WIDTH and _is_as_stored(tree, first, hashes):
        outcome.hashes += hashes
        return
    stored = _stored(tree, name, first, last, outcome)
    for index, (found, expected) in enumerate(zip(hashes, stored, strict=False), first):
        if found != expected:
            file = file_of(name, index, piece.size)
            outcome.wrong.append(Wrong(TreeCode.ENTRY_ALTERED, name, index, file, unlike_tile(name, index, piece.size)))
    outcome.hashes += stored or hashes
    if stored and last - first == WIDTH:
        _check_above(tree, name, first, stored, outcome)


def _is_as_stored(tree: TiledTree, first: int, hashes: list[bytes]) -> bool:
    """Whether a full bundle gives the tile of its leaves, and that what the tile above says: the usual case."""
    half = WIDTH // 2
    left, right = fold(hashes[:half]), fold(hashes[half:])
    try:
        stored = tree.hashes(7, first // half), tree.hashes(7, first // half + 1)
        return (left, right) == stored and node_hash(left, right) == tree.hashes(8, first // WIDTH)
    except ExchangeError:
        return False


def _read(material: Material, name: str, first: int, last: int, outcome: Outcome) -> list[bytes]:
    try:
        return [*entries_between(material.log, name, first, last, outcome.piece.size)]
    except ExchangeError as error:
        detail = f"{error.code}: {error}"
        file = file_of(name, first, outcome.piece.size)
        outcome.wrong.append(Wrong(TreeCode.FILE_UNREADABLE, name, first, file, detail))
        return []


def _stored(tree: TiledTree, name: str, first: int, last: int, outcome: Outcome) -> list[bytes]:
    """What the tile of the leaves says that they are: so an altered entry is found where it is."""
    try:
        return [tree.hashes(0, index) for index in range(first, last)]
    except ExchangeError as error:
        file = file_of(name, first, outcome.piece.size, level=0)
        outcome.wrong.append(Wrong(TreeCode.FILE_UNREADABLE, name, first, file, f"{error.code}: {error}"))
        return []


def _check_above(tree: TiledTree, name: str, first: int, stored: list[bytes], outcome: Outcome) -> None:
    try:
        above = tree.hashes(8, first // WIDTH)
    except ExchangeError:
        return  # the tiles above are looked at for themselves
    if above != fold(stored):
        file = file_of(name, first, outcome.piece.size, level=0)
        outcome.wrong.append(Wrong(TreeCode.TILE_ALTERED, name, first, file, "the tile above has another hash for it"))


def _note(outcome: Outcome, name: str, index: int, checked: Checked, orders: Orders) -> None:
    if checked.link is not None:
        outcome.links.append(checked.link)
        outcome.kinds[checked.kind] += 1
        if checked.kind not in {"basis", "tick"}:
            outcome.decisions[checked.reason] += 1
    outcome.unjudged += checked.unjudged
    outcome.kept += checked.kept
    outcome.deleted += len(checked.deleted)
    for item in checked.deleted:
        if not orders.hold(item, checked.about):
            detail = f"{item.commitment.hex()}: entry {item.index} of journal/{item.partition} orders no such deletion"
            outcome.wrong.append(wrong_at(TreeCode.CONTENTS_MISSING, name, index, outcome.piece.size, detail))
    if checked.missing:
        detail = ", ".join(commitment.hex() for commitment in checked.missing)
        outcome.wrong.append(wrong_at(TreeCode.CONTENTS_MISSING, name, index, outcome.piece.size, detail))
    for code, detail in checked.found:
        outcome.wrong.append(wrong_at(code, name, index, outcome.piece.size, detail))


def unlike_tile(log: str, index: int, size: int) -> str:
    """Of an entry whose hash is not the tile's; if the root differs too, it is the tile that was altered."""
    return f"{file_of(log, index, size, level=0)} has another hash of it"


def wrong_at(code: FindingCode | TreeCode, log: str, index: int, size: int, detail: str) -> Wrong:
    """Something wrong with an entry."""
    return Wrong(code, log, index, file_of(log, index, size), detail)
