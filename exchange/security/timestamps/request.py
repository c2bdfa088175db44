"""What is asked of an authority (RFC 3161, 2.4.1)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from exchange.security.documents import ber
from exchange.security.documents.ber import Element
from exchange.security.documents.signed_data import algorithm
from exchange.security.timestamps.errors import TimestampError

_OIDS: Mapping[str, str] = MappingProxyType(
    {
        "sha256": "2.16.840.1.101.3.4.2.1",
        "sha384": "2.16.840.1.101.3.4.2.2",
        "sha512": "2.16.840.1.101.3.4.2.3",
    }
)
_NAMES = {oid: name for name, oid in _OIDS.items()}
_SHA_2 = bytes.fromhex("06096086480165030402")
"""Object identifier of these digests but for its last octet."""
_BOOLEAN, _INTEGER, _TRUE = 0x01, 0x02, b"\xff"


@dataclass(frozen=True, slots=True)
class Imprint:
    """What is stamped: a digest, and its algorithm by the name that `hashlib` has for it."""

    algorithm: str
    digest: bytes

    def __post_init__(self) -> None:
        """Refuse what is no digest of an algorithm that can be relied on.

        Raises:
            TimestampError: `timestamp-invalid`.
        """
        if self.algorithm not in _OIDS or len(self.digest) != hashlib.new(self.algorithm).digest_size:
            message = f"a time-stamp's digest is of {', '.join(_OIDS)}: found {len(self.digest)} bytes of another"
            raise TimestampError(message)

    @classmethod
    def of(cls, data: bytes, name: str = "sha256") -> Self:
        """Of some bytes, by `sha256`, `sha384` or `sha512`."""
        return cls(name, hashlib.new(name, data).digest())

    @property
    def encoded(self) -> bytes:
        """MessageImprint, DER; its algorithm is followed by NULL, as most authorities write it themselves."""
        return _sequence(encoded_algorithm(self.algorithm), ber.encode(ber.OCTET_STRING, self.digest))

    @classmethod
    def read(cls, element: Element) -> Self:
        """A MessageImprint.

        Raises:
            ValueError: it is none.
            TimestampError: `timestamp-invalid`: by another algorithm than ours.
        """
        kind, digest = ber.sequence(element)
        return cls(algorithm_of(kind), digest.octets())


def encoded_algorithm(name: str) -> bytes:
    """AlgorithmIdentifier of a digest, DER."""
    return _sequence(_SHA_2 + bytes((int(_OIDS[name].rpartition(".")[2]),)), b"\x05\x00")


def algorithm_of(element: Element) -> str:
    """Name of the digest that an AlgorithmIdentifier names; empty for any other than ours.

    Raises:
        ValueError: it is none.
    """
    return _NAMES.get(algorithm(element).oid, "")


def query(imprint: Imprint, nonce: int) -> bytes:
    """TimeStampReq that asks for the authority's certificates as well.

    Args:
        imprint: what is to be stamped.
        nonce: a random number that was not used before, 0 up to 64 bits; the answer repeats it.
    """
    number = ber.encode(_INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    return _sequence(ber.encode(_INTEGER, b"\x01"), imprint.encoded, number, ber.encode(_BOOLEAN, _TRUE))


def _sequence(*parts: bytes) -> bytes:
    return ber.encode(ber.SEQUENCE, b"".join(parts))
