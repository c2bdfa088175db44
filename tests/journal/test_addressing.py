"""To whom a statement goes, and that an auditor finds the same."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.domain.card import DocumentSignature, LetterCard, Person
from exchange.domain.decision import Basis, Decided, Journalled, LaneState, Refusal
from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.group import parse_group
from exchange.domain.ids import lane_of
from exchange.domain.policy import ENTRY_BYTES, FAN_OUT_BYTES, GROUP_VERSIONS
from exchange.domain.reason import Reason
from exchange.domain.statement import Group, Letter, Signed
from exchange.domain.writing import WritingRule
from exchange.journal.addressing import names
from exchange.journal.examine import Examined, Ground, Standing, examine
from exchange.journal.facts import JournalRecord
from exchange.journal.findings import FindingCode, Report
from exchange.journal.judge import codes_bytes
from exchange.journal.ledger import Ledger
from exchange.wire.records import decode, encode, kind_of
from tests.journal.synthetic import SyntheticJournal
from tests.world import NOW, World, letter_card


def village(code: str, status: BodyStatus = BodyStatus.CONNECTED) -> Body:
    """A body that only receives, so it needs no certificates."""
    return Body(code, Names(code, code, code), "village", status, soate="41708222865010")


def look(world: World, signed: Signed, ground: Ground | None = None) -> Examined:
    """What becomes of alpha's statement."""
    return examine(world.submission(signed), ground or world.ground, NOW)


def said(world: World, expression: str, version: int = 1, card: LetterCard | None = None, **changes: object) -> Signed:
    """A letter of alpha to a group."""
    speaker = world.speaker("alpha")
    speaker.open()
    files: dict[str, object] = {} if card is None else {"card": card, "files": ()}
    return speaker.letter(group=Group(expression, version), **files, **changes)  # type: ignore[arg-type]


def with_bodies(world: World, *bodies: Body, version: int = 1) -> Ground:
    """The world's ground with more bodies in its directory."""
    known = {**world.directory.bodies, **{body.code: body for body in bodies}}
    directory = dataclasses.replace(world.directory, bodies=known, version=version, digest=version.to_bytes(32))
    return dataclasses.replace(world.ground, directory=directory)


def refused(examined: Examined) -> Reason | None:
    """The reason of its refusal."""
    return examined.refusal.reason if examined.refusal else None


def test_a_group_goes_to_whom_it_can_be_written(world: World) -> None:
    """Everybody of it who is connected, sorted, without the sender; those who are named and cannot are left out."""
    ground = with_bodies(world, village("z"), village("x", BodyStatus.TESTING), village("y", BodyStatus.SUSPENDED))
    assert look(world, said(world, "all"), ground).recipients == ("beta", "gamma", "x", "z")
    assert look(world, said(world, "soate:41708, beta, y"), ground).recipients == ("beta", "x", "z")
    assert look(world, said(world, "all, -kind:village, -gamma"), ground).recipients == ("beta",)


def test_the_version_named_says_who_is_meant(world: World) -> None:
    """Who came since was not meant; who left since, or has no inbox yet, is not written to."""
    older = with_bodies(world, village("stays"), village("leaves")).directory
    ground = with_bodies(world, village("stays"), village("leaves", BodyStatus.LEFT), village("comes"), version=2)
    knowing = dataclasses.replace(ground, versions={1: older}.get)
    assert look(world, said(world, "kind:village", 1), knowing).recipients == ("stays",)
    assert look(world, said(world, "kind:village", 2), knowing).recipients == ("comes", "stays")


class CountedBodies(dict[str, Body]):
    """Bodies that know how often somebody went through all of them."""

    rounds = 0

    def __iter__(self) -> Iterator[str]:
        """Count, and begin."""
        self.rounds += 1
        return super().__iter__()


def test_a_group_that_is_repeated_is_not_expanded_again(world: World) -> None:
    """However it is spelt; another group, another ground and another version are."""
    bodies = CountedBodies({**world.directory.bodies, "x": village("x"), "y": village("y")})
    directory = dataclasses.replace(world.directory, bodies=bodies)
    ground = dataclasses.replace(world.ground, directory=directory)
    assert look(world, said(world, "all, -x"), ground).recipients == ("beta", "gamma", "y")
    rounds = bodies.rounds
    assert rounds > 0
    for again in ("-x,all", " all ,  - x, all"):
        assert look(world, said(world, again), ground).recipients == ("beta", "gamma", "y")
    assert bodies.rounds == rounds
    assert look(world, said(world, "all, -y"), ground).recipients == ("beta", "gamma", "x")
    assert look(world, said(world, "all, -x")).refusal is not None
    assert look(world, said(world, ",".join(["x"] * 65)), ground).refusal is not None


