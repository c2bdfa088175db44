"""The right edge of a tree: the same roots as the whole tree, from wherever it is taken up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.tlog.frontier import Frontier
from exchange.tlog.merkle import leaf_hash, root
from tests.tlog.trees import tree_hashes

LEAVES = [leaf_hash(b"%d" % number) for number in range(600)]
HASHES = tree_hashes(LEAVES)


@given(st.integers(0, 600), st.integers(0, 600))
def test_roots(first: int, last: int) -> None:
    """At every size, begun from nothing or out of what is stored."""
    begun = Frontier.of(first, HASHES)
    assert begun.root == root(first, HASHES)
    for leaf in LEAVES[first:last]:
        begun.add(leaf)
    assert begun.root == root(max(first, last), HASHES)
    assert Frontier(begun.size, begun.subtrees).root == begun.root


def test_what_is_no_frontier() -> None:
    """A tree of a size has so many complete subtrees and no other number."""
    with pytest.raises(ValueError, match="has 2 complete subtrees, not 1"):
        Frontier(3, [bytes(32)])
