"""`exchange body` without a network: form, request, and the operators' answer."""

import json
import tomllib
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exchange.agent.spool import Spool, origins
from exchange.cli import app
from exchange.domain.directory import CertificateUse
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.enrolment import Answer, Request, decode_request, encode_answer
from exchange.security.enrolment_rules import examine_request
from exchange.settings.agent import agent_settings

NOW = datetime.now(UTC)
SOATE = {"41702205807000"}


class Newcomer:
    """A body's folder beside an exchange that does not run."""

    def __init__(self, folder: Path) -> None:
        """With a filled-in form, and what the operators gave by hand."""
        self.folder = folder / "chon-bulun"
        self.folder.mkdir()
        Installer(folder / "exchange", demo_bodies(), NOW)
        self.authority = Authority(folder / "exchange" / "authority", now=NOW)
        self.directory = DirectoryFolder.at(folder / "exchange" / "directory", self.authority.directory.root)
        (self.folder / "1.root.json").write_bytes(self.directory.root)
        (self.folder / "transport-root.crt.pem").write_bytes(self.authority.transport_root.read_bytes())
        self.form = self.folder / "body.toml"
        text = CliRunner().invoke(app, ["body", "form"]).stdout
        text = text.replace("ak-bulun", "chon-bulun").replace("417022058050", "417022058070")
        self.form.write_text(text, encoding="utf-8")

    def run(self, *arguments: str, code: int = 0) -> Any:
        """What a program is told by `exchange body …`."""
        done = CliRunner().invoke(app, ["body", *arguments, "--from", str(self.form), "--json"])
        assert done.exit_code == code, done.output
        told = json.loads(done.stdout)
        return told["result"] if "result" in told else told["error"]

    def request(self) -> Request:
        """Made by the command."""
        return decode_request(Path(self.run("request")["file"]).read_bytes())

    def answer(self, request: Request, authority: Authority | None = None) -> str:
        """The operators' file."""
        issuing = authority or self.authority
        granted = {use: issuing.certify(csr, request.code, use) for use, csr in request.csrs.items()}
        file = self.folder / "chon-bulun.answer.json"
        file.write_bytes(encode_answer(Answer(request.exchange, request.code, granted)))
        return str(file)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """A fresh one."""
    return Newcomer(tmp_path)


def test_the_form_is_a_form() -> None:
    """It reads as it is printed, so whoever changes the values only cannot go wrong."""
    tables = tomllib.loads(CliRunner().invoke(app, ["body", "form"]).stdout)
    assert set(tables) == {"exchange", "body", "edms", "contact"}


def test_a_request_may_be_granted(newcomer: Newcomer) -> None:
    """Nothing is wrong with it; the keys are this user's alone; the spool's origin is named (rule 2.7)."""
    told = newcomer.run("request")
    data = Path(told["file"]).read_bytes()
    assert told["digest"] == sha256(data).hexdigest()
    assert told["exchange"] == newcomer.directory.exchange.hex()
    request = decode_request(data)
    assert examine_request(request, newcomer.directory.latest(), SOATE, {}, datetime.now(UTC)) == []
    keys = sorted((newcomer.folder / "keys").iterdir())
    assert [key.name for key in keys] == ["encryption.key.pem", "statement.key.pem", "transport.key.pem"]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    with Spool(newcomer.folder / "spool" / "spool.sqlite") as spool:
        assert (
            spool.call(lambda connection: origins.current(connection, "chon-bulun")).origin
            == request.body.inbound_origin
        )
    assert b"PRIVATE" not in data


def test_the_agent_is_configured(newcomer: Newcomer) -> None:
    """With paths beside the file, so that the folder may move; what a person changed since stays."""
    config = Path(newcomer.run("request")["config"])
    settings = agent_settings(config, {})
    assert settings.bodies[0].statement.key == newcomer.folder / "keys" / "statement.key.pem"
    assert settings.policy.exists()
    assert str(newcomer.folder) not in config.read_text(encoding="utf-8")
    config.write_text("# mine", encoding="utf-8")
    newcomer.run("request")
    assert config.read_text(encoding="utf-8") == "# mine"


