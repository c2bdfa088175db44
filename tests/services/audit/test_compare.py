"""Two signed checkpoints: consistent, or a contradiction that both together prove."""

from collections.abc import Iterable

import pytest

from exchange.services.audit.compare import Compared, compare
from exchange.tlog.errors import LogRefused
from exchange.tlog.policy import parse_log_policy
from exchange.tlog.tiles import Tile
from tests.services.witness.world import KEY, LOG, FakeLog, signed

POLICY = parse_log_policy(f"log {LOG.verifier}\nquorum none\n")


class Served(FakeLog):
    """The same, which gives the beginnings of partial tiles that were superseded, as archives do."""

    def _wider(self, log: str, tile: Tile) -> Iterable[int]:
        found = Tile(tile.level, tile.index, 1).path.removesuffix("1")
        prefix = f"log/{log}/{found}"
        return sorted(int(path.removeprefix(prefix)) for path in self.files if path.startswith(prefix))


def note(log: FakeLog, size: int | None = None) -> bytes:
    """A checkpoint over the log's first heads, signed by it."""
    return str(signed(log.checkpoint(size))).encode()


def grown(*steps: tuple[int, int]) -> Served:
    """A log with heads behind every step."""
    log = Served()
    for step in steps:
        log.grow(*step)
    log.publish()
    return log


def compared(log: FakeLog, first: bytes, second: bytes) -> Compared:
    """In both orders the same."""
    found = compare(log, POLICY, first, second)
    assert compare(log, POLICY, second, first) == found
    return found


def test_a_log_that_only_grew() -> None:
    """From any of its checkpoints to any other."""
    log = grown((3, 0), (0, 2), (300, 1), (5, 5))
    for old in range(5):
        found = compared(log, note(log, old), note(log))
        assert found.consistent
        assert found.logs == (2 if 0 < old < 4 else 0)


def test_two_roots_of_one_size() -> None:
    """The log signed both."""
    found = compared(grown((1, 1)), note(grown((1, 1))), note(grown((2, 1))))
    assert "two roots of 1 heads" in found.contradictions[0]


def test_whose_log_the_archive_has() -> None:
    """The newer one's, the older one's, or a third."""
    first, second, third = grown((1, 1), (1, 0)), grown((2, 1), (1, 0), (1, 1)), grown((9, 9), (1, 0), (1, 1))
    for log, words in ((second, "the newer one's log"), (third, "a third log")):
        assert words in compared(log, note(first), note(second)).contradictions[0]
    first.grow(1, 1)
    first.publish()
    assert "the older one's log" in compared(first, note(first, 2), note(second)).contradictions[0]


@pytest.mark.parametrize(("spoil", "words"), [("rewritten", "does not begin with"), ("shorter", "went back")])
def test_a_partition_below_that_was_rewritten(spoil: str, words: str) -> None:
    """The log of heads only grew, and two of its entries contradict one another."""
    log = grown((3, 2))
    log.journals[1] = [b"another entry", b"and one more"] if spoil == "rewritten" else log.journals[1][:1]
    log.grow(2, 0)
    log.publish()
    found = compared(log, note(log, 1), note(log, 2))
    assert found.logs == 2
    assert [f"journal/1 {word}" in found.contradictions[0] for word in ("of 2 entries", "went back")] == [
        spoil == "rewritten",
        spoil == "shorter",
    ]
    assert words in found.contradictions[0]


def test_checkpoints_of_others_are_none() -> None:
    """Neither is compared that the log did not sign."""
    log = grown((1, 1))
    foreign = str(signed(log.checkpoint(), KEY)).encode()
    with pytest.raises(LogRefused):
        compare(log, POLICY, note(log), foreign)
