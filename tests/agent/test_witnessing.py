"""What the transparency log proves of an agent's origins: remembered once witnessed, kept when it is another's."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from exchange.agent.agent import Agent
from exchange.agent.spool import Spool
from exchange.agent.spool.witnessed import KEPT, Coverage
from exchange.agent.transport import Inboxes, Partition, Transport
from exchange.agent.witnessing import Witnessing
from exchange.bus.records import Position, Record
from exchange.bus.topics import CHECKPOINTS
from exchange.domain.checkpoint import CHECKPOINT_KEY, OriginProof, origin_key
from exchange.domain.decision import Decided
from exchange.domain.errors import BusError, SpoolError
from exchange.domain.statement import Head, Signed
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head as LogHead
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import inclusion_proof, leaf_hash, root
from exchange.tlog.note import Note
from exchange.tlog.policy import LogPolicy, Witness
from exchange.tlog.proof import Path, Proof
from exchange.wire.records import decode, encode, read_head
from tests.agent.edms import plain_letter
from tests.agent.place import Place, until, until_settled
from tests.patience import PATIENCE
from tests.services.witness.world import KEY, LOG, NAME, NOW
from tests.tlog.trees import tree_hashes

POLICY = LogPolicy(LOG.verifier, (Witness("w", KEY.verifier),), {}, "w")


class Log:
    """The archive: proves entries of the simulated exchange."""

    def __init__(self, place: Place) -> None:
        """Nothing is published."""
        self._place = place
        place.log_policy = POLICY
        self._records: list[Record] = []
        place.simulator.inboxes[CHECKPOINTS] = self._records
        self.put(CHECKPOINT_KEY, b"whatever")

    def put(self, key: bytes, value: bytes) -> None:
        """Publish something."""
        at = self._place.clock()
        self._records.append(Record(CHECKPOINTS, 0, len(self._records), at, key, value, ()))

    def own(self, body: str) -> list[tuple[Head, bytes]]:
        """What the exchange journalled of a body, in order."""
        entries = [entry.entry for entry in self._place.simulator.entries]
        said = [(read_head(decode(Decided, entry).statement), entry) for entry in entries]
        return [(head, entry) for head, entry in said if head.body == body]

    def publish(self, head: Head, entry: bytes, *, witnessed: bool = True) -> None:
        """The proof of an entry, whether or not it is what it should be."""
        self.put(origin_key(head.origin), encode(OriginProof(entry, bytes(proof(entry, witnessed=witnessed)))))


def proof(entry: bytes, *, witnessed: bool) -> Proof:
    """An entry in a log of three."""
    hashes = tree_hashes([leaf_hash(b"before"), leaf_hash(entry), leaf_hash(b"after")])
    heads = Heads(NOW, (LogHead(3, root(3, hashes)),))
    over = tree_hashes([leaf_hash(bytes(heads))])
    text = str(Checkpoint(NAME, 1, root(1, over)))
    lines = (LOG.sign(text), *((KEY.sign(text, NOW),) if witnessed else ()))
    way = tuple(inclusion_proof(1, 3, hashes))
    return Proof(0, Path(1, way), heads, Path(0, ()), str(Note(text, lines)).encode())


async def coverage(agent: Agent) -> Coverage | None:
    """Where alpha stands."""
    (status,) = await agent.status()
    return status.coverage


async def send(agent: Agent, *message_ids: str) -> None:
    """Letters of alpha's, until the exchange has them and the agent knows it."""
    for message_id in message_ids:
        await agent.mailbox("alpha").submit(plain_letter(message_id, "beta"))
    await until_settled(agent)


async def came_to(agent: Agent, outcome: str) -> None:
    """Until a proof came to that."""
    labels = (("body", "alpha"), ("outcome", outcome))
    await until(lambda: agent._office.counters.read().get(("agent_log_proofs_total", labels), 0) > 0)


async def test_what_is_witnessed_is_remembered(place: Place) -> None:
    """The proof of the last statement covers all before it; an older one changes nothing, a new start neither."""
    log = Log(place)
    async with place.agent("alpha") as agent:
        await send(agent, "one", "two")
        first = log.own("alpha")[0][0]
        assert await coverage(agent) == Coverage(behind=3, oldest=first.created)
        log.publish(*log.own("alpha")[-1])
        await came_to(agent, "covered")
        assert await coverage(agent) == Coverage(behind=0)
        await send(agent, "three")
        log.publish(*log.own("alpha")[1])
        assert await coverage(agent) == Coverage(behind=1, oldest=log.own("alpha")[-1][0].created)
    async with place.agent("alpha") as agent:
        assert await coverage(agent) == Coverage(behind=1, oldest=log.own("alpha")[-1][0].created)


async def test_what_is_covered_and_old_is_let_go(place: Place) -> None:
    """Files of sent letters, once 35 days have passed; what is not covered stays whole; cards and statements too."""
    log = Log(place)
    async with place.agent("alpha") as agent:
        for message_id in ("one", "two", "three"):
            await agent.mailbox("alpha").submit(plain_letter(message_id, "beta"))
            await until_settled(agent)
        log.publish(*log.own("alpha")[2])
        await came_to(agent, "covered")
        assert await contents(agent) == [2, 2, 2]
        place.ahead = KEPT + timedelta(hours=1)

        async with asyncio.timeout(PATIENCE):
            while await contents(agent) != [1, 1, 2]:  # noqa: ASYNC110 - other tasks make it so
                await asyncio.sleep(0.01)
        sent = await agent.mailbox("alpha").sent_letter("one")
        assert sent is not None


