"""Rules of Prometheus: promtool accepts them, each alert sounds and is quiet, and each has its page."""

import re
from pathlib import Path

import pytest
import yaml

from exchange.domain.reason import Reason
from tests.config.alert_cases import QUIET, SOUNDS
from tests.config.rules import RULES, alerts, only, promtool, rules
from tests.requirements import requires_tool

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"
PARTS = ("What you see", "What it means for letters", "Look first", "Likely causes", "Repair", "Wake somebody when")
OTHERS = {
    "process_start_time_seconds",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "up",
}
"""Metrics that are not the exchange's own."""

needs_promtool = requires_tool("promtool", debian="prometheus")


@needs_promtool
def test_rules_and_the_example_are_accepted() -> None:
    """By promtool, which reads the rules with the example's settings."""
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", *RULES)


@needs_promtool
def test_every_alert_sounds_and_is_quiet(tmp_path: Path) -> None:
    """Promtool's unit tests: what must set an alert off does, and what is near to it does not."""
    cases = [*SOUNDS.items(), *((alert, case) for alert, quiet in QUIET.items() for case in quiet)]
    for number, (alert, case) in enumerate(cases):
        files = {f"rules-{number}.yml": only(alert), f"test-{number}.yml": case.unit_test(alert, f"rules-{number}.yml")}
        for name, content in files.items():
            (tmp_path / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    promtool("test", "rules", *(f"test-{number}.yml" for number in range(len(cases))), folder=tmp_path)


def test_no_alert_is_untried() -> None:
    """Each sounds in one case at least, and is quiet in another."""
    assert set(SOUNDS) == set(QUIET) == set(alerts())
    assert all(case.labels for case in SOUNDS.values())
    assert all(cases and not any(case.labels for case in cases) for cases in QUIET.values())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_an_alert_says_whom_to_wake_and_what_to_do(name: str) -> None:
    """A page at night or a ticket; words; and a page with all its parts, which names the alert."""
    alert = alerts()[name]
    assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert set(alert["annotations"]) == {"summary", "runbook"}
    page = ROOT / alert["annotations"]["runbook"]
    assert page.parent == RUNBOOKS
    text = page.read_text(encoding="utf-8")
    assert f"`{name}`" in text
    assert [part for part in PARTS if f"\n## {part}\n" not in text] == []


def test_no_page_is_left_over() -> None:
    """Each page is some alert's, and names no alert that there is not."""
    pages = {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}
    assert pages == {Path(alert["annotations"]["runbook"]).name for alert in alerts().values()}
    for page in pages:
        named = set(re.findall(r"`(Exchange[A-Za-z]+)`", (RUNBOOKS / page).read_text(encoding="utf-8")))
        assert named <= set(alerts()), page
        assert f"({page})" in (RUNBOOKS / "README.md").read_text(encoding="utf-8")


def test_pages_name_codes_and_metrics_that_there_are() -> None:
    """What somebody reads in a log at night is found under the same word; no page speaks of one that nothing says."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "exchange").rglob("*.py"))
    served = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text))
        assert {code for code in codes if f'"{code}"' not in sources} == set(), page.name
        metrics = {re.sub(r"_(count|sum|bucket)$", "", name) for name in re.findall(r"exchange_[a-z0-9_]+", text)}
        assert {name for name in metrics if f"`{name}`" not in served} == set(), page.name


def test_rules_ask_for_metrics_that_there_are() -> None:
    """An alert on a name that nobody serves would never sound; so would one on a reason that there is not."""
    served = set(re.findall(r"`(exchange_[a-z0-9_]+)`", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))
    recorded = {rule["record"] for rule in rules("recording.yml")}
    for rule in [*rules("recording.yml"), *rules("alerts.yml")]:
        named = set(re.findall(r"\b(?:exchange|process|node)[_:][a-z0-9_:]+", rule["expr"]))
        assert {name.removesuffix("_bucket") for name in named} <= served | recorded | OTHERS, rule
        for reasons in re.findall(r'reason=~"([^"]+)"', rule["expr"]):
            assert set(reasons.split("|")) <= {reason.value for reason in Reason}
