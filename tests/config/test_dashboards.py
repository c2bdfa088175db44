"""Grafana's dashboards: made from their table, and every panel's question is one that a real Prometheus answers."""

import json
import re
import subprocess
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from config.grafana.dashboards import DASHBOARDS, FOLDER
from config.grafana.panels import COLUMNS, Dashboard, Panel, text
from exchange.embedded.ports import choose_ports
from tests.config import rules
from tests.config.rules import promtool
from tests.patience import PATIENCE
from tests.requirements import requires_tool
from tests.stage import Stage

PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]


def name_of(dashboard: Dashboard) -> str:
    """For people."""
    return dashboard.uid


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=name_of)
def test_files_are_what_the_table_makes(dashboard: Dashboard) -> None:
    """Whoever changes the table runs `make dashboards`."""
    assert (FOLDER / f"{dashboard.uid}.json").read_text(encoding="utf-8") == text(dashboard)


def test_no_file_is_left_over() -> None:
    """Each is a dashboard of the table."""
    assert {path.stem for path in FOLDER.glob("*.json")} == {dashboard.uid for dashboard in DASHBOARDS}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=name_of)
def test_panels_lie_beside_each_other(dashboard: Dashboard) -> None:
    """No two have an id in common, none covers another, and none leaves the page."""
    panels = json.loads(text(dashboard))["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < COLUMNS
    assert len({panel["id"] for panel in panels}) == len(panels)


class Watched:
    """Processes of an exchange, and a Prometheus that watches them."""

    def __init__(self, client: httpx.Client, address: str, targets: dict[str, str]) -> None:
        """Prometheus's address, and each process's by its job; `client` asks them."""
        self._client = client
        self.address = address
        self.targets = targets

    def ask(self, expr: str) -> list[Any]:
        """What Prometheus answers now; an error is a failure."""
        answer = self._client.get(f"{self.address}/api/v1/query", params={"query": expr}).json()
        assert answer["status"] == "success", (expr, answer)
        result = answer["data"]["result"]
        assert isinstance(result, list)
        return result

    def metrics(self, job: str) -> str:
        """What a process serves."""
        return self._client.get(f"http://{self.targets[job]}/metrics").text

    def rules(self) -> list[Any]:
        """Every rule as Prometheus has it."""
        groups = self._client.get(f"{self.address}/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def watched(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """An exchange in which the canary's letters pass, watched once a second."""
    canary, echo = stage.fresh(2)
    _write(stage, "canary", canary, f'[canary]\nto = "{echo}"\nevery_seconds = 1\n')
    _write(stage, "echo", echo, "")
    jobs = ("directory", "router", "tracker", "archive", "witness", "console", "canary", "echo")
    with ExitStack() as running:
        for job in jobs:
            running.enter_context(stage.running(job))
        targets = {job: f"127.0.0.1:{_port(stage, job)}" for job in jobs}
        folder = tmp_path_factory.mktemp("prometheus")
        address = running.enter_context(_prometheus(folder, targets))
        client = running.enter_context(httpx.Client(timeout=PATIENCE))
        _await_answers(client, [*(f"http://{target}/metrics" for target in targets.values()), f"{address}/-/ready"])
        yield Watched(client, address, targets)


def _await_answers(client: httpx.Client, addresses: Sequence[str]) -> None:
    """Wait until each is served: Prometheus says that it is busy before it is ready."""
    deadline = time.monotonic() + PATIENCE
    for address in addresses:
        while not _answers_well(client, address):
            assert time.monotonic() < deadline, address
            time.sleep(0.1)


def _answers_well(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).is_success
    except httpx.TransportError:
        return False


def _write(stage: Stage, role: str, body: str, more: str) -> None:
    """The configuration of a body's own process: its agent's, without a document system."""
    said = stage.installation.config(f"agent-{body}").read_text(encoding="utf-8")
    stage.installation.config(role).write_text(re.sub(r"(?m)^edms = .*\n", "", said) + more, encoding="utf-8")


def _port(stage: Stage, role: str) -> int:
    return int(tomllib.loads(stage.installation.config(role).read_text(encoding="utf-8"))["observe"]["port"])


@contextmanager
def _prometheus(folder: Path, targets: dict[str, str]) -> Iterator[str]:
    """A real one with our rules, which looks each second."""
    scraped = [{"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()]
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules.FOLDER / name) for name in rules.RULES],
        "scrape_configs": scraped,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (port,) = choose_ports(1, folder)
    words = ["prometheus", "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}"]
    words += ["--storage.tsdb.path=data", "--log.level=error"]
    process = subprocess.Popen(words, cwd=folder)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _answers(watched: Watched, panels: Sequence[Panel]) -> dict[str, int]:
    """How many series each panel has shown, once all that must show one have, or the time is over.

    Not all need do so in one moment: of a process that is looked at too late nothing is known for a while.
    """
    deadline, found = time.monotonic() + PATIENCE, Counter[str]()
    while True:
        for panel in panels:
            if not found[panel.title]:
                found[panel.title] = len(watched.ask(asked(panel)))
        if all(found[panel.title] or panel.quiet for panel in panels) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def asked(panel: Panel) -> str:
    """As Grafana fills it in for looks of a second."""
    return panel.expr.replace("$__rate_interval", "10s")


@pytest.mark.server
@requires_tool("prometheus", debian="prometheus")
def test_every_panel_shows_what_there_is(watched: Watched) -> None:
    """Each question is answered without error, and with series where a well exchange has some."""
    found = _answers(watched, PANELS)
    assert {panel.title for panel in PANELS if not panel.quiet and not found.get(panel.title)} == set()


@pytest.mark.server
@requires_tool("promtool", debian="prometheus")
def test_what_processes_serve_is_well_formed(watched: Watched) -> None:
    """Promtool finds nothing wrong with names, helps and types of any process's metrics."""
    for job in watched.targets:
        promtool("check", "metrics", stdin=watched.metrics(job))


@pytest.mark.server
@requires_tool("prometheus", debian="prometheus")
def test_rules_are_evaluated(watched: Watched) -> None:
    """By the server itself, which has no error to tell; and the canary's alert is quiet."""
    _answers(watched, PANELS)
    assert [rule["name"] for rule in watched.rules() if rule.get("lastError")] == []
    assert watched.ask('ALERTS{alertname="ExchangeCanaryFailing"}') == []
