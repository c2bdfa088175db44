"""Checkpoints get their time-stamps from an authority of openssl's over HTTP, and from one that is away."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from exchange.archive.errors import ArchiveError
from exchange.archive.tokens import Tokens
from exchange.embedded.time_authority import TimeAuthority, serving
from exchange.security.timestamps import Authorities, Imprint, TimestampError, query, token_of
from exchange.security.timestamps.response import RESPONSE_BYTES
from exchange.services.archive.again import AGAIN_SECONDS, AGAIN_SECONDS_MAX
from exchange.services.archive.stamping import (
    LOOK_SECONDS,
    HttpAuthority,
    Plan,
    Stamping,
    StampingMetrics,
)
from tests.security.support import certify_root, openssl

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")

HOUR = timedelta(hours=1)


def note(size: int) -> bytes:
    """A checkpoint as a log signs it, but for the signature."""
    return f"exchange/00\n{size}\n{'A' * 43}=\n\n— exchange/00 AAAA\n".encode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    """Openssl's."""
    return TimeAuthority.prepared(tmp_path_factory.mktemp("authority"), datetime.now(UTC))


@pytest.fixture(scope="module")
def url(authority: TimeAuthority) -> Iterator[str]:
    """Where it answers."""
    with serving(authority) as url:
        yield url


class Desk:
    """An archive with a log that grows, and a clock."""

    def __init__(self, folder: Path, authorities: Authorities, url: str) -> None:
        """At the machine's time: openssl stamps with it."""
        self.tokens, self.authorities, self.url = Tokens(folder), authorities, url
        self.newest: bytes | None = None
        self.later = timedelta(0)
        self.registry = CollectorRegistry()
        self.metrics = StampingMetrics(self.registry)

    def now(self) -> datetime:
        """The machine's time, or later."""
        return datetime.now(UTC) + self.later

    def value(self, name: str, **labels: str) -> float | None:
        """Of a metric."""
        return self.registry.get_sample_value(name, labels)

    @asynccontextmanager
    async def stamping(
        self, answer: Callable[[httpx.Request], httpx.Response] | None = None
    ) -> AsyncIterator[Stamping]:
        """Asks the real authority, or one that answers like that."""
        transport = None if answer is None else httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport) as client:
            plan = Plan(lambda: self.newest, HttpAuthority(client, self.url), self.authorities, HOUR)
            yield Stamping(self.tokens, plan, self.metrics, self.now, lambda count: b"\x80" + bytes(count - 1))


@pytest.fixture
def desk(tmp_path: Path, authority: TimeAuthority, url: str) -> Desk:
    """An empty archive."""
    return Desk(tmp_path, Authorities.load(authority.root), url)


async def test_the_newest_is_stamped_at_once_and_then_each_hour(desk: Desk, authority: TimeAuthority) -> None:
    """Not each checkpoint; openssl takes what lies there."""
    async with desk.stamping() as stamping:
        assert await stamping.once() == LOOK_SECONDS
        assert desk.tokens.sizes() == []
        for size in (5, 6):
            desk.newest = note(size)
            assert await stamping.once() == LOOK_SECONDS
        assert desk.tokens.sizes() == [5]
        due = desk.value("exchange_archive_token_due_timestamp_seconds")
        assert due == pytest.approx((desk.now() + HOUR).timestamp(), abs=60)
    pair = [desk.tokens.file(5, kind) for kind in ("checkpoint", "tsr")]
    done = openssl("ts", "-verify", "-data", pair[0], "-in", pair[1], "-CAfile", authority.root)
    assert done.returncode == 0, done.stderr
    assert desk.value("exchange_archive_token_timestamp_seconds") == pytest.approx(desk.now().timestamp(), abs=60)
    kept = desk.tokens.read(5)
    until = desk.authorities.verify_response(kept.response, kept.note).until
    assert desk.value("exchange_archive_token_until_timestamp_seconds") == until.timestamp()


async def test_after_an_hour_the_newest(desk: Desk) -> None:
    """What came between needs none of its own."""
    asked: list[bytes] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        return httpx.Response(503)

    async with desk.stamping() as stamping:
        desk.newest = note(5)
        await stamping.once()
    async with desk.stamping(away) as stamping:
        stamping._last = (5, desk.now() + HOUR)
        desk.newest = note(6)
        await stamping.once()
        assert asked == []
        desk.later = HOUR + timedelta(minutes=1)
        desk.newest = note(9)
        await stamping.once()
    assert Imprint.of(note(9)).digest in asked[0]


async def test_a_new_process_begins_with_the_newest(desk: Desk) -> None:
    """And knows what the one before it had stamped."""
    desk.newest = note(5)
    for _ in range(2):
        async with desk.stamping() as stamping:
            await stamping.once()
    assert [each.name for each in sorted(desk.tokens.folder.iterdir())] == [
        "00000000000000000005.checkpoint",
        "00000000000000000005.tsr",
    ]
    desk.newest = note(6)
    desk.tokens.file(6, "checkpoint").write_bytes(b"written by a process that was killed then")
    async with desk.stamping() as stamping:
        await stamping.once()
    assert desk.tokens.sizes() == [5, 6]
    assert desk.tokens.read(6).note == note(6)


