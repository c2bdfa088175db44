"""The page of alerts knows every alert that Prometheus has: it is where people look for what to do."""

from starlette.datastructures import QueryParams

from exchange.console.pages.alerts import ALERTS
from exchange.console.pages.filters import ListFilter
from exchange.console.pages.wording import AT_ONCE
from exchange.domain.delivery import AWAITED
from tests.config.rules import alerts


def test_what_is_overdue_is_two_lists() -> None:
    """What machines have not done wakes somebody, what people have not waits: each delivery is in one of them."""
    lists = [alert.list for alert in ALERTS if alert.runbook in {"overdue", "answers-overdue"}]
    filters = [ListFilter.of(QueryParams(each.partition("?")[2])) for each in lists]
    states = [{*each["state"].split(",")} for each in filters]
    assert [(each["late"], each.faults) for each in filters] == [("now", ())] * 2
    assert states[0] & states[1] == set()
    assert states[0] | states[1] == {state.value for state, stage in AWAITED.items() if stage is not None}


def test_every_rule_has_its_line() -> None:
    """One for each runbook; whoever is woken for it by one of its alerts is woken at once."""
    pages: dict[str, bool] = {}
    for rule in alerts().values():
        name = rule["annotations"]["runbook"].rpartition("/")[2].removesuffix(".md")
        pages[name] = pages.get(name, False) or rule["labels"]["severity"] == "page"
    assert {alert.runbook: alert.when is AT_ONCE for alert in ALERTS} == pages
