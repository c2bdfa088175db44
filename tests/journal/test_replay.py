"""Replay: a journal that is as routers wrote it is sound, and each alteration is found and named."""

import copy
import dataclasses
import itertools
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from exchange.domain.decision import Basis, Decided, Journalled, Verdict
from exchange.domain.delivery import Position, State
from exchange.domain.directory import BodyStatus
from exchange.domain.event import Event
from exchange.domain.fact import FlagCode
from exchange.domain.ids import digest, lane_of
from exchange.domain.statement import Content, Letter
from exchange.journal.examine import Ground
from exchange.journal.facts import JournalRecord
from exchange.journal.findings import FindingCode, Report, compare
from exchange.journal.grounds import Grounds
from exchange.journal.replay import Replay
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.wire.records import decode, encode, kind_of
from tests.journal.synthetic import (
    SyntheticJournal,
    alter,
    decided_otherwise,
    index_of,
    is_letter,
    story,
    with_value,
)
from tests.world import NOW, World


def report_of(journal: SyntheticJournal, records: list[JournalRecord] | None = None) -> Report:
    """Replay under the world's own root."""
    return journal.replayed(records)[0]


def found(report: Report) -> set[str]:
    """Codes of everything found."""
    return set(report.found)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story that nobody altered."""
    return story(World(tmp_path_factory.mktemp("replay")))


def test_an_unaltered_journal_is_sound(journal: SyntheticJournal) -> None:
    """Nothing is found; everything is counted."""
    report = report_of(journal)
    assert report.findings == []
    assert report.sound
    assert report.records == len(journal.records)
    assert report.kinds == {"basis": 2, "open": 3, "letter": 3, "receipt": 12, "void": 1}
    assert report.decisions["recipient-unknown"] == report.decisions["event-unknown"] == 1
    assert report.directory_versions == {1}
    assert {lane: end.number for lane, end in report.lanes.items()} == {
        lane: ledger.state.number for lane, ledger in journal.ledgers.items()
    }
    assert report.flags == {
        FlagCode.NOT_ADDRESSED: 1,
        FlagCode.CONTRADICTED: 1,
        FlagCode.STATEMENT_REFUSED: 1,
    }
    assert report.states == {State.REGISTERED: 1, State.REFUSED: 1, State.IN_WORK: 1, State.REJECTED: 1}


def test_partitions_may_be_read_one_after_the_other(journal: SyntheticJournal) -> None:
    """Entries wait for those before them, and for the basis that is in another partition."""
    for partitions in itertools.permutations(range(journal.world.journal_partitions)):
        records = sorted(journal.records, key=lambda record: partitions.index(record.position.partition))
        assert report_of(journal, records).findings == []


def test_statement_altered(journal: SyntheticJournal) -> None:
    """One bit of what a body said: signature, digest and chain all tell."""
    index = index_of(journal, is_letter)

    def flip(decided: Decided) -> Decided:
        statement = bytearray(decided.statement)
        statement[-1] ^= 1
        return dataclasses.replace(decided, statement=bytes(statement))

    report = report_of(journal, alter(journal, index, flip))
    assert {FindingCode.NOT_TAKABLE, FindingCode.STATEMENT_DIGEST, FindingCode.LANE_CHAIN_BROKEN} <= found(report)
    (finding,) = [finding for finding in report.findings if finding.code is FindingCode.NOT_TAKABLE]
    assert finding.detail == "statement-altered"
    assert finding.position == journal.records[index].position


def test_signature_of_another_statement(journal: SyntheticJournal) -> None:
    """A signature that holds, but for other bytes."""
    first = index_of(journal, is_letter)
    other = index_of(journal, lambda decided: kind_of(decided.statement) is not Letter)
    signature = decode(Decided, decode(Journalled, journal.records[other].value).entry).signature
    records = alter(journal, first, lambda decided: dataclasses.replace(decided, signature=signature))
    assert FindingCode.NOT_TAKABLE in found(report_of(journal, records))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"verdict": Verdict.REFUSED, "reason": "gap", "recipients": ()}, FindingCode.VERDICT_DIFFERS),
        ({"reason": "gap"}, FindingCode.VERDICT_DIFFERS),
        ({"verdict": Verdict.REFUSED}, FindingCode.VERDICT_DIFFERS),
        ({"recipients": ("gamma",)}, FindingCode.RECIPIENTS_DIFFER),
        ({"statement": bytes(32)}, FindingCode.STATEMENT_DIGEST),
        ({"decided": NOW + timedelta(minutes=6)}, FindingCode.DECISION_TIME),
        ({"decided": NOW - timedelta(minutes=6)}, FindingCode.DECISION_TIME),
        ({"offset": 0}, FindingCode.SUBMISSION_DISORDER),
        ({"partition": 7}, FindingCode.SUBMISSION_DISORDER),
        ({"directory_digest": bytes(32)}, FindingCode.BASIS_UNKNOWN),
        ({"policy_digest": bytes(32)}, FindingCode.BASIS_NOT_IN_FORCE),
        ({"directory_version": 2}, FindingCode.BASIS_NOT_IN_FORCE),
    ],
)
def test_decision_altered(journal: SyntheticJournal, changes: dict[str, object], code: FindingCode) -> None:
    """Every field of a decision is found out when it is changed, and the chain breaks behind it."""
    report = report_of(journal, alter(journal, index_of(journal, is_letter), decided_otherwise(**changes)))
    assert {code, FindingCode.LANE_CHAIN_BROKEN} <= found(report)


def test_contents_altered(journal: SyntheticJournal) -> None:
    """Contents are outside the chain; their commitments are not."""
    index = index_of(journal, is_letter)
    carried = decode(Journalled, journal.records[index].value)
    for contents in (
        (*carried.contents[:-1], Content(carried.contents[-1].salt, b"another file")),
        carried.contents[:-1],
        (),
        (*carried.contents, carried.contents[0]),
        (*carried.contents[:-1], Content(b"", b"")),
    ):
        records = list(journal.records)
        records[index] = with_value(records[index], encode(Journalled(carried.entry, contents)))
        report = report_of(journal, records)
        assert found(report) == {FindingCode.CONTENTS_DIFFER}


def test_entry_taken_away(journal: SyntheticJournal) -> None:
    """A missing entry is a gap of its lane, and of its origin."""
    index = index_of(journal, is_letter)
    gone = decode(Decided, decode(Journalled, journal.records[index].value).entry).decision.place
    report = report_of(journal, [record for at, record in enumerate(journal.records) if at != index])
    assert found(report) == {FindingCode.LANE_GAP, FindingCode.ORIGIN_DISORDER}
    gap = next(finding for finding in report.findings if finding.code is FindingCode.LANE_GAP)
    assert (gap.lane, gap.detail) == (gone.lane, f"missing: {gone.number} to {gone.number}")


def test_entry_written_twice(journal: SyntheticJournal) -> None:
    """The second one is a repeat; states are folded as the tracker does."""
    index = index_of(journal, is_letter)
    record = journal.records[index]
    again = dataclasses.replace(record, position=Position(record.position.partition, 999))
    report = report_of(journal, [*journal.records, again])
    assert found(report) == {FindingCode.LANE_REPEAT}
    assert report.flags[FlagCode.LETTER_REPEATED] == 1


def test_entry_in_another_partition(journal: SyntheticJournal) -> None:
    """Facts of one letter must stand in one partition."""
    index = index_of(journal, is_letter)
    records = list(journal.records)
    partition = 1 - records[index].position.partition
    records[index] = dataclasses.replace(records[index], position=Position(partition, 999))
    assert FindingCode.MISPLACED in found(report_of(journal, records))


def test_bytes_that_are_no_record(journal: SyntheticJournal) -> None:
    """Anybody's bytes are a finding, never an error."""
    index = index_of(journal, is_letter)
    value = journal.records[index].value
    carried = decode(Journalled, value)
    for junk in (b"", b"junk", value[:-1], encode(Journalled(b"junk", ())), encode(Journalled(carried.entry[:-1], ()))):
        report = report_of(journal, [*journal.records, JournalRecord(Position(0, 999), journal.now, junk)])
        assert found(report) == {FindingCode.UNREADABLE}


