"""Trees that are all in memory, read through tiles as those of an archive are."""

from collections.abc import Sequence

from exchange.tlog.merkle import Hashes, fold
from exchange.tlog.tiles import WIDTH, Tile, TiledTree


def tree_hashes(leaves: Sequence[bytes]) -> Hashes:
    """Hashes of a tree that is all in memory, for small ones."""
    return TiledTree(len(leaves), _Tiled(leaves).load).hashes


class _Tiled:
    """Tiles made of leaf hashes whenever they are asked for."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) >= WIDTH:
            whole = range(0, len(below) // WIDTH * WIDTH, WIDTH)
            self._levels.append([fold(below[start : start + WIDTH]) for start in whole])

    def load(self, tile: Tile) -> bytes:
        first = tile.index * WIDTH
        return b"".join(self._levels[tile.level][first : first + tile.width])
