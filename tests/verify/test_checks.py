"""Checks that nothing else makes up for: without any one of them a false package would hold."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from exchange_verify.errors import Refused
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Snapshot

from exchange.domain.decision import Decided, Decision
from exchange.domain.ids import digest, journal_partition
from exchange.domain.statement import Letter, Signed
from exchange.services.evidence.container import ASIC_S, zipped
from exchange.tlog.checkpoint import Checkpoint
from exchange.wire.records import decode_statement, encode
from tests.verify.making import DAY, Course, WitnessedArchive, id_of, inner, zip_files
from tests.world import NOW

LETTER, SIGNATURE, CONTENT = "statements/0001-letter.asics", "META-INF/signature.p7s", "contents/0001-1.pdf"


def test_another_policy_with_the_same_lists(course: Course) -> None:
    """The policy is the one that the decision names by its digest."""
    files = course.files()
    name = next(each for each in files if each.startswith("policy/"))
    found = course.look({**files, name: files[name] + b"# and more"})
    assert (found.step, f"{name}: is another policy" in found.refused) == (5, True)


def test_too_few_signatures_of_the_directory(course: Course) -> None:
    """A root is signed by as many as it says itself."""
    document = json.loads(course.world.root)
    document["signatures"] = document["signatures"][:1]
    found = course.look(course.files(), root=json.dumps(document).encode())
    assert (found.step, "1 signatures of it hold" in found.refused) == (2, True)


def test_a_container_with_more_in_it(course: Course) -> None:
    """Nobody signed what lies beside the statement."""
    files = course.files()
    parts = {name: inner(files, LETTER, name) for name in ("statement", SIGNATURE)}
    found = course.look({**files, LETTER: zipped({"mimetype": ASIC_S, **parts, "read-me": b"believe me"})})
    assert (found.step, "no container of one statement" in found.refused) == (3, True)


def test_a_time_stamp_of_a_checkpoint_that_no_proof_leads_to(course: Course) -> None:
    """It is true, and says nothing of this package."""
    files = course.files(stamped=True)
    note = course.archive.signed(str(Checkpoint(course.archive.log.name, 2, bytes(32))), 2)
    other = {**files, "tokens/3.checkpoint": note, "tokens/3.tsr": course.stamp(note)}
    found = course.look(course.zipped(other, stamped=True))
    assert (found.step, "tokens/3.checkpoint: no proof leads to it" in found.refused) == (9, True)


def test_an_answer_by_which_an_authority_refused(course: Course) -> None:
    """Its status is over whatever stands behind."""
    files = course.files(stamped=True)
    said = files["tokens/3.tsr"].replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x02", 1)
    found = course.look(course.zipped({**files, "tokens/3.tsr": said}, stamped=True))
    assert (found.step, "the authority refused" in found.refused) == (9, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda own, _: replace(own, offset=own.offset + 1), "follows another"),
        (lambda own, behind: replace(own, place=behind.place), "two statements have one number in their lane"),
    ],
)
def test_a_lane_that_is_no_chain(course: Course, change: Callable[[Decision, Decision], Decision], said: str) -> None:
    """The exchange decided otherwise later, and logged it."""
    receipt, behind = (each.decided for each in course.gathered(course.archive, course.letter).said[1:3])

    def alter(decided: Decided) -> Decided:
        own = decided.statement == receipt.statement
        return replace(decided, decision=change(decided.decision, behind.decision)) if own else decided

    found = course.look(course.files(archive=course.archived(alter)))
    assert (found.step, said in found.refused) == (7, True), found


def last_receipt(course: Course, change: Callable[[Decided], Decided]) -> WitnessedArchive:
    """The exchange decided otherwise about the last that was said, and logged it."""
    last = course.gathered(course.archive, course.letter).said[-1].decided
    return course.archived(lambda decided: change(decided) if decided.statement == last.statement else decided)


def test_a_statement_of_another_exchange(course: Course) -> None:
    """Bodies may speak on two; what is said on one says nothing on the other."""

    def moved(decided: Decided) -> Decided:
        said = decided.statement.replace(course.world.directory.exchange, bytes(32))
        return replace(decided, statement=said, decision=replace(decided.decision, statement=digest(said)))

    found = course.look(course.files(archive=last_receipt(course, moved)))
    assert (found.step, "entries/0006.entry: it is of another exchange" in found.refused) == (3, True), found


def test_two_directories_of_one_version(course: Course) -> None:
    """Their keepers signed both, and the exchange decided by one and the other."""
    name, data = next(each for each in course.files().items() if id_of(each[1]) == course.versions[2].digest.hex())
    other = Metadata[Snapshot].from_bytes(data)
    other.signed.expires += DAY
    other.sign(CryptoSigner(course.world.authority.directory.publishing().keepers[-1]))
    second = other.to_bytes()

    def moved(decided: Decided) -> Decided:
        return replace(decided, decision=replace(decided.decision, directory_digest=digest(second)))

    def add(index: Any) -> None:
        files = [each.replace(name, "directory/other.json") for each in index["directory"][-1]["files"]]
        index["directory"].append({"version": 2, "digest": id_of(second), "files": files})
        index["directory"].sort(key=lambda each: (each["version"], each["digest"]))

    files = {**course.files(archive=last_receipt(course, moved)), "directory/other.json": second}
    found = course.look(course.indexed(files, add))
    assert (found.step, "case.json: has not each version once" in found.refused) == (10, True), found


def test_an_entry_in_another_log(course: Course) -> None:
    """Whoever watches the letter's partition would not have seen it."""
    journal = course.archived(lambda decided: decided).journal
    journal.records = [
        replace(each, position=replace(each.position, partition=1 - each.position.partition))
        for each in journal.records
    ]
    found = course.look(course.files(archive=WitnessedArchive(journal)))
    assert found.step == 6
    assert re.search(r"entries/0001.proof: the entry is in log ([01]), due is (?!\1)[01]", found.refused)


