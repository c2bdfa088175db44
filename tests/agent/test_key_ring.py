"""Which key signs: as a table of what happens, and in a stream of letters."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.agent.key_ring import KeyRing
from exchange.domain.directory import BodyStatus, CertificateUse, Directory, ListedCertificate
from exchange.security.cades import Signer
from exchange.security.errors import KeyRefused
from exchange.security.form import parse
from exchange.security.keys import KeyPair, load_key_pair
from exchange.security.validity import Validity
from tests.agent.edms import plain_letter
from tests.agent.place import QUICK, Place, until, until_settled
from tests.patience import PATIENCE
from tests.security.support import body, certify, certify_root, directory
from tests.world import NOW

DAY = timedelta(days=1)


@dataclass
class NextPair:
    """What lies beside the present pair; `whole` False: the certificate came before its key."""

    pair: KeyPair | None = None
    whole: bool = True

    def certificate(self) -> x509.Certificate | None:
        """The certificate, once it is there."""
        return None if self.pair is None else self.pair.certificate

    def signer(self) -> Signer:
        """The pair."""
        if self.pair is None or not self.whole:
            message = "not a pair"
            raise KeyRefused(message, code="key-certificate-mismatch")
        return Signer(self.pair.certificate, self.pair.key)


@dataclass
class Desk:
    """A ring with everything that it looks at."""

    root: KeyPair
    old: KeyPair
    new: KeyPair
    listed: Directory
    following: NextPair = field(default_factory=NextPair)
    now: datetime = NOW
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Begin with the old pair."""
        self.in_place = self.old
        self.ring = KeyRing(
            "mfa", self._present, self.following, lambda: self.listed, lambda: self.now, lambda: self.seconds, 60.0
        )

    def _present(self) -> Signer:
        return Signer(self.in_place.certificate, self.in_place.key)

    def list(self, *pairs: KeyPair | ListedCertificate) -> None:
        """The directory's next version lists these of the body."""
        self.listed = directory(self.root, body("mfa", *pairs))

    def after(self, seconds: float) -> str:
        """Look again so much later; which key signs then."""
        self.seconds += seconds
        self.ring.look()
        return self.signs

    @property
    def signs(self) -> str:
        """Which key is in use."""
        return "old" if self.ring.signer.certificate == self.old.certificate else "new"


def revoked(pair: KeyPair, since: datetime) -> ListedCertificate:
    """A pair's certificate as it is listed then."""
    return ListedCertificate(pair.certificate.public_bytes(Encoding.DER), CertificateUse.STATEMENT, since)


@pytest.fixture(scope="module")
def pairs() -> tuple[KeyPair, KeyPair, KeyPair]:
    """An issuer, and two pairs of one body."""
    root = certify_root()
    span = Validity(NOW - DAY, NOW + 9 * DAY)
    return root, certify(root, "mfa", validity=span), certify(root, "mfa", validity=span)


@pytest.fixture
def desk(pairs: tuple[KeyPair, KeyPair, KeyPair]) -> Desk:
    """Only the old key is listed, and nothing lies beside it."""
    root, old, new = pairs
    return Desk(root, old, new, directory(root, body("mfa", old)))


def test_the_next_key_waits_until_the_exchange_knows_it(desk: Desk) -> None:
    """In place for days: not used. Listed: used after every router has seen it."""
    assert desk.after(100) == "old"
    desk.following.pair = desk.new
    assert desk.after(100_000) == "old"
    desk.list(desk.old, desk.new)
    assert [desk.after(0), desk.after(59), desk.after(1)] == ["old", "old", "new"]
    assert desk.ring.hindrance() is None


def test_it_waits_for_its_own_first_day(desk: Desk) -> None:
    """A certificate that begins tomorrow is used tomorrow."""
    desk.following.pair = desk.new = certify(desk.root, "mfa", validity=Validity(NOW + DAY, NOW + 9 * DAY))
    desk.list(desk.old, desk.new)
    assert [desk.after(0), desk.after(100)] == ["old", "old"]
    desk.now += DAY
    assert [desk.after(0), desk.after(60)] == ["old", "new"]


@pytest.mark.parametrize("end", ["revoked", "unlisted", "expired"])
def test_it_is_used_at_once_when_the_present_one_no_longer_counts(desk: Desk, end: str) -> None:
    """Better what a router may not know yet than what none takes."""
    desk.following.pair = desk.new
    if end == "revoked":
        desk.list(revoked(desk.old, NOW), desk.new)
    elif end == "unlisted":
        desk.list(desk.new)
    else:
        desk.following.pair = desk.new = certify(desk.root, "mfa", validity=Validity(NOW, NOW + 99 * DAY))
        desk.list(desk.old, desk.new)
        desk.now += 10 * DAY
    assert desk.after(0) == "new"


