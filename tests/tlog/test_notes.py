"""Notes, checkpoints, heads, policies and proofs: written, read, and refused when anything is another way."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import inclusion_proof, leaf_hash, root
from exchange.tlog.note import Kind, Note, Signer, Verifier
from exchange.tlog.policy import LogPolicy, parse_log_policy
from exchange.tlog.proof import Path, Proof
from tests.tlog.trees import tree_hashes

NAME = "exchange/5f"
LOG = Signer(NAME, Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
WITNESSES = [
    Signer(
        f"witness.example/{number}", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"%c" % number)
    )
    for number in (2, 3, 4)
]
POLICY = f"""
log {LOG.verifier}
witness one {WITNESSES[0].verifier} http://127.0.0.1:1
witness two {WITNESSES[1].verifier}   # no address: somebody else asks it
witness three {WITNESSES[2].verifier}
group abroad any two three
group enough 2 one abroad
quorum enough
"""
ENTRIES = [b"entry %d" % number for number in range(9)]


def made_proof(index: int = 5) -> tuple[Proof, bytes]:
    """A proof of one of nine entries in the second of two logs, under a checkpoint of three heads."""
    hashes = tree_hashes([*map(leaf_hash, ENTRIES)])
    heads = Heads(1_763_912_345, (Head(0, root(0, hashes)), Head(9, root(9, hashes))))
    over = tree_hashes([leaf_hash(b"first"), leaf_hash(b"second"), leaf_hash(bytes(heads))])
    text = str(Checkpoint(NAME, 3, root(3, over)))
    note = Note(text, (LOG.sign(text), WITNESSES[0].sign(text, 1_763_912_346), WITNESSES[2].sign(text, 1_763_912_347)))
    way, above = inclusion_proof(index, 9, hashes), inclusion_proof(2, 3, over)
    return Proof(1, Path(index, tuple(way)), heads, Path(2, tuple(above)), str(note).encode()), ENTRIES[index]


def test_a_proof_leads_to_a_witnessed_checkpoint() -> None:
    """And says who cosigned it when."""
    proof, entry = made_proof()
    seen = Proof.parse(bytes(proof)).verify(entry, parse_log_policy(POLICY))
    assert (seen.checkpoint.origin, seen.checkpoint.size, seen.witnessed) == (NAME, 3, True)
    assert seen.witnesses == {"one": 1_763_912_346, "three": 1_763_912_347}


def test_no_byte_of_a_proof_may_be_another() -> None:
    """Each is read, and each counts: a line that nobody needs is another witness's, which then is not there."""
    proof, entry = made_proof()
    policy = parse_log_policy(POLICY)
    for number in range(len(bytes(proof))):
        data = bytearray(bytes(proof))
        data[number] ^= 1
        try:
            seen = Proof.parse(bytes(data)).verify(entry, policy)
        except LogRefused:
            continue
        assert not seen.witnessed, data[max(0, number - 9) : number + 9]


def test_another_entry_is_not_proven() -> None:
    """Nor the same in another log."""
    proof, entry = made_proof()
    policy = parse_log_policy(POLICY)
    with pytest.raises(LogRefused, match="does not lead"):
        proof.verify(entry + b"!", policy)
    with pytest.raises(LogRefused, match="there is no entry 5 in a tree of 0"):
        replace(proof, log=0).verify(entry, policy)
    with pytest.raises(LogRefused, match="no log 2"):
        replace(proof, log=2).verify(entry, policy)


def test_another_log_s_checkpoint_is_foreign() -> None:
    """Whoever cosigned it."""
    text = str(Checkpoint("exchange/6a", 3, bytes(32)))
    other = replace(LOG, name="exchange/6a")
    for line in (other.sign(text), WITNESSES[0].sign(text, 1)):
        with pytest.raises(LogRefused, match="not signed by") as refused:
            parse_log_policy(POLICY).open(str(Note(text, (line,))).encode())
        assert refused.value.code == "checkpoint-foreign"


def test_too_few_witnesses() -> None:
    """The checkpoint is read all the same: who needs no witness may go by it."""
    text = str(Checkpoint(NAME, 3, bytes(32)))
    few = Note(text, (LOG.sign(text), WITNESSES[1].sign(text, 1), WITNESSES[2].sign(text, 1)))
    policy = parse_log_policy(POLICY)
    assert not policy.open(str(few).encode()).witnessed
    assert replace(policy, quorum="none").open(str(few).encode()).witnessed
    assert replace(policy, quorum="two").open(str(few).encode()).witnessed


