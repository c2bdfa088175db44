"""Plans on a real broker, by the principal that needs no more rights than it has."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from exchange.bus.access import DIRECTORY_SERVICE, Grant, Operation, Resource, body_grants
from exchange.bus.connection import KafkaSettings
from exchange.bus.difference import topic_differences
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.quotas import Quota, set_quotas
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import DIRECTORY, SUBMISSIONS, inbox
from exchange.domain.directory import Body, BodyStatus, Limits
from exchange.domain.errors import BusError
from exchange.services.reconcile.cluster import Cluster
from exchange.services.reconcile.plan import Configure, Create, Give, Grow, Limit, Observed, Revoke, Step
from exchange.services.reconcile.wanted import Wanted, wanted
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster
from tests.services.reconcile.bodies import ALLOWANCES, SHAPE, body, directory

pytestmark = pytest.mark.server

POLL_SECONDS = 2.0
"""A poll that is open when the rights go is answered at its end: with nothing, as nobody writes to the inbox."""


@pytest.fixture
def cluster(kafka: KafkaCluster) -> Cluster:
    """As the directory's service."""
    return Cluster(kafka.settings(DIRECTORY_SERVICE))


def asked(*bodies: Body) -> Wanted:
    """What a directory of these bodies asks for."""
    return wanted(directory(*bodies), SHAPE, ALLOWANCES)


def assert_so(observed: Observed, must_be: Wanted) -> None:
    """The cluster has what must be; of our principals nothing else."""
    assert topic_differences(must_be.topics, observed.topics) == []
    ours = must_be.principals
    assert {right for right in observed.rights if right.principal in ours} == must_be.rights
    quotas = {principal: quota for principal, quota in observed.quotas.items() if principal in {None, *ours}}
    assert quotas == dict(must_be.quotas)


async def test_from_nothing_and_again(cluster: Cluster) -> None:
    """Exactly what the directory says; asked again nothing is changed."""
    limited = body("apply-limited", limits=Limits(bytes_per_second=1_000_000, request_percent=500))
    must_be = asked(
        body("apply-gateway"),
        body("apply-village", gateway="apply-gateway"),
        limited,
        body("apply-left", BodyStatus.LEFT),
    )
    done = await cluster.apply(must_be)
    assert {each.subject for each in done.changes} >= {inbox("apply-village"), "apply-gateway", "apply-limited"}
    observed = await cluster.observe()
    assert_so(observed, must_be)
    assert observed.quotas["apply-limited"] == Quota(1e6, 1e9, 500.0)
    assert inbox("apply-left") not in observed.topics
    assert (await cluster.apply(must_be)).steps == ()


async def test_killed_anywhere_it_goes_on(kafka: KafkaCluster, cluster: Cluster) -> None:
    """After each step, and in the middle of each, whoever looks next does the rest."""
    names = [f"killed-{stopped}" for stopped in range(10)]
    await cluster.apply(asked(*(body(f"{name}-{kind}") for name in names for kind in ("old", "set"))))
    for stopped, name in enumerate(names):
        await _forget(kafka, f"{name}-set")
        must_be = asked(body(f"{name}-old", BodyStatus.SUSPENDED), body(f"{name}-set"), body(f"{name}-new"))
        steps = (await cluster.planned(must_be)).steps
        assert [type(step) for step in steps] == [Revoke, Create, Configure, Limit, Give]
        whole, half = divmod(stopped, 2)
        for step in steps[:whole]:
            await cluster.perform(step)
        if half:
            await cluster.perform(_half(steps[whole]))
        await Cluster(kafka.settings(DIRECTORY_SERVICE)).apply(must_be)
        observed = await cluster.observe()
        assert_so(observed, must_be)
        assert inbox(f"{name}-old") in observed.topics


