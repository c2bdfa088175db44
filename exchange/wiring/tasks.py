"""What operators let run: joined from the desk, the tracker's tables, the journal and the console's speaker."""

from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.bus.picking import open_picker
from exchange.bus.topics import JOURNAL
from exchange.services.speaking import Speaker
from exchange.services.tasks.archived import ArchivedLetters
from exchange.services.tasks.letters import Letters
from exchange.services.tasks.metrics import TaskMetrics
from exchange.services.tasks.runner import TaskRunner
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore


def task_runner(
    desk: DeskStore,
    tracker: Store,
    speaker: Speaker,
    kafka: KafkaSettings,
    registry: CollectorRegistry,
    archive: Path | None = None,
) -> TaskRunner:
    """The runner of a console; its `run` is the caller's to start and to end, the speaker's beside it.

    Args:
        desk: where tasks are kept, migrated.
        tracker: where results are heard of; read only.
        speaker: of the console's own body.
        kafka: as a principal that may read the journal.
        registry: for its metrics.
        archive: the archive's folder, for letters that the journal keeps no longer; None: it is not within reach.
    """
    archived = None if archive is None else ArchivedLetters(archive).record
    letters = Letters(partial(open_picker, kafka, JOURNAL), archived)
    return TaskRunner(desk, tracker, speaker, letters, TaskMetrics(registry), system.now)
