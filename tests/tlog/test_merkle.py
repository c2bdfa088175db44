"""Trees and proofs against RFC 6962's own recursion, for every size and pair of small trees."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    root_by_inclusion,
    verify_consistency,
)
from tests.tlog.trees import tree_hashes

LEAVES = [leaf_hash(b"%d" % number) for number in range(600)]
HASHES = tree_hashes(LEAVES)
SIZES = st.integers(0, len(LEAVES))


def slow_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as section 2.1 writes it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + slow_root(leaves[:split]) + slow_root(leaves[split:])).digest()


@given(SIZES)
def test_the_root_is_that_of_the_recursion(size: int) -> None:
    """Read through tiles of the whole tree."""
    assert root(size, HASHES) == slow_root(LEAVES[:size])


def test_known_answers() -> None:
    """The empty tree, one leaf, two."""
    assert root(0, HASHES) == EMPTY_ROOT
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(2, HASHES) == sha256(b"\1" + LEAVES[0] + LEAVES[1]).digest()


@given(st.integers(1, len(LEAVES)), st.data())
def test_inclusion_is_proven(size: int, data: st.DataObject) -> None:
    """Of every leaf, and of no other leaf, place or size."""
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, HASHES)
    assert root_by_inclusion(LEAVES[index], index, size, path) == root(size, HASHES)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert _leads_to(LEAVES[index], other, size, path) != root(size, HASHES)
        assert _leads_to(LEAVES[other], index, size, path) != root(size, HASHES)


def _leads_to(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    try:
        return root_by_inclusion(leaf, index, size, path)
    except LogRefused:
        return None


@given(SIZES, SIZES)
def test_consistency_is_proven(one: int, other: int) -> None:
    """Of every beginning; not of a tree with another leaf in it."""
    old, new = sorted((one, other))
    path = consistency_proof(old, new, HASHES)
    verify_consistency(old, root(old, HASHES), new, root(new, HASHES), path)
    if old:
        forged = tree_hashes([leaf_hash(b"forged"), *LEAVES[1:]])
        with pytest.raises(LogRefused):
            verify_consistency(old, root(old, forged), new, root(new, HASHES), path)


@given(st.integers(2, len(LEAVES)), st.data())
def test_a_proof_has_one_length(size: int, data: st.DataObject) -> None:
    """One hash more or less is refused, whatever it is."""
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    inclusion, consistency = inclusion_proof(index, size, HASHES), consistency_proof(old, size, HASHES)
    for path in (inclusion[:-1], [*inclusion, LEAVES[0]]):
        with pytest.raises(LogRefused, match="proof is too"):
            root_by_inclusion(LEAVES[index], index, size, path)
    for path in (consistency[:-1], [*consistency, LEAVES[0]]):
        with pytest.raises(LogRefused, match="proof is too"):
            verify_consistency(old, root(old, HASHES), size, root(size, HASHES), path)


def test_a_log_that_went_back_is_inconsistent() -> None:
    """As is one with two roots of a size."""
    with pytest.raises(LogRefused, match="went back") as refused:
        verify_consistency(3, root(3, HASHES), 2, root(2, HASHES), [])
    assert refused.value.code == "log-inconsistent"
    with pytest.raises(LogRefused, match="two roots"):
        verify_consistency(3, root(3, HASHES), 3, root(2, HASHES), [])


def test_nothing_is_proven_of_what_is_not_there() -> None:
    """A caller's mistake is one."""
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(5, 5, HASHES)
    with pytest.raises(ValueError, match="no beginning"):
        consistency_proof(6, 5, HASHES)
    with pytest.raises(LogRefused, match="no entry"):
        root_by_inclusion(LEAVES[5], 5, 5, [])