def test_basis_of_a_stranger(journal: SyntheticJournal, tmp_path: Path) -> None:
    """Another exchange's files prove nothing, and neither do decisions upon them."""
    strangers = World(tmp_path / "strangers")
    records = list(journal.records)
    for index, carried in journal.values():
        if kind_of(carried.entry) is Basis:
            contents = SyntheticJournal.proof(story(strangers), journal.world.ground)
            records[index] = with_value(records[index], encode(Journalled(carried.entry, contents)))
    assert found(report_of(journal, records)) == {FindingCode.BASIS_UNKNOWN}


def test_basis_without_its_proof(journal: SyntheticJournal) -> None:
    """Each item beside a basis is needed, unaltered."""
    index, carried = next(journal.values())
    for place, content in enumerate(carried.contents):
        if content.data.startswith(b'{"signatures"') and b'"_type":"root"' in content.data:
            continue  # the auditor has it
        for other in ((), (Content(b"", content.data + b" "),)):
            contents = (*carried.contents[:place], *other, *carried.contents[place + 1 :])
            records = list(journal.records)
            records[index] = with_value(records[index], encode(Journalled(carried.entry, contents)))
            assert found(report_of(journal, records)) == {FindingCode.BASIS_UNKNOWN}


def test_basis_without_its_signer_proves_nothing(journal: SyntheticJournal) -> None:
    """The journal alone proves its directories: all their files travel beside."""
    records = list(journal.records)
    for index, carried in journal.values():
        if kind_of(carried.entry) is Basis:
            records[index] = with_value(records[index], encode(Journalled(carried.entry, carried.contents[:3])))
    assert found(report_of(journal, records)) == {FindingCode.BASIS_UNKNOWN}


