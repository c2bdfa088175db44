"""Who may do what: the table as values, and what a real broker denies."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed

from exchange.bus.access import AUDITOR, CONSOLE, TRACKER, Grant, Operation, Resource, body_grants, service_grants
from exchange.bus.connection import aiokafka_options
from exchange.bus.errors import bus_error
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import COMMANDS, JOURNAL, SUBMISSIONS, inbox
from exchange.domain.errors import BusError
from tests.plugin_kafka import KafkaCluster


def test_a_body_has_four_rights() -> None:
    """Write submissions, read its inbox, the directory and checkpoints; no group, no transactions."""
    assert set(map(str, body_grants("mfa"))) == {
        "mfa may WRITE topic exchange.submissions",
        "mfa may READ topic exchange.directory",
        "mfa may READ topic exchange.checkpoints",
        "mfa may READ topic exchange.inbox.mfa",
    }


def test_a_gateway_reads_the_inboxes_of_its_bodies() -> None:
    """One principal carries many bodies, and has no inbox of its own."""
    grants = body_grants("gateway", ["village-1", "village-2"])
    inboxes = {grant.name for grant in grants if grant.name.startswith(inbox(""))}
    assert inboxes == {inbox("village-1"), inbox("village-2")}
    assert {grant.principal for grant in grants} == {"gateway"}


def test_only_services_write_what_bodies_read() -> None:
    """The auditor writes nowhere, only the router the journal; it has a group, and transactions as the archive has."""
    grants = service_grants()
    assert not [grant for grant in grants if grant.principal == AUDITOR and grant.operation is Operation.WRITE]
    assert {grant.principal for grant in grants if grant.resource is Resource.GROUP} == {"svc-router"}
    assert {(grant.principal, grant.name) for grant in grants if grant.prefix} == {
        ("svc-router", inbox("")),
        ("svc-router", "router:"),
        ("svc-archive", "archive:"),
        ("svc-directory", "exchange."),
    }
    written = {(grant.principal, grant.name) for grant in grants if grant.operation is Operation.WRITE}
    assert {principal for principal, name in written if name == JOURNAL} == {"svc-router"}
    assert {name for principal, name in written if principal in {TRACKER, CONSOLE}} == {COMMANDS}
    assert Operation.DELETE not in {grant.operation for grant in grants}
    assert all(grant.principal.startswith("svc-") for grant in grants)
    assert len(set(grants)) == len(grants)
    assert str(Grant("svc-router", Operation.WRITE, Resource.TRANSACTIONAL_ID, "router:", prefix=True)) == (
        "svc-router may WRITE transactional id router:*"
    )


@pytest.mark.server
async def test_a_body_has_no_transactional_id(kafka: KafkaCluster) -> None:
    """A body that could take the router's transactional id could fence it."""
    for identity in ("router:0", "alpha"):
        producer = AIOKafkaProducer(**aiokafka_options(kafka.settings("alpha")), transactional_id=identity)
        with pytest.raises(TransactionalIdAuthorizationFailed) as refused:
            await producer.start()
        await producer.stop()
        assert bus_error(refused.value, "starting").code == "access-denied"


@pytest.mark.server
async def test_a_body_has_no_group(kafka: KafkaCluster) -> None:
    """Neither the router's, which it could disturb, nor one of its own."""
    for group in ("exchange.router", "alpha"):
        consumer = AIOKafkaConsumer(inbox("alpha"), **aiokafka_options(kafka.settings("alpha")), group_id=group)
        with pytest.raises(GroupAuthorizationFailedError):
            await consumer.start()
        await consumer.stop()


@pytest.mark.server
async def test_the_auditor_reads_the_journal_and_writes_nowhere(kafka: KafkaCluster) -> None:
    """Replay's principal can change nothing that it checks."""
    settings = kafka.settings(AUDITOR)
    async with PositionedReader(settings, {(JOURNAL, 0): None, (JOURNAL, 1): None}) as reader:
        assert set(await reader.begin_offsets()) == {(JOURNAL, 0), (JOURNAL, 1)}
        await reader.read(0.1)
    async with SubmissionProducer(settings) as producer:
        for topic in (JOURNAL, SUBMISSIONS, inbox("alpha")):
            with pytest.raises(BusError) as refused:
                await producer.send([Outgoing(b"forged")], topic=topic, partition=0)
            assert refused.value.code == "access-denied"
