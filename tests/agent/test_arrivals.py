"""What an inbox record must prove before it is handed over."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.agent.arrivals import LetterArrival, ReceiptArrival, open_letter, open_receipt, verify
from exchange.agent.errors import ArrivalFlagged
from exchange.domain.card import FileInfo, FileRole
from exchange.domain.decision import Decided, Decision, Journalled, Place, Verdict
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.statement import Content, Group, Signed
from exchange.security.errors import DirectoryRefused
from exchange.security.trust import Trust
from exchange.wire.records import encode
from tests.world import NOW, Speaker, World, letter_card, receipt_card

BODY = b"%PDF-1.4 made up"
CARD = letter_card(
    files=(FileInfo("f1", "letter.pdf", "application/pdf", len(BODY), digest(BODY), FileRole.MAIN),),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Bodies and keys, made once."""
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def alpha(world: World) -> Speaker:
    """The sender, with its origin open."""
    speaker = world.speaker("alpha")
    speaker.open()
    return speaker


def decided(world: World, signed: Signed, *recipients: str, **changes: object) -> Decided:
    """The router's acceptance, changed as a test needs it."""
    decision = Decision(
        place=Place(0, 1, ZERO_DIGEST),
        partition=0,
        offset=0,
        arrived=NOW,
        decided=NOW,
        directory_version=1,
        directory_digest=world.directory.digest,
        policy_digest=ZERO_DIGEST,
        statement=signed.digest,
        verdict=Verdict.ACCEPTED,
        reason="",
        detail="",
        recipients=recipients or ("beta",),
    )
    changed = dataclasses.replace(decision, **changes)  # type: ignore[arg-type]  # fields by name
    return Decided(changed, signed.statement, signed.signature)


def record(entry: Decided, contents: tuple[Content, ...]) -> bytes:
    """What stands in the inbox."""
    return encode(Journalled(encode(entry), contents))


def trust_of(world: World) -> Callable[[int], Trust]:
    """Trust by version; there is only version 1."""
    return lambda _: Trust(world.directory)


def refusal(world: World, value: bytes, body: str = "beta") -> str:
    """Code of the flag that `value` gets."""
    with pytest.raises(ArrivalFlagged) as raised:
        verify(value, body, trust_of(world))
    return raised.value.code


def test_a_letter_that_holds(world: World, alpha: Speaker) -> None:
    """Letter, card and files come out, and again when it is read from the spool."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    value = record(decided(world, signed), signed.contents)
    arrival = verify(value, "beta", trust_of(world))
    assert isinstance(arrival, LetterArrival)
    assert (arrival.digest, arrival.card, arrival.files) == (signed.digest, CARD, (BODY,))
    assert open_letter(value) == arrival


def test_a_letter_to_a_group(world: World, alpha: Speaker) -> None:
    """Its recipient finds by itself that it is meant; the router's word alone is not enough."""
    signed = alpha.letter(group=Group("kind:ministry, -gamma", 1), files=(BODY,), card=CARD)
    value = record(decided(world, signed, "beta", "gamma"), signed.contents)
    arrival = verify(value, "beta", trust_of(world))
    assert isinstance(arrival, LetterArrival)
    assert arrival.files == (BODY,)
    assert refusal(world, value, "gamma") == "not-addressed"


def test_a_country_s_circular(world: World, alpha: Speaker) -> None:
    """A decision that names 941 bodies is read as any other."""
    signed = alpha.letter(group=Group("all", 1), files=(BODY,), card=CARD)
    everybody = (*(f"ao-{41702205805000 + index}" for index in range(940)), "beta")
    value = record(decided(world, signed, *everybody), signed.contents)
    assert isinstance(verify(value, "beta", trust_of(world)), LetterArrival)


def test_a_receipt_that_holds(world: World, alpha: Speaker) -> None:
    """With a card and without."""
    beta = world.speaker("beta")
    letter = alpha.letter("beta")
    for card in (None, receipt_card(reg_number="17")):
        signed = beta.receipt(letter, "alpha", card=card)
        value = record(decided(world, signed, "alpha"), signed.contents)
        arrival = verify(value, "alpha", trust_of(world))
        assert isinstance(arrival, ReceiptArrival)
        assert (arrival.receipt.letter, arrival.card) == (letter.digest, card)
        assert open_receipt(value) == arrival


def test_the_decision_is_of_this_statement(world: World, alpha: Speaker) -> None:
    """A decision of another statement accepts nothing here."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    entry = decided(world, signed, statement=ZERO_DIGEST)
    assert refusal(world, record(entry, signed.contents)) == "decision-mismatch"


def test_the_decision_accepts_for_us(world: World, alpha: Speaker) -> None:
    """A refusal, or an acceptance for another body, delivers nothing."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    refused = decided(world, signed, verdict=Verdict.REFUSED)
    assert refusal(world, record(refused, signed.contents)) == "not-accepted"
    assert refusal(world, record(decided(world, signed, "gamma"), signed.contents)) == "not-accepted"


