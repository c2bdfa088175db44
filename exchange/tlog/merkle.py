"""Merkle trees (RFC 6962 section 2.1): roots and proofs out of stored hashes, and what proofs prove.

A tree is read through `Hashes`: the hash of the complete subtree of 2**level leaves that is the index-th of its level.
What is stored for a tree of one size serves all smaller ones, since complete subtrees never change.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from exchange.tlog.errors import LogRefused

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of a tree without leaves."""
PROOF_HASHES = 63
"""No proof of a tree below 2**62 leaves has more."""

Hashes = Callable[[int, int], bytes]
"""(level, index) -> hash of that complete subtree."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a node above two others."""
    return sha256(b"\1" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash of the complete subtree above 2**n hashes."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\1" + left + right).digest() for left, right in pairs]
    return hashes[0]


def root(size: int, hashes: Hashes) -> bytes:
    """Root of the tree of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range_hash(0, size, hashes)


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """That the leaf `index` is in the tree of `size` leaves (RFC 6962 section 2.1.1), from the leaf up.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        message = f"no leaf {index} in a tree of {size}"
        raise ValueError(message)
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, hashes))
            high = middle
        else:
            path.append(_range_hash(low, middle, hashes))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of that of `new` (RFC 6962 section 2.1.2).

    Empty where nothing needs proof: `old` is 0, or both are the same.

    Raises:
        ValueError: the new tree is the smaller one.
    """
    if not 0 <= old <= new:
        message = f"a tree of {old} is no beginning of one of {new}"
        raise ValueError(message)
    if old in {0, new}:
        return []
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_hash(middle, high, hashes))
            high = middle
        else:
            path.append(_range_hash(low, middle, hashes))
            low, whole = middle, False
    if not whole:
        path.append(_range_hash(low, high, hashes))
    return path[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which a leaf's hash and its path lead; whose root that is decides what it proves.

    Raises:
        LogRefused: `proof-invalid`: the path is not as long as that leaf's in a tree of that size.
    """
    if not 0 <= index < size:
        message = f"there is no entry {index} in a tree of {size}: compare the proof with its checkpoint"
        raise LogRefused(message, code="proof-invalid")
    found, at, last, above = leaf, index, size - 1, iter(path)
    while last:
        if at % 2 == 1:
            found = node_hash(_next(above), found)
        elif at < last:
            found = node_hash(found, _next(above))
        at, last = at >> 1, last >> 1
    _require_end(above)
    return found


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Look whether a proof shows that one tree is the beginning of another (RFC 9162 section 2.1.4.2).

    Raises:
        LogRefused: `log-inconsistent`: it does not, and no other proof can if the roots are what was signed;
            `proof-invalid`: it has not the length that it must have.
    """
    if old > new:
        message = f"the tree went back from {old} to {new} entries"
        raise LogRefused(message, code="log-inconsistent")
    above = iter(path)
    if old in {0, new}:
        _require_end(above)
        if old == new and old_root != new_root:
            message = f"two roots of {old} entries: the log shows different ones"
            raise LogRefused(message, code="log-inconsistent")
        return
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    first = old_root if not at and _is_power(old) else _next(above)
    before = after = first
    while last:
        if at % 2 == 1:
            beside = _next(above)
            before, after = node_hash(beside, before), node_hash(beside, after)
        elif at < last:
            after = node_hash(after, _next(above))
        at, last = at >> 1, last >> 1
    _require_end(above)
    if before != old_root or after != new_root:
        message = f"the first {old} of {new} entries are not those that were there before"
        raise LogRefused(message, code="log-inconsistent")


def _range_hash(low: int, high: int, hashes: Hashes) -> bytes:
    """Of the leaves from `low` to before `high`, a range as the recursion of RFC 6962 makes it."""
    found = b""
    for level, index in reversed([*_complete(low, high)]):
        subtree = hashes(level, index)
        found = node_hash(subtree, found) if found else subtree
    return found


def _complete(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees that a range is made of, from the left, the largest first."""
    while low < high:
        level = (high - low).bit_length() - 1
        yield level, low >> level
        low += 1 << level


def _split(number: int) -> int:
    """The largest power of two below a number."""
    return 1 << ((number - 1).bit_length() - 1)


def _is_power(number: int) -> bool:
    return number & (number - 1) == 0


def _next(path: Iterator[bytes]) -> bytes:
    found = next(path, None)
    if found is None:
        message = "the proof is too short: take it again from the archive"
        raise LogRefused(message, code="proof-invalid")
    return found


def _require_end(path: Iterator[bytes]) -> None:
    if next(path, None) is not None:
        message = "the proof is too long: take it again from the archive"
        raise LogRefused(message, code="proof-invalid")
