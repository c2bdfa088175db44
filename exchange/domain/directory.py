"""The directory of bodies as a value: who they are, which certificates speak for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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


MOVES: Mapping[BodyStatus, frozenset[BodyStatus]] = {
    BodyStatus.PLANNED: frozenset({BodyStatus.REQUESTED, BodyStatus.APPROVED, BodyStatus.TESTING, BodyStatus.LEFT}),
    BodyStatus.REQUESTED: frozenset({BodyStatus.PLANNED, BodyStatus.APPROVED, BodyStatus.TESTING, BodyStatus.LEFT}),
    BodyStatus.APPROVED: frozenset({BodyStatus.TESTING, BodyStatus.LEFT}),
    BodyStatus.TESTING: frozenset({BodyStatus.CONNECTED, BodyStatus.SUSPENDED, BodyStatus.LEFT}),
    BodyStatus.CONNECTED: frozenset({BodyStatus.SUSPENDED, BodyStatus.LEFT}),
    BodyStatus.SUSPENDED: frozenset({BodyStatus.TESTING, BodyStatus.CONNECTED, BodyStatus.LEFT}),
    BodyStatus.LEFT: frozenset(),
}
"""Which status may follow which; a new body stands as if planned. What one change brings about may skip steps up
to testing, but nobody is connected untested. A request that is turned down is planned again; who left never returns.
"""

_BEFORE_CONNECTION = frozenset({BodyStatus.PLANNED, BodyStatus.REQUESTED, BodyStatus.APPROVED})
_ELECTRONIC = frozenset({BodyStatus.TESTING, BodyStatus.CONNECTED})


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
class Contact:
    """Whom to ask at a body; `duty` says for what: a registrar, its IT, its head."""

    duty: str
    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a body may ask of the brokers, where it is not what its kind may; bytes a second, and % of a thread."""

    bytes_per_second: int
    request_percent: int


@dataclass(frozen=True, slots=True)
class Paper:
    """Until when a body may use paper beside the exchange, each way; dates of Asia/Bishkek, themselves excluded.

    Attributes:
        inbound: the first day on which it takes no letter on paper; None: it takes none at all.
        outbound: the first day on which it sends none; None: it sends none at all.
    """

    inbound: date | None
    outbound: date | None

    def __str__(self) -> str:
        """For people: `taken until 2022-03-01, not sent`."""
        ways = {"taken": self.inbound, "sent": self.outbound}
        return ", ".join(f"{way} until {ends}" if ends else f"not {way}" for way, ends in ways.items())


@dataclass(frozen=True, slots=True)
class Change:
    """How an entry came about.

    Attributes:
        number: of the entry; grows by one with every change of this body.
        previous: SHA-256 of the entry before; zeros for the first.
        at: when it was entered.
        by: the keeper who entered it; who approved it, the signatures of the list say.
        reason: why, in words.
    """

    number: int
    previous: bytes
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Body:
    """One state body.

    Attributes:
        code: its code, its Kafka principal and the name of its inbox.
        uids: identifiers by which EDMS formats address it (MEDO uid, GOST UID).
        soate: 14 digits, empty for central bodies.
        inbound_origin: the origin whose agent owns the inbox (rule 2.7), None until told.
        parent: code of the body above it, empty without one.
        gateway: code of the body whose agent carries its letters, empty when it has its own.
        systems: names of its document systems.
        contacts: whom to ask.
        formats: of documents that it accepts, best first.
        limits: None: those of its kind.
        paper: None: it is electronic only.
        change: how this entry came about; None in bodies made up for tests.
    """

    code: str
    names: Names
    kind: str
    status: BodyStatus
    uids: tuple[str, ...] = ()
    soate: str = ""
    certificates: tuple[ListedCertificate, ...] = ()
    inbound_origin: bytes | None = None
    parent: str = ""
    gateway: str = ""
    systems: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    formats: tuple[str, ...] = ()
    limits: Limits | None = None
    paper: Paper | None = None
    change: Change | None = None

    @property
    def reachable(self) -> bool:
        """Whether it may send and be written to, and so has an inbox, rights and certificates in use."""
        return self.status in _ELECTRONIC or self.carried

    @property
    def carried(self) -> bool:
        """Whether its gateway, the paper bridge, speaks for it until it is connected itself.

        That does not end with a date: what was accepted before is still receipted after. Which letters
        may go by paper, and until when, says `exchange.domain.paper`.
        """
        return self.status in _BEFORE_CONNECTION and self.paper is not None and bool(self.gateway)


@dataclass(frozen=True, slots=True)
class Directory:
    """One version of the directory.

    Attributes:
        exchange: SHA-256 of the first trust root (32 bytes).
        version: grows by one with every change.
        digest: SHA-256 of the signed list of all files that make the version; what decisions name.
        previous: digest of the version before, zeros for the first.
        lanes: partitions of submissions, fixed at installation (rule 5.2).
        journal_partitions: partitions of the journal, fixed at installation (rule 5.2).
        issuers: certificates (DER) that may issue those of statements.
        bodies: by code.
        entries: SHA-256 of each body's entry, by code; empty until the version is published.
        codes: body codes by the identifiers that EDMS formats use, without regard to case; made of the bodies.
    """

    exchange: bytes
    version: int
    digest: bytes
    previous: bytes
    issued: datetime
    lanes: int
    journal_partitions: int
    issuers: tuple[bytes, ...]
    bodies: Mapping[str, Body]
    entries: Mapping[str, bytes] = field(default_factory=dict)
    codes: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the identifiers, once for the version: every document asks for some."""
        codes = {uid.casefold(): body.code for body in self.bodies.values() for uid in body.uids}
        object.__setattr__(self, "codes", codes)

    def carried_by(self, gateway: str) -> list[Body]:
        """Bodies in use whose letters that gateway carries, by code."""
        found = (body for body in self.bodies.values() if body.gateway == gateway and body.code != gateway)
        return sorted((body for body in found if body.reachable), key=lambda body: body.code)

    def by_uid(self) -> dict[str, str]:
        """Body codes by the identifiers that EDMS formats use."""
        return {uid: body.code for body in self.bodies.values() for uid in body.uids}
