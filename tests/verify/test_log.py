"""The log by whoever holds its key: what it signs is in one form, and proves what it is said to prove."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from exchange_verify.errors import Refused
from exchange_verify.log import Policy, verify

from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash
from exchange.tlog.note import Kind
from tests.verify.making import Course

PROOF = "entries/0001.proof"
Files = Mapping[str, bytes]


@pytest.fixture(scope="module")
def files(course: Course) -> Files:
    """A true package's."""
    return course.files()


def refused(course: Course, files: Files, proof: bytes) -> str:
    """What step 6 says of the letter's proof when it is this one."""
    assert proof != files[PROOF]
    found = course.look({**files, PROOF: proof})
    assert (found.step, PROOF in found.refused) == (6, True), found
    return found.refused


FORMS: Mapping[str, tuple[Callable[[str], str], str]] = {
    "another end": (lambda text: f"{text[:-1]} ", "the checkpoint is no signed note"),
    "another dash": (lambda text: text.replace("\u2014 w1", "- w1"), "the checkpoint has odd signatures"),
    "another word": (lambda text: text.replace("\nlog ", "\nlug ", 1), "it is no exchange-proof/v1"),
    "another word for heads": (lambda text: text.replace("\nheads ", "\nHEADS "), "it is no exchange-proof/v1"),
}


@pytest.mark.parametrize("what", FORMS)
def test_a_proof_in_another_form(course: Course, files: Files, what: str) -> None:
    """Whoever hands it out could write it so: nothing of this is signed."""
    alter, said = FORMS[what]
    assert said in refused(course, files, alter(files[PROOF].decode()).encode())


@pytest.mark.parametrize("signer", ["exchange/", "w0.example"])
def test_a_signature_that_does_not_hold(course: Course, files: Files, signer: str) -> None:
    """Under the right name, with the right mark of its key."""
    text = files[PROOF].decode()
    line = next(line for line in text.splitlines() if line.startswith(f"\u2014 {signer}"))
    other = line[:-8] + ("A" if line[-8] != "A" else "B") + line[-7:]
    assert "InvalidSignature" in refused(course, files, text.replace(line, other).encode())


def test_a_checkpoint_of_another_log(course: Course) -> None:
    """Signed by the log's key, under another log's name."""
    note = course.archive.signed(str(Checkpoint(f"{course.archive.log.name}/2", 3, bytes(32))), 2)
    with pytest.raises(Refused, match="the checkpoint is not signed by exchange/"):
        Policy(course.archive.policy_text).open(note)


HEADS: Mapping[str, tuple[str, str, str]] = {
    "another title": ("exchange-heads/v1", "exchange-heads/v2", "odd heads"),
    "no time": ("\ntime ", "\ndate ", "odd heads"),
    "the beginning of time": ("\ntime 1772355700\n", "\ntime 0\n", "odd heads"),
    "a log that is none": ("\nlog 0 ", "\nlag 0 ", "the heads leave logs out"),
    "a log in another's place": ("\nlog 0 ", "\nlog 1 ", "the heads leave logs out"),
    "a line between logs": ("\nlog 1 ", "\nafter lost 1 AAAA\nlog 1 ", "the heads leave logs out"),
    "a root that is none": ("\nlog 1 ", "\nlog 1 0 AAAA\nlog 2 ", "'AAAA' is not what is due"),
}


def read(course: Course, files: Files, alter: Callable[[str], str], size: int = 1) -> None:
    """Verify the letter's entry by other heads, alone under a checkpoint of that size that everybody signed."""
    first, heads, _ = files[PROOF].decode().split("\n\n", 2)
    leaf = alter(f"{heads}\n")
    text = str(Checkpoint(course.archive.log.name, size, leaf_hash(leaf.encode())))
    proof = "\n\n".join((first, leaf[:-1], "heads 0", course.archive.signed(text, 2).decode()))
    verify(proof.encode(), files["entries/0001.entry"], Policy(course.archive.policy_text))


@pytest.mark.parametrize("what", HEADS)
def test_odd_heads(course: Course, files: Files, what: str) -> None:
    """The log of heads has them, so they were never altered."""
    old, new, said = HEADS[what]
    with pytest.raises(Refused, match=said):
        read(course, files, lambda heads: heads.replace(old, new, 1))


def test_heads_that_go_on_for_a_lost_log(course: Course, files: Files) -> None:
    """They name it behind all of theirs (rule 5.4)."""
    read(course, files, lambda heads: f"{heads}after lost 1 {b64encode(bytes(32)).decode()}\n")


def test_a_checkpoint_over_more_than_its_root(course: Course, files: Files) -> None:
    """The log says two and signs the root of one: the path is too short for what it says."""
    read(course, files, str)
    with pytest.raises(Refused, match="another root than the one that is signed"):
        read(course, files, str, size=2)


def test_a_witness_s_key_that_signs_notes(course: Course) -> None:
    """It never said that it saw the log grow."""
    first = course.archive.witnesses[0]
    signs = replace(first, kind=Kind.NOTE)
    policy = course.archive.policy_text.replace(str(first.verifier), str(signs.verifier))
    with pytest.raises(Refused, match="is no key of that kind"):
        Policy(policy)
