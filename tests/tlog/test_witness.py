"""The witness protocol's bytes, and the table by which a witness judges."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Head
from exchange.tlog.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.witness import REQUEST_BYTES, AddCheckpoint, Verdict, cosignatures, judge, known_size
from tests.tlog.trees import tree_hashes

NAME = "exchange/5f"
LOG = Signer(NAME, Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
WITNESS = Signer("w.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\2"))
OTHER = Signer("o.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\3"))
HASHES = tree_hashes([leaf_hash(b"%d" % number) for number in range(20)])


def checkpoint(size: int) -> Checkpoint:
    """Of the one log at a size."""
    return Checkpoint(NAME, size, root(size, HASHES))


def signed(what: Checkpoint) -> Note:
    """By the log."""
    return Note(str(what), (LOG.sign(str(what)),))


def request(old: int, new: int) -> AddCheckpoint:
    """A right one."""
    return AddCheckpoint(old, tuple(consistency_proof(old, new, HASHES)), signed(checkpoint(new)))


def test_the_specification_s_request() -> None:
    """It is read, and written as it was."""
    text = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
        "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    read = AddCheckpoint.parse(text.encode())
    assert (read.old, len(read.proof)) == (20852014, 4)
    assert Checkpoint.parse(read.note.text).size == 20852163
    assert bytes(read) == text.encode()


@pytest.mark.parametrize(
    ("known", "old", "new", "verdict"),
    [
        (0, 0, 7, Verdict.COSIGN),
        (7, 7, 7, Verdict.COSIGN),
        (7, 7, 12, Verdict.COSIGN),
        (0, 0, 0, Verdict.COSIGN),
        (7, 0, 12, Verdict.BEHIND),
        (7, 8, 12, Verdict.BEHIND),
        (12, 7, 9, Verdict.BEHIND),
        (12, 7, 7, Verdict.BEHIND),
    ],
)
def test_what_is_cosigned(known: int, old: int, new: int, verdict: Verdict) -> None:
    """A continuation from what is known, and nothing else."""
    state = Head(known, root(known, HASHES))
    assert judge(state, request(old, new), checkpoint(new)) is verdict


def test_what_is_refused() -> None:
    """Another root of the same size, whatever old size is named; a false proof; an old size above the new one."""
    seven, right = Head(7, root(7, HASHES)), request(7, 12)
    other = Checkpoint(NAME, 7, bytes(32))
    for old in (0, 7):
        assert judge(seven, AddCheckpoint(old, (), signed(other)), other) is Verdict.SPLIT
    assert judge(Head(0, EMPTY_ROOT), AddCheckpoint(0, (), right.note), Checkpoint(NAME, 0, bytes(32))) is Verdict.SPLIT
    for proof in ((), right.proof[:-1], (*right.proof, bytes(32)), (bytes(32), *right.proof[1:])):
        assert judge(seven, AddCheckpoint(7, proof, right.note), checkpoint(12)) is Verdict.UNPROVEN
    assert judge(seven, AddCheckpoint(13, (), right.note), checkpoint(12)) is Verdict.WRONG
    assert (Verdict.SPLIT.status, Verdict.UNPROVEN.status) == (409, 422)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_refused_with_one_error(data: bytes) -> None:
    """As a request and as an answer."""
    note = signed(checkpoint(7))
    for read in (AddCheckpoint.parse, lambda data: cosignatures(data, note, [WITNESS.verifier])):
        with pytest.raises(LogRefused):
            read(data)
    try:
        assert known_size(data) >= 0
    except LogRefused as error:
        assert error.code == "witness-answer-invalid"


def test_requests_are_bounded() -> None:
    """In hashes and in bytes."""
    note = signed(checkpoint(7))
    for many in (
        AddCheckpoint(0, (bytes(32),) * 64, note),
        AddCheckpoint(0, (), Note("x" * REQUEST_BYTES, note.lines)),
    ):
        with pytest.raises(LogRefused) as refused:
            AddCheckpoint.parse(bytes(many))
        assert refused.value.code == "witness-request-invalid"


def test_cosignatures_by_known_keys_are_taken() -> None:
    """Strangers' are passed over; one that does not hold spoils the answer."""
    note = signed(checkpoint(7))
    line, strange = WITNESS.sign(note.text, 5), OTHER.sign(note.text, 5)
    assert cosignatures((strange + line).encode(), note, [WITNESS.verifier]) == (line,)
    for answer, code in (
        (strange, "witness-answer-invalid"),
        ("", "witness-answer-invalid"),
        (f"more\n\n{line}", "witness-answer-invalid"),
        (WITNESS.sign("other\n", 5), "note-signature-invalid"),
        (LOG.sign(note.text), "witness-answer-invalid"),
    ):
        with pytest.raises(LogRefused) as refused:
            cosignatures(answer.encode(), note, [WITNESS.verifier, LOG.verifier])
        assert refused.value.code == code