async def _forget(kafka: KafkaCluster, code: str) -> None:
    """Somebody changes two settings of a body's inbox by hand."""
    async with kafka.administration() as administration:
        topic = (await administration.topics())[inbox(code)]
        wrong = replace(topic, configuration={"retention.ms": "1000", "retention.bytes": "1000"})
        await administration.ensure_topics([wrong])


def _half(step: Step) -> Step:
    """The first half of a step, as a process that was killed may have done it."""
    match step:
        case Revoke(rights):
            return Revoke(rights[: len(rights) // 2])
        case Create(topics):
            return Create(topics[: len(topics) // 2])
        case Configure(settings):
            return Configure(settings[: len(settings) // 2])
        case Limit(quotas):
            return Limit(dict(list(quotas.items())[: len(quotas) // 2]))
        case Give(rights):
            return Give(rights[: len(rights) // 2])
        case Grow(differences):
            return Grow(differences[: len(differences) // 2])


async def test_suspended_is_cut_off_within_five_seconds(kafka: KafkaCluster, cluster: Cluster) -> None:
    """Under connections that are open: one in a long poll for its letters, one that writes."""
    code = "cut"
    connected = body(code)
    await cluster.apply(asked(connected))
    settings = kafka.settings(code)
    partitions = {(topic, 0): None for topic in (inbox(code), DIRECTORY)}
    async with (
        PositionedReader(settings, partitions, fetch_wait_seconds=POLL_SECONDS) as reader,
        SubmissionProducer(settings) as producer,
    ):
        await producer.send([Outgoing(b"letter")], topic=SUBMISSIONS, partition=0)
        assert await reader.read(0.5) == []
        async with asyncio.timeout(PATIENCE):
            await cluster.apply(asked(replace(connected, status=BodyStatus.SUSPENDED)))
            await _until_denied(lambda: producer.send([Outgoing(b"letter")], topic=SUBMISSIONS, partition=0))
            await _until_denied(reader.end_offsets)
            await _until_denied(lambda: reader.read(POLL_SECONDS))
    with pytest.raises(BusError) as refused:
        await _open(settings, inbox(code))
    assert refused.value.code == "access-denied"
    await cluster.apply(asked(connected))
    await _open(settings, inbox(code))


async def _until_denied(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask until the broker refuses."""
    code = ""
    while not code:
        try:
            await ask()
        except BusError as refused:
            code = refused.code
    assert code == "access-denied"


async def _open(settings: KafkaSettings, topic: str) -> None:
    async with PositionedReader(settings, {(topic, 0): None}):
        pass


async def test_strangers_are_told_and_left_alone(kafka: KafkaCluster, cluster: Cluster) -> None:
    """Their rights stay; a stray one of a body goes; a denial stays, and so does a stranger's quota."""
    stranger = Grant("stranger", Operation.READ, Resource.TOPIC, "exchange.journal")
    denial = Grant("stray", Operation.READ, Resource.TOPIC, inbox("stray"), denied=True)
    stray = Grant("stray", Operation.READ, Resource.TOPIC, "exchange.inbox.", prefix=True)
    must_be = asked(body("stray"))
    async with kafka.administration() as administration:
        await administration.ensure_access([stranger, denial, stray])
        await set_quotas(kafka.settings(ADMINISTRATOR), {"stranger": Quota(1.0, 1.0, 1.0)})
        done = await cluster.apply(must_be)
        assert {str(stranger), str(denial)} <= {each.found for each in done.reported}
        observed = await cluster.observe()
        assert {stranger, denial} <= observed.rights
        assert {right for right in observed.rights if right.principal == "stray"} == {*body_grants("stray"), denial}
        assert observed.quotas["stranger"] == Quota(1.0, 1.0, 1.0)
        await administration.revoke([stranger, denial])


async def test_a_body_cannot_apply(kafka: KafkaCluster) -> None:
    """Nor can it look."""
    with pytest.raises(BusError) as refused:
        await Cluster(kafka.settings("alpha")).apply(asked(body("alpha")))
    assert refused.value.code == "access-denied"
