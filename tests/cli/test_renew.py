"""`exchange body renew`: how far each next pair has come, and what a person does next."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.domain.directory import CertificateUse, ListedCertificate
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.keys import KeyFiles, load_certificate, load_key_pair
from exchange.settings import AgentSettings, agent_settings
from tests.published import directory_folder, publish

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

    def certify(self, files: KeyFiles, root: Path) -> None:
        """The issuer answers the request."""
        issuer = load_key_pair(KeyFiles(root.with_name(root.name.replace(".crt.", ".key.")), root))
        request = x509.load_pem_x509_csr(
            files.certificate.with_name(f"{files.key.name[:-8]}.next.csr.pem").read_bytes()
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(issuer.certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(hours=1))
            .not_valid_after(NOW + timedelta(days=99))
        )
        for extension in request.extensions:
            builder = builder.add_extension(extension.value, critical=extension.critical)
        made = builder.sign(issuer.key, hashes.SHA256())
        files.next.certificate.write_bytes(made.public_bytes(Encoding.PEM))

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
    office.certify(statement, office.authority.statement_root)
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
    office.certify(transport, office.authority.transport_root)
    assert office.stages()["transport"] == "ready"
    before = load_certificate(transport.certificate)
    done = office.run("--finish", "--json")
    assert done.exit_code == 4, done.output
    assert load_certificate(transport.certificate) == before
