"""A made-up country's letters, week by week, as facts of a journal: the same for the same seed.

941 bodies, of which few send and get most (Zipf), in working hours; one letter in fourteen goes to several. Some one
in a hundred deliveries is late at a stage by the policy that travels with the package, and some three in a thousand
fail, for several reasons. What would come after `NOW` has not come.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar

from exchange.domain.deadline import Stage, Terms
from exchange.domain.deadline_lines import deadline_policy
from exchange.domain.delivery import Position
from exchange.domain.directory import Body
from exchange.domain.event import Event
from exchange.domain.fact import (
    CommandFact,
    Course,
    DeadlineFact,
    LetterFact,
    ReceiptFact,
    Registration,
    StatementRefused,
)
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.reason import Reason
from exchange.domain.statement import Access, LetterKind, Urgency
from exchange.resources import resource

Choice = TypeVar("Choice")
Said = LetterFact | ReceiptFact | DeadlineFact | CommandFact | StatementRefused

NOW = datetime(2026, 11, 23, 4, 40, tzinfo=UTC)
"""A Monday morning, 10:40 in Bishkek."""
WEEK = timedelta(days=7)
RECIPIENTS = 1.39
"""Of a letter, on average."""

_ZIPF = 0.9
_DAYS = (19, 19, 19, 19, 18, 4, 2)
_SEVERAL = ((1, 930), (3, 50), (12, 15), (40, 5))
_KINDS = ((LetterKind.DOCUMENT, 80), (LetterKind.ADDITION, 5), (LetterKind.REPLY, 15))
_URGENCIES = ((Urgency.ROUTINE, 87), (Urgency.URGENT, 12), (Urgency.IMMEDIATE, 1))
_HOURS = {Urgency.ROUTINE: 1.5, Urgency.URGENT: 0.8, Urgency.IMMEDIATE: 0.1}
"""Mean time to the registration, by urgency."""
_REFUSED = (Reason.RECIPIENT_NOT_CONNECTED, Reason.CARD_UNREADABLE, Reason.RECIPIENT_UNKNOWN, Reason.CONTENT_MISMATCH)
_HAND_OVER = (Reason.HAND_OVER_FAILED, Reason.EDMS_DOCUMENT_INVALID)
_FATES = (
    (Event.HAND_OVER_FAILED, 8),
    (Event.NOT_DELIVERED, 3),
    (Event.REFUSED, 14),
    (Event.REDIRECTED, 10),
    (Event.REGISTERED, 9_965),
)
_SLOW = 0.005
_SAID_AFTER = timedelta(seconds=10)
_CLOCK = timedelta(milliseconds=40)
_ACTS = ("sign-in", "view-content", "export", "redrive")


@dataclass
class Weeks:
    """Makes the facts of weeks; of two made in the same order with the same seed the facts are the same.

    Attributes:
        bodies: whom letters go between, those with the most letters first.
        terms: until when what must be done.
        partitions: of the journal.
    """

    bodies: Sequence[Body]
    partitions: int
    seed: int = 7
    terms: Terms = field(init=False)

    def __post_init__(self) -> None:
        """Weigh the bodies."""
        policy = tomllib.loads(resource("config", "policy.toml").read_text(encoding="utf-8"))
        self.terms = Terms(deadline_policy(policy), {body.code: body for body in self.bodies})
        self._random = Random(self.seed)
        self._codes = [body.code for body in self.bodies]
        self._weights = list(accumulate(1 / rank**_ZIPF for rank in range(1, len(self._codes) + 1)))
        self._numbers = 0
        self._told: list[tuple[datetime, Said]] = []

    def facts(self, begin: datetime, deliveries: int, first: int) -> list[Said]:
        """All that is said about the letters of a week, whenever it was said, in the journal's order.

        Args:
            begin: of the week.
            deliveries: about so many.
            first: offset in each partition; every second one holds a fact.
        """
        self._told = []
        for _ in range(round(deliveries / RECIPIENTS)):
            at = self._moment(begin)
            if at < NOW:
                self._letter(at)
        for _ in range(deliveries // 60):
            self._act(self._moment(begin))
        for _ in range(deliveries // 2_000):
            self._refuse(self._moment(begin))
        return list(_placed(self._told, self.partitions, first))

    def _moment(self, begin: datetime) -> datetime:
        """In working hours of Bishkek, which is six hours ahead, on some day of the week."""
        day = self._random.choices(range(7), _DAYS)[0]
        return begin + timedelta(days=day, seconds=self._random.triangular(3 * 3600, 12 * 3600, 6 * 3600))

    def _letter(self, at: datetime) -> None:
        random = self._random
        several = _one_of(random, _SEVERAL)
        drawn = dict.fromkeys(random.choices(self._codes, cum_weights=self._weights, k=several + 1))
        sender, *recipients = drawn
        if not recipients:
            recipients = [self._codes[1 if sender == self._codes[0] else 0]]
        self._numbers += 1
        number, course = self._numbers, _course(random, at)
        refused = random.choice(_REFUSED) if random.random() < 0.0005 else ""
        letter = LetterFact(
            position=Position(0, 0),
            letter=hashlib.sha256(b"letter %d of %d" % (number, self.seed)).digest(),
            sender=sender,
            course=course,
            message_id=f"{sender}-{number:08}",
            consignment_id="",
            kind=_one_of(random, _KINDS).value,
            urgency=_one_of(random, _URGENCIES).value,
            access=Access.RESTRICTED.value,
            conversation="",
            in_reply_to=None,
            reply_due=(at + timedelta(days=10)).date() if random.random() < 0.12 else None,
            recipients=tuple(sorted(recipients)),
            document=Registration(f"{sender}/{number}", f"{number % 30:02}-{number}", at.date().isoformat()),
            items=1 + number % 4,
            size=random.randint(8_000, 400_000),
            reason=str(refused),
            detail="recipients[0]" if refused else "",
        )
        self._tell(course, letter)
        if not refused:
            for recipient in letter.recipients:
                self._delivery(letter, recipient)

    def _delivery(self, letter: LetterFact, recipient: str) -> None:
        random, fate = self._random, _one_of(self._random, _FATES)
        began = letter.course.journalled
        if fate is Event.NOT_DELIVERED:
            self._receipt(letter, recipient, fate, began + timedelta(minutes=2), Reason.CONTENT_MISMATCH)
            self._expire(letter, recipient, Stage.DELIVER, began, None)
            return
        delivered = began + timedelta(seconds=random.expovariate(1 / 4))
        self._receipt(letter, recipient, Event.DELIVERED, delivered)
        if fate is Event.HAND_OVER_FAILED:
            failed = delivered + timedelta(seconds=30)
            self._receipt(letter, recipient, fate, failed, random.choice(_HAND_OVER))
            self._expire(letter, recipient, Stage.HAND_OVER, delivered, None)
            return
        handed = delivered + timedelta(seconds=random.expovariate(1 / 40))
        self._receipt(letter, recipient, Event.HANDED_OVER, handed)
        slow = timedelta(days=random.uniform(2, 6)) if random.random() < _SLOW else timedelta()
        hours = min(random.expovariate(1 / _HOURS[Urgency(letter.urgency)]), 20)
        ended = handed + timedelta(hours=hours) + slow
        self._expire(letter, recipient, Stage.REGISTER, handed, ended)
        if fate is not Event.REGISTERED:
            self._receipt(letter, recipient, fate, ended, Reason.REFUSED_BY_RECIPIENT if fate is Event.REFUSED else "")
            return
        self._receipt(letter, recipient, fate, ended, number=f"{self._numbers % 40:02}/{self._numbers}")
        self._work(letter, recipient, ended)

    def _work(self, letter: LetterFact, recipient: str, registered: datetime) -> None:
        random = self._random
        is_asked = letter.reply_due is not None
        if not is_asked and random.random() > 0.15:
            return
        assigned = registered + timedelta(hours=random.uniform(0.2, 20))
        self._receipt(letter, recipient, Event.EXECUTOR_ASSIGNED, assigned)
        is_answered = random.random() < (0.98 if is_asked else 0.3)
        replied = assigned + timedelta(days=random.triangular(0.1, 6.5, 4)) if is_answered else None
        if is_asked:
            self._expire(letter, recipient, Stage.REPLY, registered, replied)
        if replied is not None:
            self._receipt(letter, recipient, Event.REPLY_SENT, replied)

    def _receipt(
        self,
        letter: LetterFact,
        signer: str,
        event: Event,
        at: datetime,
        reason: str = "",
        number: str = "",
    ) -> None:
        course = _course(self._random, at)
        registration = Registration(number=number, date=at.date().isoformat() if number else "")
        told = (letter.letter, signer, letter.sender, course, event.value, at, str(reason), registration, "")
        self._tell(course, ReceiptFact(Position(0, 0), *told))

    def _expire(
        self, letter: LetterFact, recipient: str, stage: Stage, began: datetime, ended: datetime | None
    ) -> None:
        due = self.terms.due_or_none(stage, began, letter.matter, recipient)
        if due is None or (ended is not None and ended < due + _SAID_AFTER):
            return
        course = _course(self._random, due + _SAID_AFTER)
        statement = hashlib.sha256(letter.letter + recipient.encode() + stage.encode()).digest()
        words = (letter.letter, letter.sender, recipient, stage.value, due, course.created, ZERO_DIGEST, (), course)
        self._tell(course, DeadlineFact(Position(0, 0), statement, "exchange-tracker", *words))

    def _act(self, at: datetime) -> None:
        random, course = self._random, _course(self._random, at)
        fact = CommandFact(
            position=Position(0, 0),
            statement=random.randbytes(32),
            body="exchange-console",
            action=random.choice(_ACTS),
            task="",
            person=f"person-{random.randrange(60):02}",
            second="",
            reason="",
            detail="",
            letter=None,
            recipient="",
            said=course.created,
            journalled=course.journalled,
        )
        self._tell(course, fact)

    def _refuse(self, at: datetime) -> None:
        random, course = self._random, _course(self._random, at)
        body = random.choices(self._codes, cum_weights=self._weights)[0]
        told = (random.randbytes(32), body, "receipt", course.journalled, str(Reason.EVENT_UNKNOWN), "event")
        self._tell(course, StatementRefused(Position(0, 0), *told))

    def _tell(self, course: Course, fact: Said) -> None:
        if course.journalled < NOW:
            self._told.append((course.journalled, fact))


def _one_of(random: Random, chances: Sequence[tuple[Choice, int]]) -> Choice:
    return random.choices([value for value, _ in chances], [weight for _, weight in chances])[0]


def _course(random: Random, at: datetime) -> Course:
    arrived = at + timedelta(milliseconds=random.randint(80, 900))
    return Course(at, arrived, arrived + _CLOCK / 2, arrived + _CLOCK)


def _placed(told: list[tuple[datetime, Said]], partitions: int, first: int) -> Iterator[Said]:
    ends = dict.fromkeys(range(partitions), first)
    for _, fact in sorted(told, key=lambda pair: pair[0]):
        about = fact.letter if isinstance(fact, LetterFact | ReceiptFact | DeadlineFact) else fact.statement
        partition = about[0] % partitions
        yield replace(fact, position=Position(partition, ends[partition]))
        ends[partition] += 2