def test_the_signature_holds(world: World, alpha: Speaker) -> None:
    """One byte of the statement, or another signature, and it does not."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    altered = dataclasses.replace(signed, statement=signed.statement[:-1] + bytes([signed.statement[-1] ^ 1]))
    assert refusal(world, record(decided(world, altered), signed.contents)) == "statement-altered"
    unsigned = dataclasses.replace(signed, signature=b"")
    assert refusal(world, record(decided(world, unsigned), signed.contents)) == "signature-form"


def test_the_signer_is_the_head_s_body(world: World, alpha: Speaker) -> None:
    """Nobody speaks in another's name, whatever the decision says."""
    alpha.signer = world.signers["gamma"]
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    assert refusal(world, record(decided(world, signed), signed.contents)) == "wrong-signer"


def test_the_directory_is_the_one_decided_by(world: World, alpha: Speaker) -> None:
    """Another text of the same version is not the same directory."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    entry = decided(world, signed, directory_digest=ZERO_DIGEST)
    assert refusal(world, record(entry, signed.contents)) == "directory-mismatch"


def test_a_version_that_is_not_here_is_not_the_record_s_fault(world: World, alpha: Speaker) -> None:
    """The agent asks again later instead of flagging the letter."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)

    def missing(_: int) -> Trust:
        message = "not here yet"
        raise DirectoryRefused(message, code="directory-missing")

    with pytest.raises(DirectoryRefused):
        verify(record(decided(world, signed), signed.contents), "beta", missing)


def test_it_is_addressed_to_us(world: World, alpha: Speaker) -> None:
    """The statement itself must name us, not only the decision."""
    signed = alpha.letter("gamma", files=(BODY,), card=CARD)
    assert refusal(world, record(decided(world, signed), signed.contents)) == "not-addressed"
    receipt = world.speaker("beta").receipt(signed, "gamma")
    assert refusal(world, record(decided(world, receipt, "alpha"), ()), "alpha") == "not-addressed"


def test_contents_are_those_committed_to(world: World, alpha: Speaker) -> None:
    """An item altered, missing, or more than was signed."""
    signed = alpha.letter("beta", files=(BODY,), card=CARD)
    card, file = signed.contents
    entry = decided(world, signed)
    altered = dataclasses.replace(file, data=file.data[:-1] + b"?")
    for contents in ((card, altered), (card,), (card, file, file), (file, card)):
        assert refusal(world, record(entry, contents)) == "content-mismatch"


def test_the_card_describes_what_is_carried(world: World, alpha: Speaker) -> None:
    """A card that is missing, unreadable, or of other files."""
    no_card = alpha.letter("beta", contents=())
    assert refusal(world, record(decided(world, no_card), ())) == "card-missing"
    other = alpha.letter("beta", files=(BODY, BODY), card=CARD)
    assert refusal(world, record(decided(world, other), other.contents)) == "content-mismatch"


def test_other_kinds_have_no_business_in_an_inbox(world: World, alpha: Speaker) -> None:
    """A void or open is nobody's letter."""
    signed = alpha.void()
    assert refusal(world, record(decided(world, signed), ())) == "kind-unexpected"


def test_an_event_of_a_later_exchange(world: World, alpha: Speaker) -> None:
    """An event that is not known here is kept and flagged."""
    signed = world.speaker("beta").receipt(alpha.letter("beta"), "alpha", event="embroidered")
    assert refusal(world, record(decided(world, signed, "alpha"), ()), "alpha") == "event-unknown"


@given(st.binary(max_size=200))
def test_any_bytes_are_flagged(value: bytes) -> None:
    """Whatever stands there, the answer is a flag."""
    with pytest.raises(ArrivalFlagged):
        verify(value, "beta", _unreachable)


@pytest.fixture(scope="module")
def intact(world: World) -> bytes:
    """The record of a letter that holds."""
    signed = world.speaker("alpha").letter("beta", files=(BODY,), card=CARD)
    return record(decided(world, signed), signed.contents)


@given(place=st.integers(0, 1000), flip=st.integers(1, 255))
def test_damaged_records_are_flagged(world: World, intact: bytes, place: int, flip: int) -> None:
    """A byte changed anywhere gives a flag or the very same letter, never another one."""
    damaged = bytearray(intact)
    damaged[place * len(intact) // 1001] ^= flip
    try:
        arrival = verify(bytes(damaged), "beta", trust_of(world))
    except (ArrivalFlagged, DirectoryRefused):
        return
    assert arrival == verify(intact, "beta", trust_of(world))


def _unreachable(_: int) -> Trust:
    message = "nothing that does not decode is looked up"
    raise AssertionError(message)
