"""The archive follows the journal into the log, and publishes what it signs; whatever happens on the way."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from exchange import system
from exchange.archive.anew import Beginning, begin_anew
from exchange.bus.producer import Outgoing
from exchange.bus.records import Record, Taken
from exchange.domain.checkpoint import CHECKPOINT_KEY, OriginProof, PublishedCheckpoint
from exchange.domain.decision import Journalled
from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.services import witnessing
from exchange.services.archive import checkpoints as service
from exchange.services.archive.entries import batch_of
from exchange.services.archive.proofs import PROOFS_FOR
from exchange.services.archive.standing import last_witnessed, log_name, require_key
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import leaf_hash, root, root_by_inclusion
from exchange.tlog.proof import Proof
from exchange.wire.records import decode, encode
from tests.journal.synthetic import SyntheticJournal, story
from tests.patience import PATIENCE
from tests.services.archive.stage import (
    EXCHANGE,
    FakeTopic,
    Stage,
    away,
    cosigning,
    garbage,
    knowing_another,
    knowing_more,
)
from tests.services.journal_fake import FakeJournal, as_taken, poisoned, unavailable
from tests.tlog.trees import tree_hashes
from tests.world import NOW, World


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story with a bit of everything."""
    return story(World(tmp_path_factory.mktemp("archive")))


