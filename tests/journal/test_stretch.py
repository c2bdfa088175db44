"""A stretch of the journal replayed by itself: sound as routers wrote it, and what can be seen of an alteration is."""

import dataclasses
from collections.abc import Callable

import pytest

from exchange.domain.decision import Decided, Journalled
from exchange.domain.ids import digest
from exchange.domain.statement import Content, Letter
from exchange.journal.facts import JournalRecord
from exchange.journal.findings import FindingCode
from exchange.journal.stretch import Line, StretchReplay
from exchange.security.errors import DirectoryRefused
from exchange.security.trust import Trust
from exchange.wire.records import decode, encode, kind_of
from tests.journal.synthetic import SyntheticJournal, busiest, story
from tests.world import World

Alter = Callable[[Decided], Decided]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story that nobody altered."""
    return story(World(tmp_path_factory.mktemp("stretch")))


@pytest.fixture
def records(journal: SyntheticJournal) -> list[JournalRecord]:
    """Of the fuller partition, so of one that has an accepted letter with its receipts."""
    fuller = busiest(journal)
    return [each for each in journal.records if each.position.partition == fuller]


def replayed(journal: SyntheticJournal, records: list[JournalRecord]) -> tuple[StretchReplay, list[Line]]:
    """A replay of some records, and its lines."""

    def trust(version: int) -> Trust:
        if version != journal.world.directory.version:
            raise DirectoryRefused("there is none", code="directory-missing")
        return Trust(journal.world.directory)

    replay = StretchReplay(trust, journal.world.journal_partitions)
    return replay, [replay.feed(record) for record in records]


def altered(records: list[JournalRecord], change: Alter) -> tuple[list[JournalRecord], int]:
    """The records with the first letter's decision changed, and its place among them."""
    for index, record in enumerate(records):
        carried = decode(Journalled, record.value)
        if kind_of(carried.entry) is not Decided:
            continue
        decided = decode(Decided, carried.entry)
        if kind_of(decided.statement) is Letter and not decided.decision.reason:
            value = encode(Journalled(encode(change(decided)), carried.contents))
            return [*records[:index], dataclasses.replace(record, value=value), *records[index + 1 :]], index
    message = "no letter was accepted"
    raise AssertionError(message)


def decision(**changes: object) -> Alter:
    """Change fields of the decision."""
    return lambda decided: dataclasses.replace(
        decided,
        decision=dataclasses.replace(decided.decision, **changes),  # type: ignore[arg-type]  # fields by name
    )


@pytest.mark.parametrize("first", [0, 3, 7])
def test_an_unaltered_stretch_is_sound(journal: SyntheticJournal, records: list[JournalRecord], first: int) -> None:
    """Wherever it begins; every record is a line, and says whose statement it holds."""
    replay, lines = replayed(journal, records[first:])
    assert replay.report.findings == []
    assert [line.position for line in lines] == [record.position for record in records[first:]]
    assert replay.report.records == len(lines) == sum(replay.report.kinds.values())
    assert {line.body for line in lines if line.kind == "letter"} <= set(journal.world.bodies)
    assert all(line.number > 0 and line.lane >= 0 for line in lines)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (decision(statement=bytes(32)), {FindingCode.STATEMENT_DIGEST}),
        (decision(directory_version=9), {FindingCode.BASIS_UNKNOWN}),
        (decision(directory_digest=bytes(32)), {FindingCode.BASIS_INVALID}),
        (
            lambda decided: dataclasses.replace(decided, signature=decided.signature[:-1] + b"\0"),
            {FindingCode.NOT_TAKABLE},
        ),
    ],
)
def test_what_an_alteration_shows(
    journal: SyntheticJournal, records: list[JournalRecord], change: Alter, codes: set[FindingCode]
) -> None:
    """At its place; the neighbour in the same lane tells of it too, where there is one."""
    changed, index = altered(records, change)
    replay, lines = replayed(journal, changed)
    assert set(lines[index].found) == codes
    assert codes <= set(replay.report.found) <= codes | {FindingCode.LANE_CHAIN_BROKEN}


def test_a_statement_of_another_body(journal: SyntheticJournal, records: list[JournalRecord]) -> None:
    """Whose signature holds, but for who says it."""
    _, index = altered(records, lambda decided: decided)
    decided = decode(Decided, decode(Journalled, records[index].value).entry)
    letter = decode(Letter, decided.statement)
    other = next(body for body in journal.world.bodies if body != letter.head.body)
    others = dataclasses.replace(letter, head=dataclasses.replace(letter.head, body=other))
    statement = encode(others)
    signer = journal.world.signers[letter.head.body]
    forged = dataclasses.replace(
        decided, statement=statement, signature=signer.sign(statement, decided.decision.decided)
    )
    changed, index = altered(records, lambda _: forged)
    _, lines = replayed(journal, changed)
    assert FindingCode.NOT_TAKABLE in lines[index].found


def test_neighbours_name_each_other(journal: SyntheticJournal, records: list[JournalRecord]) -> None:
    """A chain that breaks between two of them, a number twice, a record of another partition, bytes that are none."""
    changed, _ = altered(journal.records, decision(detail="altered"))
    for turn in (1, -1):

        def by_partition(record: JournalRecord, turn: int = turn) -> int:
            return turn * record.position.partition

        assert replayed(journal, sorted(journal.records, key=by_partition))[0].report.sound
        broken, _ = replayed(journal, sorted(changed, key=by_partition))
        assert FindingCode.LANE_CHAIN_BROKEN in broken.report.found
    _, twice = replayed(journal, [*records, records[-1]])
    assert twice[-1].found == (FindingCode.LANE_REPEAT,)
    _, index = altered(records, lambda decided: decided)
    moved = dataclasses.replace(records[index].position, partition=1 - records[index].position.partition)
    _, there = replayed(journal, [dataclasses.replace(records[index], position=moved)])
    assert there[0].found == (FindingCode.MISPLACED,)
    replay, (none,) = replayed(journal, [dataclasses.replace(records[0], value=b"no record")])
    assert (none.kind, none.found) == ("", (FindingCode.UNREADABLE,))
    assert replay.report.records == 1


def test_contents_are_what_was_signed(journal: SyntheticJournal, records: list[JournalRecord]) -> None:
    """A bit of what people wrote, and an item that is missing; what was lawfully deleted has no salt."""
    _, index = altered(records, lambda decided: decided)
    carried = decode(Journalled, records[index].value)
    first = carried.contents[0]

    def codes(*contents: Content) -> tuple[FindingCode, ...]:
        value = encode(Journalled(carried.entry, contents))
        return replayed(journal, [dataclasses.replace(records[index], value=value)])[1][0].found

    others = carried.contents[1:]
    assert codes(first, *others) == ()
    assert codes(Content(b"", b""), *others) == ()
    assert codes(dataclasses.replace(first, data=first.data + b"!"), *others) == (FindingCode.CONTENTS_DIFFER,)
    assert codes(*others) == (FindingCode.CONTENTS_DIFFER,)


def test_lines_name_the_letter(journal: SyntheticJournal, records: list[JournalRecord]) -> None:
    """A receipt's line names the letter that it is about."""
    _, index = altered(records, lambda decided: decided)
    letter = digest(decode(Decided, decode(Journalled, records[index].value).entry).statement)
    _, lines = replayed(journal, records)
    assert {line.kind for line in lines if line.about == letter} >= {"letter", "receipt"}
