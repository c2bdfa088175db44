"""Statements and their commitments (rule 1.5)."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.statement import Commitment, Content, Form, Signed, commit, commitment_digest

SALTS = st.binary(min_size=32, max_size=32)


@given(SALTS, st.binary())
def test_a_commitment_is_the_hash_of_salt_and_bytes(salt: bytes, data: bytes) -> None:
    """Commitment = SHA-256(salt ‖ bytes), with the size of the bytes and the type."""
    promised = commit(Content(salt, data), "application/pdf")
    digest = hashlib.sha256(salt + data).digest()
    assert promised == Commitment(digest, len(data), "application/pdf", Form.INLINE)


@given(SALTS, SALTS, st.binary())
def test_equal_bytes_cannot_be_recognised(salt: bytes, other: bytes, data: bytes) -> None:
    """Two commitments to the same bytes are equal only under the same salt."""
    same = commitment_digest(Content(salt, data)) == commitment_digest(Content(other, data))
    assert same is (salt == other)


def test_what_is_committed_to_travels_inline() -> None:
    """Nobody seals yet, or sends by reference."""
    assert commit(Content(bytes(32), b"x"), "text/plain").form is Form.INLINE


def test_the_letters_id_is_the_digest_of_the_statement_alone() -> None:
    """Rule 1.2: neither signature nor contents change the id."""
    one = Signed(b"statement", b"signature", ())
    two = Signed(b"statement", b"another", (Content(b"", b"more"),))
    assert one.digest == two.digest == hashlib.sha256(b"statement").digest()