@pytest.fixture
def stage(journal: SyntheticJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """An archive that has taken nothing; it looks often."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(service, "ASK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(witnessing, "REST_SECONDS", (0.01, 0.01))
    monkeypatch.setattr("exchange.services.archive.taking.READ_SECONDS", 0.01)
    monkeypatch.setattr("exchange.services.archive.enduring.RETRY_SECONDS", 0.01)
    return Stage(tmp_path / "archive", FakeJournal(records=[as_taken(record) for record in journal.records]))


def entries(stage: Stage, partition: int) -> list[bytes]:
    """What a partition's log must hold."""
    records = (each for each in stage.journal.records if isinstance(each, Record) and each.partition == partition)
    return [decode(Journalled, record.value or b"").entry for record in records]


async def test_what_is_published_is_the_tree_of_the_journal(stage: Stage) -> None:
    """Each partition's entries, in order, under the heads, under a checkpoint that the log signed."""
    await stage.run_to_the_end()
    published = stage.topic.checkpoint
    seen = stage.identity().policy.open(published.note)
    assert (seen.checkpoint.origin, seen.witnessed) == (f"exchange/{EXCHANGE.hex()}", True)
    size = seen.checkpoint.size
    assert root_by_inclusion(leaf_hash(published.heads), size - 1, size, published.path) == seen.checkpoint.root
    for partition, head in enumerate(Heads.parse(published.heads).logs):
        leaves = [leaf_hash(entry) for entry in entries(stage, partition)]
        assert (head.size, head.root) == (len(leaves), root(len(leaves), tree_hashes(leaves)))
    assert stage.count("entries_total") == len(stage.journal.records)
    assert stage.count("witnessed_timestamp_seconds") == stage.count("checkpoint_timestamp_seconds")


async def test_each_origin_gets_a_proof_of_its_last_statement(stage: Stage, journal: SyntheticJournal) -> None:
    """Which leads to the checkpoint by itself; once proven, it is proven again when it moved, at its time."""
    origins = {speaker.origin.hex().encode() for speaker in journal.speakers.values()}
    for _ in range(2):  # the second start proves anew who moved while the first one ran
        await stage.run_to_the_end()
    assert origins < stage.topic.values.keys()
    values, policy = stage.topic.values, stage.identity().policy
    for key in origins:
        said = decode(OriginProof, values[key])
        assert Proof.parse(said.proof).verify(said.entry, policy).witnessed
    written = len(stage.topic.journal.records)
    await stage.run_to_the_end()
    again = [record.key for record in stage.topic.journal.records[written:] if isinstance(record, Record)]
    assert again == [CHECKPOINT_KEY]


async def test_proofs_of_what_fell_silent_are_taken_away(stage: Stage, journal: SyntheticJournal) -> None:
    """After their time, once; the origin that speaks again gets one, and a new start brings none of them back."""
    origins = {speaker.origin.hex().encode() for speaker in journal.speakers.values()}
    whole = stage.journal.records
    speaks = max(at for at, record in enumerate(whole) if origin_of(record) is not None)
    stage.journal.records = whole[:speaks]
    for _ in range(2):
        await stage.run_to_the_end()
    said = stage.topic.values.keys() & origins
    assert len(said) > 1
    stage.now = lambda: system.now() + PROOFS_FOR + timedelta(days=1)
    await stage.run_until(lambda _: not stage.topic.values.keys() & origins)
    stage.journal.records = whole
    for _ in range(2):
        await stage.run_to_the_end()
    assert stage.topic.values.keys() & origins == {origin_of(whole[speaks])}


def origin_of(record: Taken) -> bytes | None:
    """Key of the origin whose number a record moved."""
    taken = batch_of([record]).records[0]
    return None if taken.origin is None else taken.origin.hex().encode()


async def test_killed_anywhere_it_goes_on(stage: Stage) -> None:
    """From what its folder says; the tree is the one that would have come of one run."""
    await stage.run_until(lambda _: bool(stage.count("entries_total")))
    await stage.run_until(lambda checkpoints: checkpoints.newest is not None)
    stage.journal.failures.append(unavailable())
    await stage.run_to_the_end()
    assert stage.count("failures_total", code="bus-unavailable") == 1
    for partition in range(stage.journal.partitions):
        expected = entries(stage, partition)
        assert [*stage.logs.entries(f"journal/{partition}", 0, len(expected))] == expected


async def test_what_is_no_record_is_no_leaf(stage: Stage, journal: SyntheticJournal) -> None:
    """It is counted, and what stands behind it is taken."""
    whole = len(stage.journal.records)
    last = max(record.offset for record in stage.journal.records if record.partition == 0)
    stage.journal.records.append(poisoned(last + 5, journal.records[0]))
    stage.journal.records.append(
        replace(as_taken(journal.records[0]), partition=0, offset=last + 6, value=b"no record")
    )
    stage.journal.records.append(replace(as_taken(journal.records[0]), partition=0, offset=last + 7))
    await stage.run_until(lambda _: stage.count("entries_total") == whole + 1)
    assert stage.count("strays_total") == 2


async def test_witnesses_that_are_away_stop_nothing(stage: Stage) -> None:
    """The checkpoint is published without them, and not called witnessed; no proof goes out that nobody believes."""
    stage.witness = away
    await stage.run_to_the_end()
    assert stage.count("checkpoint_timestamp_seconds")
    assert not stage.count("witnessed_timestamp_seconds")
    assert set(stage.topic.values) == {CHECKPOINT_KEY}
    stage.witness = cosigning
    await stage.run_until(lambda checkpoints: checkpoints.newest is not None and checkpoints.newest.seen.witnessed)
    assert len(stage.topic.values) > 1


async def test_a_cosignature_once_given_is_kept(stage: Stage) -> None:
    """Also when its witness is away after the next start, and nothing grew."""
    stage.witness = cosigning
    await stage.run_to_the_end()
    stage.witness = away
    await stage.run_until(lambda checkpoints: checkpoints.newest is not None)
    assert stage.identity().policy.open(stage.topic.checkpoint.note).witnessed


@pytest.mark.parametrize("against", [knowing_more, knowing_another])
async def test_who_disagrees_alone_stops_nothing(stage: Stage, against: Callable[..., httpx.Response]) -> None:
    """Two of three cosign, so that no rival can count: letters become provable, and what was said is kept."""
    stage.jury = [against, cosigning, cosigning]
    await stage.run_to_the_end()
    assert stage.identity().policy.open(stage.topic.checkpoint.note).witnesses.keys() == {"w1", "w2"}
    assert len(stage.topic.values) > 1
    (kept,) = (stage.folder / "disputes").iterdir()
    assert {file.name for file in kept.iterdir()} == {"why.txt", "asked.checkpoint"}


@pytest.mark.parametrize("against", [knowing_more, knowing_another])
@pytest.mark.parametrize("third", [away, knowing_more, garbage])
async def test_what_may_be_a_second_past_is_waited_with(
    stage: Stage, against: Callable[..., httpx.Response], third: Callable[..., httpx.Response]
) -> None:
    """Two may have cosigned a rival: entries are taken, nothing is published; once two cosign it goes on by itself."""
    whole = stage.journal.records
    stage.journal.records = whole[: len(whole) // 2]
    stage.jury = [cosigning, cosigning, cosigning]
    await stage.run_to_the_end()
    published = stage.topic.checkpoint
    stage.journal.records, stage.jury = whole, [against, cosigning, third]
    async with stage.running() as (taking, checkpoints), asyncio.timeout(PATIENCE):
        while "another log" not in checkpoints.waiting_for or taking.waiting_for:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.01)
        assert (stage.topic.checkpoint, checkpoints.newest) == (published, None)
        stage.jury = [against, cosigning, cosigning]
        while checkpoints.newest is None or stage.topic.checkpoint.heads == published.heads:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert checkpoints.waiting_for == ""


async def test_one_witness_of_one_is_waited_with(stage: Stage) -> None:
    """Also while it is away after it disagreed; what it cosigned itself is published."""
    whole = stage.journal.records
    stage.journal.records, stage.witness = whole[: len(whole) // 2], cosigning
    await stage.run_to_the_end()
    published, stage.witness = stage.topic.checkpoint, knowing_another
    await stage.run_until(lambda checkpoints: checkpoints.newest is not None)
    stage.journal.records = whole
    async with stage.running() as (_, checkpoints), asyncio.timeout(PATIENCE):
        while "another log" not in checkpoints.waiting_for:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.01)
        asked, stage.witness = stage.asked, away
        while stage.asked < asked + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert stage.topic.checkpoint == published


async def test_an_archive_from_a_backup_signs_nothing(stage: Stage, tmp_path: Path) -> None:
    """More was published than it has; or something else of the same size."""
    whole, half = stage.journal.records, len(stage.journal.records) // 2
    stage.journal.records = whole[:half]
    await stage.run_to_the_end()
    shutil.copytree(stage.folder, tmp_path / "backup")
    stage.journal.records = whole
    await stage.run_to_the_end()
    stage.folder.rename(tmp_path / "newest")
    shutil.copytree(tmp_path / "backup", stage.folder)
    published = stage.topic.checkpoint
    assert await ended(stage) == "log-rolled-back"
    assert stage.topic.checkpoint == published
    shutil.rmtree(stage.folder)
    shutil.copytree(tmp_path / "backup", stage.folder)
    shown, stage.topic = stage.topic, FakeTopic()
    for number in range(half + 1, len(whole) + 1):  # as if it had not looked, and gone on in its own way
        stage.journal.records = whole[:number]
        await stage.run_to_the_end()
    stage.topic = shown
    assert await ended(stage) == "log-forked"
    assert stage.topic.checkpoint == published


async def test_a_new_log_goes_on_for_one_that_is_lost(stage: Stage) -> None:
    """Without its folder the archive makes the same trees of the journal, under a new log that names the old one."""
    stage.witness = cosigning
    await stage.run_to_the_end()
    old, before = stage.topic.checkpoint, stage.identity().policy
    shutil.rmtree(stage.folder)
    assert await ended(stage) == "log-rolled-back"
    note, seen = last_witnessed([old.note], before)
    begun = Beginning(NOW, "shell:root", "the disk is gone")
    begin_anew(stage.folder, stage.journal.partitions, note, begun)
    await stage.run_to_the_end()
    new = stage.topic.checkpoint
    opened = stage.identity().policy.open(new.note)
    assert opened.checkpoint.origin == f"exchange/{EXCHANGE.hex()}/2"
    assert Heads.parse(stage.logs.entry("heads", 0)).after == seen.checkpoint
    begin_anew(stage.folder, stage.journal.partitions, new.note, begun)
    await stage.run_to_the_end()
    assert stage.identity().signer.name.endswith("/3")
    assert Heads.parse(stage.topic.checkpoint.heads).logs == Heads.parse(new.heads).logs


async def test_entries_that_were_published_and_are_gone_are_told(stage: Stage, journal: SyntheticJournal) -> None:
    """The journal was cut, and so was the folder: what was proven cannot be proven again, or is another."""
    await stage.run_to_the_end()
    note, _ = last_witnessed([stage.topic.checkpoint.note], stage.identity().policy)
    shutil.rmtree(stage.folder)
    begin_anew(stage.folder, stage.journal.partitions, note, Beginning(NOW, "shell:root", "the disk is gone"))
    whole = stage.journal.records
    stage.journal.records = whole[:-1]
    assert await ended(stage) == "log-rolled-back"
    shutil.rmtree(stage.folder)
    begin_anew(stage.folder, stage.journal.partitions, note, Beginning(NOW, "shell:root", "the disk is gone"))
    busiest = max(range(stage.journal.partitions), key=lambda number: len(entries(stage, number)))
    first, second, *_ = (at for at, record in enumerate(whole) if record.partition == busiest)
    one, two = as_taken(journal.records[first]), as_taken(journal.records[second])
    changed = {first: replace(two, offset=one.offset), second: replace(one, offset=two.offset)}
    stage.journal.records = [changed.get(at, record) for at, record in enumerate(whole)]
    assert await ended(stage) == "log-forked"


async def test_what_stands_in_the_topic_must_be_a_checkpoint_of_ours(stage: Stage) -> None:
    """Another exchange's, or heads that are not under it."""
    await stage.run_to_the_end()
    published = stage.topic.checkpoint
    stage.topic.write([Outgoing(encode(replace(published, heads=published.heads + b"x")), CHECKPOINT_KEY)])
    assert await ended(stage) == "proof-invalid"
    foreign = published.note.replace(EXCHANGE.hex().encode(), bytes(32).hex().encode())
    stage.topic.write([Outgoing(encode(PublishedCheckpoint(foreign, published.heads, ())), CHECKPOINT_KEY)])
    assert await ended(stage) == "log-forked"
    stage.topic.write([Outgoing(b"nothing", CHECKPOINT_KEY)])
    assert await ended(stage) == "unreadable"


def test_a_log_s_name_follows_from_the_one_before() -> None:
    """And never from another exchange's."""
    first = log_name(EXCHANGE)
    second = log_name(EXCHANGE, Checkpoint(first, 1, EXCHANGE))
    assert second == f"{first}/2"
    assert log_name(EXCHANGE, Checkpoint(second, 1, EXCHANGE)) == f"{first}/3"
    for other in (log_name(bytes(32)), "exchange/5f", f"{first}/0"):
        with pytest.raises(ConfigurationError):
            log_name(EXCHANGE, Checkpoint(other, 1, EXCHANGE))


def test_the_policy_knows_the_log_by_its_key(stage: Stage) -> None:
    """A key that others would not accept signs nothing."""
    identity = stage.identity()
    require_key(identity)
    other = replace(identity.policy, log=replace(identity.policy.log, name="exchange/other"))
    with pytest.raises(ConfigurationError) as refused:
        require_key(replace(identity, policy=other))
    assert refused.value.code == "log-key-foreign"
    with pytest.raises(LogRefused):
        last_witnessed([], identity.policy)


async def ended(stage: Stage) -> str:
    """The code with which the process ends by itself."""
    try:
        await stage.run_until(lambda _: False)
    except ExceptionGroup as group:
        (error,) = group.exceptions
        while isinstance(error, ExceptionGroup):
            (error,) = error.exceptions
        assert isinstance(error, ExchangeError)
        return error.code
    return ""