def test_a_known_key_s_wrong_signature_spoils_the_note() -> None:
    """An unknown key's says nothing."""
    text = str(Checkpoint(NAME, 3, bytes(32)))
    policy = parse_log_policy(POLICY)
    stranger = Signer("somebody", Kind.NOTE, Ed25519PrivateKey.generate())
    assert policy.open(str(Note(text, (LOG.sign(text), stranger.sign("other\n")))).encode()).checkpoint.size == 3
    with pytest.raises(LogRefused, match="does not hold") as refused:
        policy.open(str(Note(text, (LOG.sign(text), WITNESSES[0].sign("other\n", 1)))).encode())
    assert refused.value.code == "note-signature-invalid"


def test_keys_come_back_from_their_text() -> None:
    """The text is the one of the specification: its parts are name, ID and kind with key."""
    for signer in (LOG, *WITNESSES):
        assert Verifier.parse(str(signer.verifier)) == signer.verifier
    example = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert (example.kind, example.id.hex()) == (Kind.NOTE, "c74f20a3")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc",
    ],
)
def test_what_is_no_key(text: str) -> None:
    """One code for all."""
    with pytest.raises(LogRefused) as refused:
        Verifier.parse(text)
    assert refused.value.code == "log-key-invalid"


def test_the_specification_s_note() -> None:
    """Go's own example, with two signers of which one is known."""
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    known = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = Note.parse(text.encode())
    assert note.signed_by([known]) == {known: 0}
    assert str(note) == text


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused_with_one_error(data: bytes) -> None:
    """Whoever reads them."""
    for read in (Note.parse, Proof.parse, Heads.parse, lambda data: parse_log_policy(data.decode("latin-1"))):
        with pytest.raises(LogRefused):
            read(data)


@given(st.text(alphabet="— a\n+=\0é", max_size=60))
def test_a_note_has_one_text(text: str) -> None:
    """What is read is written as it was."""
    try:
        assert str(Note.parse(text.encode())) == text
    except LogRefused as error:
        assert error.code == "note-invalid"


@given(
    st.integers(0, 10**18),
    st.lists(st.tuples(st.integers(0, 10**18), st.binary(min_size=32, max_size=32)), max_size=5),
    st.booleans(),
)
def test_heads_come_back(time: int, logs: list[tuple[int, bytes]], is_later: bool) -> None:  # noqa: FBT001
    """With what they go on for, too."""
    after = Checkpoint(NAME, 17, bytes(32)) if is_later else None
    heads = Heads(time, tuple(Head(*each) for each in logs), after)
    assert Heads.parse(bytes(heads)) == heads
    for altered in (bytes(heads)[:-1], bytes(heads) + b"\n", bytes(heads).replace(b"time ", b"time 0")):
        with pytest.raises(LogRefused):
            Heads.parse(altered)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "needs one line `log`"),
        (f"log {LOG.verifier}", "one line `quorum`"),
        (f"log {LOG.verifier}\nlog {LOG.verifier}", "line 2 .* one log"),
        (f"log {WITNESSES[0].verifier}", "line 1 .* signs notes"),
        (f"witness w {LOG.verifier}", "line 1 .* cosigns"),
        (f"witness w {WITNESSES[0].verifier}\nwitness v {WITNESSES[0].verifier}", "line 2 .* of its own"),
        (f"witness w {WITNESSES[0].verifier}\ngroup w 1 w", "line 2 .* 'w' is a name already"),
        (f"witness none {WITNESSES[0].verifier}", "line 1 .* 'none' is a name already"),
        (f"witness w {WITNESSES[0].verifier}\ngroup g 2 w", "line 2 .* how many"),
        (f"witness w {WITNESSES[0].verifier}\ngroup g 1 w w", "line 2 .* once each"),
        (f"witness w {WITNESSES[0].verifier}\ngroup g x w", "line 2 "),
        ("quorum nobody", "line 1 .* 'nobody' is no witness"),
        ("quorum none\nquorum none", "line 2 .* one quorum"),
        ("quorum", "line 1 .* too few"),
        ("wish none", "line 1 .* 'wish' is none of"),
    ],
)
def test_a_policy_names_the_line_that_is_wrong(lines: str, words: str) -> None:
    """And what to write."""
    with pytest.raises(LogRefused, match=words) as refused:
        parse_log_policy(lines)
    assert refused.value.code == "log-policy-invalid"


def test_a_policy_is_read() -> None:
    """Addresses are for who asks witnesses."""
    policy = parse_log_policy(POLICY)
    assert isinstance(policy, LogPolicy)
    assert [witness.url for witness in policy.witnesses] == ["http://127.0.0.1:1", "", ""]
