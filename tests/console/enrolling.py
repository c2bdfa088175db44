"""A body on its way in: its request, its certificate, and its letters to the echo, as far as a test lets it come."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry
from starlette.requests import Request as HttpRequest

from exchange.console.app import create_app
from exchange.console.auth.visitor import Visitor
from exchange.console.enrolment import Enrolment
from exchange.domain.delivery import Position
from exchange.domain.directory import (
    Body,
    BodyStatus,
    CertificateUse,
    Change,
    Contact,
    Directory,
    ListedCertificate,
    Names,
)
from exchange.domain.event import Event
from exchange.domain.fact import Course, JournalFact, LetterFact, ReceiptFact, Registration
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.own_bodies import ECHO_BODY
from exchange.domain.user import Role, User
from exchange.security.enrolment import encode_request, make_request
from exchange.security.keys import PrivateKey
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.rows import PositionRow
from tests.console.auth.people import Remembered
from tests.console.seed import NOW, TOPIC, seeded_directory
from tests.console.seeded import seeded_desk

CODE = "tash-dobo"
SOATE = "41702205805000"
LETTER, REPLY = (hashlib.sha256(text).digest() for text in (b"to the echo", b"from the echo"))
GRANTED = NOW - timedelta(hours=2)
_WHO = "X-Who"


def new_body(code: str = CODE) -> Body:
    """As its request names it."""
    names = Names("Таш-Дөбө айыл өкмөтү", "Таш-Добинский айыл окмоту", "")
    contacts = (Contact("IT", "Асан Үсөнов", "it@tash-dobo.example", "+996 555 00-00-00"),)
    return Body(code, names, "ayil-okmotu", BodyStatus.REQUESTED, ("uid-tash-dobo",), SOATE, contacts=contacts)


def new_keys() -> dict[CertificateUse, PrivateKey]:
    """One for each use."""
    return {use: ec.generate_private_key(ec.SECP256R1()) for use in CertificateUse}


def certificate(key: PrivateKey, since: datetime = GRANTED) -> ListedCertificate:
    """A statement certificate as the keepers list it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CODE)])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(since).not_valid_after(NOW + timedelta(days=365))
    return ListedCertificate(built.sign(key, SHA256()).public_bytes(Encoding.DER), CertificateUse.STATEMENT)


@dataclass
class Way:
    """A console, and a body that a test lets come further.

    Attributes:
        request: the body's file.
        store: the tracker's database, migrated.
        own: where the console keeps what people wrote down.
    """

    store: Store
    own: DeskStore
    acts: Remembered = field(default_factory=Remembered)
    keys: dict[CertificateUse, PrivateKey] = field(default_factory=new_keys)
    directory: Directory = field(default_factory=seeded_directory)

    def __post_init__(self) -> None:
        """One application for everybody: a browser says by a header whose it is."""
        self._desk = replace(
            seeded_desk(self.store), identify=_by_header, directory=lambda: self.directory, own=self.own, acts=self.acts
        )
        self.request = encode_request(make_request(new_body(), self.directory.exchange, self.keys, NOW)).decode()
        self._transport = httpx.ASGITransport(create_app(self._desk, CollectorRegistry()))

    @property
    def office(self) -> Enrolment:
        """What the pages work with."""
        return Enrolment(self._desk, self.own)

    def browser(self, login: str, role: Role = Role.OPERATOR, language: str = "en") -> httpx.AsyncClient:
        """Somebody's browser."""
        headers = {"Accept": "text/html", "Accept-Language": language, _WHO: f"{login} {role.value}"}
        return httpx.AsyncClient(transport=self._transport, base_url=self._desk.site.url, headers=headers)

    def list_as(self, status: BodyStatus, *listed: ListedCertificate) -> None:
        """The keepers publish a version with the body."""
        change = Change(1, ZERO_DIGEST, NOW - timedelta(minutes=1), "ada", "r")
        body = replace(new_body(), status=status, certificates=listed, change=change)
        self.directory = replace(self.directory, bodies={**self.directory.bodies, CODE: body})

    def grant(self) -> None:
        """The keepers let the body in, by the key that it named."""
        self.list_as(BodyStatus.TESTING, certificate(self.keys[CertificateUse.STATEMENT]))

    def exchange(self, *, is_handed_over: bool = True, at: datetime = NOW - timedelta(hours=1)) -> None:
        """A letter goes to the echo, and the reply comes back: as far as the agent, or into the document system."""
        told: list[JournalFact] = [
            letter_fact(2, LETTER, CODE, ECHO_BODY, at),
            receipt_fact(4, LETTER, ECHO_BODY, CODE, Event.REGISTERED, at),
            letter_fact(6, REPLY, ECHO_BODY, CODE, at, in_reply_to=LETTER),
            receipt_fact(8, REPLY, CODE, ECHO_BODY, Event.DELIVERED, at),
        ]
        if is_handed_over:
            told.append(receipt_fact(10, REPLY, CODE, ECHO_BODY, Event.HANDED_OVER, at))
        take(self.store, told)


async def _by_header(request: HttpRequest) -> Visitor:
    login, role = request.headers[_WHO].split()
    return Visitor(User(login, login.title(), frozenset({Role(role)}), "minjust"), csrf="the-token")


def take(store: Store, told: list[JournalFact]) -> None:
    """The tracker takes facts, and counts its tallies."""
    last = max(fact.position.offset for fact in told)
    store.take(told, [PositionRow(TOPIC, 0, last, ZERO_DIGEST)])
    store.count_changes(TOPIC)


def letter_fact(
    offset: int, letter: bytes, sender: str, recipient: str, at: datetime, in_reply_to: bytes | None = None
) -> LetterFact:
    """An accepted letter."""
    document = Registration("", "", "")
    return LetterFact(
        Position(0, offset), letter, sender, Course(at, at, at, at), letter.hex(), letter.hex(), "DOCUMENT", "ROUTINE",
        "PUBLIC", letter.hex(), in_reply_to, None, (recipient,), document, 1, 1, "", "",
    )  # fmt: skip


def receipt_fact(offset: int, letter: bytes, signer: str, sender: str, event: Event, at: datetime) -> ReceiptFact:
    """An accepted receipt."""
    number = Registration(number="1", date="2026-11-23") if event is Event.REGISTERED else Registration()
    return ReceiptFact(
        Position(0, offset), letter, signer, sender, Course(at, at, at, at), event.value, at, "", number, ""
    )


def copied_desk(empty: Path, file: Path) -> DeskStore:
    """A desk with nobody at it, in a file of its own."""
    file.write_bytes(empty.read_bytes())
    return DeskStore(f"sqlite:///{file}")
