"""Bad input, one by one: how far a submission comes, and with which code."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.card import Executor, Extra, LetterCard, Person, Task
from exchange.domain.ids import digest, lane_of
from exchange.domain.policy import RECORD_BYTES, STATEMENT_BYTES
from exchange.domain.reason import Reason
from exchange.domain.statement import Content, Form, Group, Open, Predecessor, Seal, Signed, commit
from exchange.journal.examine import Examined, Standing, Submission, examine
from exchange.journal.judge import CARD_MEDIA_TYPE
from exchange.wire.records import encode, read_head
from tests.world import NOW, Speaker, World, letter_card, receipt_card

Make = Callable[[World, Speaker], Signed]


def look(world: World, signed: Signed, body: str = "alpha") -> Examined:
    """Examine what `body` submits."""
    return examine(world.submission(signed, body=body), world.ground, NOW)


def outcome(examined: Examined) -> tuple[Standing, Reason | None]:
    """Standing and reason."""
    return examined.standing, examined.refusal.reason if examined.refusal else None


def with_contents(signed: Signed, change: Callable[[tuple[Content, ...]], tuple[Content, ...]]) -> Signed:
    """The same statement with other contents."""
    return dataclasses.replace(signed, contents=change(signed.contents))


def of_extras(count: int) -> LetterCard:
    """A card of many fields that it has no name for."""
    return letter_card(extras=(Extra("a/b", "c"),) * count)


def of_tasks(tasks: int, executors: int) -> LetterCard:
    """A card of many tasks, each with executors."""
    return letter_card(tasks=(Task("1", "", executors=(Executor(Person()),) * executors),) * tasks)


REFUSED: dict[str, tuple[Make, Reason]] = {
    "unknown recipient": (lambda _, s: s.letter("nobody"), Reason.RECIPIENT_UNKNOWN),
    "no recipient": (lambda _, s: s.letter(), Reason.RECIPIENT_MISSING),
    "65 recipients": (lambda _, s: s.letter(*[f"b{n}" for n in range(65)]), Reason.RECIPIENTS_TOO_MANY),
    "same recipient twice": (lambda _, s: s.letter("beta", "beta"), Reason.RECIPIENT_REPEATED),
    "recipients and a group": (lambda _, s: s.letter("beta", group=Group("all", 1)), Reason.RECIPIENTS_AND_GROUP),
    "a group that is none": (lambda _, s: s.letter(group=Group("Ministries", 1)), Reason.GROUP_INVALID),
    "a group of nobody": (lambda _, s: s.letter(group=Group("kind:court", 1)), Reason.RECIPIENT_UNKNOWN),
    "a group without all of it": (lambda _, s: s.letter(group=Group("beta, -all", 1)), Reason.RECIPIENT_MISSING),
    "a group of oneself": (lambda _, s: s.letter(group=Group("alpha", 1)), Reason.RECIPIENT_MISSING),
    "a group of too late a version": (lambda _, s: s.letter(group=Group("all", 18)), Reason.GROUP_OUTDATED),
    "a group of no version": (lambda _, s: s.letter(group=Group("all", 0)), Reason.GROUP_OUTDATED),
    "a clock ahead": (
        lambda _, s: s.letter("beta", head=s.head(NOW + timedelta(minutes=10))),
        Reason.CLOCK_AHEAD,
    ),
    "altered file": (
        lambda _, s: with_contents(s.letter("beta"), lambda c: (c[0], Content(c[1].salt, b"%PDF-1.4 Made up"))),
        Reason.CONTENT_MISMATCH,
    ),
    "altered salt": (
        lambda _, s: with_contents(s.letter("beta"), lambda c: (Content(bytes(32), c[0].data), c[1])),
        Reason.CONTENT_MISMATCH,
    ),
    "short salt": (
        lambda _, s: with_contents(s.letter("beta"), lambda c: (Content(b"", c[0].data), c[1])),
        Reason.CONTENT_MISMATCH,
    ),
    "an item missing": (lambda _, s: with_contents(s.letter("beta"), lambda c: c[:1]), Reason.CONTENT_MISMATCH),
    "an item more": (lambda _, s: with_contents(s.letter("beta"), lambda c: (*c, c[1])), Reason.CONTENT_MISMATCH),
    "files that the card does not describe": (
        lambda _, s: s.letter("beta", card=letter_card()),
        Reason.CONTENT_MISMATCH,
    ),
    "a card of too many extras": (
        lambda _, s: s.letter("beta", files=(), card=of_extras(4_001)),
        Reason.CARD_UNREADABLE,
    ),
    "a card of too many parts": (
        lambda _, s: s.letter("beta", files=(), card=of_tasks(tasks=2_000, executors=2)),
        Reason.CONTENT_TOO_LARGE,
    ),
    "too much inline": (lambda _, s: s.letter("beta", files=(b"x" * 600_000,)), Reason.CONTENT_TOO_LARGE),
    "sealed": (lambda _, s: s.letter("beta", seal=Seal("x", bytes(32), bytes(32))), Reason.CONTENT_UNSUPPORTED),
    "an open within a chain": (lambda _, s: s.open(Predecessor(b"p" * 16, 7, bytes(32))), Reason.KIND_FORBIDDEN),
    "receipt for an unknown sender": (lambda _, s: s.receipt(s.letter("beta"), "nobody"), Reason.RECIPIENT_UNKNOWN),
    "receipt of the exchange's event": (
        lambda _, s: s.receipt(s.letter("beta"), "beta", "accepted"),
        Reason.EVENT_UNKNOWN,
    ),
    "receipt of an unknown event": (lambda _, s: s.receipt(s.letter("beta"), "beta", "eaten"), Reason.EVENT_UNKNOWN),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(world: World, name: str) -> None:
    """Signed and well-formed, but not acceptable: the number moves, the verdict is a refusal."""
    make, reason = REFUSED[name]
    speaker = world.speaker("alpha")
    speaker.open()
    assert outcome(look(world, make(world, speaker))) == (Standing.FIT, reason)


def test_acceptable(world: World) -> None:
    """An open, a letter, a receipt, a void: nothing against them."""
    speaker = world.speaker("alpha")
    first = speaker.open()
    letter = speaker.letter("beta", "gamma")
    said = [first, letter, speaker.receipt(letter, "beta", card=receipt_card()), speaker.void(digest(b"x"))]
    assert [outcome(look(world, signed)) for signed in said] == [(Standing.FIT, None)] * 4


def test_letter_without_card(world: World) -> None:
    """Item 0 is the card, by its type and by its bytes."""
    speaker = world.speaker("alpha")
    missing = speaker.letter("beta", contents=())
    assert outcome(look(world, dataclasses.replace(missing, contents=())))[1] is Reason.CARD_MISSING
    plain = Content(bytes(32), b"no card")
    other = speaker.letter("beta", contents=(commit(plain, "text/plain"),))
    assert outcome(look(world, dataclasses.replace(other, contents=(plain,))))[1] is Reason.CARD_MISSING
    claimed = speaker.letter("beta", contents=(commit(plain, CARD_MEDIA_TYPE),))
    assert outcome(look(world, dataclasses.replace(claimed, contents=(plain,))))[1] is Reason.CARD_UNREADABLE
    sealed = speaker.letter("beta", contents=(dataclasses.replace(commit(plain, CARD_MEDIA_TYPE), form=Form.SEALED),))
    assert outcome(look(world, dataclasses.replace(sealed, contents=(plain,))))[1] is Reason.CONTENT_UNSUPPORTED


def swap_schema(signed: Signed, schema_id: int) -> bytes:
    """A statement's body under another kind's schema id."""
    return b"\0" + schema_id.to_bytes(4, "big") + signed.statement[5:]


def test_other_kinds_bytes(world: World) -> None:
    """The schema id is under the signature; the same bytes cannot be read as another kind (rule 1.1)."""
    speaker = world.speaker("alpha")
    letter = speaker.letter("beta")
    for schema_id, reason in [
        (11, Reason.STATEMENT_UNREADABLE),
        (30, Reason.KIND_FORBIDDEN),
        (9999, Reason.SCHEMA_UNKNOWN),
    ]:
        resigned = speaker.sign_bytes(swap_schema(letter, schema_id))
        examined = look(world, resigned)
        assert outcome(examined) == (Standing.FIT, reason)
        assert examined.head == read_head(letter.statement)
    unsigned = dataclasses.replace(letter, statement=swap_schema(letter, 11))
    assert outcome(look(world, unsigned)) == (Standing.DEAD, Reason.STATEMENT_ALTERED)


def test_more_items_than_a_statement_can_name(world: World) -> None:
    """Not even built: a megabyte of empty items would cost seconds, whoever sends it."""
    letter = world.speaker("alpha").letter("beta")
    many = dataclasses.replace(letter, contents=(Content(b"", b""),) * 510_000)
    assert outcome(look(world, many)) == (Standing.DEAD, Reason.UNREADABLE)


def test_non_canonical_avro(world: World) -> None:
    """A long varint says the same to Avro, but is not what the encoder writes (rule 1.3)."""
    speaker = world.speaker("alpha")
    head = speaker.head()
    statement = encode(Open(head, None))
    assert statement[-1:] == b"\x00"
    long_varint = speaker.sign_bytes(statement[:-1] + b"\x80\x00")
    assert outcome(look(world, long_varint)) == (Standing.FIT, Reason.NOT_CANONICAL)
    left_over = speaker.sign_bytes(statement + b"\x00")
    assert outcome(look(world, left_over)) == (Standing.FIT, Reason.STATEMENT_UNREADABLE)


def test_signature_troubles(world: World) -> None:
    """A signature that does not hold is nobody's word: a dead letter, no notice."""
    speaker = world.speaker("alpha")
    letter = speaker.letter("beta")
    stranger = World(world.folder.parent / "stranger", bodies=("alpha",)).speaker("alpha")
    cases = [
        (dataclasses.replace(letter, signature=b"no CMS"), Reason.SIGNATURE_FORM),
        (dataclasses.replace(letter, signature=letter.signature + b"\0"), Reason.SIGNATURE_FORM),
        (dataclasses.replace(letter, signature=speaker.open().signature), Reason.STATEMENT_ALTERED),
        (dataclasses.replace(letter, signature=stranger.signer.sign(letter.statement, NOW)), Reason.SIGNER_UNKNOWN),
    ]
    assert [outcome(look(world, signed)) for signed, _ in cases] == [(Standing.DEAD, reason) for _, reason in cases]