def test_another_root_trusts_nothing(journal: SyntheticJournal, tmp_path: Path) -> None:
    """The auditor's root decides, not the journal."""
    other = Authority(tmp_path, now=NOW)
    report, _ = journal.replayed(root=other.directory.found(NOW))
    assert found(report) == {FindingCode.BASIS_INVALID, FindingCode.BASIS_UNKNOWN}


def suspended(world: World, code: str) -> Ground:
    """The next directory version, with one body suspended."""
    return world.change(dataclasses.replace(world.directory.bodies[code], status=BodyStatus.SUSPENDED))


def test_directory_changes_on_the_way(tmp_path: Path) -> None:
    """What was accepted under one version stays so; what comes later is judged by the next."""
    world = World(tmp_path)
    journal = SyntheticJournal(world)
    journal.letter("alpha", "gamma")
    journal.stand_on(suspended(world, "gamma"))
    journal.letter("alpha", "gamma", message_id="m-2")
    report = report_of(journal)
    assert report.findings == []
    assert report.directory_versions == {1, 2}
    assert report.decisions["recipient-not-connected"] == 1


def test_a_version_is_proven_by_what_the_lane_journalled_before_it(tmp_path: Path) -> None:
    """In whatever order the partitions are read: beside a basis travels only what is new."""
    world = World(tmp_path)
    journal = SyntheticJournal(world)
    journal.letter("alpha", "gamma")
    before = world.directory.version
    ground = suspended(world, "gamma")
    known = set(world.published.files(before).values())
    ledger = journal.ledgers[lane_of("alpha", world.lanes)]
    ledger.stand_on(ground)
    news = tuple(item for item in journal.proof(ground) if digest(item.data) not in known)
    assert 0 < len(news) < len(journal.proof(ground)) - 3
    journal.write(ground.directory.digest, Journalled(ledger.basis(journal.now), news))
    journal.letter("alpha", "gamma", message_id="m-2")
    by_partition = [
        [record for record in journal.records if record.position.partition == partition]
        for partition in range(world.journal_partitions)
    ]
    for partitions in itertools.permutations(by_partition):
        report = report_of(journal, list(itertools.chain(*partitions)))
        assert report.findings == []
        assert report.directory_versions == {1, 2}


