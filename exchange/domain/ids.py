"""Identifiers: body codes, digests, lanes and partitions."""

import hashlib
import re
from functools import lru_cache

from exchange.domain.errors import ConfigurationError

DIGEST_BYTES = 32
ORIGIN_BYTES = 16
ZERO_DIGEST = bytes(DIGEST_BYTES)
SERVICE_PREFIX = "svc-"
EXCHANGE = f"{SERVICE_PREFIX}exchange"
"""Who speaks when the exchange itself refuses a letter; no body can have this code."""

_BODY_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def digest(data: bytes) -> bytes:
    """SHA-256 of `data`; of a statement it is the letter's id in the exchange (rule 1.2)."""
    return hashlib.sha256(data).digest()


def is_body_code(text: str) -> bool:
    """Whether `text` may name a body: 1-63 of `a-z 0-9 -`, never a service's prefix (section 8)."""
    return _BODY_CODE.fullmatch(text) is not None and not text.startswith(SERVICE_PREFIX)


def body_code(text: str) -> str:
    """Return `text` when it is a body code.

    Raises:
        ConfigurationError: `body-code-invalid`.
    """
    if not is_body_code(text):
        message = f"'{text[:80]}' is no body code: use 1-63 of a-z, 0-9 and '-', not starting with 'svc-'"
        raise ConfigurationError(message, code="body-code-invalid")
    return text


@lru_cache(maxsize=4096)
def lane_of(body: str, lanes: int) -> int:
    """Lane, and so submissions partition, of a body (rule 2.1): murmur2 as Kafka's Java client has it."""
    return (_murmur2(body.encode()) & 0x7FFFFFFF) % lanes


def journal_partition(letter: bytes, partitions: int) -> int:
    """Journal partition of everything about one letter: the digest's first 32 bits, modulo."""
    return int.from_bytes(letter[:4], "big") % partitions


def _murmur2(data: bytes) -> int:
    """32-bit MurmurHash2 with Kafka's seed (KafkaProducer, `Utils.murmur2`)."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    state = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for index in range(0, whole, 4):
        word = int.from_bytes(data[index : index + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        state = (state * multiplier & mask) ^ word
    if tail := data[whole:]:
        state = (state ^ int.from_bytes(tail, "little")) * multiplier & mask
    state = (state ^ (state >> 13)) * multiplier & mask
    return state ^ (state >> 15)