def test_a_version_that_is_not_there_yet_is_waited_for(world: World) -> None:
    """Not refused: the sender's agent may be a moment ahead of the router, and sends the same again."""
    ground = with_bodies(world, version=30)
    for version in (30 - GROUP_VERSIONS, 29, 31, 30 + GROUP_VERSIONS):
        examined = look(world, said(world, "all", version), ground)
        assert (examined.standing, refused(examined)) == (Standing.HELD, Reason.GROUP_VERSION_MISSING)
    for version in (29 - GROUP_VERSIONS, 31 + GROUP_VERSIONS, -1, 1 << 62):
        examined = look(world, said(world, "all", version), ground)
        assert (examined.standing, refused(examined)) == (Standing.FIT, Reason.GROUP_OUTDATED)


LONG = [village(f"{index:04}".ljust(63, "x")) for index in range(1_000)]


@pytest.mark.parametrize(("count", "reason"), [(400, None), (460, None), (480, Reason.GROUP_TOO_LARGE)])
def test_the_entry_names_everybody_and_stays_small(world: World, count: int, reason: Reason | None) -> None:
    """An entry stays below 60 KB (rule 5.1): the longest codes, beside as long an expression."""
    ground = with_bodies(world, *LONG[:count])
    signed = said(world, "kind:village".ljust(64 * count - 1))
    examined = look(world, signed, ground)
    assert refused(examined) is reason
    if reason is None:
        ledger = Ledger(lane_of("alpha", world.lanes), ground, LaneState(), {})
        entry = ledger._decide(examined, NOW)
        assert len(entry.entry) <= ENTRY_BYTES
        assert codes_bytes(entry.inboxes) == count * 64


def test_copies_together_stay_below_the_fan_out(world: World) -> None:
    """Rule 1.7 holds for groups: 32 MB, the codes in each copy included."""
    ground = with_bodies(world, *LONG[:800])
    assert refused(look(world, said(world, "kind:village"), ground)) is Reason.FAN_OUT_TOO_LARGE
    short = with_bodies(world, *[village(f"ao-{index}") for index in range(941)])
    record = FAN_OUT_BYTES // 941 - codes_bytes(look(world, said(world, "kind:village"), short).recipients)
    for size, reason in ((record - 2_000, None), (record, Reason.FAN_OUT_TOO_LARGE)):
        assert refused(look(world, said(world, "kind:village", files=(bytes(size),)), short)) is reason


def test_the_policy_says_who_may_write_to_whom(world: World) -> None:
    """A body named is refused with its place, a group goes to the others; who has sent may always be answered."""
    rule = WritingRule(parse_group("alpha"), parse_group("gamma"), allowed=False)
    ground = dataclasses.replace(world.ground, policy=dataclasses.replace(world.policy, writing=(rule,)))
    speaker = world.speaker("alpha")
    examined = look(world, speaker.letter("beta", "gamma"), ground)
    assert examined.refusal == Refusal(Reason.RECIPIENT_FORBIDDEN, "recipients[1]: 'gamma'")
    assert look(world, said(world, "all"), ground).recipients == ("beta",)
    assert refused(look(world, said(world, "gamma"), ground)) is Reason.RECIPIENT_MISSING
    receipt = look(world, speaker.receipt(speaker.letter("beta"), "gamma"), ground)
    assert (refused(receipt), receipt.recipients) == (None, ("gamma",))


SIGNATURE = DocumentSignature("f1", "s1", Person(name="A"))


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (letter_card(kind="Письмо"), None),
        (letter_card(kind="Приказ"), Reason.SIGNATORY_MISSING),
        (letter_card(kind="ПРИКАЗ "), Reason.SIGNATORY_MISSING),
        (letter_card(kind="Приказ", signatories=(Person(name="A"),)), None),
        (letter_card(kind="Указ", signatories=(Person(name="A"),)), Reason.SIGNATURE_MISSING),
        (letter_card(kind="Указ", signatures=(SIGNATURE,)), None),
    ],
)
def test_some_kinds_of_document_are_signed_by_a_person(world: World, card: LetterCard, reason: Reason | None) -> None:
    """By name, or with a signature beside the file."""
    kinds = {"signatory_kinds": frozenset({"приказ"}), "signature_kinds": frozenset({"указ"})}
    policy = dataclasses.replace(world.policy, **kinds)  # type: ignore[arg-type]  # fields by name
    examined = look(world, said(world, "all", card=card), dataclasses.replace(world.ground, policy=policy))
    assert refused(examined) is reason