def forked(world: World, folder: Path) -> World:
    """The same world, whose signers will tell another story to whoever reads that folder."""
    shutil.copytree(world.published.folder, folder)
    other = copy.copy(world)
    other.published = DirectoryFolder(folder, world.root)
    return other


def journal_of_one_lane(
    journal: SyntheticJournal, lane: int, ground: Ground, skipped: tuple[Content, ...] = ()
) -> None:
    """Stand on `ground` in one lane only, with the skipped versions' snapshots beside."""
    ledger = journal.ledgers[lane]
    assert ledger.stand_on(ground)
    contents = (*journal.proof(ground), *skipped)
    journal.write(ground.directory.digest, Journalled(ledger.basis(journal.now), contents))


def snapshots(world: World, *versions: int) -> tuple[Content, ...]:
    """What the router journals of versions that a lane skipped."""
    return tuple(Content(b"", world.published.read(f"{version}.snapshot.json")) for version in versions)


def both_ways(journal: SyntheticJournal) -> list[Report]:
    """The journal's report, its partitions read one after the other, in each order."""
    orders = itertools.permutations(range(journal.world.journal_partitions))
    return [
        report_of(journal, sorted(journal.records, key=lambda record: order.index(record.position.partition)))
        for order in orders
    ]


def test_a_version_of_another_past(tmp_path: Path) -> None:
    """A lane's next version continues the one that it stood on."""
    world = World(tmp_path / "world")
    journal = SyntheticJournal(world)
    other = forked(world, tmp_path / "fork")
    journal.stand_on(suspended(world, "gamma"))
    for _ in range(2):
        ground = suspended(other, "beta")
    journal.world = other
    journal.stand_on(ground)
    for report in both_ways(journal):
        assert found(report) == {FindingCode.BASIS_ROLLED_BACK}


@pytest.mark.parametrize("told", ["true", "fork"])
def test_another_past_behind_versions_that_were_skipped(tmp_path: Path, told: str) -> None:
    """The snapshots beside the basis lead back to the version that the lane stood on, or to another."""
    world = World(tmp_path / "world")
    journal = SyntheticJournal(world)
    other = forked(world, tmp_path / "fork")
    journal.stand_on(suspended(world, "gamma"))
    stood = world.directory.digest.hex()
    suspended(other, "gamma")
    journal.world = other if told == "fork" else world
    for _ in range(4):
        ground = suspended(journal.world, "beta")
    assert ground.directory.version == 6
    journal_of_one_lane(journal, 0, ground, snapshots(journal.world, 3, 4, 5))
    for report in both_ways(journal):
        assert found(report) == ({FindingCode.BASIS_ROLLED_BACK} if told == "fork" else set())
        assert all(stood in finding.detail for finding in report.findings)


def test_two_lanes_on_two_versions_with_one_number(tmp_path: Path) -> None:
    """Each lane by itself goes forward; together they tell of two pasts, and the finding names both."""
    world = World(tmp_path / "world")
    journal = SyntheticJournal(world)
    other = forked(world, tmp_path / "fork")
    first, second = suspended(world, "gamma"), suspended(other, "beta")
    journal_of_one_lane(journal, 0, first)
    journal.world = other
    journal_of_one_lane(journal, 1, second)
    for report in both_ways(journal):
        (finding,) = report.findings
        assert finding.code is FindingCode.BASIS_ROLLED_BACK
        assert {first.directory.digest.hex(), second.directory.digest.hex()} <= set(
            finding.detail.replace(",", "").split()
        )


def test_of_two_versions_with_one_number_that_of_the_past_counts(tmp_path: Path) -> None:
    """A letter names a version by its number alone; what the lane stands on says which one is meant."""
    world = World(tmp_path / "world")
    journal = SyntheticJournal(world)
    other = forked(world, tmp_path / "fork")
    suspended(other, "beta")
    second, third = suspended(world, "gamma").directory, suspended(world, "beta")
    others = (Content(b"", other.published.read(name)) for name in other.published.files(2))
    ledger, grounds = journal.ledgers[0], Grounds(world.root)
    assert ledger.stand_on(third)
    basis = decode(Basis, ledger.basis(journal.now))
    ground = grounds.prove(basis, (*others, *journal.files(2), *journal.proof(third)))
    assert ground is not None
    assert grounds.contradictions() == []
    assert ground.versions(2) == second
    (detail,) = grounds.contradictions()
    assert second.digest.hex() in detail


