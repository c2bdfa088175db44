"""What becomes of the records that Kafka gives: submissions, or dead letters by coordinates."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bus.records import PoisonedBatch, Record, Taken
from exchange.bus.topics import SUBMISSIONS
from exchange.domain.decision import DeadLetter
from exchange.domain.ids import digest
from exchange.domain.reason import Reason
from exchange.journal.examine import Examined
from exchange.services.router.ground import Footing
from exchange.services.router.intake import SIGNED_BYTES_MIN, examine_all
from exchange.wire.records import encode
from tests.world import NOW, World

LONG = bytes(SIGNED_BYTES_MIN)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Bodies and their directory."""
    return World(tmp_path_factory.mktemp("world"))


def record(offset: int, value: bytes | None) -> Record:
    """A record of lane 0, one second behind the one before."""
    return Record(SUBMISSIONS, 0, offset, NOW + timedelta(seconds=offset), b"alpha", value)


async def taken(world: World, *records: Taken) -> list[Examined | DeadLetter]:
    """What is made of them."""
    return list(
        (await examine_all(records, Footing(world.ground, lambda _directory, _policy: iter([()])), NOW, 0)).items
    )


def test_the_shortest_statement_is_longer_than_short(world: World) -> None:
    """No signed statement is taken for junk: the shortest is an `open` of a body with a short name."""
    assert len(encode(world.speaker("beta").open())) > SIGNED_BYTES_MIN + 100


async def test_short_records_in_a_row_are_one_dead_letter(world: World) -> None:
    """By the coordinates of all, with size, digest and sample of their bytes one behind the other."""
    values = [b"junk", None, b"", b"x" * 255, b"y" * 900 + LONG]
    first, last = await taken(world, *(record(offset, value) for offset, value in enumerate(values, start=7)))
    joined = b"junk" + b"x" * 255
    assert first == DeadLetter(
        partition=0,
        offset=10,
        arrived=NOW + timedelta(seconds=7),
        reason=Reason.UNREADABLE,
        detail="offsets 7 to 10: 4 records too short to be signed",
        size=len(joined),
        digest=digest(joined),
        sample=joined,
    )
    assert isinstance(last, Examined)
    assert last.submission.offset == 11


async def test_one_short_record_is_examined_as_any(world: World) -> None:
    """Alone it has its own dead letter, with its own digest."""
    (only,) = await taken(world, record(0, b"junk"))
    assert isinstance(only, Examined)
    assert (only.digest, only.submission.value) == (digest(b"junk"), b"junk")


@pytest.mark.parametrize(
    ("trace", "kept"),
    [
        (b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", True),
        (b"00-", False),
        (b"\xff" * 55, False),
        (b"00-" + b"a" * 31 + b"\x1b-" + b"b" * 16 + b"-01", False),
    ],
)
async def test_trace_context(world: World, trace: bytes, kept: bool) -> None:  # noqa: FBT001
    """Carried on when it looks like one, else dropped."""
    given_record = Record(SUBMISSIONS, 0, 0, NOW, None, LONG, (("other", None), ("traceparent", trace)))
    (only,) = await taken(world, given_record)
    assert isinstance(only, Examined)
    assert only.submission.traceparent == (trace.decode() if kept else None)


KINDS = st.lists(st.sampled_from(["short", "long", "poison"]), max_size=120)


@given(KINDS)
async def test_no_record_is_passed_over(world: World, kinds: list[str]) -> None:
    """In order, and together they end at every record's offset or behind it: nothing is left unanswered."""
    records: list[Taken] = [
        PoisonedBatch(SUBMISSIONS, 0, offset, offset, NOW, "packed", 10, b"", bytes(32))
        if kind == "poison"
        else record(offset, LONG if kind == "long" else b"s")
        for offset, kind in enumerate(kinds)
    ]
    offsets = [
        item.offset if isinstance(item, DeadLetter) else item.submission.offset for item in await taken(world, *records)
    ]
    assert offsets == sorted(set(offsets))
    ends = [
        offset for offset, kind in enumerate(kinds) if kind != "short" or kinds[offset + 1 : offset + 2] != ["short"]
    ]
    assert offsets == ends
