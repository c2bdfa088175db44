"""Tiles: names, which there are, and that what is read from them is the tree."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import leaf_hash, root
from exchange.tlog.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TiledTree,
    bundle,
    entries_of,
    tiles_added,
    tiles_of,
    width_at,
)
from tests.tlog.trees import tree_hashes


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(ENTRIES, 999, 112), "tile/entries/999.p/112"),
        (Tile(ENTRIES, 1000), "tile/entries/x001/000"),
    ],
)
def test_names_are_those_of_the_specification(tile: Tile, path: str) -> None:
    """Its own examples among them."""
    assert tile.path == path


def test_the_specification_s_tree_of_70000() -> None:
    """273 full tiles and one of 112; one full and one of 17 above; one of 1 on top."""
    assert [tile.path for tile in tiles_of(70_000)] == [
        "tile/entries/273.p/112",
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [tile.path for tile in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tiles_of(0)) == []
    assert [width_at(70_000, 0, index) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]


def test_what_a_tree_that_grew_has_more() -> None:
    """The last ones if they were partial, and all behind; nothing twice, nothing when it did not grow."""
    assert [tile.path for tile in tiles_added(255, 513)] == [
        *("tile/entries/000", "tile/entries/001", "tile/entries/002.p/1"),
        *("tile/0/000", "tile/0/001", "tile/0/002.p/1"),
        "tile/1/000.p/2",
    ]
    assert [tile.path for tile in tiles_added(512, 513)] == ["tile/entries/002.p/1", "tile/0/002.p/1"]
    assert list(tiles_added(70_000, 70_000)) == []
    sizes = [0, 1, 255, 256, 257, 65_535, 65_536, 70_000]
    grown = {tile for before, size in pairwise(sizes) for tile in tiles_added(before, size) if tile.width == WIDTH}
    assert grown == {tile for tile in tiles_added(0, 70_000) if tile.width == WIDTH}
    assert {tile for tile in tiles_of(70_000) if tile.width < WIDTH} <= set(tiles_added(65_535, 70_000))


def test_a_tree_of_three_levels_is_read_from_its_tiles() -> None:
    """Each tile asked for exists in the tree of that size, and has its width."""
    leaves = [leaf_hash(b"%d" % number) for number in range(66_000)]
    whole = tree_hashes(leaves)
    asked: list[Tile] = []

    def load(tile: Tile) -> bytes:
        """From the tree in memory."""
        asked.append(tile)
        level = 8 * tile.level
        return b"".join(whole(level, tile.index * 256 + at) for at in range(tile.width))

    size = 65_999
    assert root(size, TiledTree(size, load).hashes) == root(size, whole)
    assert {tile.path for tile in asked} <= {tile.path for tile in tiles_of(size)} | {
        f"tile/0/{number}" for number in range(256)
    }


def test_a_torn_tile_is_named() -> None:
    """Whatever it was cut to."""
    with pytest.raises(LogRefused, match=r"tile/0/000\.p/3 has 95 bytes, not 96") as refused:
        root(3, TiledTree(3, lambda _: bytes(95)).hashes)
    assert refused.value.code == "tile-invalid"


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_come_back(entries: list[bytes]) -> None:
    """Whole, and only whole."""
    data = bundle(entries)
    assert entries_of(data, len(entries)) == entries
    with pytest.raises(LogRefused):
        entries_of(data, len(entries) + 1)


@given(st.binary(max_size=200), st.integers(0, 10))
def test_any_bytes_are_read_or_refused(data: bytes, width: int) -> None:
    """With one error, and never as something that is written otherwise."""
    try:
        assert bundle(entries_of(data, width)) == data
    except LogRefused as error:
        assert error.code == "tile-invalid"
