"""A real broker: secure, reused, and up again after every kind of end."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from exchange import system
from exchange.bus.connection import KafkaSettings, confluent_options
from exchange.embedded import ClusterTls, EmbeddedKafka, JavaProgram, running_brokers, stop_brokers
from exchange.embedded.cluster_files import saved_nodes
from exchange.embedded.errors import KafkaFailedError
from exchange.embedded.probe import live_brokers
from exchange.security.authority import Authority
from exchange.security.keys import KeyFiles
from tests.patience import PATIENCE

pytestmark = pytest.mark.server

UNKNOWN_MS = 1000
"""Soon enough for topics that nobody makes."""


@dataclass(frozen=True, slots=True)
class Client:
    """What one principal can do at a cluster."""

    kafka: EmbeddedKafka
    files: KeyFiles

    @property
    def options(self) -> dict[str, Any]:
        """Options of any confluent client."""
        ca = self.kafka.tls.ca
        return confluent_options(KafkaSettings(self.kafka.bootstrap, ca, self.files.certificate, self.files.key))

    def create_topic(self, name: str, copies: int = 1) -> None:
        """Make a topic of one partition."""
        client = AdminClient(self.options)
        for done in client.create_topics([NewTopic(name, 1, copies)]).values():
            done.result(PATIENCE)

    def topics(self) -> set[str]:
        """Names of the topics that the principal may see."""
        return set(AdminClient(self.options).list_topics(timeout=PATIENCE).topics)

    def write(self, topic: str, value: bytes, unknown_ms: float = PATIENCE * 1000) -> None:
        """Write one record; raises what the broker answered, or that it knows no such topic for so long."""
        answers: list[KafkaError | None] = []
        limits = {
            "message.timeout.ms": int(PATIENCE * 1000),
            "topic.metadata.propagation.max.ms": int(unknown_ms),
            # A frozen broker accepts connections and never answers: ask the next one soon.
            "socket.connection.setup.timeout.ms": 5000,
            "socket.timeout.ms": 10000,
        }
        producer = Producer({**self.options, **limits})
        producer.produce(topic, value, on_delivery=lambda error, _message: answers.append(error))
        producer.flush()
        (answer,) = answers
        if answer:
            raise KafkaException(answer)

    def read(self, topic: str, count: int) -> list[bytes]:
        """Read from the beginning; only what is committed to all in-sync copies is seen."""
        with closing(Consumer({**self.options, "group.id": "none", "auto.offset.reset": "earliest"})) as consumer:
            consumer.assign([TopicPartition(topic, 0, 0)])
            return [message.value() or b"" for message in consumer.consume(count, PATIENCE)]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory, program: JavaProgram, tls: ClusterTls) -> Iterator[EmbeddedKafka]:
    """One broker, for the tests that leave it as it is or bring it back."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), program, tls=tls) as kafka:
        yield kafka


@pytest.fixture
def admin(kafka: EmbeddedKafka) -> Client:
    """The administrator at the shared broker."""
    return Client(kafka, kafka.tls.admin)


def test_the_administrator_makes_topics_writes_and_reads(admin: Client) -> None:
    """Ready means ready: the first request after the start is served."""
    admin.create_topic("first")
    admin.write("first", b"letter")
    assert admin.read("first", 1) == [b"letter"]


def test_a_client_without_a_certificate_is_refused(kafka: EmbeddedKafka) -> None:
    """TLS alone opens nothing; the broker asks for a certificate of its own root."""
    context = kafka.tls.admin_context()
    anonymous = type(context)(context.protocol)
    anonymous.load_verify_locations(kafka.tls.ca)
    with pytest.raises(OSError, match=r"(?i)certificate required|reset|closed"):
        live_brokers(kafka.brokers[0].node.client_port, anonymous, PATIENCE)