async def test_a_time_stamp_that_no_longer_holds_is_made_again(desk: Desk) -> None:
    """Torn, or by an authority that is not trusted any more."""
    desk.newest = note(5)
    desk.tokens.keep(note(5), b"torn")
    async with desk.stamping() as stamping:
        await stamping.once()
    stamp = desk.authorities.verify_response(desk.tokens.read(5).response, note(5))
    assert stamp.token.imprint == Imprint.of(note(5))


async def test_an_authority_that_is_away(desk: Desk) -> None:
    """It is asked again, ever more rarely; when it is back once is enough."""

    def away(_request: httpx.Request) -> httpx.Response:
        message = "no route"
        raise httpx.ConnectError(message)

    desk.newest = note(5)
    async with desk.stamping(away) as stamping:
        pauses = [await stamping.once() for _ in range(9)]
        assert pauses[:3] == [AGAIN_SECONDS, 2 * AGAIN_SECONDS, 4 * AGAIN_SECONDS]
        assert pauses[-1] == AGAIN_SECONDS_MAX
    failures = "exchange_archive_stamping_failures_total"
    assert desk.value(failures, code="timestamp-authority-away") == 9
    assert desk.tokens.sizes() == []
    async with desk.stamping() as stamping:
        assert await stamping.once() == LOOK_SECONDS
    assert desk.tokens.sizes() == [5]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(500), "timestamp-authority-away"),
        (httpx.Response(302, headers={"Location": "http://elsewhere/"}), "timestamp-authority-away"),
        (httpx.Response(403), "timestamp-refused"),
        (httpx.Response(200, content=b"<html>"), "timestamp-invalid"),
        (httpx.Response(200, content=bytes(RESPONSE_BYTES + 1)), "timestamp-invalid"),
    ],
)
async def test_answers_that_are_none(desk: Desk, answer: httpx.Response, code: str) -> None:
    """Each has its code; nothing is kept, and nobody is sent elsewhere."""
    desk.newest = note(5)
    async with desk.stamping(lambda _request: answer) as stamping:
        assert await stamping.once() == AGAIN_SECONDS
    assert desk.value("exchange_archive_stamping_failures_total", code=code) == 1
    assert not desk.tokens.folder.exists()


async def test_answers_that_prove_nothing(desk: Desk, authority: TimeAuthority) -> None:
    """One to another request, and one by an authority that nobody trusts."""
    desk.newest = note(5)
    old = authority.reply(query(Imprint.of(note(5)), 5))
    async with desk.stamping(lambda _request: httpx.Response(200, content=old)) as stamping:
        await stamping.once()
    desk.authorities = Authorities((certify_root().certificate,))
    async with desk.stamping() as stamping:
        await stamping.once()
    assert desk.value("exchange_archive_stamping_failures_total", code="timestamp-invalid") == 2
    assert desk.tokens.sizes() == []
    with pytest.raises(TimestampError):
        desk.authorities.verify(token_of(old), Imprint.of(note(5)))


async def test_a_disk_that_is_away_stops_nothing(desk: Desk) -> None:
    """It is told and tried again."""

    def broken() -> bytes:
        message = "torn"
        raise ArchiveError(message)

    async with desk.stamping() as stamping:
        stamping._plan = Plan(broken, stamping._plan.ask, desk.authorities, HOUR)
        assert await stamping.once() == AGAIN_SECONDS
    assert desk.value("exchange_archive_stamping_failures_total", code="archive-damaged") == 1


async def test_a_clock_that_was_turned_back(desk: Desk) -> None:
    """What was due in a year's time by the old clock is due at once."""
    desk.newest = note(5)
    async with desk.stamping() as stamping:
        await stamping.once()
        stamping._last = (5, desk.now() + 365 * 24 * HOUR)
        desk.newest = note(6)
        await stamping.once()
    assert desk.tokens.sizes() == [5, 6]


async def test_an_address_that_nobody_can_ask(desk: Desk) -> None:
    """It ends nothing."""
    desk.newest, desk.url = note(5), "http://tsa:99999/"
    async with desk.stamping() as stamping:
        assert await stamping.once() == AGAIN_SECONDS
    assert desk.value("exchange_archive_stamping_failures_total", code="timestamp-authority-away") == 1


async def test_at_rest_nothing_is_late(desk: Desk) -> None:
    """As long as no checkpoint is newer than the one that was stamped."""
    desk.newest = note(5)
    async with desk.stamping() as stamping:
        await stamping.once()
        desk.later = 5 * HOUR
        await stamping.once()
    due = desk.value("exchange_archive_token_due_timestamp_seconds")
    assert due is not None
    assert due > desk.now().timestamp()
