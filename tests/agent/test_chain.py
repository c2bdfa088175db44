"""Whatever is lost, repeated, restored or copied: each letter arrives, once, in order.

Chains of one body over the simulated exchange, step by step and without tasks. What is random is
the schedule: hypothesis chooses when drafts are made, what is sent and lost, when notices are
read, and when the spool is put back to an older copy.
"""

import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.agent.chain import Identity
from exchange.agent.drafts import Drafting, signed_record
from exchange.agent.key_ring import KeyRing
from exchange.agent.protocol import Halt
from exchange.agent.spool import incoming, origins, outgoing
from exchange.agent.spool.outgoing import OutgoingState
from exchange.agent.spool.schema import prepare
from exchange.bus.topics import inbox
from exchange.domain.decision import Notice, Trouble
from exchange.domain.ids import ORIGIN_BYTES
from exchange.wire.records import decode, kind_of
from tests.agent.edms import plain_letter
from tests.agent.simulator import Simulator
from tests.world import NOW, World


@dataclass
class Copy:
    """One spool of the body `alpha`, with how far it has read its inbox and sent."""

    world: World
    simulator: Simulator
    connection: sqlite3.Connection
    random: Random
    read: int = 0
    halted: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        """Who speaks."""
        signers, exchange = self.world.signers, self.world.directory.exchange
        directory = self.world.directory
        keys = KeyRing("alpha", lambda: signers["alpha"], None, lambda: directory, lambda: NOW, lambda: 0.0, 0.0)
        return Identity("alpha", exchange, keys, lambda: NOW, self.random.randbytes)

    @property
    def drafting(self) -> Drafting:
        """What drafts are made with."""
        return Drafting(self.world.directory.exchange, 1000, lambda: NOW, self.random.randbytes)

    def draft(self, message_id: str) -> None:
        """Leave a letter."""
        outgoing.add(self.connection, self.drafting.letter("alpha", plain_letter(message_id, "beta")))

    def sign(self, most: int = 3) -> None:
        """Number and sign some drafts; before that the inbox is read to its end (rule 2.5)."""
        self.listen()
        self.identity.extend(self.connection, most, window=20)

    def send(self, start: int = 0, most: int = 100, *, lose: bool = False) -> None:
        """Send unproven statements from the `start`-th on."""
        origin = origins.current(self.connection, "alpha")
        statements = origins.unproven(self.connection, origin, origin.taken + 1 + start, most, 10**9)
        if not lose:
            values = [signed_record(one.statement, one.signature, one.record) for one in statements]
            self.simulator.submit("alpha", *values)

    def listen(self) -> None:
        """Read what is new in the inbox."""
        records = self.simulator.inboxes[inbox("alpha")]
        for record in records[self.read :]:
            if record.value is not None and kind_of(record.value) is Notice:
                heard = self.identity.hear(self.connection, decode(Notice, record.value))
                self.halted += [act.reason for act in (heard.actions if heard else ()) if isinstance(act, Halt)]
        self.read = len(records)

    def copy(self) -> "Copy":
        """What a backup of the spool holds now; drawn origins differ from here on."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.backup(connection)
        return Copy(self.world, self.simulator, connection, Random(self.random.random()), self.read)

    def finish(self) -> None:
        """Go on without faults until nothing is left to do."""
        for _ in range(40):
            self.sign(50)
            self.send()
            self.listen()
        assert outgoing.backlogs(self.connection) == {}

    def states(self) -> dict[str, OutgoingState]:
        """What became of each letter."""
        return {sent.message_id: sent.state for sent in outgoing.sent_letters(self.connection, "alpha", 1000)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Bodies and keys, made once."""
    return World(tmp_path_factory.mktemp("world"))