def test_a_certificate_of_another_root_is_refused(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """The same name under a stranger's root is a stranger."""
    stranger = Authority(tmp_path, now=system.now()).service("svc-admin")
    context = replace(kafka.tls, admin=stranger).admin_context()
    with pytest.raises(OSError, match=r"(?i)unknown ca|unknown|certificate|reset|closed"):
        live_brokers(kafka.brokers[0].node.client_port, context, PATIENCE)


def test_plain_text_is_refused(kafka: EmbeddedKafka) -> None:
    """No listener speaks without TLS, the controllers' neither."""
    node = kafka.brokers[0].node
    for port in (node.client_port, node.controller_port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
            plain.sendall(b"\0\0\0\x0a\0\x12\0\0\0\0\0\1\0\0")
            assert len(plain.recv(100)) <= 7  # a TLS alert, or nothing


def test_a_principal_without_rights_is_denied(admin: Client, authority: Authority) -> None:
    """A body's own certificate connects, and without an ACL sees and writes nothing."""
    admin.create_topic("private")
    body = Client(admin.kafka, authority.body("mfa").transport)
    assert "private" not in body.topics()
    with pytest.raises(KafkaException, match=r"(?i)authorization|unknown topic"):
        body.write("private", b"letter", UNKNOWN_MS)
    with pytest.raises(KafkaException, match=r"(?i)authorization"):
        body.create_topic("mine")


def test_topics_are_not_made_by_writing(admin: Client) -> None:
    """A misspelt topic is an error, for the administrator too."""
    with pytest.raises(KafkaException, match=r"(?i)unknown topic"):
        admin.write("misspelt", b"letter", UNKNOWN_MS)


def test_a_second_start_reuses_and_does_not_end(kafka: EmbeddedKafka, program: JavaProgram, tls: ClusterTls) -> None:
    """Another starter finds the same process at the same address, and its end is not the broker's."""
    process = kafka.brokers[0].pid
    with EmbeddedKafka(kafka.folder, program, tls=tls) as second:
        assert second.bootstrap == kafka.bootstrap
        assert second.brokers[0].pid == process
    assert kafka.brokers[0].pid == process


def test_a_killed_broker_comes_back_with_its_data(admin: Client) -> None:
    """After kill -9 what was acknowledged is there, at the same address."""
    admin.create_topic("kept")
    admin.write("kept", b"before")
    broker = admin.kafka.brokers[0]
    broker.kill()
    assert not broker.running
    with pytest.raises(KafkaFailedError, match="does not run"):
        admin.kafka.wait_ready()
    broker.start()
    admin.kafka.wait_ready()
    admin.write("kept", b"after")
    assert admin.read("kept", 2) == [b"before", b"after"]


def test_a_frozen_broker_is_woken_by_the_next_start(
    kafka: EmbeddedKafka, program: JavaProgram, tls: ClusterTls
) -> None:
    """What a test or an operator froze and forgot does not block anybody."""
    process = kafka.brokers[0].pid
    kafka.brokers[0].pause()
    with EmbeddedKafka(kafka.folder, program, tls=tls) as second:
        assert second.brokers[0].pid == process
        assert live_brokers(second.brokers[0].node.client_port, tls.admin_context(), PATIENCE) == {1}


_KILLED_STARTER = """
import os, signal, sys
from pathlib import Path
from exchange.embedded import (ClusterTls, EmbeddedKafka, JavaProgram, cache_folder, ensure_jars, find_java,
                               with_class_cache)
from exchange.security.keys import KeyFiles
folder, keystore, key, certificate, ca = map(Path, sys.argv[1:6])
cache = cache_folder(os.environ)
tls = ClusterTls(keystore, KeyFiles(key, certificate), ca)
program = with_class_cache(JavaProgram(find_java(os.environ), ensure_jars(cache)), cache, tls)
EmbeddedKafka(folder, program, tls=tls, detached=sys.argv[6] == "detached").start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def _start_and_be_killed(folder: Path, tls: ClusterTls, tie: str) -> None:
    files = [folder, tls.keystore, tls.admin.key, tls.admin.certificate, tls.ca]
    starter = subprocess.run([sys.executable, "-c", _KILLED_STARTER, *files, tie], check=False)
    assert starter.returncode == -signal.SIGKILL


def test_a_killed_starter_leaves_no_broker_and_no_obstacle(folder: Path, program: JavaProgram, tls: ClusterTls) -> None:
    """Attached, in a folder with a difficult name: gone with the starter, then up again, same ports."""
    _start_and_be_killed(folder, tls, "attached")
    deadline = time.monotonic() + PATIENCE
    while running_brokers(folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running_brokers(folder) == []
    ports = saved_nodes(folder)
    with EmbeddedKafka(folder, program, tls=tls) as kafka:
        assert (kafka.brokers[0].node,) == ports
        assert list((folder / "node-1" / "logs").glob("*.log"))
    assert running_brokers(folder) == []


def test_a_detached_broker_stays_until_it_is_stopped(folder: Path, program: JavaProgram, tls: ClusterTls) -> None:
    """It outlives its killed starter, is used by the next, replaced under new certificates, stopped by name."""
    _start_and_be_killed(folder, tls, "detached")
    (left,) = running_brokers(folder)
    with EmbeddedKafka(folder, program, tls=tls) as kafka:
        assert kafka.brokers[0].pid == left.pid
        Client(kafka, tls.admin).create_topic("kept")
    assert left.running
    renewed = Authority(folder / "renewed", now=system.now())
    new_tls = ClusterTls(renewed.broker(), renewed.service("svc-admin"), renewed.transport_root)
    kafka = EmbeddedKafka(folder, program, tls=new_tls, detached=True)
    kafka.start()
    assert "kept" in Client(kafka, new_tls.admin).topics()
    assert stop_brokers(folder) == 1
    assert not kafka.brokers[0].running
    assert stop_brokers(folder) == 0


def test_a_broker_that_cannot_start_says_why(tmp_path: Path, program: JavaProgram, tls: ClusterTls) -> None:
    """The message has Java's own words and the log's path; nothing is left running."""
    broken = replace(program, options=("-XX:+NoSuchOption",))
    with pytest.raises(KafkaFailedError, match=r"NoSuchOption") as failed:
        EmbeddedKafka(tmp_path, broken, tls=tls).start()
    assert failed.value.code == "embedded-kafka-failed"
    assert str(tmp_path / "node-1" / "logs") in str(failed.value)
    assert running_brokers(tmp_path) == []


def test_storage_that_cannot_be_formatted_says_why(tmp_path: Path, program: JavaProgram, tls: ClusterTls) -> None:
    """Also before the broker itself: here its only jar is not Kafka's."""
    with pytest.raises(KafkaFailedError, match=r"(?s)could not format.*StorageTool"):
        EmbeddedKafka(tmp_path, replace(program, jars=program.jars[:1]), tls=tls).start()


def test_three_nodes_go_on_without_one(tmp_path: Path, program: JavaProgram, tls: ClusterTls) -> None:
    """Three copies, two in sync required: one killed or frozen is no interruption, and it comes back."""
    with EmbeddedKafka(tmp_path, program, tls=tls, nodes=3) as kafka:
        admin = Client(kafka, tls.admin)
        admin.create_topic("copied", copies=3)
        admin.write("copied", b"one")
        kafka.brokers[0].kill()
        kafka.wait_ready(live=2)
        admin.write("copied", b"two")
        kafka.brokers[0].start()
        kafka.wait_ready()
        kafka.brokers[1].pause()
        admin.write("copied", b"three")
        kafka.brokers[1].resume()
        kafka.wait_ready()
        assert admin.read("copied", 3) == [b"one", b"two", b"three"]
        for broker in kafka.brokers:  # an orderly end takes 5 s once the quorum is gone
            broker.kill()
    assert running_brokers(tmp_path) == []
