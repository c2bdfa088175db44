"""A tracker's database with two months of nine bodies in it, as if a tracker had read a journal; the same every time.

Everything that pages tell apart is there: letters in every state, a route that fails for two days, a body
that has been silent since yesterday, a certificate about to run out, deadlines that passed, flags. Rows come
about by the real writer. Signatures play no part: the tracker's database does not know them.
"""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from exchange.domain.deadline import Matter, Stage, Terms
from exchange.domain.deadline_lines import deadline_policy
from exchange.domain.delivery import Position
from exchange.domain.directory import (
    Body,
    BodyStatus,
    CertificateUse,
    Contact,
    Directory,
    ListedCertificate,
    Names,
    Paper,
)
from exchange.domain.event import Event
from exchange.domain.fact import Course, DeadlineFact, JournalFact, LetterFact, ReceiptFact, Registration
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.reason import Reason
from exchange.domain.statement import Access, LetterKind, Urgency
from exchange.embedded.demo_bodies import demo_bodies
from exchange.resources import resource
from exchange.store.database import Store
from exchange.store.rows import PositionRow

NOW = datetime(2026, 11, 23, 4, 40, tzinfo=UTC)
"""A Monday morning, 10:40 in Bishkek."""
TOPIC = "exchange.journal"
DAYS = 60
PARTITIONS = 4

FAILING = ("mfa", "natstatkom")
FAILING_SINCE = NOW - timedelta(days=3)
FAILURE = "Базада орун жок · Нет места в базе данных, документ не сохранён"
SILENT = "kyzmat"
SILENT_SINCE = NOW - timedelta(hours=68)
EXPIRING = "minjust"
EXPIRING_DAYS = 12
SLOW = "ak-bulun"

_OFFICES = ("prezident", "mfa", "minekonom", "minjust", "natstatkom", "kyzmat", "sanarip-aimak", "ak-bulun")
_WEIGHTS = (3, 5, 6, 5, 4, 3, 2, 2)
_REGISTERING = {"prezident": 0.5, "mfa": 1.0, "minekonom": 2.0, "minjust": 1.5, "natstatkom": 3.0, SLOW: 9.0}
"""Mean hours until a body registers a letter; two where none is named."""
_SAID_AFTER = timedelta(seconds=10)
_CLOCK = timedelta(milliseconds=40)


@cache
def seeded_terms() -> Terms:
    """The deadlines of the policy that travels with the package."""
    policy = tomllib.loads(resource("config", "policy.toml").read_text(encoding="utf-8"))
    return Terms(deadline_policy(policy), seeded_directory().bodies)