def test_forged_by_another_body(world: World) -> None:
    """Beta's key under alpha's name."""
    forged = world.speaker("alpha", world.signers["beta"]).open()
    assert outcome(look(world, forged)) == (Standing.DEAD, Reason.WRONG_SIGNER)


def test_foreign_exchange_and_wrong_lane(world: World) -> None:
    """A letter of the training exchange is nothing here; a body writes to its own lane (rules 1.2, 2.1)."""
    speaker = world.speaker("alpha")
    foreign = dataclasses.replace(speaker.head(), exchange=bytes(32))
    assert outcome(look(world, speaker.sign(Open(foreign, None)))) == (Standing.DEAD, Reason.FOREIGN_EXCHANGE)
    submission = world.submission(speaker.open())
    elsewhere = dataclasses.replace(submission, partition=1 - submission.partition)
    assert outcome(examine(elsewhere, world.ground, NOW)) == (Standing.DEAD, Reason.WRONG_LANE)


def test_expired_certificate_is_told(world: World) -> None:
    """The body's own key, but too late: held, so that its agent signs again (rule 2.4)."""
    speaker = world.speaker("alpha")
    later = examine(world.submission(speaker.open()), world.ground, NOW + timedelta(days=365 * 30))
    assert outcome(later) == (Standing.HELD, Reason.CERTIFICATE_EXPIRED)


