"""`exchange gateway` without a network: requests for all of a gateway's bodies, and the operators' answers."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exchange.cli import app
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Names
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.enrolment import Answer, decode_request, encode_answer
from exchange.security.enrolment_rules import examine_request
from exchange.settings.agent import agent_settings
from tests.published import publish

NOW = datetime.now(UTC)
SOATE = {"41702205806000"}
VILLAGES = ("batken-01", "batken-02", "batken-03")
CONFIG = """
[kafka]
bootstrap = "localhost:1"
ca = "{exchange}/authority/ca/transport.crt.pem"
certificate = "tls.crt.pem"
key = "tls.key.pem"
[directory]
folder = "{exchange}/directory"
root = "{root}"
[policy]
file = "{exchange}/policy.toml"
[spool]
folder = "spool"
[gateway]
body = "sanarip-aimak"
keys = "bodies/{{body}}"
edms = "many.toml"
"""


class Gateway:
    """A gateway's folder beside an exchange that does not run and has planned three bodies for it."""

    def __init__(self, folder: Path) -> None:
        """The second village has been let in already."""
        exchange = folder / "exchange"
        Installer(exchange, demo_bodies(), NOW)
        self.authority = Authority(exchange / "authority", now=NOW)
        self.directory = DirectoryFolder.at(exchange / "directory", self.authority.directory.root)
        bodies = [_village(code, f"4170220580600{number}") for number, code in enumerate(VILLAGES)]
        bodies[1] = dataclasses.replace(bodies[1], status=BodyStatus.CONNECTED)
        gateway = dataclasses.replace(bodies[0], code="sanarip-aimak", gateway="", status=BodyStatus.CONNECTED)
        publish(exchange, self.authority, gateway, *bodies)
        self.folder = folder / "gateway"
        self.folder.mkdir()
        profile = 'format = "gost53898"\n[connector]\nkind = "folder"\npath = "edms/{body}"\n'
        (self.folder / "many.toml").write_text(profile)
        self.config = self.folder / "agent.toml"
        self.config.write_text(CONFIG.format(exchange=exchange, root=self.authority.directory.root))

    def run(self, *arguments: str, code: int = 0) -> Any:
        """What a program is told by `exchange gateway …`."""
        done = CliRunner().invoke(app, ["gateway", *arguments, "--config", str(self.config), "--json"])
        assert done.exit_code == code, done.output
        told = json.loads(done.stdout)
        return told["result"] if "result" in told else told["error"]

    def request(self) -> list[Path]:
        """Files made by the command."""
        return [Path(made["file"]) for made in self.run("request", str(self.folder / "requests"))]

    def answer(self, file: Path, authority: Authority) -> str:
        """The operators' file."""
        request = decode_request(file.read_bytes())
        granted = {use: authority.certify(csr, request.code, use) for use, csr in request.csrs.items()}
        answer = self.folder / f"{request.code}.answer.json"
        answer.write_bytes(encode_answer(Answer(request.exchange, request.code, granted)))
        return str(answer)


def _village(code: str, soate: str) -> Body:
    names = Names(code, code, code)
    return Body(code, names, "ayil-okmotu", BodyStatus.PLANNED, soate=soate, gateway="sanarip-aimak")


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A fresh one."""
    return Gateway(tmp_path)


def test_requests_are_made_for_all_who_are_planned(gateway: Gateway) -> None:
    """Each has keys of its own, none for connecting, and nothing is wrong with it; asking again changes no key."""
    files = gateway.request()
    assert [file.name for file in files] == ["batken-01.request.json", "batken-03.request.json"]
    first = [decode_request(file.read_bytes()) for file in files]
    assert examine_request(first[0], gateway.directory.latest(), {"41702205806000"}, {}, datetime.now(UTC)) == []
    assert CertificateUse.TRANSPORT not in first[0].csrs
    keys = [request.csrs[CertificateUse.STATEMENT].public_key() for request in first]
    assert keys[0] != keys[1]
    again = [decode_request(file.read_bytes()) for file in gateway.request()]
    assert [request.csrs[CertificateUse.STATEMENT].public_key() for request in again] == keys


def test_answers_are_installed(gateway: Gateway) -> None:
    """The certificates lie where the agent looks for them, and nobody asks for these bodies again."""
    answers = [gateway.answer(file, gateway.authority) for file in gateway.request()]
    assert len(gateway.run("install", *answers)["installed"]) == 4
    pattern = agent_settings(gateway.config, {}).gateway
    assert pattern is not None
    assert all(
        pattern.files(code, CertificateUse.STATEMENT).certificate.exists() for code in ("batken-01", "batken-03")
    )
    assert gateway.request() == []


def test_one_wrong_answer_changes_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """All problems are told, each with the body's code."""
    first, second = gateway.request()
    stranger = Authority(tmp_path / "stranger", now=NOW)
    answers = [gateway.answer(first, gateway.authority), gateway.answer(second, stranger)]
    problems = gateway.run("install", *answers, code=1)
    assert {problem["code"] for problem in problems} == {"certificate-untrusted"}
    assert all(problem["place"].startswith("batken-03: ") for problem in problems)
    assert list(gateway.folder.rglob("*.crt.pem")) == []


def test_an_agent_that_is_no_gateway(gateway: Gateway) -> None:
    """It has nobody to ask for."""
    text = gateway.config.read_text().partition("[gateway]")[0]
    body = '[[body]]\ncode = "a"\nkey = "k"\ncertificate = "c"\n'
    gateway.config.write_text(text + body)
    assert gateway.run("request", "requests", code=3)["code"] == "gateway-missing"