@pytest.mark.parametrize(
    ("days", "since", "reason"),
    [
        (0, None, None),
        (0, NOW + DAY, None),
        (0, NOW, "certificate-revoked"),
        (10, None, "certificate-expired"),
        (-2, None, "certificate-not-yet-valid"),
    ],
)
def test_what_the_directory_has_against_a_key(
    desk: Desk, days: int, since: datetime | None, reason: str | None
) -> None:
    """Told by the code that the exchange would give; nothing while a next key can be used instead."""
    desk.list(revoked(desk.old, since) if since else desk.old)
    desk.now += days * DAY
    found = desk.ring.hindrance()
    assert (found and found.reason) == reason
    desk.following.pair = certify(desk.root, "mfa", validity=Validity(NOW - 9 * DAY, NOW + 99 * DAY))
    desk.list(desk.following.pair)
    assert desk.ring.hindrance() is None


def test_what_the_directory_has_against_a_body(desk: Desk) -> None:
    """A certificate that it does not list, and the body itself."""
    desk.list(desk.new)
    found = desk.ring.hindrance()
    assert found is not None
    assert found.reason == "signer-unknown"
    desk.listed = directory(desk.root, replace(body("mfa", desk.old), status=BodyStatus.SUSPENDED))
    found = desk.ring.hindrance()
    assert found is not None
    assert found.reason == "body-suspended"
    assert "lists mfa as suspended" in found.text


def test_a_next_key_that_must_not_be_used(desk: Desk) -> None:
    """Revoked before it was ever used: the present one stays; revoked in use: back to the present one."""
    desk.following.pair = desk.new
    desk.list(desk.old, revoked(desk.new, NOW + DAY))
    assert [desk.after(0), desk.after(60)] == ["old", "new"]
    desk.now += DAY
    assert desk.after(0) == "old"
    assert desk.after(100) == "old"


def test_refused_it_gives_way_to_the_next(desk: Desk) -> None:
    """The exchange knows before our copy of the directory does; without a next key the present one is read again."""
    desk.ring.refused()
    assert desk.signs == "old"
    desk.following.pair = desk.new
    desk.list(desk.old, desk.new)
    desk.ring.refused()
    assert desk.signs == "new"
    desk.ring.refused()
    assert desk.signs == "new"


def test_silence_after_the_change_leads_back(desk: Desk) -> None:
    """A router that is behind knows the present key still; later it is tried again."""
    desk.following.pair = desk.new
    desk.list(desk.old, desk.new)
    assert [desk.after(0), desk.after(60)] == ["old", "new"]
    desk.ring.doubted()
    assert [desk.signs, desk.after(59), desk.after(1)] == ["old", "old", "new"]
    desk.list(revoked(desk.old, NOW), desk.new)
    desk.ring.doubted()
    assert desk.signs == "new", "there is no way back"


def test_half_of_a_pair_changes_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """The log says why; whole, it is used."""
    desk.following.pair, desk.following.whole = desk.new, False
    desk.list(desk.old, desk.new)
    assert [desk.after(0), desk.after(60)] == ["old", "old"]
    assert "key-certificate-mismatch" in caplog.text
    desk.following.whole = True
    assert desk.after(0) == "new"


def test_the_next_becomes_the_present_one(desk: Desk) -> None:
    """Its files are moved while it signs: the same key goes on."""
    desk.following.pair = desk.new
    desk.list(desk.old, desk.new)
    assert [desk.after(0), desk.after(60)] == ["old", "new"]
    desk.following.pair, desk.in_place = None, desk.new
    assert desk.after(0) == "new"
    desk.list(desk.new)
    assert [desk.after(0), desk.after(100)] == ["new", "new"]


async def test_no_letter_is_lost_or_refused_on_the_way(place: Place) -> None:
    """A stream of letters goes on while the directory lists another key and later revokes the first."""
    pair = load_key_pair(place.world.authority.body("delta").statement)
    place.following["alpha"] = NextPair(pair)
    new = ListedCertificate(pair.certificate.public_bytes(Encoding.DER), CertificateUse.STATEMENT)
    alpha = place.world.directory.bodies["alpha"]
    # However long this takes: the agent's own silence is no reason to say anything twice.
    timing = replace(QUICK, change_over=0.3, resend_first=PATIENCE, resend_after=PATIENCE, resend_at_most=PATIENCE)
    async with place.agent("alpha", timing=timing) as agent:
        for number in range(60):
            await agent.mailbox("alpha").submit(plain_letter(f"m-{number}", "beta"))
            if number == 10:
                before = place.world.ground
                listing = place.world.change(replace(alpha, certificates=(*alpha.certificates, new)))
                place.world.ground = before
                listed = listing.directory.version
                await until(lambda: agent._office.history.directory.version == listed)  # noqa: B023
                place.simulator.stand_on(listing)  # behind the agent
            if number == 45:
                await until(lambda: _last_signer(place) == Signer(pair.certificate, pair.key).signer)
                old = replace(alpha.certificates[0], revoked=place.clock())
                place.simulator.stand_on(place.world.change(replace(alpha, certificates=(old, new))))
            await asyncio.sleep(0.02)
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == [f"m-{number}" for number in range(60)]
    assert place.simulator.submitted == len(place.simulator.entries), "nothing was said twice"
    assert {notice.trouble for notice in place.simulator.notices} == {None}


def _last_signer(place: Place) -> bytes:
    return parse(place.simulator.signed(place.simulator.entries[-1]).signature).signer
