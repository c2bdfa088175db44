"""Where the cluster is and who we are."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from exchange.bus.connection import KafkaSettings, aiokafka_options, confluent_options
from exchange.bus.line import LINES, Line
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import inbox
from exchange.domain.errors import BusError, ConfigurationError
from exchange.security.authority import Authority
from exchange.security.errors import KeyRefused
from exchange.security.files import PRIVATE, write_atomically
from tests.patience import PATIENCE
from tests.plugin_kafka import KafkaCluster
from tests.security.support import openssl


@pytest.fixture
def settings(tmp_path: Path) -> KafkaSettings:
    """A body's settings, with no broker behind them."""
    authority = Authority(tmp_path, now=datetime.now(UTC))
    files = authority.body("mfa").transport
    return KafkaSettings("127.0.0.1:9", authority.transport_root, files.certificate, files.key)


def test_tls_trusts_the_transport_root_alone(settings: KafkaSettings) -> None:
    """Both clients get our certificate and one root, TLS 1.3 and host names checked."""
    context = aiokafka_options(settings)["ssl_context"]
    assert [root["serialNumber"] for root in context.get_ca_certs()] != []
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert confluent_options(settings)["ssl.ca.location"] == str(settings.ca)


def test_a_frozen_broker_is_given_up_soon(settings: KafkaSettings) -> None:
    """Long before aiokafka's own 40 s, unless the line is thin."""
    assert aiokafka_options(settings)["request_timeout_ms"] <= 10_000


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_answer_has_its_time(settings: KafkaSettings, line: Line) -> None:
    """A broker may hold a question of ours for news, and writing outlasts one answer that never comes."""
    assert aiokafka_options(replace(settings, line=line))["request_timeout_ms"] == line.answer_seconds * 1000
    assert line.fetch_wait_seconds < line.answer_seconds < line.delivery_seconds


def test_an_exposed_key_is_refused(settings: KafkaSettings) -> None:
    """A key that others can read opens no connection, with either client."""
    settings.key.chmod(0o644)
    for options in (aiokafka_options, confluent_options):
        with pytest.raises(KeyRefused) as refused:
            options(settings)
        assert refused.value.code == "key-file-exposed"


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_root_that_is_none_is_refused(settings: KafkaSettings, tmp_path: Path, text: str | None) -> None:
    """Missing or not PEM: the message names the file."""
    path = tmp_path / "root.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"root\.pem") as refused:
        aiokafka_options(replace(settings, ca=path))
    assert refused.value.code == "ca-invalid"


def encrypted(settings: KafkaSettings, folder: Path) -> KafkaSettings:
    """The same with its key encrypted by openssl, and a file with the passphrase."""
    passphrase, locked = folder / "passphrase", folder / "locked.key.pem"
    write_atomically(passphrase, b"Ala-Too\n", mode=PRIVATE)
    done = openssl("pkcs8", "-topk8", "-in", settings.key, "-out", locked, "-passout", f"file:{passphrase}")
    assert done.returncode == 0, done.stderr
    locked.chmod(PRIVATE)
    return replace(settings, key=locked, passphrase=passphrase)


@pytest.mark.requires_tool(name="openssl", debian="openssl")
def test_an_encrypted_key_is_opened_for_both_clients(settings: KafkaSettings, tmp_path: Path) -> None:
    """A wrong passphrase is told before either client could ask for one on the terminal."""
    locked = encrypted(settings, tmp_path)
    assert aiokafka_options(locked)["ssl_context"].get_ca_certs()
    AdminClient(confluent_options(locked))  # librdkafka opens the key when the client is made
    write_atomically(tmp_path / "passphrase", b"Alamedin\n", mode=PRIVATE)
    for options in (aiokafka_options, confluent_options):
        with pytest.raises(KeyRefused) as refused:
            options(locked)
        assert refused.value.code == "passphrase-wrong"


@pytest.mark.requires_tool(name="openssl", debian="openssl")
@pytest.mark.server
async def test_an_encrypted_key_connects(kafka: KafkaCluster, tmp_path: Path) -> None:
    """With aiokafka and with librdkafka."""
    settings = encrypted(kafka.settings("alpha"), tmp_path)
    async with PositionedReader(settings, {(inbox("alpha"), 0): None}) as reader:
        assert (inbox("alpha"), 0) in await reader.end_offsets()
    assert inbox("alpha") in AdminClient(confluent_options(settings)).list_topics(timeout=PATIENCE).topics


def test_two_roots_are_trusted_while_the_exchange_changes_its_own(settings: KafkaSettings, tmp_path: Path) -> None:
    """The file may hold a bundle."""
    other = Authority(tmp_path / "next", now=datetime.now(UTC)).transport_root
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(settings.ca.read_bytes() + other.read_bytes())
    assert len(aiokafka_options(replace(settings, ca=bundle))["ssl_context"].get_ca_certs()) == 2


@pytest.mark.server
async def test_a_stranger_is_not_let_in(kafka: KafkaCluster, tmp_path: Path) -> None:
    """A certificate of the right name from another root does not connect."""
    stranger = Authority(tmp_path, now=datetime.now(UTC)).body("alpha").transport
    settings = replace(kafka.settings("alpha"), certificate=stranger.certificate, key=stranger.key)
    with pytest.raises(BusError) as refused:
        async with PositionedReader(settings, {(inbox("alpha"), 0): None}):
            pass
    assert refused.value.code == "bus-unavailable"
