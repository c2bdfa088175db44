"""`exchange dev` and what is done beside it: send, inbox, track, letters, audit, doctor, other tools."""

import asyncio
import re
import subprocess
import sys
import time
import tomllib
import urllib.request
from datetime import date
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from adapters.formats import format_named
from exchange.bus.access import Grant, Operation, Resource, body_grants
from exchange.bus.administration import Administration
from exchange.bus.connection import KafkaSettings, confluent_options
from exchange.client import Client
from exchange.domain.event import Event
from exchange.embedded.edms import StandInEdms, compose_letter, minimal_pdf
from exchange.embedded.edms_story import STORY
from exchange.embedded.story_script import script_of
from exchange.settings import operator_settings
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.system import now
from exchange.wiring.directory import latest_directory
from tests.demo.conftest import Program
from tests.demo.newcomer import CODE, Newcomer, grant, line_of
from tests.demo.transcript import README
from tests.patience import PATIENCE
from tests.requirements import requires_tool

pytestmark = pytest.mark.server

PATIENTLY = ("--wait", str(PATIENCE))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to send."""
    path = tmp_path / "Долбоор.txt"
    path.write_text("Долбоор")
    return path


def folder(dev: Program) -> Path:
    """Where the installation lies."""
    return dev.state / "dev"


def agent(dev: Program, body: str) -> AgentSettings:
    """Settings of a body's agent."""
    return agent_settings(folder(dev) / f"agent-{body}.toml", {})


def test_status_shows_what_works(dev: Program) -> None:
    """Kafka, directory, router, tracker, archive, witness, TSA, seven agents (one a gateway's), the echo: all work."""
    status = dev.ask_until_well("dev", "status")
    assert len(status["processes"]) == 15
    assert all(process["running"] and not process["waiting_for"] for process in status["processes"])


def test_every_metric_is_documented(dev: Program) -> None:
    """What the processes serve stands in docs/metrics.md."""
    page = (README.parent / "docs" / "metrics.md").read_text(encoding="utf-8")
    for file in sorted(folder(dev).glob("*.toml")):
        if place := tomllib.loads(file.read_text(encoding="utf-8")).get("observe"):
            with urllib.request.urlopen(f"http://{place['host']}:{place['port']}/metrics", timeout=PATIENCE) as answer:
                served = re.findall(r"^# HELP (\S+)", answer.read().decode(), re.MULTILINE)
            assert served
            assert [name for name in served if not name.endswith("_created") and f"`{name}`" not in page] == []


def test_up_again_starts_nothing(dev: Program) -> None:
    """What runs is left alone."""
    before = dev.servers
    dev.run("dev", "up")
    assert sorted(dev.servers) == sorted(before)
    assert len(before) == 15


def test_a_letter_is_sent_and_found_everywhere(dev: Program, file: Path) -> None:
    """send, track, letters, inbox and the evidence speak of the same letter."""
    to = ("--to", "minjust", "--to", "prezident")
    sent = dev.ask("send", "--as", "mfa", *to, "--title", "Долбоор", str(file), *PATIENTLY)
    digest = sent["digest"]
    assert sent["state"] == "taken"
    assert digest in [letter["digest"] for letter in dev.ask("inbox", "--as", "minjust")["letters"]]
    assert {line["recipient"] for line in dev.ask("letters", "--from", "mfa")} == {"minjust", "prezident"}
    assert dev.ask("track", digest[:8])["letter"]["sender"] == "mfa"
    evidence = dev.ask("audit", "export", digest[:12], "-o", str(file.parent / "evidence"))
    assert subprocess.run(evidence["openssl"].split(), capture_output=True, check=False).returncode == 0


def test_checkpoints_get_time_stamps(dev: Program) -> None:
    """By the authority of this machine; openssl checks the first one, with the root that the page names."""
    tokens = folder(dev) / "archive" / "tokens"
    while not (found := sorted(tokens.glob("*.tsr"))):
        time.sleep(0.1)
    files = ("-in", found[0], "-data", found[0].with_suffix(".checkpoint"), "-CAfile", folder(dev) / "tsa/root.crt.pem")
    subprocess.run(["openssl", "ts", "-verify", *files], capture_output=True, check=True)


