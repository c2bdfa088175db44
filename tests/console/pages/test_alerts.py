"""The page of alerts knows every alert that Prometheus has: it is where people look for what to do."""

from exchange.console.pages.alerts import ALERTS
from exchange.console.pages.wording import AT_ONCE
from tests.config.rules import alerts


def test_every_rule_has_its_line() -> None:
    """One for each runbook; whoever is woken for it by one of its alerts is woken at once."""
    pages: dict[str, bool] = {}
    for rule in alerts().values():
        name = rule["annotations"]["runbook"].rpartition("/")[2].removesuffix(".md")
        pages[name] = pages.get(name, False) or rule["labels"]["severity"] == "page"
    assert {alert.runbook: alert.when is AT_ONCE for alert in ALERTS} == pages
