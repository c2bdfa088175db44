"""What the archive says in `exchange.checkpoints`: how far the transparency log is, and what it proves (rule 3.5).

Under the key `checkpoint` stands the newest `PublishedCheckpoint`, under an active origin's 32 hexadecimal digits the
newest `OriginProof` of it. The texts are those of ADR 0018; whoever reads them believes the keys of his own policy.
"""

from dataclasses import dataclass

CHECKPOINT_KEY = b"checkpoint"


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """The newest checkpoint, with what it says of each partition's log.

    Attributes:
        note: signed checkpoint of the log of heads, with the cosignatures that came in time.
        heads: last entry of that log, which names each partition's size and root.
        path: inclusion of that entry under the checkpoint, hashes of 32 bytes from the leaf up.
    """

    note: bytes
    heads: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class OriginProof:
    """That an origin's last statement, and by its chain every one before, is in the log.

    Attributes:
        entry: the journal's entry of the statement.
        proof: its way up to a checkpoint, an `exchange-proof/v1`.
    """

    entry: bytes
    proof: bytes


def origin_key(origin: bytes) -> bytes:
    """The key under which an origin's proof stands; origins are 16 bytes, so it is never `CHECKPOINT_KEY`."""
    return origin.hex().encode()