async def contents(agent: Agent) -> list[int]:
    """How many items there still are of each letter."""
    rows = await agent._office.spool.run(
        lambda connection: connection.execute(
            "SELECT record FROM outgoing WHERE kind = 'letter' ORDER BY id"
        ).fetchall()
    )
    return [len(decode(Signed, record).contents) for (record,) in rows]


@pytest.mark.parametrize("outcome", ["unwitnessed", "refused", "ahead"])
async def test_what_does_not_count(place: Place, outcome: str) -> None:
    """Too few witnesses; no proof, or one of something else; a number that is not ours yet."""
    log = Log(place)
    async with place.agent("alpha") as agent:
        await send(agent, "one")
        (first, entry), (last, _) = log.own("alpha")[0], log.own("alpha")[-1]
        match outcome:
            case "unwitnessed":
                log.publish(last, log.own("alpha")[-1][1], witnessed=False)
            case "refused":
                log.put(origin_key(last.origin), b"none")
            case "ahead":
                with Spool(place.spool("alpha")) as spool:
                    spool.call(lambda connection: connection.execute("UPDATE origins SET taken_number = 0").close())
                log.publish(first, entry)
        log.put(b"x" * 32, b"none")
        log.put(bytes(16).hex().encode(), b"none")
        await came_to(agent, outcome)
        found = await coverage(agent)
        assert found is not None
        assert found.contradictions == 0


async def test_each_record_is_read_once(place: Place) -> None:
    """A look goes on where the last one stood; a proof that came too early is looked at again, without being read."""
    log = Log(place)
    read: list[int | None] = []
    reading = place.simulator.transport

    def counted(positions: Mapping[Partition, Position | None]) -> AbstractAsyncContextManager[Inboxes]:
        if CHECKPOINTS in {topic for topic, _ in positions}:
            read.extend(None if position is None else position.behind for position in positions.values())
        return reading.inboxes(positions)

    with Spool(place.spool("alpha")) as spool:
        office = place.office(spool)
        looking = Witnessing(office, POLICY)
        transport = Transport(reading.submissions, counted)
        async with place.agent("beta") as other:
            await other.mailbox("beta").submit(plain_letter("one", "alpha"))
            await until(lambda: bool(log.own("beta")))
        log.publish(*log.own("beta")[-1])
        await looking._look(transport)
        log.put(b"x" * 32, b"none")
        await looking._look(transport)
        await looking._look(transport)
        assert read == [None, 2, 3]
        place.simulator.inboxes[CHECKPOINTS].clear()
        await looking._look(transport)
        log.put(CHECKPOINT_KEY, b"whatever")
        await looking._look(transport)
        assert read == [None, 2, 3, 3, None]


async def test_a_proof_that_came_early_counts_later(place: Place) -> None:
    """The archive was quicker than the notice that the statement is taken; nothing is published again."""
    log = Log(place)
    async with place.agent("alpha") as agent:
        await send(agent, "one")
        with Spool(place.spool("alpha")) as spool:
            spool.call(lambda connection: connection.execute("UPDATE origins SET taken_number = 0").close())
        log.publish(*log.own("alpha")[-1])
        await came_to(agent, "ahead")
        with Spool(place.spool("alpha")) as spool:
            spool.call(lambda connection: connection.execute("UPDATE origins SET taken_number = signed_number").close())
        await came_to(agent, "covered")


async def test_another_s_proof_under_our_key_is_refused(place: Place) -> None:
    """Whose origin it is says the statement, not the key."""
    log = Log(place)
    async with place.agent("alpha") as agent, place.agent("beta") as other:
        await send(agent, "one")
        await other.mailbox("beta").submit(plain_letter("two", "alpha"))
        await until(lambda: bool(log.own("beta")))
        log.publish(log.own("alpha")[-1][0], log.own("beta")[-1][1])
        await came_to(agent, "refused")


async def test_the_log_has_another_statement(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """At a number that was taken: the exchange contradicts itself; entry and proof are kept, and it is said once."""
    log = Log(place)
    async with place.agent("alpha") as agent:
        await send(agent, "one")
        head, entry = log.own("alpha")[-1]
        with Spool(place.spool("alpha")) as spool:
            spool.call(
                lambda connection: connection.execute(
                    "UPDATE statements SET digest = zeroblob(32) WHERE number = ?", (head.number,)
                ).close()
            )
        with caplog.at_level(logging.ERROR):
            log.publish(head, entry)
            await came_to(agent, "contradiction")
        found = await coverage(agent)
        assert found is not None
        assert found.contradictions == 1
        rows = await agent._office.spool.run(
            lambda connection: connection.execute("SELECT number, entry, proof FROM contradictions").fetchall()
        )
        ((number, kept, text),) = rows
        assert (number, kept) == (head.number, entry)
        assert Proof.parse(text).verify(kept, POLICY).witnessed
    assert [record.getMessage() for record in caplog.records].count(
        "the log has another statement than ours: the proof is kept in the spool"
    ) == 1


async def test_a_log_that_cannot_be_read_is_asked_again(place: Place) -> None:
    """Whether Kafka or the disk says no; a damaged spool ends the agent, as everywhere."""
    troubles: list[Exception] = [
        BusError("away"),
        BusError("not there", code="topic-missing", retriable=False),
        SpoolError("full", code="spool-full", retriable=True),
        SpoolError("damaged", code="spool-corrupt"),
    ]
    reading = place.simulator.transport

    def failing(_: Mapping[Partition, Position | None]) -> AbstractAsyncContextManager[Inboxes]:
        raise troubles.pop(0)

    with Spool(place.spool("alpha")) as spool, pytest.raises(SpoolError, match="damaged"):
        await Witnessing(place.office(spool), POLICY).run(Transport(reading.submissions, failing))
    assert troubles == []
