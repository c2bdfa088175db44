"""`exchange body renew`: how far each next pair has come, and what a person does next."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.domain.directory import CertificateUse, ListedCertificate
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.keys import load_certificate, load_key_pair
from exchange.settings.agent import AgentSettings, agent_settings
from tests.plugin_kafka import KafkaCluster
from tests.published import directory_folder, publish
from tests.security.issuing import certify_next
from tests.world import World

NOW = datetime.now(UTC)


class Office:
    """An agent's files, in an installation that does not run."""

    def __init__(self, folder: Path) -> None:
        """Made now."""
        self.folder = folder
        installer = Installer(folder, demo_bodies(), NOW)
        installer.write_settings("127.0.0.1:1")
        self.config = installer.installation.config("agent-mfa")
        self.authority = Authority(folder / "authority", now=NOW)

    @property
    def settings(self) -> AgentSettings:
        """Of the agent."""
        return agent_settings(self.config, {})

    def run(self, *arguments: str) -> Result:
        """`exchange body renew` here."""
        return CliRunner().invoke(app, ["body", "renew", "--config", str(self.config), *arguments])

    def stages(self, *arguments: str) -> dict[str, str]:
        """How far each pair has come."""
        return {pair["use"]: pair["stage"] for pair in json.loads(self.run(*arguments, "--json").stdout)["result"]}

    def list_next(self) -> None:
        """The directory's next version lists the next statement certificate beside the present one."""
        body = directory_folder(self.folder, self.authority).latest().bodies["mfa"]
        der = load_certificate(self.settings.bodies[0].statement.next.certificate).public_bytes(Encoding.DER)
        listed = ListedCertificate(der, CertificateUse.STATEMENT)
        publish(self.folder, self.authority, replace(body, certificates=(*body.certificates, listed)))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A fresh one."""
    return Office(tmp_path)


def test_a_statement_key_from_request_to_use(office: Office) -> None:
    """Each run says the next step; --finish waits until the directory lists the certificate."""
    statement = office.settings.bodies[0].statement
    assert office.stages() == {"statement": "requested", "transport": "requested"}
    assert office.stages() == {"statement": "awaited", "transport": "awaited"}
    certify_next(statement, office.authority.statement_root, NOW)
    done = office.run("--finish")
    assert done.exit_code == 1
    assert "listed in the directory" in done.output
    office.list_next()
    assert office.stages()["statement"] == "listed"
    expected = load_certificate(statement.next.certificate)
    assert office.stages("--finish") == {"statement": "finished", "transport": "awaited"}
    assert load_key_pair(statement).certificate == expected
    assert office.stages()["statement"] == "requested"


def test_a_transport_key_is_tried_before_it_is_used(office: Office) -> None:
    """Without a broker that takes it nothing is put in place."""
    transport = office.settings.kafka.files
    office.run()
    certify_next(transport, office.authority.transport_root, NOW)
    assert office.stages()["transport"] == "ready"
    before = load_certificate(transport.certificate)
    done = office.run("--finish", "--json")
    assert done.exit_code == 4, done.output
    assert load_certificate(transport.certificate) == before


@pytest.mark.server
def test_a_transport_key_that_the_brokers_take(kafka: KafkaCluster, tmp_path: Path) -> None:
    """It connects once with the next pair, and then that is the present one."""
    world = World(tmp_path / "world", ("alpha",), now=NOW)
    world.publish(tmp_path / "directory")
    root = world.authority.directory.root
    keys = kafka.authority.body("alpha")
    (tmp_path / "agent.toml").write_text(
        f"""[kafka]
bootstrap = "{kafka.server.bootstrap}"
ca = "{kafka.authority.transport_root}"
certificate = "{keys.transport.certificate}"
key = "{keys.transport.key}"
[directory]
folder = "directory"
root = "{root}"
[policy]
file = "policy.toml"
[spool]
folder = "spool"
[[body]]
code = "alpha"
certificate = "{keys.statement.certificate}"
key = "{keys.statement.key}"
"""
    )
    arguments = ["body", "renew", "--json", "--config", str(tmp_path / "agent.toml")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    expected = certify_next(keys.transport, kafka.authority.transport_root, NOW)
    done = CliRunner().invoke(app, [*arguments, "--finish"])
    assert [pair["stage"] for pair in json.loads(done.stdout)["result"]] == ["awaited", "finished"]
    assert load_key_pair(keys.transport).certificate == expected
    for beside in keys.statement.key.parent.glob("*.next.*"):
        beside.unlink()
