"""Checks that nothing else makes up for: without any one of them a false package would hold."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from exchange_verify.errors import Refused

from exchange.domain.decision import Decided, Decision
from exchange.services.evidence.container import ASIC_S, zipped
from exchange.tlog.checkpoint import Checkpoint
from tests.verify.making import Course, inner

LETTER, SIGNATURE = "statements/0001-letter.asics", "META-INF/signature.p7s"


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
