"""What people did over the seeded letters, as the tracker has it from the journal; the same every time."""

from datetime import timedelta
from hashlib import sha256

from exchange.domain.delivery import Position
from exchange.domain.fact import CommandFact
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.journal.commands import REDRIVE
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from tests.console.seed import FAILING, NOW, PARTITIONS, TOPIC, failing_letter, letter_to
from tests.console.seed_tasks import LOST, MENDED, task_of

_WORDS = "from:mfa to:natstatkom state:hand-over-failed"
ACTS = (
    # minutes ago, who, what, why, about what, task
    (1500, "aigul", "task-start", MENDED, f"14 items: {_WORDS}", "failed"),
    (1498, "aigul", REDRIVE, MENDED, "", "failed"),
    (1497, "", "task-stop", "", "task-sample-failed", "failed"),
    (240, "cholpon", "sign-in", "", "from 10.12.4.20", ""),
    (238, "cholpon", "view-content", "", "", ""),
    (237, "cholpon", "download-content", "", "file 0", ""),
    (61, "bakyt", "sign-in-failed", "", "from 10.12.1.7", ""),
    (60, "bakyt", "sign-in", "", "from 10.12.1.7", ""),
    (52, "bakyt", "export", "", "/letters.csv?state=failing&age=30d", ""),
    (38, "talant", "task-submit", LOST, "139 items: to:minekonom", "running"),
    (32, "aigul", "task-approve", "", "", "running"),
)
"""From the first to the last."""


def seed_acts(store: Store) -> Store:
    """Fill a seeded store with acts; the same store."""
    facts = [_act(number) for number in range(len(ACTS))]
    store.take(facts, [PositionRow(TOPIC, PARTITIONS, 2 * len(ACTS), ZERO_DIGEST)])
    return store


def _act(number: int) -> CommandFact:
    minutes, person, action, reason, detail, task = ACTS[number]
    at = NOW - timedelta(minutes=minutes)
    letter = {REDRIVE: failing_letter(), "view-content": letter_to("minjust")}.get(action)
    return CommandFact(
        position=Position(PARTITIONS, 2 * (number + 1)),
        statement=sha256(f"act {number}".encode()).digest(),
        body=CONSOLE_BODY,
        action=action,
        task=task_of(task) if task else "",
        person=person or CONSOLE_BODY,
        second="",
        reason=reason,
        detail=detail,
        letter=None if letter is None else bytes.fromhex(letter),
        recipient={REDRIVE: FAILING[1], "view-content": "minjust"}.get(action, ""),
        said=at,
        journalled=at,
    )