def test_expired_certificate_speaks_for_nobody_else(world: World) -> None:
    """Beta's expired key under alpha's name: alpha is not told of it (rule 3.4)."""
    forged = world.speaker("alpha", world.signers["beta"]).open()
    later = examine(world.submission(forged), world.ground, NOW + timedelta(days=365 * 30))
    assert outcome(later) == (Standing.DEAD, Reason.WRONG_SIGNER)


def test_unreadable_and_oversized(world: World) -> None:
    """Foreign bytes and giants are dead letters by coordinates."""
    speaker = world.speaker("alpha")
    whole = encode(speaker.letter("beta"))
    for value, reason in [
        (b"", Reason.UNREADABLE),
        (b"{}", Reason.UNREADABLE),
        (whole[:-7], Reason.UNREADABLE),
        (whole + b"\0", Reason.UNREADABLE),
        (encode(speaker.head()), Reason.UNREADABLE),
        (bytes(RECORD_BYTES + 1), Reason.OVERSIZED),
        (encode(Signed(bytes(STATEMENT_BYTES + 1), b"", ())), Reason.OVERSIZED),
        (encode(speaker.sign_bytes(b"\0\0\0\0\x0arubbish")), Reason.UNREADABLE),
    ]:
        examined = examine(Submission(0, 0, NOW, value), world.ground, NOW)
        assert outcome(examined) == (Standing.DEAD, reason)


@pytest.fixture(scope="module")
def letter_bytes(world: World) -> bytes:
    """A letter as it is submitted, the same for every example."""
    return world.submission(world.speaker("alpha").letter("beta")).value


@settings(max_examples=300)
@given(place=st.integers(0, 1_000_000), change=st.integers(1, 255))
def test_mutated_bytes_are_never_accepted_nor_raise(world: World, letter_bytes: bytes, place: int, change: int) -> None:
    """One changed byte anywhere: dead, held or refused, and the same each time."""
    value = bytearray(letter_bytes)
    value[place % len(value)] ^= change
    submission = Submission(lane_of("alpha", world.lanes), 0, NOW, bytes(value))
    examined = examine(submission, world.ground, NOW)
    assert examined.refusal is not None
    assert examine(submission, world.ground, NOW) == examined
