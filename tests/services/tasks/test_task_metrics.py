"""What is counted of tasks: enough to see that one stands still, and that none does."""

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from exchange.domain.task import ItemState
from exchange.services.tasks.metrics import TaskMetrics

NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
PROGRESS = "exchange_task_progress_timestamp_seconds"


def test_every_state_is_there_from_the_start() -> None:
    """The first failure is then a growth, which rules see."""
    registry = CollectorRegistry()
    TaskMetrics(registry)
    for state in ItemState:
        assert registry.get_sample_value("exchange_task_items_total", {"state": state.value}) == 0


def test_time_passes_while_a_task_runs_and_nothing_comes_of_it() -> None:
    """From its begin on, and from each result; not while none runs."""
    registry = CollectorRegistry()
    metrics = TaskMetrics(registry)
    metrics.show(0, NOW)
    metrics.show(0, LATER)
    assert registry.get_sample_value(PROGRESS) == LATER.timestamp()
    metrics.show(1, LATER + timedelta(minutes=1))
    begun = (LATER + timedelta(minutes=1)).timestamp()
    assert registry.get_sample_value(PROGRESS) == begun
    metrics.show(1, LATER + timedelta(minutes=2))
    assert registry.get_sample_value(PROGRESS) == begun
    assert registry.get_sample_value("exchange_tasks_running") == 1
    metrics.count([], LATER + timedelta(minutes=3))
    assert registry.get_sample_value(PROGRESS) == (LATER + timedelta(minutes=3)).timestamp()