def test_who_is_behind_a_gateway_is_served_like_anybody(dev: Program, file: Path) -> None:
    """Commands find the gateway's agent: it signs for the one and fetches for the other."""
    sent = dev.ask("send", "--as", "ak-bulun", "--to", "chon-oruktu", "--title", "Кошуналарга", str(file), *PATIENTLY)
    assert sent["state"] == "taken"
    letters = dev.ask("inbox", "--as", "chon-oruktu")["letters"]
    assert [letter["sender"] for letter in letters if letter["digest"] == sent["digest"]] == ["ak-bulun"]
    assert set(dev.ask("dev", "status")["bodies"]) >= {"ak-bulun", "chon-oruktu", "sanarip-aimak", "echo"}


def test_a_refused_letter_says_why(dev: Program, file: Path) -> None:
    """Exit code 1 and the reason's code."""
    sent = dev.ask("send", "--as", "mfa", "--to", "nobody", "--title", "Долбоор", str(file), *PATIENTLY, code=1)
    assert (sent["state"], sent["reason"]) == ("refused", "recipient-unknown")
    assert dev.ask("track", sent["digest"])["letter"]["reason"] == "recipient-unknown"


def test_a_document_systems_letter_goes_full_circle(dev: Program, tmp_path: Path) -> None:
    """To the echo and back, whoever it is addressed to; each event heard is told by a document, or said not to be."""
    directory = latest_directory(agent(dev, "minekonom").directory)
    package = compose_letter(format_named("medo-2.6"), STORY["trade"], directory, "m-trial", now())
    for name, data in package.files.items():
        (tmp_path / name).write_bytes(data)
    config = folder(dev) / "agent-minekonom.toml"
    tried = dev.ask("adapter", "trial", "--config", str(config), str(tmp_path / "document.xml"), *PATIENTLY)
    assert [check["findings"] for check in tried["checks"]] == [[]] * 4
    expected = {"delivered": "document.xml", "handed-over": "", "registered": "document.xml"}
    assert tried["told"].items() >= expected.items()
    broken = tmp_path / "broken.xml"
    broken.write_text("<communication/>")
    refused = dev.ask("adapter", "trial", "--config", str(config), str(broken), code=1)
    assert refused["checks"][0]["findings"][0]["code"] == "document-namespace"


def test_an_unknown_letter_and_an_unknown_body(dev: Program) -> None:
    """Each with its code; the second is a matter of configuration."""
    assert dev.ask("track", "ffffffff", code=1)["code"] == "letter-unknown"
    assert dev.ask("inbox", "--as", "nobody", code=3)["code"] == "body-not-here"