def test_who_is_addressed_can_tell(world: World) -> None:
    """By the letter and the version that it names, without the router's word."""
    letters = [decode(Letter, said(world, text).statement) for text in ("kind:ministry, -gamma", "junk!")]
    for letter, expected in zip(letters, ({"beta"}, set[str]()), strict=True):
        assert {code for code in ("alpha", "beta", "gamma", "x") if names(letter, code, lambda _: world.directory)} == (
            expected
        )


# --- an auditor's replay


@pytest.fixture
def journal(tmp_path: Path) -> SyntheticJournal:
    """Circulars by the version in force, and by the one before and the one behind it."""
    world = World(tmp_path)
    journal = SyntheticJournal(world)
    journal.letter("alpha", group=Group("kind:ministry", 1))
    first = world.ground
    world.change(village("x"), village("y"))
    journal.letter("alpha", group=Group("all", 2))
    world.change(village("y", BodyStatus.LEFT), village("z"))
    journal.stand_on(world.ground)
    journal.letter("alpha", group=Group("all", 2))
    journal.letter("alpha", group=Group("all", 1))
    journal.letter("alpha", group=Group("all", 2), message_id="again")
    assert first.directory.version == 1
    return journal


def circulars(journal: SyntheticJournal) -> list[tuple[int, Decided]]:
    """The decisions about letters, with their places in `records`."""
    found = []
    for index, carried in journal.values():
        if kind_of(carried.entry) is Decided:
            decided = decode(Decided, carried.entry)
            if kind_of(decided.statement) is Letter:
                found.append((index, decided))
    return found


def replayed(journal: SyntheticJournal, records: list[JournalRecord] | None = None) -> Report:
    """Replay under the world's own root."""
    return journal.replayed(records)[0]


def test_an_auditor_finds_the_same_recipients(journal: SyntheticJournal) -> None:
    """Also of versions that the lane never stood on, whatever partition is read first."""
    assert [decided.decision.recipients for _, decided in circulars(journal)] == [
        ("beta", "gamma"),
        ("beta", "gamma"),
        ("beta", "gamma", "x"),
        ("beta", "gamma"),
        ("beta", "gamma", "x"),
    ]
    by_partition = [
        [record for record in journal.records if record.position.partition == partition]
        for partition in range(journal.world.journal_partitions)
    ]
    for partitions in itertools.permutations(by_partition):
        report = replayed(journal, list(itertools.chain(*partitions)))
        assert report.findings == []
        assert report.kinds["letter"] == 5


ALTERED: dict[str, Callable[[tuple[str, ...]], tuple[str, ...]]] = {
    "one left out": lambda codes: codes[1:],
    "one more": lambda codes: (*codes, "z"),
    "one instead of another": lambda codes: (*codes[:-1], "z"),
    "in another order": lambda codes: codes[::-1],
    "nobody": lambda _: (),
}


@pytest.mark.parametrize("name", ALTERED)
def test_altered_recipients_are_found(journal: SyntheticJournal, name: str) -> None:
    """Whichever version the letter names."""
    for index, decided in circulars(journal):
        decision = decided.decision
        forged = dataclasses.replace(decision, recipients=ALTERED[name](decision.recipients))
        records, carried = list(journal.records), decode(Journalled, journal.records[index].value)
        entry = encode(dataclasses.replace(decided, decision=forged))
        records[index] = dataclasses.replace(records[index], value=encode(Journalled(entry, carried.contents)))
        codes = {finding.code for finding in replayed(journal, records).findings}
        assert FindingCode.RECIPIENTS_DIFFER in codes


def test_a_version_that_the_lane_did_not_journal_is_missed(journal: SyntheticJournal) -> None:
    """The files that prove it stand beside an entry before the decision (rule 5.3)."""
    bases = [
        (index, carried)
        for index, carried in journal.values()
        if kind_of(carried.entry) is Basis and decode(Basis, carried.entry).place.lane == journal_lane(journal)
    ]
    index, carried = bases[-1]
    snapshot = tuple(content for content in carried.contents if b'"snapshot"' not in content.data)
    assert snapshot != carried.contents
    records = list(journal.records)
    records[index] = dataclasses.replace(records[index], value=encode(Journalled(carried.entry, snapshot)))
    report = replayed(journal, records)
    assert report.found == {FindingCode.BASIS_UNKNOWN: 3}


def journal_lane(journal: SyntheticJournal) -> int:
    """Alpha's lane."""
    return circulars(journal)[0][1].decision.place.lane
