"""The exchange's operator against its own log: who notices, and when. Each test is named after the attack."""

import dataclasses
import sqlite3
from datetime import timedelta

import pytest

from exchange.archive.contents import Authority
from exchange.domain.decision import Decided, Journalled
from exchange.domain.errors import ExchangeError
from exchange.domain.event import Event
from exchange.domain.statement import Letter
from exchange.journal.commands import DELETE_CONTENTS
from exchange.journal.findings import FindingCode
from exchange.services.audit.compare import compare
from exchange.services.audit.findings import TreeCode, Verified
from exchange.services.audit.ports import HEADS
from exchange.tlog.witness import Verdict
from exchange.wire.records import decode, kind_of
from tests.attacks.conftest import Archiving
from tests.attacks.operator import Auditor, WitnessOf, first_file, flip, rechained
from tests.audited import QUORUM, Archived
from tests.journal.synthetic import (
    SyntheticJournal,
    alter,
    busiest,
    decided_otherwise,
    index_of,
    is_letter,
    with_value,
)
from tests.world import World


def found(report: Verified) -> set[str]:
    """Codes of everything found."""
    return set(report.found)


def is_refused(decided: Decided) -> bool:
    """Whether the exchange refused it."""
    return bool(decided.decision.reason)


def test_nobody_attacks(archive: Archiving) -> None:
    """An archive that nobody spoilt is sound, to its last signature."""
    report = archive().verified()
    assert report.findings == []
    assert report.witnessed
    assert report.kept
    assert report.decisions["recipient-unknown"] == 1


def test_a_byte_of_the_log_is_altered(archive: Archiving, journal: SyntheticJournal) -> None:
    """On the disk, below a published checkpoint: the auditor, at the next verification, by file and entry."""
    archived, log = archive(), f"journal/{busiest(journal)}"
    file = first_file(archived, log)
    entries = archived.reader.bundle(log, 0, archived.reader.size(log))
    flip(file, sum(2 + len(entry) for entry in entries[:4]) - 1)
    report = archived.verified()
    (wrong,) = [wrong for wrong in report.findings if wrong.code is TreeCode.ENTRY_ALTERED]
    assert (wrong.log, wrong.index) == (log, 3)
    assert archived.folder / wrong.file == file


def test_a_byte_of_a_tile_is_altered(archive: Archiving, journal: SyntheticJournal) -> None:
    """The hashes above the entries: the auditor, who makes the tree anew."""
    archived, log = archive(), f"journal/{busiest(journal)}"
    flip(first_file(archived, log, level=0), 40)
    report = archived.verified()
    assert {TreeCode.ENTRY_ALTERED, TreeCode.ROOT_DIFFERS} <= found(report)
    assert (report.findings[0].log, report.findings[0].index) == (log, 1)


def test_a_byte_of_the_heads_is_altered(archive: Archiving) -> None:
    """What stands between logs and checkpoint: the auditor, by the heads' index."""
    archived = archive()
    flip(first_file(archived, HEADS), 60)
    report = archived.verified()
    (wrong,) = [wrong for wrong in report.findings if wrong.code is TreeCode.ENTRY_ALTERED]
    assert (wrong.log, wrong.index) == (HEADS, 0)


