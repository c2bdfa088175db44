"""A letter's course in an archive, made once: keys cost time."""

from dataclasses import dataclass

import pytest

from exchange.domain.event import Event
from exchange.domain.statement import Signed
from exchange.services.evidence.gathering import Gathered, gather
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.memory import MemoryArchive
from tests.world import BODIES, World

FILES = (b"%PDF-1.4 the letter", b"an annex")


@dataclass(frozen=True)
class Course:
    """A letter that was registered by one recipient and refused by another, and where its evidence lies."""

    world: World
    letter: Signed
    refused: Signed
    archive: MemoryArchive

    def gathered(self) -> Gathered:
        """Its evidence."""
        return gather(self.archive, self.letter.digest, self.world.published, self.archive.policy)


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Alpha writes to beta and gamma; the tracker reminds of gamma."""
    world = World(tmp_path_factory.mktemp("course"), bodies=(*BODIES, "exchange-tracker"))
    journal = SyntheticJournal(world)
    letter = journal.letter("alpha", "beta", "gamma", files=FILES)
    journal.registered("beta", letter, "alpha", "77-1")
    journal.say("exchange-tracker", journal.speaker("exchange-tracker").deadline(letter, "alpha", "gamma"))
    journal.receipt("gamma", letter, "alpha", Event.REFUSED, reason_text="не по адресу")
    refused = journal.letter("alpha", "nobody", message_id="lost")
    journal.letter("beta", "alpha", message_id="another")
    return Course(world, letter, refused, MemoryArchive(journal))
