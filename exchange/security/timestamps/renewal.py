"""Making evidence records of a batch of pairs, and what has to be stamped to renew them all at once (RFC 4998, 5).

A batch is some pairs of objects that share their time-stamps: one hash tree with the pairs side by side in it. Each
pair gets a record of its own, which is computed when somebody asks for it; kept are the objects and the tokens.
"""

from collections.abc import Callable, Sequence

from exchange.security.documents import ber
from exchange.security.timestamps.hash_tree import HashTree
from exchange.security.timestamps.record import ArchiveStamp, EvidenceRecord, encoded_chains, leaf
from exchange.security.timestamps.request import Imprint
from exchange.security.timestamps.response import read_token

Digests = Callable[[str], Sequence[bytes]]
"""Digests of all objects of a batch by an algorithm: of each pair the first, then the second."""
Tokens = Sequence[Sequence[bytes]]
"""Tokens of a batch, chain by chain, as the authority made them."""


def records(digests: Digests, tokens: Tokens) -> list[EvidenceRecord]:
    """Records of all pairs of a batch; nothing is verified.

    Raises:
        TimestampError: `timestamp-invalid`: a token is none.
    """
    made: list[EvidenceRecord] = []
    for chain in tokens:
        normal = [_normal(token) for token in chain]
        tree = _tree(digests, made, read_token(normal[0]).imprint.algorithm)
        later = tuple(map(ArchiveStamp, normal[1:]))
        count = len(tree.leaves) // 2
        chains = [(ArchiveStamp(normal[0], tree.reduced(2 * pair)), *later) for pair in range(count)]
        before = made or [EvidenceRecord(())] * count
        made = [EvidenceRecord((*record.chains, new)) for record, new in zip(before, chains, strict=True)]
    return made


def next_chain(digests: Digests, tokens: Tokens, algorithm: str) -> Imprint:
    """What is stamped to begin a batch, or to renew it by another digest."""
    return Imprint(algorithm, _tree(digests, records(digests, tokens), algorithm).root)


def next_stamp(tokens: Tokens) -> Imprint:
    """What is stamped to renew a batch while its digest is good: the last token, by the chain's digest.

    Raises:
        TimestampError: `timestamp-invalid`: that is none.
    """
    last = tokens[-1][-1]
    return Imprint.of(_normal(last), read_token(tokens[-1][0]).imprint.algorithm)


def _tree(digests: Digests, made: Sequence[EvidenceRecord], algorithm: str) -> HashTree:
    befores = [encoded_chains(record.chains) for record in made for _ in range(2)]
    found = digests(algorithm)
    return HashTree(
        [leaf(each, before, algorithm) for each, before in zip(found, befores or [b""] * len(found), strict=True)],
        algorithm,
    )


def _normal(token: bytes) -> bytes:
    """A token in DER: what a renewal is over."""
    return ber.der(ber.read(token))
