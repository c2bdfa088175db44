"""When journal or log were last verified is told by the results that the journal has, whoever made the check."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from exchange.console.verifications import Verifications
from exchange.domain.delivery import Position
from exchange.domain.fact import CommandFact
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.services.audit.findings import concluded
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from tests.store.support import TOPIC

BEGIN = datetime(2026, 11, 23, 4, tzinfo=UTC)


def act(number: int, action: str, detail: str) -> CommandFact:
    """What somebody did in the so-many-th hour."""
    at = BEGIN + timedelta(hours=number)
    return CommandFact(
        position=Position(0, number),
        statement=digest(b"%d" % number),
        body="exchange-console",
        action=action,
        task="task",
        person="aida",
        second="",
        reason="",
        detail=detail,
        letter=None,
        recipient="",
        said=at,
        journalled=at,
    )


@pytest.mark.parametrize("action", ["verify-result", "verify-log-result", "audit-verify-result", "audit-replay-result"])
def test_the_last_of_each_end(tracked: Store, action: str) -> None:
    """Zero before there is one; a check that was broken off, begun, or of a few offsets only is none."""
    registry = CollectorRegistry()
    verifications = Verifications(tracked, registry)

    def shown() -> tuple[float | None, float | None]:
        """Hours after the beginning."""
        verifications.look()
        names = ("verified", "found")
        values = (registry.get_sample_value(f"exchange_log_last_{name}_timestamp_seconds") for name in names)
        held, found = ((value - BEGIN.timestamp()) / 3600 if value else value for value in values)
        return held, found

    def take(number: int, name: str, detail: str) -> None:
        """One act more."""
        tracked.take([act(number, name, detail)], [PositionRow(TOPIC, 0, number, ZERO_DIGEST)])

    assert shown() == (0, 0)
    take(1, action.removesuffix("-result"), "everything holds, says the reason")
    take(2, action, "the whole journal: broken off, bus-unavailable")
    take(3, "replay-result", f"offsets 0:1-9: {concluded('9 records', sound=True)}")
    assert shown() == (0, 0)
    take(4, action, f"the whole journal: {concluded('9 records', sound=True)}")
    take(5, action, f"the whole journal: {concluded('9 records, 1 chain-broken', sound=False)}")
    assert shown() == (4, 5)
    take(6, action, f"the whole journal: {concluded('9 records', sound=True)}")
    assert shown() == (6, 5)
