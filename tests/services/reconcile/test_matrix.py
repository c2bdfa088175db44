"""Who may do what: every kind of principal, every resource, every operation, with the broker deciding.

`docs/rights.md` has the table as it must be; `pytest -s` prints it as the broker decided.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from exchange.bus import topics
from exchange.bus.access import (
    ARCHIVE,
    AUDITOR,
    CONSOLE,
    DIRECTORY_SERVICE,
    ROUTER,
    ROUTER_GROUP,
    SERVICES,
    TRACKER,
    Operation,
)
from exchange.bus.topics import inbox
from exchange.domain.directory import BodyStatus, Paper
from exchange.domain.entry import OWN_KIND
from exchange.domain.own_bodies import ARCHIVE_BODY, CONSOLE_BODY, SERVICE_BODIES, TRACKER_BODY
from exchange.services.reconcile.cluster import Cluster
from exchange.services.reconcile.wanted import wanted
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster
from tests.services.reconcile.asking import Asking, asking
from tests.services.reconcile.bodies import ALLOWANCES, SHAPE, body, directory

pytestmark = pytest.mark.server

PAGE = Path(__file__).parents[3] / "docs" / "rights.md"
LETTERS = {
    Operation.READ: "r",
    Operation.WRITE: "w",
    Operation.DESCRIBE: "d",
    Operation.CREATE: "n",
    Operation.DELETE: "x",
    Operation.ALTER: "a",
    Operation.DESCRIBE_CONFIGS: "c",
    Operation.ALTER_CONFIGS: "s",
    Operation.CLUSTER_ACTION: "b",
    Operation.IDEMPOTENT_WRITE: "i",
}
"""As the page explains them."""

BY_STATUS = {status: f"matrix-{status}" for status in BodyStatus}
VILLAGE, OTHER, UNLISTED, GATEWAY = "matrix-village", "matrix-other", "matrix-unlisted", "matrix-gateway"
NO_SERVICE, ON_PAPER = "svc-nobody", "matrix-paper"
NOT_IN_USE = [code for status, code in BY_STATUS.items() if status not in {BodyStatus.TESTING, BodyStatus.CONNECTED}]
COLUMNS = {
    "body": [BY_STATUS[BodyStatus.CONNECTED], BY_STATUS[BodyStatus.TESTING]],
    "gateway": [GATEWAY],
    "anyone else": [VILLAGE, ON_PAPER, UNLISTED, NO_SERVICE, *NOT_IN_USE],
    "router": [ROUTER],
    "tracker": [TRACKER],
    "archive": [ARCHIVE],
    "auditor": [AUDITOR],
    "console": [CONSOLE],
    "directory": [DIRECTORY_SERVICE],
}
"""Principals by the page's columns; those of one column have the same rights."""

TOPICS = {
    "`exchange.submissions`": topics.SUBMISSIONS,
    "`exchange.journal`": topics.JOURNAL,
    "`exchange.sequences`": topics.SEQUENCES,
    "`exchange.commands`": topics.COMMANDS,
    "`exchange.checkpoints`": topics.CHECKPOINTS,
    "`exchange.directory`": topics.DIRECTORY,
    "`exchange.dead-letters`": topics.DEAD_LETTERS,
    "inbox of a body that a gateway carries": inbox(VILLAGE),
    "inbox of another body": inbox(OTHER),
    "inbox of `exchange-tracker`": inbox(TRACKER_BODY),
    "inbox of `exchange-console`": inbox(CONSOLE_BODY),
    "inbox of `exchange-archive`": inbox(ARCHIVE_BODY),
    "inbox of a suspended body": inbox(BY_STATUS[BodyStatus.SUSPENDED]),
    "a topic that is none of the exchange's": "payroll",
}
OWN = "its own inbox"
GROUPS = {"group `exchange.router`": ROUTER_GROUP, "any other group": "anything"}
TRANSACTIONS = {
    "transactional id `router:0`": "router:0",
    "transactional id `archive:0`": "archive:0",
    "any other transactional id": "anything",
}
CLUSTER = "the cluster"


async def test_the_matrix_is_the_page_s(kafka: KafkaCluster) -> None:
    """Each cell as the broker decides is the cell of the page; a super user may do everything, or nobody was asked."""
    await furnish(kafka)
    columns = {}
    for column, principals in COLUMNS.items():
        answers = {principal: await answered(kafka, principal) for principal in principals}
        columns[column] = answers[principals[0]]
        assert {principal: cells for principal, cells in answers.items() if cells != columns[column]} == {}
    print(f"\n{table(columns)}")
    assert table(columns) in PAGE.read_text(encoding="utf-8")
    everything = await answered(kafka, ADMINISTRATOR)
    assert {cell for row, cell in everything.items() if row in TOPICS} == {"rwdnxacs"}
    assert [everything[row] for row in (*GROUPS, *TRANSACTIONS, CLUSTER)] == ["rdx"] * 2 + ["wd"] * 3 + ["dnacsbi"]


async def furnish(kafka: KafkaCluster) -> None:
    """Everybody was connected once; then the directory says what it says."""
    final = [
        *(body(code, status) for status, code in BY_STATUS.items()),
        body(GATEWAY),
        body(VILLAGE, gateway=GATEWAY),
        body(ON_PAPER, BodyStatus.PLANNED, gateway=GATEWAY, paper=Paper(inbound=None, outbound=None)),
        body(OTHER),
        *(body(code, kind=OWN_KIND) for code in sorted(SERVICE_BODIES)),
    ]
    cluster = Cluster(kafka.settings(ADMINISTRATOR))
    for bodies in ([body(each.code) for each in final], final):
        await cluster.apply(wanted(directory(*bodies), SHAPE, ALLOWANCES))


async def answered(kafka: KafkaCluster, principal: str) -> dict[str, str]:
    """The column of a principal, by the page's rows."""
    async with asking(kafka.settings(principal)) as asked:
        return {row: letters(allowed) async for row, allowed in rows(asked, principal)}


async def rows(asked: Asking, principal: str) -> AsyncIterator[tuple[str, set[Operation]]]:
    """What the broker allows a principal, row by row."""
    own = {} if principal in SERVICES else {OWN: inbox(principal)}
    names = {**TOPICS, **own}
    allowed = await asked.topics(names.values())
    for row, name in names.items():
        yield row, allowed[name]
    for row, name in GROUPS.items():
        yield row, await asked.group(name)
    for row, name in TRANSACTIONS.items():
        yield row, await asked.transaction(name)
    yield CLUSTER, await asked.cluster()


def letters(allowed: set[Operation]) -> str:
    """A cell."""
    return "".join(letter for operation, letter in LETTERS.items() if operation in allowed)


def table(columns: Mapping[str, Mapping[str, str]]) -> str:
    """The table as the page has it."""
    lines = [["", *columns], ["---"] * (1 + len(columns))]
    lines += [[row, *(cells.get(row, "") or "·" for cells in columns.values())] for row in all_rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def all_rows() -> Iterator[str]:
    """In the page's order."""
    yield from (OWN, *TOPICS, *GROUPS, *TRANSACTIONS, CLUSTER)
