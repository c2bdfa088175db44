"""The journal on real Kafka checked with the console's own rights: read by places, whole, and its newest part."""

from functools import partial

import pytest

from exchange.bus.access import CONSOLE
from exchange.bus.picking import open_picker
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import JOURNAL
from exchange.console import checking
from exchange.console.checking import Checker, Stretch
from exchange.domain.ids import journal_partition
from exchange.embedded.installation import SHAPE
from exchange.security.directory.folder import DirectoryFolder
from exchange.settings import tracker_settings
from exchange.store.database import Store
from tests.services.test_router_commands import routing
from tests.stage import Stage

pytestmark = pytest.mark.server


def ignore(_done: int, _of: int) -> None:
    """Nobody watches."""


async def test_the_console_reads_and_checks(stage: Stage, tracked: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter is found at its place, and everything holds."""
    sender, recipient = stage.fresh(2)
    author = stage.speaker(sender)
    said = [author.open(), author.letter(recipient)]
    async with routing(stage):
        await stage.submit(sender, said)
        await stage.checker.until_decided(signed.digest for signed in said)
    kafka, directory = stage.settings(CONSOLE), tracker_settings(stage.installation.config("tracker"), {}).directory
    reader = partial(PositionedReader, kafka, fetch_wait_seconds=0.2)
    folder = partial(DirectoryFolder.at, directory.folder, directory.root)
    checker = Checker(reader, partial(open_picker, kafka, JOURNAL), folder, tracked)
    monkeypatch.setattr(checking, "OFFSETS_AT_MOST", 0)
    newest = await checker.verify(ignore)
    assert (newest.report.findings, newest.newest) == ([], checking.NEWEST)
    assert newest.report.kinds["letter"] > 0
    partition = journal_partition(said[-1].digest, SHAPE.journal_partitions)
    found = await checker.replay(Stretch(partition, 0, 10_000), ignore)
    assert said[-1].digest in {line.about for line in found.lines if line.kind == "letter"}
    assert found.sound
