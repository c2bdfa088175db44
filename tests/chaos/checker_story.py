"""Observations of an exchange in which nothing went wrong, made up from plans; not a line of the product decides.

Bodies say letters, the exchange accepts or refuses them, recipients' agents say `delivered`, their people register
or refuse them. All of it is written down as Kafka, spools, tracker and clients would have it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count

from exchange.bus.records import Position
from exchange.domain.decision import LaneState, Notice, OriginState, Step
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.statement import Head
from tests.chaos.history import (
    Answered,
    Arrived,
    FaultBegan,
    FaultEnded,
    HandedIn,
    Heard,
    Line,
    Outcome,
    Settled,
)
from tests.checker.observations import (
    DeliveryKey,
    Entry,
    InboxRecord,
    Incoming,
    LetterWords,
    Numbered,
    Observations,
    Outgoing,
    ReceiptWords,
    Said,
    SpoolOrigin,
    SpoolSeen,
    State,
    TrackerSeen,
    last_digest,
)

BODIES = ("alpha", "beta", "gamma", "delta")
PARTITIONS = 2
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_EXCHANGE = bytes(32)


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to a letter: the code with which the exchange refuses it, or what its recipients answer."""

    sender: str
    recipients: tuple[str, ...]
    refused: str = ""
    answer: str = ""


@dataclass(slots=True)
class _Spool:
    """An agent's spool in the making."""

    outgoing: list[Outgoing] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)
    statements: list[Numbered] = field(default_factory=list)


class _Telling:
    """Everything that is written down, as it is being told."""

    def __init__(self) -> None:
        self.clock = count(1000)
        self.digests = count(1)
        self.history: list[Line] = []
        self.lanes: defaultdict[int, list[Entry]] = defaultdict(list)
        self.partitions: defaultdict[int, list[Entry]] = defaultdict(list)
        self.chains: defaultdict[str, list[Said]] = defaultdict(list)
        self.inboxes: dict[str, list[InboxRecord]] = {body: [] for body in BODIES}
        self.spools = {body: _Spool() for body in BODIES}
        self.states: dict[DeliveryKey, State] = {}
        self.submissions = count()

    def now(self) -> float:
        """A second later."""
        return float(next(self.clock))

    def digest(self) -> bytes:
        """A digest that nothing else has."""
        return sha256(str(next(self.digests)).encode()).digest()

    def journal(self, lane: int, about: bytes, said: Said | None = None) -> Entry:
        """Another entry of a lane; its number is that of the chain."""
        chain, partition = self.lanes[lane], about[0] % PARTITIONS
        previous = chain[-1].digest if chain else ZERO_DIGEST
        # A transaction's marker takes an offset, too.
        offset = 2 * len(self.partitions[partition])
        number = len(chain) + 1
        entry = Entry(partition, offset, lane, number, previous, self.digest(), self.digest(), said)
        chain.append(entry)
        self.partitions[partition].append(entry)
        return entry

    def arrive(self, body: str, value: bytes, notice: Notice | None = None) -> None:
        """Another record of an inbox."""
        self.inboxes[body].append(InboxRecord(2 * len(self.inboxes[body]), value, notice))

    def say(self, body: str, words: LetterWords | ReceiptWords | None, reason: str = "") -> bytes:
        """A body's agent says something, the exchange decides, everybody concerned is told; the statement's digest."""
        chain, statement = self.chains[body], self.digest()
        head = Head(_EXCHANGE, body, _origin(body), len(chain) + 1, last_digest(chain), NOON)
        copies = words.recipients if isinstance(words, LetterWords) else (words.sender,) if words else ()
        said = Said(statement, head, next(self.submissions), reason, () if reason else copies, words)
        entry = self.journal(_lane(body), words.letter if isinstance(words, ReceiptWords) else statement, said)
        chain.append(said)
        self._keep(body, said)
        for recipient in said.copies:
            self.arrive(recipient, entry.value)
            kept = Incoming("letter" if isinstance(words, LetterWords) else "receipt", statement, entry.value)
            self.spools[recipient].incoming.append(kept)
        step = Step(statement, reason, "")
        self.arrive(body, self.digest(), Notice(head.origin, head.number, statement, (step,), None, NOON))
        return statement

    def _keep(self, body: str, said: Said) -> None:
        """The speaker's own spool."""
        spool, row = self.spools[body], None
        if said.words is not None:
            row = len(spool.outgoing) + 1
            spool.outgoing.append(Outgoing(row, "refused" if said.reason else "taken", said.reason, said.words))
        spool.statements.append(Numbered(said.head.number, said.statement, row))
        if said.reason and isinstance(said.words, LetterWords):
            spool.incoming.append(Incoming("rejection", said.statement, b""))