def test_the_same_version_in_all_lanes_is_one_past(tmp_path: Path) -> None:
    """Lanes may skip different versions."""
    world = World(tmp_path)
    journal = SyntheticJournal(world)
    second, third = suspended(world, "gamma"), suspended(world, "beta")
    journal_of_one_lane(journal, 0, second)
    for lane in range(world.lanes):
        journal_of_one_lane(journal, lane, third)
    assert all(report.findings == [] for report in both_ways(journal))


def test_directory_rolled_back(tmp_path: Path) -> None:
    """A lane may not go back to what was."""
    world = World(tmp_path)
    journal = SyntheticJournal(world)
    journal.letter("alpha", "gamma")
    before = world.ground
    journal.stand_on(suspended(world, "gamma"))
    journal.stand_on(before)
    assert found(report_of(journal)) == {FindingCode.BASIS_ROLLED_BACK}


def test_number_taken_out_of_order(tmp_path: Path) -> None:
    """A router that takes a statement behind a gap is found out."""
    world = World(tmp_path)
    journal = SyntheticJournal(world)
    alpha = journal.speaker("alpha")
    alpha.letter("beta", message_id="never-submitted")
    key = ("alpha", alpha.origin)
    ledger = next(ledger for ledger in journal.ledgers.values() if ledger._origins[key])
    ledger._origins._states[key] = dataclasses.replace(ledger._origins._states[key], number=2, digest=alpha.last)
    journal.letter("alpha", "beta", message_id="behind-the-gap")
    journal.letter("alpha", "beta", message_id="and-on")
    report = report_of(journal)
    assert report.found == {FindingCode.ORIGIN_DISORDER: 1}
    assert report.findings[0].detail.startswith("gap")


def test_gap_is_taken_for_one_when_too_many_wait(journal: SyntheticJournal) -> None:
    """Memory stays bounded behind a lost entry."""
    index = index_of(journal, is_letter)
    replaying = Replay(journal.world.root, waiting=2)
    for at, record in enumerate(journal.records):
        if at != index:
            replaying.feed(record)
    assert replaying.report.found[FindingCode.LANE_GAP] == 1


def test_findings_are_counted_beyond_those_kept(journal: SyntheticJournal) -> None:
    """A ruined journal gives a report that still fits in memory."""
    report = Report()
    ruined = Replay(journal.world.root)
    ruined.report = report
    for offset in range(1_200):
        ruined.feed(JournalRecord(Position(0, offset), journal.now, b"junk"))
    assert (len(report.findings), report.found[FindingCode.UNREADABLE]) == (1_000, 1_200)


def test_compare_names_what_differs(journal: SyntheticJournal) -> None:
    """The tracker's rows against the replayed states: altered, missing, invented."""
    _, states = journal.replayed()
    rows = [(letter, recipient, delivery) for (letter, recipient), delivery in states.items()]
    assert compare(states, rows) == []
    letter, recipient, delivery = rows[0]
    altered = (letter, recipient, dataclasses.replace(delivery, state=State.ACCEPTED, reg_number="0"))
    (difference,) = compare(states, [altered, *rows[1:]])
    assert difference.fields == ("state", "reg_number")
    (missing,) = compare(states, rows[1:])
    assert (missing.fields, missing.tracked) == (("delivery",), None)
    (invented,) = compare(states, [*rows, (letter, "nobody", delivery)])
    assert (invented.fields, invented.replayed) == (("delivery",), None)


def test_events_of_the_story(journal: SyntheticJournal) -> None:
    """Registered at one recipient, refused at the other."""
    _, states = journal.replayed()
    by_recipient = {recipient: delivery for (_, recipient), delivery in states.items()}
    assert by_recipient["beta"].reg_number == "77-1"
    assert by_recipient["gamma"].text == "не по адресу"
    assert Event.REGISTERED.value == by_recipient["beta"].state.value