@dataclass
class Seeding:
    """Facts on their way into a store, and the chances by which they come about."""

    random: Random = field(default_factory=lambda: Random(7))
    terms: Terms = field(default_factory=seeded_terms)
    told: list[tuple[datetime, JournalFact]] = field(default_factory=list)
    numbers: int = 0

    def days(self) -> None:
        """Two months of working days, up to now."""
        today = NOW.replace(hour=0, minute=0)
        for back in range(DAYS, -1, -1):
            day = today - timedelta(days=back)
            few = day.weekday() >= 5
            for _ in range(self.random.randint(0, 2) if few else self.random.randint(16, 30)):
                # From 9 to 18 on Bishkek's clock, which is six hours ahead.
                at = day + timedelta(seconds=self.random.randint(3 * 3600, 12 * 3600))
                if at < NOW:
                    self.letter(at)

    def recent(self) -> None:
        """Letters of this hour, and those that the troubles are about."""
        for minutes in (1, 2, 3, 5, 8, 11, 14, 19, 26, 33, 41, 52):
            self.letter(NOW - timedelta(minutes=minutes, seconds=self.random.randint(1, 50)))
        self.letter(NOW - timedelta(days=7, hours=2), SILENT, "minjust")
        for hours in range(2, 66, 5):
            self.letter(NOW - timedelta(hours=hours), *FAILING)
        for hours in range(3, 60, 8):
            self.letter(NOW - timedelta(hours=hours), "prezident", SILENT)

    def letter(self, at: datetime, sender: str = "", *recipients: str) -> None:
        """A letter and all that came of it until now."""
        random = self.random
        sender = sender or random.choices(_OFFICES, _WEIGHTS)[0]
        if sender == SILENT and at > SILENT_SINCE:
            sender = "minekonom"
        others = [code for code in _OFFICES if code != sender]
        several = random.choices([1, 2, 4], [80, 15, 5])[0]
        to = recipients or tuple(sorted(random.sample(others, several)))
        self.numbers += 1
        digest = hashlib.sha256(f"letter {self.numbers}".encode()).digest()
        refused = random.random() < 0.015 and not recipients
        course = self._course(at)
        fact = LetterFact(
            position=Position(0, 0),
            letter=digest,
            sender=sender,
            course=course,
            message_id=f"{sender}-{self.numbers:06}",
            consignment_id="",
            kind=random.choices(list(LetterKind), [80, 5, 15])[0].value,
            urgency=random.choices(list(Urgency), [85, 12, 3])[0].value,
            access=Access.RESTRICTED.value,
            conversation="",
            in_reply_to=None,
            reply_due=(at + timedelta(days=14)).date() if random.random() < 0.15 else None,
            recipients=("nobody",) if refused else to,
            document=Registration(
                f"doc-{self.numbers}", f"{random.randint(1, 30):02}-{self.numbers}", at.date().isoformat()
            ),
            items=random.randint(1, 4),
            size=random.randint(8_000, 400_000),
            reason=Reason.RECIPIENT_UNKNOWN.value if refused else "",
            detail="recipient nobody" if refused else "",
        )
        self._tell(fact, course.journalled)
        if not refused:
            for recipient in to:
                self._delivery(fact, recipient, course.journalled)

    def _delivery(self, letter: LetterFact, recipient: str, at: datetime) -> None:
        random = self.random
        if recipient == SILENT and at > SILENT_SINCE:
            self._expire(letter, recipient, Stage.DELIVER, at, None)
            return
        delivered = at + timedelta(seconds=random.expovariate(1 / 4))
        self._receipt(letter, recipient, Event.DELIVERED, delivered)
        if (letter.sender, recipient) == FAILING and at > FAILING_SINCE:
            failed = delivered + timedelta(seconds=30)
            self._receipt(
                letter, recipient, Event.HAND_OVER_FAILED, failed, reason=Reason.HAND_OVER_FAILED, text=FAILURE
            )
            self._expire(letter, recipient, Stage.HAND_OVER, delivered, None)
            return
        handed = delivered + timedelta(seconds=random.expovariate(1 / 40))
        self._receipt(letter, recipient, Event.HANDED_OVER, handed)
        registered = handed + timedelta(hours=random.expovariate(1 / _REGISTERING.get(recipient, 2.0)))
        if random.random() < 0.02:
            self._receipt(
                letter, recipient, Event.REFUSED, registered, reason=Reason.REFUSED_BY_RECIPIENT, text="Не по адресу"
            )
            return
        self._expire(letter, recipient, Stage.REGISTER, handed, registered)
        number = f"{random.randint(1, 40):02}-{self.numbers}"
        self._receipt(letter, recipient, Event.REGISTERED, registered, number=number)
        if letter.reply_due or random.random() < 0.4:
            assigned = registered + timedelta(hours=random.uniform(0.2, 20))
            self._receipt(letter, recipient, Event.EXECUTOR_ASSIGNED, assigned)
            if letter.reply_due or random.random() < 0.5:
                replied = assigned + timedelta(hours=random.uniform(4, 290))
                self._receipt(letter, recipient, Event.REPLY_SENT, replied)

    def _receipt(
        self,
        letter: LetterFact,
        signer: str,
        event: Event,
        at: datetime,
        *,
        reason: str = "",
        number: str = "",
        text: str = "",
    ) -> None:
        course = self._course(at)
        if course.journalled > NOW or (signer == SILENT and at > SILENT_SINCE):
            return
        registration = Registration(number=number, date=at.date().isoformat() if number else "")
        told = (letter.letter, signer, letter.sender, course, event.value, at, str(reason), registration, text)
        self._tell(ReceiptFact(Position(0, 0), *told), course.journalled)

    def _expire(
        self, letter: LetterFact, recipient: str, stage: Stage, began: datetime, ended: datetime | None
    ) -> None:
        matter = Matter(letter.sender, letter.kind, letter.urgency, letter.reply_due)
        due = self.terms.due_or_none(stage, began, matter, recipient)
        if due is None or (ended is not None and ended < due) or due + _SAID_AFTER > NOW:
            return
        at = due + _SAID_AFTER
        notify = (letter.sender, recipient)
        course = self._course(at)
        words = (letter.letter, letter.sender, recipient, stage.value, due, at, ZERO_DIGEST, notify, course)
        statement = hashlib.sha256(letter.letter + recipient.encode() + stage.encode()).digest()
        self._tell(DeadlineFact(Position(0, 0), statement, "exchange-tracker", *words), course.journalled)

    def _course(self, at: datetime) -> Course:
        arrived = at + timedelta(milliseconds=self.random.randint(80, 900))
        return Course(at, arrived, arrived + _CLOCK / 2, arrived + _CLOCK)

    def _tell(self, fact: JournalFact, journalled: datetime) -> None:
        self.told.append((journalled, fact))


