"""The containers: valid by the Compose specification, hardened, and everything that they mount is prepared."""

import importlib.util
import json
import re
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from exchange.cli.commands import COMMANDS
from exchange.cli.kafka_checks import BROKER_SETTINGS
from exchange.embedded.jars import KAFKA_VERSION
from exchange.security.keys import KeyFiles
from exchange.security.log_keys import read_log_policy
from exchange.settings import directory_settings, operator_settings, router_settings, tracker_settings
from exchange.settings.agent import agent_settings, canary_settings
from exchange.settings.archive import archive_settings
from exchange.settings.console import console_settings
from exchange.settings.witness import witness_settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "exchange:local"}
READERS: dict[str, Callable[[Path, Mapping[str, str]], Any]] = {
    "directory": directory_settings,
    "router": router_settings,
    "tracker": tracker_settings,
    "archive": archive_settings,
    "witness": witness_settings,
    "console": console_settings,
    "operator": operator_settings,
    "echo": agent_settings,
    "canary": canary_settings,
    "agent-mfa": agent_settings,
    "agent-minjust": agent_settings,
}
SCHEMA = "check-jsonschema==0.39.0 --hash=sha256:14ce5c94871c551268ea948ffe21e9f1464dc48fb20bf9a4c13deeaaf756cf9b\n"
"""The package that carries the specification's own schema; nothing of it is copied into the project."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `docker/prepare.py` makes."""
    spec = importlib.util.spec_from_file_location("prepare", DOCKER / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("docker") / "state"
    module.prepare(folder, datetime.now(UTC))
    module.prepare(folder, datetime.now(UTC))
    return folder


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """What a service sees, by where: sources as compose.yaml names them."""
    pairs = (volume.split(":")[:2] for volume in service.get("volumes", ()))
    secrets = [secret for secret in service.get("secrets", ()) if isinstance(secret, dict)]
    files = {secret["target"]: COMPOSE["secrets"][secret["source"]]["file"] for secret in secrets}
    return {target: source for source, target in pairs} | files


@pytest.mark.server
def test_it_is_valid_by_the_specification(tmp_path: Path) -> None:
    """By the schema that the specification publishes."""
    (tmp_path / "requirements.txt").write_text(SCHEMA)
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*words, "--dest", tmp_path, "--requirement", tmp_path / "requirements.txt"], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        schema = json.loads(opened.read("check_jsonschema/builtin_schemas/vendor/compose-spec.json"))
    jsonschema.validate(COMPOSE, schema)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_little_but_its_work(name: str) -> None:
    """Nobody's user, nothing writable but what is mounted, no right, bounded, looked at, and open to this machine."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].startswith("${EXCHANGE_UID")
    assert {"mem_limit", "cpus", "pids_limit", "healthcheck"} <= set(service)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert not re.search(r":latest$|^[^:]+$", service["image"])


def test_everything_that_is_mounted_is_prepared(state: Path) -> None:
    """Files and folders; keys are readable by their owner alone."""
    sources = {source for service in SERVICES.values() for source in mounts(service).values()}
    sources |= {secret["file"] for secret in COMPOSE["secrets"].values()}
    for source in sources:
        path = state.parent / source if source.startswith("./state") else DOCKER / source
        assert path.exists(), source
    for secret in COMPOSE["secrets"].values():
        if not secret["file"].endswith(".crt.pem"):
            assert (state.parent / secret["file"]).stat().st_mode & 0o077 == 0, secret
    assert set(COMPOSE["secrets"]) == {
        secret if isinstance(secret, str) else secret["source"]
        for service in SERVICES.values()
        for secret in service.get("secrets", ())
    }


@pytest.mark.parametrize("name", OURS)
def test_a_process_finds_its_settings_and_what_they_name(name: str, state: Path) -> None:
    """Its command is one of ours, its settings are read whole, and each file that they name is mounted."""
    service = OURS[name]
    command, *_, config = service["command"]
    assert command in COMMANDS
    stem = Path(config).stem
    settings = READERS[stem](state / f"{stem}.toml", {})
    if stem != "witness":  # who knows no Kafka
        assert (settings.agent if stem == "canary" else settings).kafka.bootstrap == "kafka:9093"
    seen = mounts(service)
    text = (state / f"{stem}.toml").read_text(encoding="utf-8")
    for named in re.findall(r'"((?:authority/|log/|/etc/|policy|quotas|infodocs)[^"]*)"', text):
        place = f"/etc/exchange/{named}" if not named.startswith("/") else named
        assert place in seen, named


def test_the_log_is_witnessed(state: Path) -> None:
    """Archive and witness find one another by their containers' names, over TLS that the transport root vouches for."""
    archive = archive_settings(state / "archive.toml", {})
    witness = witness_settings(state / "witness.toml", {})
    policy = read_log_policy(state / "log" / "log.policy")
    (asked,) = policy.witnesses
    assert archive.serve is not None
    assert (asked.url, policy.quorum) == (f"https://witness:{witness.port}", asked.name)
    assert {name: log.tiles for name, log in witness.logs.items()} == {
        policy.log.name: f"https://archive:{archive.serve.port}"
    }
    assert archive.timestamps is None
    for name, files in (("witness", witness.files), ("archive", archive.serve.files)):
        assert files is not None
        assert SERVICES[name]["environment"]["SSL_CERT_FILE"] in mounts(SERVICES[name])
        shake_hands(state / "authority/ca/transport.crt.pem", files, name)


def shake_hands(ca: Path, files: KeyFiles, name: str) -> None:
    """A client that trusts `ca` speaks TLS with whoever has `files`, by that name; raises if it refuses."""
    listener = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    listener.load_cert_chain(files.certificate, files.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = ssl.create_default_context(cafile=ca).wrap_bio(to_client, to_server, server_hostname=name)
    called = listener.wrap_bio(to_server, to_client, server_side=True)
    for side in (caller, called, caller, called):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert caller.version() == called.version() == "TLSv1.3"


def test_the_broker_is_as_doctor_wants_it() -> None:
    """The settings that the exchange relies on, and nobody without a certificate or a right."""
    lines = (DOCKER / "kafka" / "server.properties").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert {name: settings.get(name) for name in BROKER_SETTINGS} == BROKER_SETTINGS
    assert settings["ssl.client.auth"] == "required"
    assert settings["allow.everyone.if.no.acl.found"] == "false"
    assert "PLAINTEXT" not in settings["listener.security.protocol.map"]


def test_the_broker_is_the_one_that_is_tested() -> None:
    """What is embedded and what runs in a container is one version."""
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_prometheus_looks_at_every_process() -> None:
    """Each target of the example is a container, by the job that alerts ask for."""
    text = (ROOT / "config" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    targets = {
        target.removesuffix(":9100")
        for job in yaml.safe_load(text)["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    assert targets == set(OURS) - {"apply"}
