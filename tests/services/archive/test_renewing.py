"""Time-stamps of decades: batches are begun, renewed before certificates end, and by another digest."""

import asyncio
import logging
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.archive.errors import ArchiveError
from exchange.archive.renewals import Renewals
from exchange.archive.tokens import Tokens
from exchange.security.documents import ber
from exchange.security.keys import KeyPair
from exchange.security.timestamps import Authorities, Imprint
from exchange.security.timestamps.errors import away
from exchange.security.validity import Validity
from exchange.services.archive.renewing import AHEAD, MONTH, Means, RenewalMetrics, Renewing
from tests.security.support import DAY, certify_root
from tests.security.timestamps.forging import Forger, issued

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)


def note(size: int) -> bytes:
    """A checkpoint as a log signs it, but for the signature."""
    return f"exchange/00\n{size}\n{'A' * 43}=\n\n— exchange/00 AAAA\n".encode()


@pytest.fixture(scope="module")
def root() -> KeyPair:
    """Vouches for all authorities until 2049."""
    return certify_root("root of authorities")


@dataclass
class Desk:
    """An archive, an authority whose certificates last five years, and a clock."""

    folder: Path
    root: KeyPair
    now: datetime = BEGIN
    life: timedelta = YEARS
    is_away: bool = False
    digest: str = "sha256"
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Its authority's first certificate."""
        self.metrics = RenewalMetrics(self.registry)
        self.signer = self._issued()

    def _issued(self) -> KeyPair:
        return issued(self.root, validity=Validity(self.now - DAY, self.now + self.life))

    def stamp(self, *sizes: int) -> None:
        """Time-stamps of checkpoints."""
        for size in sizes:
            answer = Forger(self.signer).response(Imprint.of(note(size)), self.now)
            Tokens(self.folder).keep(note(size), answer)

    async def ask(self, asked: bytes) -> bytes:
        """The authority's answer; its certificate is a new one each time."""
        if self.is_away:
            raise away("ConnectError")
        self.signer = self._issued()
        _, imprint, nonce, _ = ber.sequence(ber.read(asked))
        return Forger(self.signer, behind=nonce.written).response(Imprint.read(imprint), self.now)

    @property
    def authorities(self) -> Authorities:
        """Who is trusted."""
        return Authorities((self.root.certificate,))

    @property
    def renewing(self) -> Renewing:
        """As a process that just started has it."""
        means = Means(self.ask, self.authorities, self.digest, lambda: self.now, lambda count: b"\x01" * count)
        return Renewing(Renewals(self.folder), means, self.metrics)

    async def renew(self, later: timedelta = timedelta(0)) -> list[tuple[int, str]]:
        """What is done, and for which batch."""
        self.now += later
        return [(each.batch, each.what) for each in await self.renewing.renew()]

    def since(self, size: int) -> datetime:
        """By when a checkpoint existed, as its evidence record says."""
        renewals = Renewals(self.folder)
        kept = renewals.kept.read(size)
        record = renewals.of(size).record(size)
        return record.verify([kept.note, kept.response], self.authorities, self.now).since

    def value(self, name: str, **labels: str) -> float | None:
        """Of a metric."""
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def desk(tmp_path: Path, root: KeyPair) -> Desk:
    """With three time-stamps of New Year's day 2026."""
    desk = Desk(tmp_path, root)
    desk.stamp(5, 9, 12)
    return desk


async def test_thirty_years(desk: Desk) -> None:
    """Nothing is asked that is not due; the evidence of the first day holds on the last, through three digests."""
    assert await desk.renew() == []
    assert await desk.renew(MONTH + DAY) == [(1, "begun")]
    assert await desk.renew(DAY) == []
    assert await desk.renew(YEARS - AHEAD) == [(1, "renewed")]
    assert await desk.renew(DAY) == []
    desk.digest = "sha384"
    assert await desk.renew(DAY) == [(1, "digest")]
    for _ in range(3):
        assert await desk.renew(YEARS - AHEAD) == []
        assert await desk.renew(2 * DAY) == [(1, "renewed")]
    desk.digest = "sha512"
    assert await desk.renew(DAY) == [(1, "digest")]
    for size in (5, 9, 12):
        assert desk.since(size) == BEGIN + MONTH + DAY
    assert desk.now.year >= 2044
    names = sorted(path.name for path in (desk.folder / "renewals" / "0001").iterdir())
    assert names == ["1-1.tsr", "1-2.tsr", "2-1.tsr", "2-2.tsr", "2-3.tsr", "2-4.tsr", "3-1.tsr", "objects"]
    assert (
        desk.value("exchange_archive_evidence_until_timestamp_seconds") == datetime(2049, 1, 1, tzinfo=UTC).timestamp()
    )