def observations(plans: Sequence[Plan]) -> Observations:
    """All that can be seen of an exchange after these letters, in this order."""
    telling = _Telling()
    for lane in range(2):
        telling.journal(lane, telling.digest())
    for body in BODIES:
        telling.say(body, None)
    telling.history.append(FaultBegan(telling.now(), 1, "kill", "router-1", 7))
    for number, plan in enumerate(plans):
        _letter(telling, plan, f"m-{number}")
    telling.history.append(FaultEnded(telling.now(), 1))
    for lane in range(2):
        telling.journal(lane, telling.digest())
    return _seen(telling)


def _letter(telling: _Telling, plan: Plan, message_id: str) -> None:
    history = telling.history
    sender, words = plan.sender, LetterWords(message_id, plan.recipients)
    history.append(HandedIn(telling.now(), sender, message_id, plan.recipients, Outcome.UNKNOWN))
    repeated = HandedIn(telling.now(), sender, message_id, plan.recipients, Outcome.REFUSED, "message-id-repeated")
    history.append(repeated)
    letter = telling.say(sender, words, plan.refused)
    state = "refused" if plan.refused else "taken"
    history.append(Settled(telling.now(), sender, message_id, letter, state, plan.refused))
    if plan.refused:
        telling.states |= {(letter, recipient): ("rejected", "") for recipient in plan.recipients}
        return
    for recipient in plan.recipients:
        telling.states[letter, recipient] = ("accepted", "")
        place = 1 + sum(isinstance(line, Arrived) and line.body == recipient for line in history)
        history.append(Arrived(telling.now(), recipient, place, message_id, sender, letter))
        telling.say(recipient, ReceiptWords(letter, sender, "delivered"))
        telling.states[letter, recipient] = ("delivered", "")
        if plan.answer:
            _answer(telling, plan, letter, recipient, message_id)


def _answer(telling: _Telling, plan: Plan, letter: bytes, recipient: str, message_id: str) -> None:
    number = f"01-{message_id}" if plan.answer == "registered" else ""
    answered = Answered(telling.now(), recipient, letter, plan.answer, number, Outcome.ACKNOWLEDGED)
    telling.history.append(answered)
    telling.say(recipient, ReceiptWords(letter, plan.sender, plan.answer, number))
    telling.states[letter, recipient] = (plan.answer, number)
    telling.history.append(Heard(telling.now(), plan.sender, message_id, recipient, plan.answer, number))


def _seen(telling: _Telling) -> Observations:
    ends = {partition: entries[-1] for partition, entries in telling.partitions.items()}
    return Observations(
        at=telling.now(),
        history=telling.history,
        entries=[entry for entries in telling.partitions.values() for entry in entries],
        inboxes=telling.inboxes,
        lanes={
            lane: LaneState(number=chain[-1].number, digest=chain[-1].digest) for lane, chain in telling.lanes.items()
        },
        origins={
            (body, _origin(body)): OriginState(len(chain), last_digest(chain)) for body, chain in telling.chains.items()
        },
        spools={body: _spool(telling, body) for body in BODIES},
        tracker=TrackerSeen({number: Position(end.offset, end.value) for number, end in ends.items()}, telling.states),
    )


def _spool(telling: _Telling, body: str) -> SpoolSeen:
    spool, last = telling.spools[body], telling.inboxes[body][-1]
    origin = SpoolOrigin(_origin(body), current=True, taken=len(spool.statements), statements=tuple(spool.statements))
    return SpoolSeen(
        Position(last.offset, last.value), (origin,), tuple(spool.outgoing), tuple(spool.incoming), frozenset()
    )


def _origin(body: str) -> bytes:
    return sha256(body.encode()).digest()[:16]


def _lane(body: str) -> int:
    return BODIES.index(body) % 2
