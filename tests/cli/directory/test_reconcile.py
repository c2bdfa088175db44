"""`exchange directory plan` and `apply`, on a real broker."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.bus.access import body_grants
from exchange.cli import app
from exchange.domain.directory import BodyStatus, Names
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster
from tests.published import directory_folder, publish

pytestmark = pytest.mark.server

MARKUP = "[/x]agency"
LARGE = "write_bytes_per_second = 1000000000\nread_bytes_per_second = 1000000000\nrequest_percent = 10000\n"


class Place:
    """An installation's files, with somebody else's broker."""

    def __init__(self, folder: Path, kafka: KafkaCluster) -> None:
        """Made now."""
        settings = kafka.settings(ADMINISTRATOR)
        self.folder = folder
        self._now = datetime.now(UTC)
        bodies = [DemoBody(code, Names(code, code, code), MARKUP, (), "", "infodocs") for code in ("cli-a", "cli-b")]
        installer = Installer(folder, bodies, self._now)
        installer.write_settings(settings.bootstrap)
        (folder / "quotas.toml").write_text(f"[body]\n{LARGE}[others]\n{LARGE}[service.svc-admin]\n{LARGE}")
        self._config = installer.installation.config("operator")
        names = {"BOOTSTRAP": settings.bootstrap, "CA": settings.ca}
        names |= {"CERTIFICATE": settings.certificate, "KEY": settings.key}
        self._environ = {f"EXCHANGE_KAFKA_{name}": str(value) for name, value in names.items()}

    def run(self, *arguments: str) -> Result:
        """`exchange directory …` here."""
        words = ["directory", *arguments, "--config", str(self._config)]
        return CliRunner().invoke(app, words, env=self._environ)

    def suspend(self, code: str) -> None:
        """Publish a version with this body suspended."""
        authority = Authority(self.folder / "authority", now=self._now)
        body = directory_folder(self.folder, authority).latest().bodies[code]
        publish(self.folder, authority, replace(body, status=BodyStatus.SUSPENDED))


@pytest.fixture
def place(kafka: KafkaCluster, tmp_path: Path) -> Place:
    """A fresh one."""
    return Place(tmp_path / "installation", kafka)


def subjects(changes: Sequence[dict[str, str]]) -> set[str]:
    """What changes are about."""
    return {change["subject"] for change in changes}


def test_plan_then_apply_then_nothing(place: Place) -> None:
    """A plan changes nothing and says so by its exit code; apply does what it said; a second run has nothing to do."""
    planned = place.run("plan", "--json")
    assert planned.exit_code == 1, planned.stderr
    told = json.loads(planned.stdout)
    assert told["ok"] is False
    changes = told["result"]["changes"]
    assert subjects(changes) >= {"cli-a", "exchange.inbox.cli-a", "cli-b", "exchange.inbox.cli-b"}
    assert {str(right) for right in body_grants("cli-a")} <= {change["expected"] for change in changes}
    applied = place.run("apply", "--json")
    assert applied.exit_code == 0, applied.stderr
    assert json.loads(applied.stdout)["result"]["changes"] == changes
    again = place.run("plan")
    assert again.exit_code == 0, again.stdout
    assert "version 1 of the directory: nothing to change" in again.stdout
    place.suspend("cli-b")
    shown = place.run("apply")
    assert shown.exit_code == 0, shown.stderr
    assert "version 2 of the directory: 5 changed" in shown.stdout
    assert "take away" in shown.stdout
    assert "may READ topic exchange.inbox.cli-b" in shown.stdout
    assert "inboxes that keep their letters although their body is not in use: 1" in shown.stdout
    assert "nothing changed" in place.run("apply").stdout


def test_errors_end_with_their_code(place: Place) -> None:
    """A quotas file that cannot be used is the operator's to mend: nothing is asked of the brokers."""
    (place.folder / "quotas.toml").write_text("[body]\n")
    refused = place.run("apply")
    assert refused.exit_code == 3
    assert "error[configuration-key-missing]" in refused.stderr