@cache
def seeded_facts() -> tuple[JournalFact, ...]:
    """Everything in the journal's order, each fact at its place."""
    seeding = Seeding()
    seeding.days()
    seeding.recent()
    return tuple(_placed(seeding.told))


def failing_letter() -> str:
    """Digest of a letter that its recipient's document system did not take."""
    failed = (
        fact
        for fact in reversed(seeded_facts())
        if isinstance(fact, ReceiptFact) and fact.event == Event.HAND_OVER_FAILED
    )
    return next(failed).letter.hex()


def letter_to(body: str) -> str:
    """Digest of a letter that a body took."""
    taken = (
        fact
        for fact in reversed(seeded_facts())
        if isinstance(fact, ReceiptFact) and fact.event == Event.REGISTERED and fact.signer == body
    )
    return next(taken).letter.hex()


def seed_store(store: Store) -> Store:
    """Fill a migrated store; the same store."""
    facts = seeded_facts()
    last = {fact.position.partition: fact.position.offset for fact in facts}
    reached = [PositionRow(TOPIC, partition, offset, ZERO_DIGEST) for partition, offset in last.items()]
    store.take(facts, reached, terms=seeded_terms())
    store.count_changes(TOPIC)
    return store


@cache
def seeded_directory() -> Directory:
    """The bodies that the letters are between."""
    bodies = {body.code: body for body in _bodies()}
    return Directory(ZERO_DIGEST, 42, ZERO_DIGEST, ZERO_DIGEST, NOW - timedelta(days=1), 2, PARTITIONS, (), bodies)


def _placed(told: list[tuple[datetime, JournalFact]]) -> Iterator[JournalFact]:
    ends = dict.fromkeys(range(PARTITIONS), 0)
    for _, fact in sorted(told, key=lambda pair: pair[0]):
        assert isinstance(fact, LetterFact | ReceiptFact | DeadlineFact)
        partition = fact.letter[0] % PARTITIONS
        ends[partition] += 2
        fields = {name: getattr(fact, name) for name in fact.__slots__}
        yield type(fact)(**{**fields, "position": Position(partition, ends[partition])})


def _bodies() -> Iterator[Body]:
    for number, demo in enumerate(demo_bodies()):
        days = EXPIRING_DAYS if demo.code == EXPIRING else 200 + 10 * number
        yield Body(
            code=demo.code,
            names=demo.names,
            kind=demo.kind,
            status=BodyStatus.CONNECTED,
            uids=demo.uids,
            soate=demo.soate,
            certificates=(
                _certificate(demo.code, CertificateUse.STATEMENT, days),
                _certificate(demo.code, CertificateUse.TRANSPORT, 90),
            ),
            inbound_origin=hashlib.sha256(demo.code.encode()).digest()[:16],
            gateway=demo.gateway,
            systems=(demo.profile,),
            contacts=(Contact("registrar", "Гүлнара Асанова", f"kanc@{demo.code}.example", "+996 312 00-00-00"),),
            formats=("exchange-1",),
        )
    for code, ru, soate, status in (
        ("ayil-alamudun", "Аламудунский айыл окмоту", "41708203810000", BodyStatus.PLANNED),
        ("ayil-lebedinovka", "Лебединовский айыл окмоту", "41708203829000", BodyStatus.TESTING),
        ("ayil-osh-1", "Карасуйский айыл окмоту", "41706226810000", BodyStatus.REQUESTED),
        ("ayil-naryn-1", "Нарынский айыл окмоту", "41704400000010", BodyStatus.PLANNED),
    ):
        paper = Paper(date(2027, 1, 1), date(2027, 1, 1))
        names = Names(ru.replace("окмоту", "өкмөтү"), ru, code.replace("-", " ").title())
        yield Body(code, names, "ayil-okmotu", status, soate=soate, gateway="paper-bridge", paper=paper)


def _certificate(code: str, use: CertificateUse, days: int) -> ListedCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(NOW - timedelta(days=165)).not_valid_after(NOW + timedelta(days=days, hours=3))
    return ListedCertificate(built.sign(key, SHA256()).public_bytes(Encoding.DER), use)
