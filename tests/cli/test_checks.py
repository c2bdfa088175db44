"""`doctor` without a broker: what can be seen from files, and what is said when Kafka is away."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.cli.checks import LONG, examine
from exchange.cli.findings import Check, Finding, Severity
from exchange.domain.directory import BodyStatus
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.embedded.speakers import SERVICES
from exchange.security.authority import Authority
from exchange.security.directory.changes import edited
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.settings import OperatorSettings, operator_settings
from exchange.store import queries
from exchange.store.database import Store
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill
from tests.world import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture
def operator(tmp_path: Path) -> OperatorSettings:
    """Settings of an installation that was made at `NOW` and does not run."""
    installer = Installer(tmp_path / "installation", demo_bodies(), NOW)
    installer.write_settings(NOBODY_LISTENS)
    settings = operator_settings(installer.installation.config("operator"), {})
    with Store(settings.store) as store:
        store.migrate()
    return settings


def look(settings: OperatorSettings, now: datetime, waiting: dict[str, str] | None = None) -> dict[str, Check]:
    """All checks by name."""
    checks = asyncio.run(examine(settings, waiting or {}, lambda: now, lambda _words: None))
    return {check.name: check for check in checks}


def codes(check: Check) -> set[str]:
    """Codes of a check's findings."""
    return {finding.code for finding in check.findings}


def test_without_kafka_the_rest_is_looked_at(operator: OperatorSettings) -> None:
    """One finding with the address and the next step; what depends on Kafka is not looked at."""
    found = look(operator, NOW)
    (finding,) = found["Kafka over TLS"].findings
    assert (finding.severity, finding.code, finding.subject) == (Severity.ERROR, "kafka-unreachable", NOBODY_LISTENS)
    assert "exchange dev up" in finding.next_step
    assert {name for name, check in found.items() if check.skipped} == {
        "clock",
        "broker settings",
        "copies",
        "transparency log",
        "topics, rights and quotas",
        "processes",
    }
    for name in ("keys and certificates", "directory", "tracker's database"):
        assert found[name] == Check(name)


def test_certificates_are_told_a_month_before_they_expire(operator: OperatorSettings) -> None:
    """A warning first, an error afterwards, for each body and for the operator's own."""
    soon = look(operator, NOW + timedelta(days=350))
    stopped = {"directory-expired"}
    assert codes(soon["keys and certificates"]) == codes(soon["directory"]) - stopped == {"certificate-expires"}
    assert {finding.severity for finding in soon["directory"].findings[1:]} == {Severity.WARNING}
    late = look(operator, NOW + timedelta(days=366))
    assert codes(late["keys and certificates"]) == codes(late["directory"]) - stopped == {"certificate-expired"}
    assert len(late["directory"].findings) == 1 + len(SERVICES) + sum(
        1 if body.gateway else 2 for body in demo_bodies()
    )
    early = look(operator, NOW - timedelta(days=1))
    assert codes(early["directory"]) == {"certificate-not-yet-valid"}


def test_a_directory_that_nobody_vouches_for_is_told(operator: OperatorSettings) -> None:
    """A warning once the timestamp is overdue, an error once it expired; each says what to start."""
    for days, severity, code in (
        (2, Severity.WARNING, "directory-stale"),
        (15, Severity.ERROR, "directory-expired"),
    ):
        (finding,) = look(operator, NOW + timedelta(days=days))["directory"].findings
        assert (finding.severity, finding.code) == (severity, code)
        assert "exchange directory stamp" in finding.next_step


def test_an_exposed_key_is_told(operator: OperatorSettings) -> None:
    """A private key that others can read is refused, here as everywhere."""
    operator.kafka.key.chmod(0o644)
    assert codes(look(operator, NOW)["keys and certificates"]) == {"key-file-exposed"}


def test_an_altered_directory_is_told(operator: OperatorSettings) -> None:
    """The directory's files are checked."""
    entry = next((operator.directory.folder / "bodies").iterdir())
    entry.write_bytes(entry.read_bytes().replace(b"connected", b"suspended", 1))
    assert codes(look(operator, NOW)["directory"]) == {"directory-file-differs"}


def test_processes_that_wait_are_told(operator: OperatorSettings) -> None:
    """With what they wait for."""
    found = look(operator, NOW, {"router": "", "tracker": "the journal"})["processes"].findings
    assert found == (
        Finding(
            Severity.ERROR,
            "process-waits",
            "tracker",
            "waits for the journal",
            "see its log; for a dev installation: exchange dev up",
        ),
    )


def test_a_suspended_body_s_agent_waits_for_the_keepers(operator: OperatorSettings) -> None:
    """No process of its own mends that: who suspended it, when and why, and what undoes it."""
    folder = DirectoryFolder.at(operator.directory.folder, operator.directory.root)
    keys = Authority(operator.directory.folder.parent / "authority", now=NOW).directory
    for status, kind in ((BodyStatus.SUSPENDED, "ministry"), (BodyStatus.SUSPENDED, "agency")):
        head = folder.latest()
        mfa = replace(head.bodies["mfa"], status=status, kind=kind)
        entered = edited(head.bodies["mfa"], head.entries["mfa"], mfa, "keeper-1", f"now {kind}", NOW)
        following = successor(head, {**head.bodies, "mfa": entered}, NOW)
        DirectoryPublisher(folder).publish(following, keys.publishing(), NOW)
    waiting = {"agent-mfa": "access-denied", "agent-minjust": "access-denied"}
    mfa_waits, minjust_waits = look(operator, NOW, waiting)["processes"].findings
    assert (mfa_waits.code, mfa_waits.subject, minjust_waits.code) == ("body-suspended", "mfa", "process-waits")
    assert "since version 2 of 2026-03-01" in mfa_waits.problem
    assert "by keeper-1: now ministry" in mfa_waits.problem
    assert "exchange directory resume mfa" in mfa_waits.next_step
    (operator.directory.folder / "timestamp.json").unlink()
    assert {each.code for each in look(operator, NOW, waiting)["processes"].findings} == {"process-waits"}


def test_a_body_that_does_not_fetch_is_told(operator: OperatorSettings, tmp_path: Path) -> None:
    """After a quarter of an hour, with whose agent to look at; before, letters may be on their way."""
    journal = SyntheticJournal(World(tmp_path / "world"))
    journal.letter("alpha", "beta")
    with Store(operator.store) as store:
        fill(store, journal.records)
        with store.reading() as connection:
            oldest = queries.oldest_undelivered(connection)
    ((body, since),) = oldest.items()
    assert not look(operator, since + LONG - timedelta(seconds=1))["tracker's database"].findings
    (finding,) = look(operator, since + LONG)["tracker's database"].findings
    assert (finding.severity, finding.code, finding.subject) == (Severity.WARNING, "letters-wait", body)
    assert f"--to {body}" in finding.next_step