def test_coreutils_check_what_a_batch_is_of(desk: Desk) -> None:
    """`sha256sum --check`, in the archive's folder."""
    asyncio.run(desk.renew(MONTH + DAY))
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "renewals/0001/objects"], cwd=desk.folder, capture_output=True, check=True
    )
    assert done.stdout.count(b": OK") == 6


async def test_later_time_stamps_get_a_batch_of_their_own(desk: Desk) -> None:
    """A month later, or before their certificate ends."""
    await desk.renew(MONTH + DAY)
    desk.stamp(20)
    assert await desk.renew(DAY) == []
    desk.life = AHEAD + 10 * DAY
    desk.signer = desk._issued()
    desk.stamp(30)
    assert await desk.renew(11 * DAY) == [(2, "begun")]
    assert Renewals(desk.folder).of(30).sizes == (20, 30)
    assert desk.since(30) == desk.now
    with pytest.raises(ArchiveError, match="in no batch"):
        Renewals(desk.folder).of(31)


async def test_an_authority_that_is_away(desk: Desk) -> None:
    """It is told; what was begun is begun again, with what came meanwhile."""
    desk.is_away = True
    desk.now += MONTH + DAY
    assert not await desk.renewing._once()
    assert desk.value("exchange_archive_renewal_failures_total", code="timestamp-authority-away") == 1
    assert Renewals(desk.folder).batches() == []
    desk.is_away = False
    desk.stamp(20)
    assert await desk.renewing._once()
    (batch,) = Renewals(desk.folder).batches()
    assert (batch.number, batch.sizes) == (1, (5, 9, 12, 20))


async def test_an_authority_whose_certificates_live_shortly(desk: Desk) -> None:
    """It is not asked each day."""
    desk.life = AHEAD / 2
    await desk.renew(MONTH + DAY)
    assert await desk.renew(DAY) == []
    assert await desk.renew(MONTH) == [(1, "renewed")]


async def test_before_anything_is_renewed_it_is_verified(desk: Desk) -> None:
    """A file that was altered or is gone is named, and gets no new time-stamp."""
    await desk.renew(MONTH + DAY)
    path = Tokens(desk.folder).file(9, "checkpoint")
    whole = path.read_bytes()
    desk.now += YEARS - AHEAD + DAY
    for damage in (lambda: path.write_bytes(whole + b"!"), path.unlink):
        damage()
        with pytest.raises(ArchiveError, match=path.name):
            await desk.renew()
    path.write_bytes(whole)
    assert await desk.renew() == [(1, "renewed")]


async def test_who_forgot_to_renew(desk: Desk) -> None:
    """A batch that ended, and a time-stamp that ended before any batch took it: both are told, again and again."""
    await desk.renew(MONTH + DAY)
    desk.signer = desk._issued()
    desk.stamp(20)
    desk.now += YEARS + DAY
    assert not await desk.renewing._once()
    assert desk.value("exchange_archive_renewal_failures_total", code="evidence-record-invalid") == 1
    (desk.folder / "renewals" / "0001" / "1-1.tsr").unlink()
    assert await desk.renew() == []
    assert desk.value("exchange_archive_renewal_failures_total", code="evidence-record-invalid") == 5


async def test_answers_and_lists_that_are_not_whole(desk: Desk) -> None:
    """One is missing between others; a list that names other files, or is none."""
    await desk.renew(MONTH + DAY)
    folder = desk.folder / "renewals" / "0001"
    (batch,) = Renewals(desk.folder).batches()
    (folder / "1-3.tsr").write_bytes(b"answer")
    with pytest.raises(ArchiveError, match="missing between"):
        batch.tokens()
    listed = (folder / "objects").read_bytes()
    for text in (b"", b"no list", listed.replace(b"tokens/", b"../"), listed[: listed.rindex(b"\n", 0, -1) + 1]):
        (folder / "objects").write_bytes(text)
        with pytest.raises(ArchiveError, match="objects"):
            Renewals(desk.folder).batches()


async def test_a_batch_that_was_not_stamped(desk: Desk) -> None:
    """Has no records yet."""
    batch = Renewals(desk.folder).begin([5, 9])
    with pytest.raises(ArchiveError, match="not stamped yet"):
        batch.record(5)


async def test_one_process_renews(desk: Desk) -> None:
    """The other one is told."""
    with Renewals(desk.folder).alone(), pytest.raises(ArchiveError) as refused:
        await desk.renew(MONTH + DAY)
    assert refused.value.code == "archive-in-use"


async def test_it_runs_until_it_is_told_to_end(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """And looks at once."""
    desk.now += MONTH + DAY
    began = asyncio.Event()

    class Telling(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            began.set()

    logger, handler = logging.getLogger("exchange.services.archive.renewing"), Telling()
    caplog.set_level(logging.INFO, logger.name)
    logger.addHandler(handler)
    task = asyncio.create_task(desk.renewing.run())
    await began.wait()
    logger.removeHandler(handler)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [batch.number for batch in Renewals(desk.folder).batches()] == [1]