def test_a_configuration_that_stays_is_told(newcomer: Newcomer) -> None:
    """With what the form would make otherwise; as it was made, nothing is told."""
    assert newcomer.run("request")["kept"] == newcomer.run("request")["kept"] == []
    text = newcomer.form.read_text(encoding="utf-8")
    newcomer.form.write_text(text.replace("kafka2.example:9093", "kafka3.example:9093"), encoding="utf-8")
    there, made = newcomer.run("request")["kept"]
    assert there.startswith("-bootstrap = ")
    assert there.replace("kafka2", "kafka3")[1:] == made[1:]
    told = CliRunner().invoke(app, ["body", "request", "--from", str(newcomer.form)]).stdout
    assert f"{newcomer.folder / 'agent.toml'} was there, and stays" in told
    assert f"  {made}\n" in told
    assert "kafka2.example" in (newcomer.folder / "agent.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("soate", "code"), [("41702205806000", "soate-unknown"), ("", "soate-missing")])
def test_a_place_that_the_state_does_not_list(newcomer: Newcomer, soate: str, code: str) -> None:
    """Told before anything is made or sent: the operators would send it back."""
    text = newcomer.form.read_text(encoding="utf-8")
    line = 'soate = "41702205807000"'
    assert line in text
    newcomer.form.write_text(text.replace(line, f'soate = "{soate}"' if soate else ""), encoding="utf-8")
    assert [problem["code"] for problem in newcomer.run("request", code=1)] == [code]
    assert not (newcomer.folder / "keys").exists()


def test_a_second_request_has_the_same_keys_and_origin(newcomer: Newcomer) -> None:
    """After a correction of the form nothing was lost."""
    first, second = newcomer.request(), newcomer.request()
    assert {use: csr.public_key() for use, csr in first.csrs.items()} == {
        use: csr.public_key() for use, csr in second.csrs.items()
    }
    assert first.body == second.body


def test_a_gateway_carries_it(newcomer: Newcomer) -> None:
    """No transport key, no configuration, but a table for the gateway's."""
    text = newcomer.form.read_text(encoding="utf-8").replace('# gateway = "ak-suu"', 'gateway = "ak-bulun"')
    newcomer.form.write_text(text, encoding="utf-8")
    told = newcomer.run("request")
    assert told["config"] is None
    (member,) = tomllib.loads(told["member"])["body"]
    assert Path(member["key"]) == newcomer.folder / "keys" / "statement.key.pem"
    request = decode_request(Path(told["file"]).read_bytes())
    assert (CertificateUse.TRANSPORT in request.csrs, request.body.inbound_origin) == (False, None)


def test_an_answer_is_installed(newcomer: Newcomer) -> None:
    """Certificates lie beside the keys; the agent can use them."""
    request = newcomer.request()
    installed = newcomer.run("install", newcomer.answer(request))["installed"]
    assert sorted(installed) == sorted(CertificateUse)
    agent_settings(newcomer.folder / "agent.toml", {}).kafka.ssl_context()


def test_an_answer_that_does_not_fit_changes_nothing(newcomer: Newcomer, tmp_path: Path) -> None:
    """All problems are told."""
    answer = newcomer.answer(newcomer.request(), Authority(tmp_path / "stranger", now=NOW))
    problems = newcomer.run("install", answer, code=1)
    assert [problem["code"] for problem in problems] == ["certificate-untrusted"]
    assert list((newcomer.folder / "keys").glob("*.crt.pem")) == []


def test_what_is_no_answer(newcomer: Newcomer) -> None:
    """A request, and a file that is not there."""
    file = newcomer.run("request")["file"]
    assert newcomer.run("install", file, code=3)["code"] == "enrolment-unreadable"
    assert newcomer.run("install", "nowhere", code=3)["code"] == "configuration-missing"


@pytest.mark.parametrize(
    ("line", "instead", "named"),
    [
        ('code = "chon-bulun"', 'code = "svc-router"', "[body] code"),
        ('kind = "ayil-okmotu"', 'kind = "empire"', "[body] kind"),
        ("kafka2.example:9093", "kafka2.example", "[exchange] bootstrap"),
        ("kafka2.example:9093", "kafka2.example:99999", "[exchange] bootstrap"),
        ('email = "it@', 'email = "it', "[contact] email"),
        ('formats = ["medo-2.6"]', "formats = []", "[body] formats"),
        ('systems = ["Infodocs"]', 'systems = ["a", "a"]', "[body] systems"),
        ('name_ky = "Ак', 'nom = "Ак', "[body] name_ky"),
    ],
)
def test_a_form_that_is_wrong(newcomer: Newcomer, line: str, instead: str, named: str) -> None:
    """The message names file, table and key."""
    text = newcomer.form.read_text(encoding="utf-8")
    assert line in text
    newcomer.form.write_text(text.replace(line, instead), encoding="utf-8")
    assert named in newcomer.run("request", code=3)["message"]
    assert not (newcomer.folder / "keys").exists()


def test_people_are_told_the_next_step(newcomer: Newcomer) -> None:
    """And what to compare."""
    told = CliRunner().invoke(app, ["body", "request", "--from", str(newcomer.form)]).stdout
    assert newcomer.directory.exchange.hex() in told
    assert "exchange body install chon-bulun.answer.json" in told
    answer = newcomer.answer(newcomer.request())
    assert (
        "Next: exchange body selftest (start the agent"
        in CliRunner().invoke(app, ["body", "install", answer, "--from", str(newcomer.form)]).stdout
    )
