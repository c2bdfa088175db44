"""Chains of lanes and origins over links that come from partitions in any interleaving."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from exchange.domain.delivery import Position
from exchange.domain.ids import digest
from exchange.journal.chains import SKEW, Chains
from exchange.journal.findings import FindingCode
from exchange.journal.links import Link
from exchange.journal.past import Past
from exchange.journal.proofs import Proofs
from exchange.journal.single import Entries
from exchange.services.audit.material import Files
from tests.journal.synthetic import SyntheticJournal, story
from tests.world import World


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> list[Link]:
    """Of a story, with ticks, in the order in which it was written."""
    journal = story(World(tmp_path_factory.mktemp("chains")))
    journal.tick()
    return links_of(journal)


def links_of(journal: SyntheticJournal) -> list[Link]:
    """Of every record; each is checked by itself, without policy and contents."""
    proofs = Proofs(journal.world.root, Files(journal.world.published, None), Past())
    entries = Entries(proofs, journal.world.version, None)
    made = []
    for number, record in enumerate(journal.records):
        checked = entries.check(Position(record.position.partition, number), journal.entry(number))
        assert checked.found == ()
        assert checked.link is not None
        made.append(checked.link)
    return made


def found(links: Sequence[Link], *, ranged: bool = False, waiting: int = 100, step: int = 3) -> list[FindingCode]:
    """What is told of links that come a few at a time."""
    told: list[FindingCode] = []
    chains = Chains(lambda _link, code, _detail: told.append(code), {}, ranged=ranged, waiting=waiting)
    for start in range(0, len(links), step):
        chains.feed(links[start : start + step])
        chains.advance()
    chains.end()
    return told


def interleaved(links: Sequence[Link], seed: int) -> list[Link]:
    """The same, partitions in any interleaving, each in its order."""
    queues = [[link for link in links if link.partition == partition] for partition in (0, 1)]
    chosen = random.Random(seed)
    made = []
    while any(queues):
        made.append(chosen.choice([queue for queue in queues if queue]).pop(0))
    return made


def test_what_was_written(links: list[Link]) -> None:
    """In whatever interleaving it is read, nothing is found."""
    for seed in range(20):
        assert found(interleaved(links, seed)) == []


def test_a_range(links: list[Link]) -> None:
    """From anywhere on: lanes and origins are believed as they first appear."""
    for first in range(len(links)):
        assert found(links[first:], ranged=True) == []
        assert first == 0 or found(links[first:]) != []


def test_a_gap_in_a_range_is_one(links: list[Link]) -> None:
    """Behind the first entry of a lane every one counts."""
    assert FindingCode.LANE_GAP in found([*links[4:9], *links[10:]], ranged=True, step=2)


def test_a_gap_is_taken_for_one(links: list[Link]) -> None:
    """When the log ends, or when more wait than may; what follows is looked at all the same."""
    (position,) = [at for at, link in enumerate(links) if (link.lane, link.number) == (links[0].lane, 2)]
    missing = [*links[:position], *links[position + 1 :]]
    for waiting in (100, 3):
        told = found(missing, waiting=waiting, step=1)
        assert told[0] is FindingCode.LANE_GAP
        assert told.count(FindingCode.LANE_GAP) == 1


def test_repeated_broken_reordered(links: list[Link]) -> None:
    """Each by its code."""
    assert FindingCode.LANE_REPEAT in found([*links, links[3]])
    forged = links[5]._replace(digest=digest(b"another"))
    assert FindingCode.LANE_CHAIN_BROKEN in found([*links[:5], forged, *links[6:]])
    lane = [link for link in links if (link.lane, link.partition) == (links[2].lane, links[2].partition)]
    swapped = {lane[1]: lane[2], lane[2]: lane[1]}
    assert FindingCode.SUBMISSION_DISORDER in found([swapped.get(link, link) for link in links], step=100)


def test_times_go_forward(links: list[Link]) -> None:
    """But for the skew of clocks."""
    for back, told in ((SKEW - timedelta(seconds=1), []), (SKEW + timedelta(minutes=1), [FindingCode.DECISION_TIME])):
        late = links[8]._replace(decided=links[8].decided - back)
        assert found([*links[:8], late, *links[9:]]) == told


def test_what_waits_can_be_taken_up_again(links: list[Link]) -> None:
    """As a verification does that was stopped."""
    told: list[FindingCode] = []
    first = Chains(lambda _link, code, _detail: told.append(code), {}, ranged=False)
    order = interleaved(links, 3)
    first.feed(order[:11])
    first.advance()
    waiting = [*first.waiting()]
    for lane in first.lanes.values():
        lane.waiting.clear()
    second = Chains(lambda _link, code, _detail: told.append(code), first.lanes, ranged=False)
    second.restore(waiting)
    second.feed(order[11:])
    second.advance()
    ends = second.end()
    assert told == []
    assert sum(end.number for end in ends.values()) == len(links)
