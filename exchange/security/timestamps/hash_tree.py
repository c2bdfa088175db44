"""Hash trees of RFC 4998, 4.2 and 4.3: many objects under one time-stamp.

Binary ones: a node is the digest of its two children, the smaller first; one that is left over goes up as it is.
"""

import hashlib
from collections.abc import Sequence

Reduced = tuple[tuple[bytes, ...], ...]
"""What leads from a leaf to the root: the leaf with its sibling, then the sibling of each node above."""


class HashTree:
    """A tree over leaves, at least one."""

    def __init__(self, leaves: Sequence[bytes], algorithm: str) -> None:
        """Compute all nodes, by a digest that `hashlib` knows by this name."""
        self.leaves = tuple(leaves)
        self._levels = [list(leaves)]
        while len(level := self._levels[-1]) > 1:
            pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
            self._levels.append([node(pair, algorithm) if len(pair) > 1 else pair[0] for pair in pairs])

    @property
    def root(self) -> bytes:
        """What is stamped."""
        return self._levels[-1][0]

    def reduced(self, index: int) -> Reduced:
        """The way of the leaf at `index`; empty for the only one."""
        lists: list[tuple[bytes, ...]] = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                pair = sorted((level[index], level[sibling]))
                lists.append((level[sibling],) if lists else tuple(pair))
            index //= 2
        return tuple(lists)


def node(values: Sequence[bytes], algorithm: str) -> bytes:
    """The digest of some nodes, in the order of their bytes."""
    return hashlib.new(algorithm, b"".join(sorted(values))).digest()


def root_of(leaf: bytes, reduced: Reduced, algorithm: str) -> bytes:
    """Where a leaf's way leads (RFC 4998, 4.3).

    Raises:
        ValueError: the way does not begin with the leaf, or has a list that says nothing.
    """
    if not reduced:
        return leaf
    if leaf not in reduced[0]:
        message = "it is of other objects"
        raise ValueError(message)
    above: tuple[bytes, ...] = ()
    for values in reduced:
        together = (*values, *above)
        if len(together) < 2:
            message = "a list of its hash tree has one hash only"
            raise ValueError(message)
        above = (node(together, algorithm),)
    return above[0]
