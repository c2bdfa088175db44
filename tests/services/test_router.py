"""The router as a process on real Kafka: whatever lies in submissions, it answers, and goes on."""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from exchange.bus.topics import SUBMISSIONS
from exchange.domain.decision import Notice
from exchange.domain.ids import ZERO_DIGEST, digest, lane_of
from exchange.domain.policy import RECORD_BYTES, STATEMENT_BYTES
from exchange.domain.reason import Reason
from exchange.domain.statement import Content, Open, Signed, commit
from exchange.embedded.installation import SHAPE
from exchange.journal.judge import CARD_MEDIA_TYPE
from exchange.security.cades import Signer
from exchange.wire.records import encode
from tests.bus.batches import MEGABYTE, ZSTD, batch, bomb, produce, record
from tests.stage import Process, Stage
from tests.world import Speaker, World, letter_card

pytestmark = pytest.mark.server

PEAK_GROWTH_MAX = 250 * MEGABYTE


@pytest.fixture(scope="module", autouse=True)
def router(stage: Stage) -> Iterator[Process]:
    """One router for all tests of this module: each finds it as the one before left it."""
    with stage.running("router") as process:
        yield process
        assert process.stop() == 0


def troubles(notices: list[Notice]) -> list[tuple[int, str]]:
    """What an origin was told that it had not asked for: number taken up to, and why no further."""
    return [(notice.number, notice.trouble.reason) for notice in notices if notice.trouble is not None]


# --- refused: signed and in order, so the number moves, the journal keeps it, and the sender is told


def other_kind(speaker: Speaker, to: str, schema_id: int) -> Signed:
    """A letter's body under another schema id (rule 1.1)."""
    letter = dataclasses.replace(speaker).letter(to)
    return speaker.sign_bytes(b"\0" + schema_id.to_bytes(4, "big") + letter.statement[5:])


def long_varint(speaker: Speaker, _to: str) -> Signed:
    """The same to Avro, but not what the encoder writes (rule 1.3)."""
    return speaker.sign_bytes(encode(Open(speaker.head(), None))[:-1] + b"\x80\x00")


def other_file(speaker: Speaker, to: str, data: bytes) -> Signed:
    """A letter whose file is not the one that was promised."""
    letter = speaker.letter(to)
    card, file = letter.contents
    return dataclasses.replace(letter, contents=(card, Content(file.salt, data)))


def card_of_other_bytes(speaker: Speaker, to: str) -> Signed:
    """A letter whose card only claims to be one."""
    plain = Content(bytes(32), b"no card")
    letter = speaker.letter(to, contents=(commit(plain, CARD_MEDIA_TYPE),))
    return dataclasses.replace(letter, contents=(plain,))


