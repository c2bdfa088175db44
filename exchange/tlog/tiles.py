"""Tiles and entry bundles (C2SP tlog-tiles): which files a tree of a size consists of, and how it is read from them.

A tile holds up to 256 hashes of one level in eight; a bundle the up to 256 entries under a tile of level 0. Full ones
never change; the last one of a level may be partial, under a name with its width.
"""

import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import HASH_BYTES, fold

WIDTH = 256
"""Hashes of a full tile, entries of a full bundle."""
ENTRIES = -1
"""Level of bundles."""
_HEIGHT = 8
_KEPT = 64
_LENGTH = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's name.

    Attributes:
        level: 0 above the leaves, `ENTRIES` for a bundle.
        index: from 0 within its level.
        width: hashes or entries in it, 1 to 256.
    """

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Under the log's prefix, as `tile/0/x001/234.p/17`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = f"{self.index:03}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        return f"tile/{level}/{name}" + ("" if self.width == WIDTH else f".p/{self.width}")


Load = Callable[[Tile], bytes]
"""Bytes of a tile; raises what its place raises when it is not there."""


def tiles_of(size: int) -> Iterator[Tile]:
    """The last tile of each level of a tree: together with all full ones before them they are the tree."""
    for level, number in _levels(size):
        full, width = divmod(number, WIDTH)
        if width:
            yield Tile(level, full, width)
        elif full:
            yield Tile(level, full - 1)


def tiles_added(before: int, size: int) -> Iterator[Tile]:
    """Tiles and bundles of a tree that it had not when it was smaller, at `before`; bundles first."""
    for level, number in _levels(size):
        for index in range(_hashes(before, level) // WIDTH, -(-number // WIDTH)):
            tile = Tile(level, index, width_at(size, level, index))
            if tile.width != width_at(before, level, index):
                yield tile


def width_at(size: int, level: int, index: int) -> int:
    """How many hashes of a tile there are in a tree of `size` leaves; 0: there is no such tile."""
    return max(0, min(WIDTH, _hashes(size, level) - index * WIDTH))


class TiledTree:
    """The hashes of a tree, read from its tiles; `hashes` fits wherever `merkle.Hashes` is wanted. Not for threads."""

    def __init__(self, size: int, load: Load) -> None:
        """Nothing is read yet.

        Args:
            size: leaves of the tree.
            load: where tiles come from.
        """
        self._size = size
        self._load = load
        self._kept: OrderedDict[Tile, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """Leaves of the tree."""
        return self._size

    def hashes(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree.

        Raises:
            LogRefused: `tile-invalid`.
        """
        tier, inner = divmod(level, _HEIGHT)
        first = index << inner
        tile, at = divmod(first, WIDTH)
        data = self._tile(Tile(tier, tile, width_at(self._size, tier, tile)))
        chosen = data[at * HASH_BYTES : (at + (1 << inner)) * HASH_BYTES]
        if len(chosen) != HASH_BYTES << inner:
            message = f"no subtree {index} of level {level} in a tree of {self._size}: ask within the tree"
            raise LogRefused(message, code="tile-invalid")
        return fold([chosen[start : start + HASH_BYTES] for start in range(0, len(chosen), HASH_BYTES)])

    def _tile(self, tile: Tile) -> bytes:
        data = self._kept.get(tile)
        if data is None:
            data = self._load(tile)
            if len(data) != tile.width * HASH_BYTES:
                message = f"{tile.path} has {len(data)} bytes, not {tile.width * HASH_BYTES}: it is torn or altered"
                raise LogRefused(message, code="tile-invalid")
            self._kept[tile] = data
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(tile)
        return data


def bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry behind its length, 16 bits."""
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def entries_of(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        LogRefused: `tile-invalid`.
    """
    entries, at = [], 0
    while at < len(data):
        begin = at + _LENGTH.size
        (length,) = _LENGTH.unpack(data[at:begin]) if begin <= len(data) else (0,)
        at = begin + length
        entries.append(data[begin:at])
    if at != len(data) or len(entries) != width:
        message = f"the bundle does not hold {width} whole entries: it is torn or altered"
        raise LogRefused(message, code="tile-invalid")
    return entries


def _hashes(size: int, level: int) -> int:
    """How many hashes a level has, or entries."""
    return size if level == ENTRIES else size >> (_HEIGHT * level)


def _levels(size: int) -> Iterator[tuple[int, int]]:
    """Each level that a tree has, with how many hashes it has there; bundles first."""
    yield ENTRIES, size
    level = 0
    while size:
        yield level, size
        size >>= _HEIGHT
        level += 1