def test_a_file_that_is_not_the_manifest_s(course: Course) -> None:
    """The zip's own sums are right."""
    whole = zip_files(course.zipped(course.files()))
    found = course.look(zipped({**whole, CONTENT: b"%PDF-1.4 another"}))
    assert (found.step, f"{CONTENT}: is not the file that the manifest names" in found.refused) == (1, True)


def test_a_salt_that_takes_from_the_content(course: Course) -> None:
    """A sender who states a smaller size could bring the letter with its first byte or without."""
    lost, signer = course.refused, course.world.signers["alpha"]
    letter = decode_statement(lost.statement)
    assert isinstance(letter, Letter)
    card, first = letter.contents
    contents = (card, replace(first, size=first.size - 1))
    every = (encode(replace(letter, contents=contents, message_id=f"lost-{number}")) for number in count())
    due = journal_partition(lost.digest, 2)
    said = next(each for each in every if journal_partition(digest(each), 2) == due)
    signature = signer.sign(said, NOW)

    def moved(decided: Decided) -> Decided:
        if decided.statement != lost.statement:
            return decided
        return Decided(replace(decided.decision, statement=digest(said)), said, signature)

    files = course.files(Signed(said, signature, ()), archive=course.archived(moved))
    data = files[CONTENT]

    def shift(index: Any) -> None:
        index["contents"][1]["salt"] += f"{data[0]:02x}"

    found = course.look({**course.indexed(files, shift), CONTENT: data[1:]})
    assert (found.step, "it is not what the statement commits to" in found.refused) == (8, True), found


