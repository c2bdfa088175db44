"""A log that says of itself what cannot be: nobody works, or waits, for that."""

import pytest

from exchange.journal.past import Past
from exchange.journal.proofs import Proofs
from exchange.journal.single import Entries
from exchange.services.audit.crew import check_here
from exchange.services.audit.findings import TreeCode
from exchange.services.audit.material import Files
from exchange.services.audit.pieces import Material, Orders
from exchange.services.audit.service import verify
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head, Heads
from exchange.tlog.policy import parse_log_policy
from tests.services.witness.world import LOG, NOW, FakeLog, signed
from tests.world import World

POLICY = parse_log_policy(f"log {LOG.verifier}\nquorum none\n")


class Claiming(FakeLog):
    """Signs whatever it likes."""

    claimed: Checkpoint | None = None

    def checkpoint(self, size: int | None = None) -> bytes:  # type: ignore[override]  # signed, as archives have it
        """What it claims, or what there is."""
        return str(signed(self.claimed or super().checkpoint(size))).encode()


@pytest.fixture
def log() -> Claiming:
    """Three entries under one heads."""
    made = Claiming()
    made.grow(3, 0)
    return made


def found(log: Claiming, world: World) -> set[str]:
    """What an auditor finds."""
    log.publish()
    proofs = Proofs(world.root, Files(world.published, None), Past())
    material = Material(log, Entries(proofs, world.version, None), Orders(log))
    return set(verify(lambda: material, POLICY, check_here(lambda: material)).found)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Somebody's directory."""
    made = World(tmp_path_factory.mktemp("hostile"))
    made.publish(made.folder / "directory")
    return made


def test_heads_that_claim_a_million_billion_entries(log: Claiming, world: World) -> None:
    """After a thousand files that are not there nobody asks for the rest."""
    empty = Heads.parse(log.heads_entries[0]).logs[1]
    log.heads_entries.append(bytes(Heads(NOW + 9, (Head(10**15, bytes(32)), empty))))
    assert TreeCode.FILE_UNREADABLE in found(log, world)


def test_a_checkpoint_that_claims_a_million_billion_heads(log: Claiming, world: World) -> None:
    """What is not there leads nowhere."""
    log.claimed = Checkpoint(LOG.name, 10**15, bytes(32))
    assert {TreeCode.FILE_UNREADABLE} == found(log, world)