REFUSED: dict[str, tuple[Callable[[Speaker, str], Signed], Reason]] = {
    "unknown recipient": (lambda s, _: s.letter("nobody"), Reason.RECIPIENT_UNKNOWN),
    "one of two unknown": (lambda s, to: s.letter(to, "nobody"), Reason.RECIPIENT_UNKNOWN),
    "no recipient": (lambda s, _: s.letter(), Reason.RECIPIENT_MISSING),
    "65 recipients": (lambda s, _: s.letter(*map(str, range(65))), Reason.RECIPIENTS_TOO_MANY),
    "same recipient twice": (lambda s, to: s.letter(to, to), Reason.RECIPIENT_REPEATED),
    "altered file": (lambda s, to: other_file(s, to, b"%PDF-1.4 made UP"), Reason.CONTENT_MISMATCH),
    "emptied file": (lambda s, to: other_file(s, to, b""), Reason.CONTENT_MISMATCH),
    "file too large": (lambda s, to: s.letter(to, files=(bytes(600_000),)), Reason.CONTENT_TOO_LARGE),
    "card of other bytes": (card_of_other_bytes, Reason.CARD_UNREADABLE),
    "clock ten minutes ahead": (
        lambda s, to: s.letter(to, head=s.head(datetime.now(UTC) + timedelta(minutes=10))),
        Reason.CLOCK_AHEAD,
    ),
    "under the receipt's schema": (lambda s, to: other_kind(s, to, 11), Reason.STATEMENT_UNREADABLE),
    "under the decision's schema": (lambda s, to: other_kind(s, to, 30), Reason.KIND_FORBIDDEN),
    "under no schema": (lambda s, to: other_kind(s, to, 9999), Reason.SCHEMA_UNKNOWN),
    "long varint": (long_varint, Reason.NOT_CANONICAL),
    "the exchange's own event": (
        lambda s, to: s.receipt(Signed(b"some letter", b"", ()), to, "accepted"),
        Reason.EVENT_UNKNOWN,
    ),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, by name, and whose it was; `good` are the letters in between."""

    speaker: Speaker
    bad: dict[str, Signed]
    good: list[Signed]


@pytest.fixture(scope="module")
def refused(stage: Stage) -> Said:
    """All of `REFUSED`, submitted at once with a good letter behind each."""
    sender, to = stage.fresh(2)
    speaker = stage.speaker(sender)
    said = Said(speaker, {}, [speaker.open()])
    spoken = list(said.good)
    for name, (say, _) in REFUSED.items():
        said.bad[name] = say(speaker, to)
        said.good.append(speaker.letter(to))
        spoken += [said.bad[name], said.good[-1]]
    asyncio.run(submit_and_settle(stage, sender, spoken))
    return said


async def submit_and_settle(stage: Stage, body: str, said: list[Signed]) -> None:
    """Submit, wait for the decisions, look at everything."""
    await stage.submit(body, said)
    await stage.checker.until_decided(signed.digest for signed in said)
    await stage.checker.check()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(stage: Stage, refused: Said, name: str) -> None:
    """Journalled with its code, in nobody's inbox, and its sender is told the same code."""
    signed, reason = refused.bad[name], REFUSED[name][1]
    decided = stage.checker.decided[signed.digest]
    assert (decided.reason, decided.copies) == (reason, ())
    speaker = refused.speaker
    steps = [step for notice in stage.checker.notices[speaker.body, speaker.origin] for step in notice.steps]
    assert [step.reason for step in steps if step.digest == signed.digest] == [reason]


def test_good_letters_between_refused_ones(stage: Stage, refused: Said) -> None:
    """What stands between is accepted, in order, and nothing was told twice."""
    assert [stage.checker.decided[signed.digest].reason for signed in refused.good] == [""] * len(refused.good)
    assert troubles(stage.checker.notices[refused.speaker.body, refused.speaker.origin]) == []


# --- dead letters: nobody's word, so nothing moves and nobody is told (rule 3.4)


def altered(signed: Signed) -> bytes:
    """The last byte of the statement is another one."""
    statement = signed.statement[:-1] + bytes([signed.statement[-1] ^ 1])
    return encode(dataclasses.replace(signed, statement=statement))


def forged(speaker: Speaker, key: Signer, to: str) -> bytes:
    """A letter in the speaker's name under another key."""
    return encode(dataclasses.replace(speaker, signer=key).letter(to))


FOREIGN: dict[str, tuple[bytes | None, Reason]] = {
    "null": (None, Reason.UNREADABLE),
    "random bytes": (Random(3).randbytes(300), Reason.UNREADABLE),
    "JSON": (b'{"to": "mfa"}', Reason.UNREADABLE),
    "oversized": (bytes(RECORD_BYTES + 1), Reason.OVERSIZED),
    "another schema": (encode(letter_card()), Reason.UNREADABLE),
    "oversized statement": (encode(Signed(bytes(STATEMENT_BYTES + 1), b"", ())), Reason.OVERSIZED),
}

FORGED: dict[str, tuple[Callable[[Stage, Speaker, str], bytes], Reason]] = {
    "truncated": (lambda _, s, to: encode(s.letter(to))[:-7], Reason.UNREADABLE),
    "a byte too many": (lambda _, s, to: encode(s.letter(to)) + b"\0", Reason.UNREADABLE),
    "statement of rubbish": (lambda _, s, _to: encode(s.sign_bytes(b"\0\0\0\0\x0arubbish")), Reason.UNREADABLE),
    "altered": (lambda _, s, to: altered(s.letter(to)), Reason.STATEMENT_ALTERED),
    "no CMS": (lambda _, s, to: encode(dataclasses.replace(s.letter(to), signature=b"CMS")), Reason.SIGNATURE_FORM),
    "another body's key": (lambda g, s, to: forged(s, g.world.signers[to], to), Reason.WRONG_SIGNER),
    "a stranger's key": (lambda g, s, to: forged(s, stranger(g), to), Reason.SIGNER_UNKNOWN),
    "another exchange": (
        lambda _, s, _to: encode(s.sign(Open(dataclasses.replace(s.head(), exchange=bytes(32)), None))),
        Reason.FOREIGN_EXCHANGE,
    ),
}


def stranger(stage: Stage) -> Signer:
    """A key of another exchange."""
    return World(stage.folder / "stranger", bodies=("alpha",)).signers["alpha"]


@pytest.fixture(scope="module")
def dead(stage: Stage) -> dict[str, bytes]:
    """`FOREIGN` and `FORGED`, between two good statements of the body that they claim to be; values by name."""
    sender, to = stage.neighbours(2)
    speaker = stage.speaker(sender)
    first = speaker.open()
    values = {name: value for name, (value, _) in FOREIGN.items()}
    # Copies of the speaker: what they say does not count.
    values |= {name: say(stage, dataclasses.replace(speaker), to) for name, (say, _) in FORGED.items()}
    last = speaker.letter(to)

    async def submit() -> None:
        await stage.submit(sender, [first])
        await stage.submit_bytes(sender, values.values())
        await submit_and_settle(stage, sender, [last])
        kept = stage.checker.dead
        await stage.checker.until(lambda: all(digest(value or b"") in kept for value in values.values()), "all dead")

    asyncio.run(submit())
    told = stage.checker.notices[sender, speaker.origin]
    assert [step.digest for notice in told for step in notice.steps] == [first.digest, last.digest]
    assert troubles(told) == []
    return {name: value or b"" for name, value in values.items()}


@pytest.mark.parametrize("name", [*FOREIGN, *FORGED])
def test_dead_letter(stage: Stage, dead: dict[str, bytes], name: str) -> None:
    """Kept by coordinates, with a digest and at most 1 KB; the letter behind it went through."""
    value = dead[name]
    reason = FOREIGN[name][1] if name in FOREIGN else FORGED[name][1]
    (letter,) = stage.checker.dead[digest(value)]
    assert (letter.reason, letter.size, letter.sample) == (reason, len(value), value[:1024])
    assert digest(value) not in stage.checker.decided


async def test_another_partition_than_the_body_s(stage: Stage) -> None:
    """Nothing moves there; in its own lane the same letter is taken (rule 2.1)."""
    sender, to = stage.fresh(2)
    speaker = stage.speaker(sender)
    said = [speaker.open(), speaker.letter(to)]
    await stage.submit_bytes(sender, map(encode, said), lane=(lane_of(sender, SHAPE.lanes) + 1) % SHAPE.lanes)
    await stage.checker.until(lambda: all(encode_digest(one) in stage.checker.dead for one in said), "dead letters")
    await submit_and_settle(stage, sender, said)
    assert {letter.reason for one in said for letter in stage.checker.dead[encode_digest(one)]} == {Reason.WRONG_LANE}


def encode_digest(signed: Signed) -> bytes:
    """The digest by which a dead letter is known."""
    return digest(encode(signed))


# --- order: repeated, skipped and rewritten numbers


async def test_behind_a_gap(stage: Stage) -> None:
    """Told once, then only counted, until the number that is expected comes (rule 2.4)."""
    sender, to = stage.fresh(2)
    speaker = stage.speaker(sender)
    first, missing, *behind = [speaker.open(), *(speaker.letter(to) for _ in range(5))]
    told = stage.checker.notices[sender, speaker.origin]
    for _ in range(2):
        await stage.submit(sender, [first, *behind])
    await until_told(stage, told, Reason.GAP)
    await submit_and_settle(stage, sender, [missing, *behind])
    assert [number for number, reason in troubles(told) if reason == Reason.GAP] == [1]
    assert told[-1].number == 6


async def test_repeated_and_rewritten(stage: Stage) -> None:
    """A repeat is answered with the digest that was taken; a rewritten number is not taken."""
    sender, to = stage.fresh(2)
    speaker = stage.speaker(sender)
    opened, letter = speaker.open(), speaker.letter(to, message_id="as it was")
    fork = dataclasses.replace(speaker, number=1, last=opened.digest)
    rewritten, behind = fork.letter(to, message_id="as it never was"), fork.letter(to)
    await submit_and_settle(stage, sender, [opened, letter])
    told = stage.checker.notices[sender, speaker.origin]
    await stage.submit(sender, [letter])
    await until_told(stage, told, Reason.REPEAT)
    await stage.submit(sender, [rewritten])
    await stage.submit(sender, [behind])
    await until_told(stage, told, Reason.CHAIN_BROKEN)
    await submit_and_settle(stage, sender, [speaker.letter(to)])
    assert {reason for _, reason in troubles(told)} == {Reason.REPEAT, Reason.CHAIN_BROKEN}
    assert {(notice.number, notice.digest) for notice in told if notice.trouble} == {(2, letter.digest)}
    assert rewritten.digest not in stage.checker.decided


async def until_told(stage: Stage, told: list[Notice], reason: Reason) -> None:
    """Wait for the trouble: what is taken in the same transaction behind it would have ended it untold."""
    await stage.checker.until(lambda: reason in {code for _, code in troubles(told)}, f"told of {reason}")


async def test_an_origin_that_was_never_opened(stage: Stage) -> None:
    """Number 0, zeros: begin with an open."""
    sender, to = stage.fresh(2)
    speaker = stage.speaker(sender)
    opened, letter = speaker.open(), speaker.letter(to)
    await stage.submit(sender, [letter])
    told = stage.checker.notices[sender, speaker.origin]
    await stage.checker.until(lambda: bool(told), "a notice")
    assert (troubles(told), told[0].digest) == ([(0, Reason.ORIGIN_UNKNOWN)], ZERO_DIGEST)
    await submit_and_settle(stage, sender, [opened, letter])


# --- floods


async def test_500_bad_statements_in_a_row(stage: Stage, router: Process) -> None:
    """They cost a dead letter or a count each, no line in the log, and no neighbour its time."""
    flooder, neighbour = stage.neighbours(2)
    speaker, quiet = stage.speaker(flooder), stage.speaker(neighbour)
    opened, _missing, *behind = [speaker.open(), *(speaker.letter(neighbour) for _ in range(501))]
    forgeries = [encode(dataclasses.replace(signed, signature=b"forged")) for signed in behind]
    said = [quiet.open(), *(quiet.letter(flooder) for _ in range(10))]
    lines = len(router.said)
    await stage.submit(flooder, [opened, *behind])
    await stage.submit_bytes(flooder, forgeries)
    await submit_and_settle(stage, neighbour, said)
    assert [line for line in router.said[lines:] if not is_about_kafka(line)] == []
    assert [reason for _, reason in troubles(stage.checker.notices[flooder, speaker.origin])] == [Reason.GAP]
    assert all(len(stage.checker.dead[digest(forgery)]) == 1 for forgery in forgeries)


def is_about_kafka(line: str) -> bool:
    """Whether a router says that a lane or the group was lost or found: a broker may stand still for a while."""
    said: dict[str, str] = json.loads(line)
    own = said["logger"].startswith(("aiokafka", "exchange.services.runner"))
    return own or said["message"].startswith(("lane ", "lanes ", "joining ", "the last transaction"))


async def test_batches_that_cost_gigabytes(stage: Stage, router: Process) -> None:
    """Half a gigabyte packed, 300 of 3 MB, and half a million headers at once: bounded memory (section 8)."""
    lane = 0
    hostile, neighbour = stage.neighbours(2, lane)
    quiet = stage.speaker(neighbour)
    await submit_and_settle(stage, neighbour, [quiet.open()])
    peak = router.peak_bytes
    packed = [bomb(ZSTD, 500), *[bomb(ZSTD, 3)] * 300]
    headers = [batch(record(b"x", headers=[(b"", b"")] * 300_000))] * 8
    assert set(await produce(stage.settings(hostile), SUBMISSIONS, [*packed, *headers])) == {0}
    await submit_and_settle(stage, neighbour, [quiet.letter(hostile)])
    reasons = [letter.reason for letters in stage.checker.dead.values() for letter in letters]
    assert reasons.count(Reason.BATCH_REFUSED) == len(packed) + len(headers)
    assert router.peak_bytes - peak < PEAK_GROWTH_MAX