def begin(world: World) -> Copy:
    """A new spool at a new exchange."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    prepare(connection)
    copy = Copy(world, Simulator(world, lambda: NOW), connection, Random(3))
    origins.enrol(connection, "alpha", copy.random.randbytes(ORIGIN_BYTES), NOW)
    return copy


STEPS = ["draft", "draft", "sign", "send", "send", "lose", "skip", "listen", "pause", "route"]
ACTS = st.sampled_from(STEPS)
CLOCKS = {"clock behind": timedelta(hours=1), "clock right": timedelta(0)}
"""How far the exchange's clock is behind the agent's from then on."""
ACTS_WITH_CLOCKS = st.sampled_from([*STEPS, *CLOCKS])


def act(copy: Copy, what: str, drafted: list[str]) -> None:
    """One step of a schedule."""
    if what in CLOCKS:
        copy.simulator.clock = lambda: NOW - CLOCKS[what]  # the router's
    match what:
        case "draft":
            drafted.append(f"m-{len(drafted)}")
            copy.draft(drafted[-1])
        case "sign":
            copy.sign()
        case "send":
            copy.send()
        case "lose":
            copy.send(lose=True)
        case "skip":
            copy.send(start=1, most=2)
        case "listen":
            copy.listen()
        case "pause":
            copy.simulator.paused = True
        case "route":
            copy.simulator.paused = False
            copy.simulator.route()


@settings(max_examples=40)
@given(st.lists(ACTS, max_size=40))
def test_every_letter_once_in_order(world: World, schedule: list[str]) -> None:
    """Losses, gaps, repeats and a router that pauses change nothing."""
    copy, drafted = begin(world), list[str]()
    for what in schedule:
        act(copy, what, drafted)
    act(copy, "route", drafted)
    copy.finish()
    assert copy.simulator.message_ids("beta") == drafted
    assert set(copy.states().values()) <= {OutgoingState.TAKEN}


@settings(max_examples=60)
@example(before=["draft", "sign", "send", "clock behind"], lost=["draft", "sign", "send", "sign", "send"], after=[])
@example(
    before=["sign", "send", "listen", "draft", "draft", "draft", "draft"],
    lost=["sign", "pause", "send", "sign", "clock behind", "route", "clock right", "send", "sign", "send"],
    after=[],
)
@given(*[st.lists(ACTS_WITH_CLOCKS, max_size=25)] * 3)
def test_a_restored_spool_says_nothing_twice(
    world: World, before: list[str], lost: list[str], after: list[str]
) -> None:
    """A backup knows nothing of what was done since; it finds out and repeats nothing.

    Letters that only the lost spool knew arrive when they were sent; all others arrive once, also those
    that were refused by an exchange whose clock was behind and then said again.
    """
    copy, drafted = begin(world), list[str]()
    for what in before:
        act(copy, what, drafted)
    backup, known = copy.copy(), list(drafted)
    for what in lost:
        act(copy, what, drafted)
    act(copy, "route", drafted)
    names = list(drafted)
    for what in after:
        act(backup, what, names)
    for what in ("clock right", "route"):
        act(backup, what, names)
    backup.finish()
    arrived = backup.simulator.message_ids("beta")
    assert len(set(arrived)) == len(arrived)
    assert set(known) | set(names[len(drafted) :]) <= set(arrived)
    assert set(backup.states().values()) <= {OutgoingState.TAKEN}


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), ACTS), max_size=40))
def test_two_copies_at_once_lose_and_double_nothing(world: World, schedule: list[tuple[bool, str]]) -> None:
    """Two agents on copies of one spool end with an origin each, and every letter of both arrives once."""
    first, drafted = begin(world), list[str]()
    for what in ("draft", "sign", "send", "listen", "draft", "sign"):
        act(first, what, drafted)
    second = first.copy()
    for is_first, what in schedule:
        act(first if is_first else second, what, drafted)
    act(first, "route", drafted)
    for copy in (first, second, first):
        copy.finish()
    arrived = first.simulator.message_ids("beta")
    assert sorted(arrived) == sorted(drafted)
    assert first.halted == second.halted == []


@settings(max_examples=30)
@given(st.lists(ACTS, max_size=30), st.randoms(use_true_random=False))
def test_notices_in_any_order_do_no_harm(world: World, schedule: list[str], order: Random) -> None:
    """Old notices, repeated and shuffled, neither lose nor double anything."""
    copy, drafted = begin(world), list[str]()
    for what in schedule:
        act(copy, what, drafted)
    act(copy, "route", drafted)
    copy.finish()
    notices = list(copy.simulator.notices)
    order.shuffle(notices)
    for notice in notices:
        copy.identity.hear(copy.connection, notice)
    copy.finish()
    assert copy.simulator.message_ids("beta") == drafted


def test_the_new_origin_continues_the_old_one(world: World) -> None:
    """The open of a restored spool names where the exchange last saw the old origin (rule 2.2)."""
    copy = begin(world)
    drafted: list[str] = []
    for what in ("sign", "send", "listen"):
        act(copy, what, drafted)
    backup = copy.copy()
    for what in ("draft", "sign", "send", "draft", "sign", "send"):
        act(copy, what, drafted)
    backup.sign()
    new = origins.current(backup.connection, "alpha")
    continued = origins.predecessor(backup.connection, new)
    assert continued is not None
    assert continued.number == 3
    backup.send()
    assert backup.simulator.notices[-1].trouble is None
    assert backup.simulator.notices[-1].origin == new.origin


def test_only_eight_origins_then_a_person(world: World) -> None:
    """A body that keeps drawing origins without naming one before is halted with a clear code."""
    simulator = begin(world).simulator
    copies = []
    for number in range(9):
        copy = begin(world)
        copy.simulator, copy.random = simulator, Random(number)
        copy.connection.execute("UPDATE origins SET origin = ?", (copy.random.randbytes(16),))
        copy.read = len(simulator.inboxes[inbox("alpha")])
        copy.sign()
        copy.send()
        copy.listen()
        copies.append(copy)
    assert [copy.halted for copy in copies] == [[]] * 8 + [["origins-exhausted"]]


def test_a_statement_that_can_never_be_taken_gives_way(world: World) -> None:
    """A void takes its number, the EDMS is told, and what followed is said behind it (rule 2.4)."""
    copy, drafted = begin(world), list[str]()
    for what in ("sign", "send", "listen", "draft", "draft", "draft", "sign"):
        act(copy, what, drafted)
    origin = origins.current(copy.connection, "alpha")
    last = copy.simulator.notices[-1]
    trouble = Trouble("oversized", "")
    copy.identity.hear(copy.connection, Notice(origin.origin, 1, last.digest, (), trouble, NOW))
    copy.finish()
    assert copy.states() == {"m-0": "void", "m-1": "taken", "m-2": "taken"}
    assert copy.simulator.message_ids("beta") == ["m-1", "m-2"]
    told = incoming.to_hand_over(copy.connection, "alpha", NOW, 10, 1_000_000, timedelta(minutes=1))
    assert [(kept.kind, kept.reason) for kept in told] == [("rejection", "oversized")]


def test_signing_again_changes_the_signature_alone(world: World) -> None:
    """An expired key: the same statements, signed with the present one, are taken (rule 2.4)."""
    copy, drafted = begin(world), list[str]()
    for what in ("sign", "send", "listen", "draft", "draft", "sign"):
        act(copy, what, drafted)
    origin = origins.current(copy.connection, "alpha")
    before = origins.unproven(copy.connection, origin, 2, 10, 10**9)
    copy.connection.execute("UPDATE statements SET signature = x'00' WHERE number > 1")
    trouble = Trouble("certificate-expired", "")
    copy.identity.hear(copy.connection, Notice(origin.origin, 1, copy.simulator.notices[-1].digest, (), trouble, NOW))
    assert origins.unproven(copy.connection, origin, 2, 10, 10**9) == before
    copy.finish()
    assert copy.simulator.message_ids("beta") == drafted


def test_a_refused_letter_is_told_once(world: World) -> None:
    """The number moves, the letter is refused, and the EDMS will be told why."""
    copy = begin(world)
    copy.sign()
    copy.send()
    outgoing.add(copy.connection, copy.drafting.letter("alpha", plain_letter("m-0", "nobody-here")))
    copy.draft("m-1")
    copy.finish()
    for notice in copy.simulator.notices:
        copy.identity.hear(copy.connection, notice)
    assert copy.states() == {"m-0": "refused", "m-1": "taken"}
    told = incoming.to_hand_over(copy.connection, "alpha", NOW, 10, 1_000_000, timedelta(minutes=1))
    assert [(kept.kind, kept.reason) for kept in told] == [("rejection", "recipient-unknown")]


def test_an_exchange_restored_from_a_backup_is_healed(world: World) -> None:
    """The router knows less than it did: the agent goes back and says it again (rule 2.6)."""
    copy, drafted = begin(world), list[str]()
    for what in ("draft", "draft", "sign", "send", "listen"):
        act(copy, what, drafted)
    copy.finish()
    copy.simulator.restart()
    copy.draft("m-2")
    copy.finish()
    assert copy.simulator.message_ids("beta") == ["m-0", "m-1", "m-0", "m-1", "m-2"]