async def test_the_client_answers_for_a_body(dev: Program, file: Path) -> None:
    """The public API: send, hear, read, register."""
    mine, theirs = folder(dev) / "agent-natstatkom.toml", folder(dev) / "agent-minekonom.toml"
    async with Client.open(mine) as sender, Client.open(theirs) as recipient:
        letter = await sender.send(to=["minekonom"], title="Кат", files=[file])
        sent = await sender.decided(letter, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            async for received in recipient.letters():
                if received.arrived.digest == sent.digest:
                    await recipient.register(sent.digest, "14-9-вх", date(2022, 1, 20))
                    break
            heard = [receipt async for receipt in sender.receipts(letter)]
    assert {Event.DELIVERED, Event.REGISTERED} <= {receipt.event for receipt in heard}
    assert heard[-1].reg_number == "14-9-вх"


def test_the_readme_example_does_what_it_says(dev: Program, tmp_path: Path) -> None:
    """The README's program, run beside the agent's configuration while the recipient's EDMS registers."""
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (folder(dev) / "draft.pdf").write_bytes(minimal_pdf("draft"))
    example = tmp_path / "example.py"
    example.write_text(program, encoding="utf-8")
    directory = latest_directory(agent(dev, "minjust").directory)
    root = agent(dev, "minjust").bodies[0].folder
    assert root is not None
    edms = StandInEdms(root, "minjust", format_named("medo-2.6"), directory, script_of("minjust", date.today), now)
    printed = tmp_path / "printed.txt"
    with printed.open("w") as output:
        process = subprocess.Popen([sys.executable, str(example)], cwd=folder(dev), stdout=output)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            edms.step()
            time.sleep(0.1)
        process.kill()
    assert process.wait() == 0
    heard = printed.read_text(encoding="utf-8").splitlines()
    assert heard[0] == "minjust delivered "
    assert any(line.startswith("minjust registered 05-1/") for line in heard)


def test_replay_finds_the_same(dev: Program) -> None:
    """Everything holds, and the tracker says the same."""
    audit = dev.ask("audit", "replay")
    assert audit["report"]["findings"] == []
    assert audit["differences"] == []


@requires_tool("kcat", debian="kcat")
@pytest.mark.parametrize(("reader", "allowed"), [("minjust", True), ("mfa", False)])
def test_only_the_body_itself_reads_its_inbox(reader: str, allowed: bool, dev: Program) -> None:  # noqa: FBT001
    """Kafka itself refuses another body's certificate, whatever tool asks."""
    kafka = agent(dev, reader).kafka
    options = {
        "security.protocol": "ssl",
        "ssl.ca.location": kafka.ca,
        "ssl.certificate.location": kafka.certificate,
        "ssl.key.location": kafka.key,
    }
    command = ["kcat", "-b", kafka.bootstrap, "-C", "-t", "exchange.inbox.minjust", "-e", "-q", "-f", "%o\n"]
    for name, value in options.items():
        command += ["-X", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode == 0) is allowed, done.stderr
    assert ("authorization failed" in done.stderr) is not allowed


def test_a_newcomer_connects_as_the_guide_says(dev: Program, tmp_path: Path) -> None:
    """From an empty folder to a letter to the echo and back; the agent starts by itself once the body is let in."""
    newcomer = Newcomer(dev, tmp_path, folder(dev))
    request = newcomer.request()
    with newcomer.agent() as agent:
        assert "install the answer" in line_of(agent, "waits for")
        before = newcomer.selftest(well=False)
        assert before["keys and certificates"] == ["certificate-file-missing"] * 2
        assert before["letter"] == ["skipped"]
        answer = grant(dev, request, folder(dev))
        newcomer.ask("install", str(answer), "--from", str(newcomer.form))
        assert "works" in line_of(agent, f"{CODE} works")
        after = newcomer.selftest(well=True)
        assert list(after.values()) == [[]] * len(after)
        assert {"letter", "receipts", "reply", "rights", "clock", "document system's folder"} <= set(after)
    shown = sorted(package.name for package in (tmp_path / "edms" / CODE / "in").iterdir())
    assert len(shown) >= 2, "the reply, and receipts that the format has a word for"


def test_doctor_finds_nothing_where_nothing_is_wrong(dev: Program) -> None:
    """Every check is taken and has no finding."""
    checks = dev.ask_until_well("doctor")
    assert [check["name"] for check in checks if check["findings"] or check["skipped"]] == []


def test_doctor_finds_what_is_wrong_and_apply_mends_it(dev: Program) -> None:
    """A topic that forgets, a setting that lets time lie, a body without its rights, one with too many."""
    kafka = operator_settings(folder(dev) / "operator.toml", {}).kafka
    asyncio.run(_break(kafka))
    everything = _findings(dev.ask("doctor", code=1))
    found = [finding for finding in everything if finding["code"] != "process-waits"]  # the agent without rights may
    told = {(finding["code"], finding["subject"], finding["problem"]) for finding in found}
    assert ("topic-differs", "exchange.journal", "retention.ms is 604800000, must be -1") in told
    lost = {problem for code, subject, problem in told if (code, subject) == ("right-missing", "natstatkom")}
    assert lost == {f"lacks: {right}" for right in body_grants("natstatkom")}
    assert ("right-stray", "mfa", "has, and should not: mfa may READ topic exchange.inbox.*") in told
    assert {finding["next_step"] for finding in found} == {"exchange directory apply"}
    planned = dev.ask("directory", "plan", code=1)["changes"]
    assert {change["subject"] for change in planned} == {subject for _, subject, _ in told}
    assert dev.ask("directory", "apply")["changes"] == planned
    assert dev.ask("directory", "plan")["changes"] == dev.ask("directory", "apply")["changes"] == []
    dev.run("dev", "up")  # until the agent that was without rights works again
    assert _findings(dev.ask_until_well("doctor")) == []


async def _break(kafka: KafkaSettings) -> None:
    async with Administration(kafka) as administration:
        await administration.revoke(body_grants("natstatkom"))
        stray = Grant("mfa", Operation.READ, Resource.TOPIC, "exchange.inbox.", prefix=True)
        await administration.ensure_access([stray])
    forgetting = ConfigEntry("retention.ms", "604800000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "exchange.journal", incremental_configs=[forgetting])
    client = AdminClient(confluent_options(kafka))
    for answer in client.incremental_alter_configs([resource]).values():
        answer.result(PATIENCE)


def _findings(checks: list[dict[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
    return [finding for check in checks for finding in check["findings"]]
