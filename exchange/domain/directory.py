"""The directory of bodies as a value: who they are, which certificates speak for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BodyStatus(StrEnum):
    """How far a body is on its way into the exchange, and out of it."""

    PLANNED = "planned"
    REQUESTED = "requested"
    APPROVED = "approved"
    TESTING = "testing"
    CONNECTED = "connected"
    SUSPENDED = "suspended"
    LEFT = "left"


class CertificateUse(StrEnum):
    """What a certificate is for; one key never serves two uses (rule 1.4)."""

    STATEMENT = "statement"
    TRANSPORT = "transport"
    ENCRYPTION = "encryption"


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """A certificate that the directory lists; `revoked` is when it ceased to speak for the body."""

    der: bytes
    use: CertificateUse
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """A body's name in the three languages."""

    ky: str
    ru: str
    en: str


@dataclass(frozen=True, slots=True)
class Body:
    """One state body.

    Attributes:
        code: its code, its Kafka principal and the name of its inbox.
        uids: identifiers by which EDMS formats address it (MEDO uid, GOST UID).
        soate: 14 digits, empty for central bodies.
        inbound_origin: the origin whose agent owns the inbox (rule 2.7), None until told.
    """

    code: str
    names: Names
    kind: str
    status: BodyStatus
    uids: tuple[str, ...] = ()
    soate: str = ""
    certificates: tuple[ListedCertificate, ...] = ()
    inbound_origin: bytes | None = None

    @property
    def reachable(self) -> bool:
        """Whether it may send and be written to, and so has an inbox, rights and certificates in use."""
        return self.status is BodyStatus.CONNECTED or self.status is BodyStatus.TESTING


@dataclass(frozen=True, slots=True)
class Directory:
    """One version of the directory.

    Attributes:
        exchange: SHA-256 of the first trust root (32 bytes).
        version: grows by one with every change.
        digest: SHA-256 of the signed file's bytes, what decisions name.
        previous: digest of the version before, zeros for the first.
        lanes: partitions of submissions, fixed at installation (rule 5.2).
        journal_partitions: partitions of the journal, fixed at installation (rule 5.2).
        bodies: by code.
    """

    exchange: bytes
    version: int
    digest: bytes
    previous: bytes
    issued: datetime
    lanes: int
    journal_partitions: int
    bodies: Mapping[str, Body]

    def by_uid(self) -> dict[str, str]:
        """Body codes by the identifiers that EDMS formats use."""
        return {uid: body.code for body in self.bodies.values() for uid in body.uids}