LISTED: Mapping[str, tuple[Callable[[Any], object], int, str]] = {
    "an item too many": (
        lambda index: index["contents"].append(index["contents"][-1]),
        8,
        "case.json: names 6 items of 5",
    ),
    "an item too few": (lambda index: index["contents"].pop(), 8, "case.json: names 4 items of 5"),
    "a version too many": (
        lambda index: index["directory"].append(index["directory"][-1]),
        10,
        "case.json: has not each version once",
    ),
    "no revocation list": (lambda index: index["events"][0].update(crls=[]), 5, "the policy names 1 revocation lists"),
    "a file of another folder": (
        lambda index: index["contents"][1].update(file="report.en.html"),
        8,
        "report.en.html: is not in the package's contents/",
    ),
    "a salt of what is withheld": (
        lambda index: index["contents"][0].update(file=None, missing="withheld"),
        8,
        "it is left out, its salt is not",
    ),
    "another reason": (
        lambda index: index["contents"][0].update(file=None, salt=None, missing="burnt"),
        8,
        "it is left out, its salt is not",
    ),
    "a file that is not there": (
        lambda index: index["contents"][1].update(file="contents/1.pdf"),
        8,
        "contents/1.pdf: is not in the package's contents/",
    ),
}


@pytest.mark.parametrize("what", LISTED)
def test_an_index_that_names_other_things(course: Course, what: str) -> None:
    """As many as there are, and each where it belongs."""
    change, step, said = LISTED[what]
    found = course.look(course.indexed(course.files(), change))
    assert (found.step, said in found.refused) == (step, True), found


POLICIES: Mapping[str, tuple[str, str, str]] = {
    "a witness named twice": ("witness w1 ", "witness w0 ", "'w0' is named twice"),
    "a group of more than there are": ("some 2", "some 4", "does not name so many"),
    "a group that names one twice": ("w0 w1 w2", "w0 w1 w1", "does not name so many"),
    "a group of nobody": ("some 2", "some 0", "does not name so many"),
    "a group with the name of nobody": ("group some", "group none", "'none' is named twice"),
    "a word that means nothing": ("quorum some\n", "quorum some\nand w2 w3\n", "'and' is none of log"),
    "a key with another name": ("w0.example+", "w9.example+", "is no key of that kind"),
}


@pytest.mark.parametrize("what", POLICIES)
def test_a_policy_that_says_too_little(course: Course, what: str) -> None:
    """It would count one voice as two, or ask for none."""
    old, new, said = POLICIES[what]
    policy = course.archive.policy_text
    assert policy.count(old) == 1
    with pytest.raises(Refused, match=said):
        course.look(course.files(), policy=policy.replace(old, new))


def test_one_key_for_two_witnesses(course: Course) -> None:
    """Whoever holds it would be two."""
    first, second, _ = course.archive.witnesses
    twin = replace(second, key=first.key)
    policy = course.archive.policy_text.replace(str(second.verifier), str(twin.verifier))
    with pytest.raises(Refused, match="one key is two witnesses"):
        course.look(course.files(), policy=policy)


def malleated(text: str) -> str:
    """A hash of a proof in other letters: base64 of 32 bytes has two bits to spare."""
    last = text.partition("\nheads 1\n")[2].partition("=\n")[0]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = last[:-1] + letters[letters.index(last[-1]) + 1]
    return text.replace(f"{last}=", f"{other}=")


@pytest.mark.parametrize(
    "alter",
    [
        lambda text: text.replace("exchange-proof/v1", "exchange-proof/v2"),
        lambda text: text.replace("\nheads 1\n", "\nheads 01\n"),
        lambda text: text.replace("\nheads 1\n", "\nheads 9\n"),
        lambda text: text.replace("\nheads 1\n", f"\nheads 1\n{'A' * 43}=\n"),
        malleated,
    ],
)
def test_a_proof_has_one_text(course: Course, alter: Callable[[str], str]) -> None:
    """And leads from one place."""
    files, name = course.files(), "entries/0001.proof"
    text = files[name].decode()
    assert alter(text) != text
    found = course.look({**files, name: alter(text).encode()})
    assert (found.step, name in found.refused) == (6, True), found
