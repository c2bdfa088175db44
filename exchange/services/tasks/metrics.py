"""What the runner counts; labels are bounded, never ids."""

from collections.abc import Collection
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.domain.task import ItemState
from exchange.store.desk.items import Item


class TaskMetrics:
    """Counters of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`."""
        self._items = Counter(
            "exchange_task_items", "Items of tasks that came into a state", ["state"], registry=registry
        )
        for state in ItemState:
            self._items.labels(state=state.value)
        self._running = Gauge("exchange_tasks_running", "Tasks that run and are not paused", registry=registry)
        self._progress = Gauge(
            "exchange_task_progress_timestamp_seconds",
            "When an item of a running task last changed, or no task ran",
            registry=registry,
        )
        self._standing_by = Gauge(
            "exchange_tasks_standing_by", "1 while another process runs the desk's tasks", registry=registry
        )
        self._was_running = 0

    def stand_by(self, *, is_standing_by: bool) -> None:
        """Show whether somebody else runs the tasks; then how many run is theirs to show."""
        self._standing_by.set(is_standing_by)
        if is_standing_by:
            self._running.set(0)

    def count(self, changed: Collection[Item], now: datetime) -> None:
        """Count what items came to."""
        for item in changed:
            self._items.labels(state=item.state).inc()
        self._progress.set(now.timestamp())

    def show(self, running: int, now: datetime) -> None:
        """Show how many tasks run; with each that begins, the time for its first item begins, too."""
        if running == 0 or running > self._was_running:
            self._progress.set(now.timestamp())
        self._was_running = running
        self._running.set(running)
