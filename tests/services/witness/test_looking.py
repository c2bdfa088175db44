"""Looking further than the protocol asks: each partition's log only grew, or the log that signed it is caught."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.archive.errors import ArchiveError
from exchange.services.witness import service
from exchange.services.witness.looking import Rewritten, look
from exchange.services.witness.state import Looked
from exchange.tlog.checkpoint import hash_of
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import leaf_hash, root_by_inclusion
from tests.patience import PATIENCE
from tests.services.witness.world import FakeLog, Site


def grown(heads: int = 20) -> FakeLog:
    """An honest log."""
    log = FakeLog()
    for number in range(heads):
        log.grow(number % 3, 1)
    return log


def looked_through(log: FakeLog) -> Looked:
    """All of it."""
    log.publish()
    return looked_on(Looked(), log)


def looked_on(looked: Looked, log: FakeLog) -> Looked:
    """The rest of it."""
    checkpoint = log.checkpoint()
    while looked.size < checkpoint.size:
        looked = look(looked, checkpoint, log)
    return looked


@pytest.mark.parametrize("heads", [1, 2, 256, 257])
def test_an_honest_log(heads: int) -> None:
    """In steps of a bundle, to the checkpoint's root."""
    log = grown(heads)
    looked = looked_through(log)
    assert (looked.size, looked.root, looked.heads) == (heads, log.checkpoint().root, log.heads_entries[-1])


def test_a_log_is_gone_on_with() -> None:
    """From wherever it was left, with tiles of now: earlier partial ones are gone."""
    log = grown(5)
    looked = looked_through(log)
    for number in (1, 7, 250, 2):
        for growth in range(number):
            log.grow(growth % 40 // 39 * 50, 0)
        log.publish()
        looked = looked_on(looked, log)
    assert looked.root == log.checkpoint().root


def _truncate(log: FakeLog) -> None:
    del log.journals[0][-3:]


def _alter(log: FakeLog) -> None:
    log.journals[0][5] += b"!"


def _reorder(log: FakeLog) -> None:
    log.journals[0].reverse()


def _insert(log: FakeLog) -> None:
    log.journals[0].insert(7, b"more")


def _replace_last(log: FakeLog) -> None:
    log.journals[0][-1] = b"another"


def _drop_partition(log: FakeLog) -> None:
    log.journals.pop()


@pytest.mark.parametrize("tamper", [_truncate, _alter, _reorder, _insert, _replace_last, _drop_partition])
@pytest.mark.parametrize("further", [0, 240])
def test_a_partition_that_was_rewritten(tamper: Callable[[FakeLog], None], further: int) -> None:
    """Whoever rewrites it must say so in heads, which then contradict those before: both are named and proven."""
    log = grown(20)
    looked = looked_through(log)
    log.grow(4, 0)
    tamper(log)
    log.state()
    for _ in range(further):
        log.state()
    log.grow(*[2] * len(log.journals))
    log.publish()
    with pytest.raises(Rewritten, match="do not continue") as refused:
        looked_on(looked, log)
    first, second = refused.value.pair
    assert first.index < second.index
    for placed in (first, second):
        assert log.heads_entries[placed.index] == placed.entry
        up = root_by_inclusion(leaf_hash(placed.entry), placed.index, len(log.heads_entries), placed.path)
        assert up == log.checkpoint().root


def test_clocks_only_go_forward() -> None:
    """Heads that are dated back are caught."""
    log = grown(3)
    log.grow(1, 1, time=1)
    with pytest.raises(Rewritten, match="time is before"):
        looked_through(log)


def test_a_log_that_begins_anew_in_its_middle() -> None:
    """Only the first heads name a log before."""
    log = grown(3)
    last = Heads.parse(log.heads_entries[-1])
    log.heads_entries.append(bytes(Heads(last.time, last.logs, log.checkpoint(2))))
    with pytest.raises(Rewritten, match="begin anew"):
        looked_through(log)


def test_what_is_served_is_not_believed() -> None:
    """Other heads than those under the checkpoint, or than those seen before, are no heads of this log."""
    log = grown(10)
    looked = looked_through(log)
    for _ in range(10):
        log.grow(1, 1)
    for altered in (3, 15):
        lying = FakeLog(log.journals, [*log.heads_entries])
        other = Heads.parse(lying.heads_entries[altered])
        lying.heads_entries[altered] = bytes(Heads(other.time, (Head(1, bytes(32)), *other.logs[1:])))
        lying.publish()
        with pytest.raises(Rewritten) as refused:
            look(looked, log.checkpoint(), lying)
        assert refused.value.pair == ()


def test_tiles_that_are_missing_or_torn_prove_nothing() -> None:
    """That is for the log's holder to mend."""
    log = grown(20)
    log.publish()
    for path in [*log.files]:
        data = log.files.pop(path)
        for torn in (None, data[:-1]):
            if torn is not None:
                log.files[path] = torn
            try:
                look(Looked(), log.checkpoint(), log)
            except ArchiveError:
                continue
            except Exception as error:  # noqa: BLE001 - each other one is looked at
                assert getattr(error, "code", "") == "tile-invalid", path
        log.files[path] = data


async def test_a_witness_with_tiles(tmp_path: Path) -> None:
    """An honest log is cosigned; one that was rewritten is not, and the two heads are kept with their proofs."""
    log = grown(20)
    log.publish()
    with Site(tmp_path, log) as site:
        assert (await site.ask(log.request(0))).status == 200
        _truncate(log)
        log.state()
        log.publish()
        assert (await site.ask(log.request(20))).status == 422
        (folder,) = site.kept("rewritten")
        names = {path.name for path in folder.iterdir()}
        assert {"cosigned.checkpoint", "refused.checkpoint", "heads-19.entry", "heads-20.path", "why.txt"} <= names
        path = [hash_of(line) for line in (folder / "heads-20.path").read_text().split()]
        entry = (folder / "heads-20.entry").read_bytes()
        assert root_by_inclusion(leaf_hash(entry), 20, 21, path) == log.checkpoint().root
        assert site.value("exchange_witness_contradictions", kind="rewritten") == 1


async def test_a_witness_without_tiles_sees_the_log_of_heads_only(tmp_path: Path) -> None:
    """As the protocol has it: the contradiction is then fixed for everybody to see."""
    log = grown(20)
    with Site(tmp_path) as site:
        assert (await site.ask(log.request(0))).status == 200
        _truncate(log)
        log.state()
        assert (await site.ask(log.request(20))).status == 200


async def test_tiles_that_cannot_be_read_now(tmp_path: Path) -> None:
    """Nothing is cosigned, nothing kept; when they are there again it goes on."""
    log = grown(20)
    with Site(tmp_path, log) as site:
        assert (await site.ask(log.request(0))).status == 503
        assert site.witness.waiting_for == "entry-missing"
        assert site.kept("rewritten") == []
        log.publish()
        assert (await site.ask(log.request(0))).status == 200
        assert site.witness.waiting_for == ""


async def test_a_long_past_takes_several_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it came is remembered, over a start anew too."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.0)
    log = grown(260)
    log.publish()
    with Site(tmp_path, log) as site:
        reply = await site.ask(log.request(0))
        assert (reply.status, "0 of 260" in reply.text) == (503, True)
        monkeypatch.setattr(service, "LOOK_SECONDS", 1e-6)
        assert "256 of 260" in (await site.ask(log.request(0))).text
    monkeypatch.setattr(service, "LOOK_SECONDS", PATIENCE)
    with site:
        assert (await site.ask(log.request(0))).status == 200