def test_a_file_is_torn_or_gone(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor, who names the file and goes on."""
    archived = archive()
    file = first_file(archived, f"journal/{busiest(journal)}")
    file.write_bytes(file.read_bytes()[:-1])
    assert TreeCode.FILE_UNREADABLE in found(archived.verified())
    file.unlink()
    report = archived.verified()
    assert TreeCode.FILE_UNREADABLE in found(report)
    assert archived.folder / report.findings[0].file == file


def test_an_entry_is_dropped_before_it_is_archived(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: the lane has a gap, and so has the sender's origin."""
    index = index_of(journal, is_letter)
    report = archive([*journal.records[:index], *journal.records[index + 1 :]]).verified()
    assert {FindingCode.LANE_GAP, FindingCode.ORIGIN_DISORDER} <= found(report)


def test_an_entry_is_dropped_and_the_lane_chained_anew(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: what bodies signed is numbered by themselves, which no operator can do for them."""
    index = index_of(journal, is_letter)
    report = archive(rechained([*journal.records[:index], *journal.records[index + 1 :]])).verified()
    assert FindingCode.LANE_GAP not in found(report)
    assert FindingCode.ORIGIN_DISORDER in found(report)


def test_the_last_word_of_a_body_is_dropped(archive: Archiving, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The body, whose statement no proof covers; the auditor only when the body has said something behind it."""
    journal = SyntheticJournal(World(tmp_path_factory.mktemp("last")))
    journal.letter("alpha", "beta")
    last = journal.letter("alpha", "beta", message_id="m-2")
    dropped = [record for record in journal.records if last.statement not in record.value]
    archived = archive(rechained(dropped), of=journal)
    assert archived.verified().sound
    assert not archived.places(last.digest)
    journal.letter("alpha", "beta", message_id="m-3")
    dropped.append(journal.records[-1])
    assert FindingCode.ORIGIN_DISORDER in found(archive(rechained(dropped), of=journal).verified())


def test_an_entry_is_dropped_after_it_was_witnessed(
    archive: Archiving, journal: SyntheticJournal, auditor: Auditor
) -> None:
    """Witnesses at once, everybody with an earlier checkpoint by comparing, a returning auditor by the root."""
    index = index_of(journal, is_letter)
    honest = archive(journal.records[:-2])
    witness = WitnessOf()
    assert witness.ask(honest, honest.reader.checkpoint())
    assert auditor.verify(honest).sound
    other = archive(rechained([*journal.records[:index], *journal.records[index + 1 :]]))
    assert not witness.ask(other, other.reader.checkpoint())
    found_by_comparing = compare(other.reader, other.keys.policy, honest.reader.checkpoint(), other.reader.checkpoint())
    assert not found_by_comparing.consistent
    assert {TreeCode.CHECKPOINT_ROOT, TreeCode.LOG_WENT_BACK} & found(auditor.verify(other))


def test_an_entry_is_altered(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor, even where all hashes were made anew: what a body signed does not hold any more."""

    def other(decided: Decided) -> Decided:
        statement = bytearray(decided.statement)
        statement[-1] ^= 1
        return dataclasses.replace(decided, statement=bytes(statement))

    index = index_of(journal, is_letter)
    report = archive(rechained(alter(journal, index, other))).verified()
    assert {FindingCode.NOT_TAKABLE, FindingCode.STATEMENT_DIGEST} <= found(report)
    wrong = next(wrong for wrong in report.findings if wrong.code is FindingCode.NOT_TAKABLE)
    assert wrong.log == f"journal/{journal.records[index].position.partition}"


def test_a_verdict_is_altered(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: judged again, the same inputs give another verdict."""
    accepted = {"verdict": "ACCEPTED", "reason": "", "recipients": ("beta",)}
    records = alter(journal, index_of(journal, is_refused), decided_otherwise(**accepted))
    assert FindingCode.VERDICT_DIFFERS in found(archive(rechained(records)).verified())


def test_entries_are_reordered(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: in each partition a lane's numbers grow."""
    partition = busiest(journal)
    places = [index for index, record in enumerate(journal.records) if record.position.partition == partition]
    lanes = [decode(Journalled, journal.records[index].value).entry for index in places]
    first, second = next(
        (places[at], places[at + 1])
        for at, entry in enumerate(lanes[:-1])
        if kind_of(entry) is kind_of(lanes[at + 1]) is Decided
        and decode(Decided, entry).decision.place.lane == decode(Decided, lanes[at + 1]).decision.place.lane
    )
    records = list(journal.records)
    records[first], records[second] = (
        with_value(records[first], records[second].value),
        with_value(records[second], records[first].value),
    )
    assert FindingCode.SUBMISSION_DISORDER in found(archive(records).verified())


def test_entries_are_reordered_and_the_lane_chained_anew(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: submissions are decided in their order, and origins numbered."""
    first = index_of(journal, is_letter)
    records = list(journal.records)
    records.insert(first + 5, records.pop(first))
    report = archive(rechained(records)).verified()
    assert {FindingCode.SUBMISSION_DISORDER, FindingCode.ORIGIN_DISORDER} & found(report)


def test_an_entry_is_inserted(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: a statement that no body signed."""
    forged = alter(
        journal,
        index_of(journal, is_letter),
        lambda decided: dataclasses.replace(decided, signature=decided.signature[:-1] + b"\0"),
    )
    index = index_of(journal, is_letter)
    report = archive(rechained([*journal.records, forged[index]])).verified()
    assert {FindingCode.NOT_TAKABLE, FindingCode.ORIGIN_DISORDER} <= found(report)


def test_an_old_letter_is_replayed_as_new(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: its number was taken in its origin, whoever decides on it again."""
    again = journal.records[index_of(journal, is_letter)]
    report = archive(rechained([*journal.records, again])).verified()
    assert FindingCode.ORIGIN_DISORDER in found(report)


@pytest.mark.parametrize("back", [timedelta(minutes=6), timedelta(days=30)])
def test_a_decision_is_backdated(archive: Archiving, journal: SyntheticJournal, back: timedelta) -> None:
    """The auditor: it was decided before it arrived, and before what stands before it in its lane."""
    index = index_of(journal, is_letter)
    decided = decode(Decided, decode(Journalled, journal.records[index].value).entry).decision.decided
    records = rechained(alter(journal, index, decided_otherwise(decided=decided - back)))
    assert FindingCode.DECISION_TIME in found(archive(records).verified())


def test_a_decision_is_backdated_with_its_arrival(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: its lane had come further."""
    index = index_of(journal, is_letter)
    decision = decode(Decided, decode(Journalled, journal.records[index].value).entry).decision
    back = timedelta(hours=1)
    changed = decided_otherwise(decided=decision.decided - back, arrived=decision.arrived - back)
    assert FindingCode.DECISION_TIME in found(archive(rechained(alter(journal, index, changed))).verified())


def test_a_decision_is_dated_ahead(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: it stood in the log before it was decided."""
    index = index_of(journal, is_letter)
    decided = decode(Decided, decode(Journalled, journal.records[index].value).entry).decision.decided
    records = rechained(alter(journal, index, decided_otherwise(decided=decided + timedelta(days=1))))
    assert FindingCode.DECISION_TIME in found(archive(records).verified())


def test_the_log_is_truncated(archive: Archiving, journal: SyntheticJournal, auditor: Auditor) -> None:
    """A returning auditor and every witness: they had seen more."""
    whole, witness = archive(), WitnessOf()
    assert witness.ask(whole, whole.reader.checkpoint())
    assert auditor.verify(whole).sound
    shorter = archive(journal.records[:-8])
    assert found(auditor.verify(shorter)) == {TreeCode.LOG_WENT_BACK}
    assert not witness.ask(shorter, shorter.reader.checkpoint())
    with pytest.raises(ExchangeError):
        compare(shorter.reader, whole.keys.policy, whole.reader.checkpoint(), shorter.reader.checkpoint())


def test_the_log_is_rebuilt_whole(archive: Archiving, journal: SyntheticJournal, auditor: Auditor) -> None:
    """All hashes hold by themselves; whoever kept a checkpoint has the contradiction, signed by the log."""
    honest, witness = archive(journal.records[:-6]), WitnessOf()
    assert witness.ask(honest, honest.reader.checkpoint())
    assert auditor.verify(honest).sound
    refused = index_of(journal, is_refused)
    rebuilt = archive(rechained([*journal.records[:refused], *journal.records[refused + 1 :]]))
    assert not witness.ask(rebuilt, rebuilt.reader.checkpoint())
    assert len(witness.refused) == 1
    result = compare(rebuilt.reader, honest.keys.policy, honest.reader.checkpoint(), rebuilt.reader.checkpoint())
    assert not result.consistent
    assert not auditor.verify(rebuilt).sound


def test_two_bodies_are_shown_two_views(archive: Archiving, journal: SyntheticJournal) -> None:
    """The two, as soon as they compare; a witness both are to be cosigned by, at once. Both files are the proof."""
    one = archive()
    index = index_of(journal, is_refused)
    other = archive([*journal.records[:index], *journal.records[index + 1 :], journal.records[index]])
    first, second = one.reader.checkpoint(), other.reader.checkpoint()
    result = compare(one.reader, one.keys.policy, first, second)
    assert "two roots" in result.contradictions[0]
    witness = WitnessOf()
    assert witness.ask(one, first)
    assert not witness.ask(other, second)
    assert witness.refused == [Verdict.SPLIT]


def test_a_view_without_witnesses(archive: Archiving) -> None:
    """Everybody who looks: too few cosigned it."""
    archived = archive()
    checkpoint = archived.keys.policy.open(archived.reader.checkpoint()).checkpoint
    (archived.folder / "log/heads/checkpoint").write_bytes(archived.keys.checkpoint(checkpoint, 1, QUORUM[0]))
    assert found(archived.verified()) == {TreeCode.CHECKPOINT_UNWITNESSED}


def test_a_checkpoint_of_another_key(archive: Archiving) -> None:
    """Everybody who looks: it is not the log's."""
    archived = archive()
    checkpoint = archived.keys.policy.open(archived.reader.checkpoint()).checkpoint
    impostor = dataclasses.replace(archived.keys, log=archived.keys.witnesses[QUORUM[0]])
    (archived.folder / "log/heads/checkpoint").write_bytes(impostor.checkpoint(checkpoint, 1))
    assert found(archived.verified()) == {TreeCode.CHECKPOINT_REFUSED}


def test_a_refusal_is_withheld(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: it has a number in the sender's own origin, which goes on behind it."""
    index = index_of(journal, is_refused)
    report = archive(rechained([*journal.records[:index], *journal.records[index + 1 :]])).verified()
    assert FindingCode.ORIGIN_DISORDER in found(report)


def test_the_history_of_certificates_is_swapped(
    archive: Archiving, journal: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The auditor, who has root and directory from elsewhere: no keeper signed that version."""
    stranger = World(tmp_path_factory.mktemp("stranger"))
    stranger.publish(stranger.folder / "directory")
    changed = decided_otherwise(directory_digest=stranger.directory.digest)
    records = rechained(alter(journal, index_of(journal, is_letter), changed))
    report = archive(records).verified()
    assert {FindingCode.BASIS_UNKNOWN, FindingCode.BASIS_NOT_IN_FORCE} <= found(report)


def test_content_is_deleted_and_that_denied(archive: Archiving) -> None:
    """The auditor: the statement commits to it, and no order to delete it is in the log."""
    archived = archive()
    (month,) = (archived.folder / "contents").glob("2026-*.sqlite")
    with sqlite3.connect(month) as connection:
        connection.execute("DELETE FROM contents WHERE length(salt) = 32")
    connection.close()
    report = archived.verified()
    assert found(report) == {TreeCode.CONTENTS_MISSING}
    assert report.unjudged == 0


def test_content_is_deleted_by_a_made_up_order(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: the entry that is said to order it says something else."""
    archived = archive()
    letter = decode(Decided, decode(Journalled, journal.records[index_of(journal, is_letter)].value).entry)
    commitment = decode(Letter, letter.statement).contents[0].digest
    archived.contents.delete(commitment, Authority(0, 1))
    assert found(archived.verified()) == {TreeCode.CONTENTS_MISSING}


def test_lawful_deletion_keeps_every_proof(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ordered by an entry of the log (rules 1.5, 5.1), content goes and nothing else: all is proven as before."""
    folder = tmp_path_factory.mktemp("lawful")
    journal = SyntheticJournal(World(folder / "world", ("alpha", "beta", "exchange-console")))
    letter = journal.letter("alpha", "beta")
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    order = journal.say(
        "exchange-console", journal.speaker("exchange-console").act(DELETE_CONTENTS, letter=letter.digest)
    )
    archived = Archived(folder / "archive", journal)
    archived.archive()
    place = archived.place(order.digest)
    for commitment in decode(Letter, letter.statement).contents:
        archived.contents.delete(commitment.digest, Authority(place.partition, place.index))
    report = archived.verified()
    assert report.findings == []
    assert report.deleted == 2
