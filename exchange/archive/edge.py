"""The right edge of a log: what of it is not yet in full tiles, and the hashes that its root needs. In memory only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from exchange.archive.layout import PLACE
from exchange.tlog.merkle import HASH_BYTES, fold, root
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, TiledTree, bundle

_TILE_BYTES = WIDTH * HASH_BYTES


@dataclass(slots=True)
class _Tier:
    """Hashes of one level in eight, from the `first`-th of that level on; `first` begins a tile."""

    first: int = 0
    hashes: bytearray = field(default_factory=bytearray)

    def end(self) -> int:
        return self.first + len(self.hashes) // HASH_BYTES


class Edge:
    """A log from `filed` on, which is a multiple of 256, up to `size`.

    Tiles of upper tiers begin where the last full one of theirs was filed.
    """

    def __init__(self, filed: int = 0, tiers: Sequence[bytes] = ()) -> None:
        """As it was when the last full bundle was filed.

        Args:
            filed: entries in full bundles.
            tiers: of each tier from the first above the leaves' on, the hashes of its partial tile.
        """
        self.filed = filed
        self.entries: list[bytes] = []
        self.places = bytearray()
        self._tiers = [_Tier(filed)]
        for number, hashes in enumerate(tiers, 1):
            count = filed >> 8 * number
            self._tiers.append(_Tier(count // WIDTH * WIDTH, bytearray(hashes)))

    @property
    def size(self) -> int:
        """Entries of the log."""
        return self.filed + len(self.entries)

    def append(self, entries: Sequence[bytes], hashes: Sequence[bytes], places: bytes) -> None:
        """Add entries with their leaf hashes, and places, if the log has places."""
        self.entries += entries
        self.places += places
        self._extend(0, b"".join(hashes))

    def _extend(self, number: int, hashes: bytes) -> None:
        if number == len(self._tiers):
            self._tiers.append(_Tier())
        tier = self._tiers[number]
        done = tier.end() // WIDTH
        tier.hashes += hashes
        above = b"".join(self._folded(tier, index) for index in range(done, tier.end() // WIDTH))
        if above:
            self._extend(number + 1, above)

    @staticmethod
    def _folded(tier: _Tier, index: int) -> bytes:
        start = (index * WIDTH - tier.first) * HASH_BYTES
        data = bytes(tier.hashes[start : start + _TILE_BYTES])
        return fold([data[at : at + HASH_BYTES] for at in range(0, _TILE_BYTES, HASH_BYTES)])

    def tile(self, tile: Tile) -> bytes:
        """A tile or bundle; empty if not all of it is here."""
        if tile.level == ENTRIES:
            start = tile.index * WIDTH - self.filed
            chosen = self.entries[start : start + tile.width] if start >= 0 else []
            return bundle(chosen) if len(chosen) == tile.width else b""
        if tile.level >= len(self._tiers):
            return b""
        tier = self._tiers[tile.level]
        start = (tile.index * WIDTH - tier.first) * HASH_BYTES
        data = bytes(tier.hashes[start : start + tile.width * HASH_BYTES]) if start >= 0 else b""
        return data if len(data) == tile.width * HASH_BYTES else b""

    def root(self) -> bytes:
        """Root of the whole log: its subtrees all lie in what is here."""
        return root(self.size, TiledTree(self.size, self.tile).hashes)

    def full(self) -> list[Tile]:
        """Full bundles and tiles that are here, the leaves' first."""
        bundles = [Tile(ENTRIES, index) for index in range(self.filed // WIDTH, self.size // WIDTH)]
        tiles = [
            Tile(level, index)
            for level, tier in enumerate(self._tiers)
            for index in range(tier.first // WIDTH, tier.end() // WIDTH)
        ]
        return bundles + tiles

    def leaves(self, first: int) -> bytes:
        """Leaf hashes from an entry on."""
        return bytes(self._tiers[0].hashes[(first - self.filed) * HASH_BYTES :])

    def places_of(self, index: int) -> bytes:
        """Places of a full bundle; empty if the log has none."""
        start = (index * WIDTH - self.filed) * PLACE.size
        return bytes(self.places[start : start + WIDTH * PLACE.size])

    def forget_full(self) -> None:
        """Full bundles and tiles are in files now."""
        count = len(self.entries) // WIDTH * WIDTH
        del self.entries[:count]
        del self.places[: count * PLACE.size]
        self.filed += count
        for tier in self._tiers:
            tiles = len(tier.hashes) // _TILE_BYTES
            del tier.hashes[: tiles * _TILE_BYTES]
            tier.first += tiles * WIDTH


def leaf_hashes(entries: Sequence[bytes]) -> list[bytes]:
    """Of many leaves (RFC 6962), without a call for each."""
    return [sha256(b"\0" + entry).digest() for entry in entries]
