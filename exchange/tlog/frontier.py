"""The right edge of a growing tree: enough of it to add leaves and to state its root (RFC 6962 section 2.1)."""

from collections.abc import Iterable

from exchange.tlog.merkle import EMPTY_ROOT, Hashes, node_hash


class Frontier:
    """A tree as the complete subtrees that it is made of, the largest first: a few hashes, whatever its size."""

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        """Go on from a tree of `size` leaves, whose complete subtrees these are.

        Raises:
            ValueError: a tree of that size has another number of them.
        """
        self.size = size
        self.subtrees = [*subtrees]
        if len(self.subtrees) != size.bit_count():
            message = f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(self.subtrees)}"
            raise ValueError(message)

    @classmethod
    def of(cls, size: int, hashes: Hashes) -> "Frontier":
        """Of a tree whose hashes are stored."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return cls(size, (hashes(level, (size >> level) - 1) for level in levels))

    def add(self, leaf: bytes) -> None:
        """The next leaf's hash."""
        joined, size = leaf, self.size
        while size & 1:
            joined, size = node_hash(self.subtrees.pop(), joined), size >> 1
        self.subtrees.append(joined)
        self.size += 1

    @property
    def root(self) -> bytes:
        """Of the tree so far."""
        if not self.subtrees:
            return EMPTY_ROOT
        found = self.subtrees[-1]
        for subtree in reversed(self.subtrees[:-1]):
            found = node_hash(subtree, found)
        return found
