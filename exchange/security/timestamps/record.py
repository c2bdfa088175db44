"""Evidence records (RFC 4998): that objects existed at a time, over the lives of certificates and digests.

A record is a sequence of chains. A chain begins with a time-stamp over a hash tree with the objects in it; each further
one in it is over the one before, made while that still held. The next chain begins with a hash tree by another
digest, over the objects and all chains before. Written in DER; read as others may have written it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Self

from exchange.security.documents import ber
from exchange.security.documents.ber import Element
from exchange.security.timestamps.errors import TimestampError
from exchange.security.timestamps.hash_tree import Reduced, root_of
from exchange.security.timestamps.request import Imprint, algorithm_of, encoded_algorithm
from exchange.security.timestamps.response import read_token
from exchange.security.timestamps.verify import Authorities, Stamp

RECORD_BYTES = 1024 * 1024
RENEWALS = 256
"""Time-stamps in one record."""
_INTEGER, _ALGORITHM, _ATTRIBUTES, _REDUCED = 0x02, 0xA0, 0xA1, 0xA2


class RecordInvalid(TimestampError):
    """Bytes that are no evidence record, or one that proves nothing."""

    code = "evidence-record-invalid"


@dataclass(frozen=True, slots=True)
class ArchiveStamp:
    """A time-stamp of a record.

    Attributes:
        token: CMS ContentInfo, DER.
        reduced: from an object to what is stamped; empty where the token is over the one before.
        hints: what others write before, DER: the digest, which is the token's own, and attributes.
    """

    token: bytes
    reduced: Reduced = ()
    hints: bytes = b""

    @property
    def encoded(self) -> bytes:
        """ArchiveTimeStamp, DER."""
        lists = b"".join(
            ber.encode(ber.SEQUENCE, b"".join(ber.encode(ber.OCTET_STRING, each) for each in values))
            for values in self.reduced
        )
        reduced = ber.encode(_REDUCED, lists) if self.reduced else b""
        return ber.encode(ber.SEQUENCE, self.hints + reduced + self.token)

    @classmethod
    def read(cls, element: Element) -> Self:
        """An ArchiveTimeStamp.

        Raises:
            ValueError: it is none.
            TimestampError: `timestamp-invalid`; `evidence-record-invalid`: its digest is not its token's.
        """
        *optional, token = ber.sequence(element)
        parts, der = {part.tag: part for part in optional}, ber.der(token)
        if [part.tag for part in optional] != [tag for tag in (_ALGORITHM, _ATTRIBUTES, _REDUCED) if tag in parts]:
            message = "something unknown before a time-stamp"
            raise ValueError(message)
        hints = b"".join(ber.der(parts[tag]) for tag in (_ALGORITHM, _ATTRIBUTES) if tag in parts)
        lists = parts[_REDUCED].children() if _REDUCED in parts else ()
        reduced = tuple(tuple(each.octets() for each in ber.sequence(values)) for values in lists)
        named = parts.get(_ALGORITHM)
        if named is not None:
            identifier = Element(ber.SEQUENCE, named.content, named.written)
            if algorithm_of(identifier) != read_token(der).imprint.algorithm:
                raise _invalid("a time-stamp is by another digest than its hash tree")
        return cls(der, reduced, hints)


Chain = tuple[ArchiveStamp, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a record that holds says.

    Attributes:
        since: its objects existed by then.
        until: the record has to be renewed before.
        stamps: all its time-stamps.
    """

    since: datetime
    until: datetime
    stamps: tuple[Stamp, ...]


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """A record: chains of time-stamps, the oldest first."""

    chains: tuple[Chain, ...]

    @property
    def encoded(self) -> bytes:
        """EvidenceRecord, DER."""
        names = dict.fromkeys(read_token(chain[0].token).imprint.algorithm for chain in self.chains)
        algorithms = ber.encode(ber.SEQUENCE, b"".join(map(encoded_algorithm, names)))
        version = ber.encode(_INTEGER, b"\x01")
        return ber.encode(ber.SEQUENCE, version + algorithms + encoded_chains(self.chains))

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read a record; what it says of algorithms at its top is not needed, and hints about encryption have no place.

        Raises:
            RecordInvalid: `evidence-record-invalid`; `timestamp-invalid`: a token in it is none.
        """
        if len(data) > RECORD_BYTES:
            raise _invalid(f"{len(data)} bytes where {RECORD_BYTES} are the most")
        try:
            version, _algorithms, sequence = ber.sequence(ber.read(data))
            found = tuple(
                tuple(ArchiveStamp.read(stamp) for stamp in ber.sequence(chain)) for chain in ber.sequence(sequence)
            )
        except (ValueError, IndexError) as error:
            raise _invalid(f"no evidence record: {error}") from None
        if version.content != b"\x01" or not found or not all(found) or sum(map(len, found)) > RENEWALS:
            raise _invalid(f"a record is of version 1 and has 1 to {RENEWALS} time-stamps")
        return cls(found)

    def verify(self, objects: Sequence[bytes], authorities: Authorities, now: datetime) -> Evidence:
        """Check that the record is of some objects, each of them (RFC 4998, 4.3 and 5.3).

        1. Each chain begins with a hash tree that has each object, from the second chain on with all chains before.
        2. Each further time-stamp of a chain is over the one before, by the same digest.
        3. Each time-stamp holds as of its time, and was made while the one before it still held.
        4. The last one holds now.

        Args:
            objects: at least one.
            authorities: who is trusted, or was.
            now: as of when the last time-stamp has to hold.

        Raises:
            RecordInvalid: `evidence-record-invalid`; `timestamp-invalid`.
        """
        stamps: list[Stamp] = []
        for number, chain in enumerate(self.chains):
            before = encoded_chains(self.chains[:number]) if number else b""
            stamps += _verified(chain, objects, before, authorities)
        for earlier, later in pairwise(stamps):
            if not earlier.token.at <= later.token.at <= earlier.until:
                raise _invalid(f"the time-stamp of {earlier.token.at:%Y-%m-%d} was renewed when it no longer held")
        if not stamps[-1].token.at <= now <= stamps[-1].until:
            raise _invalid(f"its last time-stamp held until {stamps[-1].until:%Y-%m-%d}, and nobody renewed it")
        return Evidence(stamps[0].token.at, stamps[-1].until, tuple(stamps))


def encoded_chains(chains: Sequence[Chain]) -> bytes:
    """ArchiveTimeStampSequence, DER: what a new chain is over beside the objects."""
    parts = (ber.encode(ber.SEQUENCE, b"".join(stamp.encoded for stamp in chain)) for chain in chains)
    return ber.encode(ber.SEQUENCE, b"".join(parts))


def leaf(digest: bytes, before: bytes, algorithm: str) -> bytes:
    """An object in a chain's hash tree (RFC 4998, 5.2): its digest, with that of all chains before if there are any."""
    if not before:
        return digest
    return hashlib.new(algorithm, digest + hashlib.new(algorithm, before).digest()).digest()


def _verified(chain: Chain, objects: Sequence[bytes], before: bytes, authorities: Authorities) -> list[Stamp]:
    name = read_token(chain[0].token).imprint.algorithm
    leaves = [leaf(hashlib.new(name, data).digest(), before, name) for data in objects]
    stamps = []
    for stamp in chain:
        try:
            roots = {root_of(each, stamp.reduced, name) for each in leaves}
        except ValueError as error:
            raise _invalid(str(error)) from None
        if len(roots) != 1:
            raise _invalid("it is of other objects")
        stamps.append(authorities.verify(stamp.token, Imprint(name, *roots)))
        leaves = [Imprint.of(stamp.token, name).digest]
    return stamps


def _invalid(what: str) -> RecordInvalid:
    return RecordInvalid(f"the evidence record does not hold: {what}: take it again from the archive")
