"""A router that runs while the directory changes: taken up without a restart, and once its topics are there."""

import asyncio
import dataclasses
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.bus.access import body_grants
from exchange.bus.topics import inbox_topic
from exchange.domain.directory import Body, BodyStatus, CertificateUse, ListedCertificate, Names
from exchange.domain.ids import digest, lane_of
from exchange.domain.reason import Reason
from exchange.domain.statement import Signed
from exchange.embedded.installation import SHAPE
from exchange.security.cades import Signer
from exchange.security.keys import load_key_pair
from exchange.security.validity import Validity
from exchange.wire.records import encode
from tests.patience import PATIENCE
from tests.stage import Process, Stage
from tests.world import Speaker

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", autouse=True)
def router(stage: Stage) -> Iterator[Process]:
    """One router for all tests of this module."""
    with stage.running("router") as process:
        yield process
        assert process.stop() == 0


def listed(stage: Stage, code: str, validity: Validity | None = None) -> tuple[Body, Signer]:
    """A new body as the directory has it, and its key."""
    pair = load_key_pair(stage.world.authority.body(code, validity=validity).statement)
    certificate = pair.certificate.public_bytes(Encoding.DER)
    use = ListedCertificate(certificate, CertificateUse.STATEMENT)
    body = Body(code, Names(code, code, code), "ministry", BodyStatus.CONNECTED, certificates=(use,))
    return body, Signer(pair.certificate, pair.key)


async def furnish(stage: Stage, code: str) -> None:
    """What a body needs on Kafka."""
    async with stage.administration() as administration:
        assert await administration.ensure_topics([inbox_topic(code, SHAPE)]) == []
        await administration.ensure_access(body_grants(code))
    stage.checker.add([code])


async def letter_until(stage: Stage, speaker: Speaker, to: str, reason: str) -> Signed:
    """Write letters until one is decided so: then the new directory is in force in the speaker's lane."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        letter = speaker.letter(to)
        await stage.submit(speaker.body, [letter])
        await stage.checker.until_decided([letter.digest])
        if stage.checker.decided[letter.digest].reason == reason:
            return letter
        await asyncio.sleep(0.3)
    raise TimeoutError(reason)


async def test_a_body_is_added(stage: Stage) -> None:
    """Unknown at first; once it is listed it gets letters and may speak."""
    (code,) = stage.fresh(1)
    speaker, newcomer = stage.speaker(code), "newcomer"
    body, signer = listed(stage, newcomer)
    await furnish(stage, newcomer)
    await stage.submit(code, [speaker.open()])
    await letter_until(stage, speaker, newcomer, Reason.RECIPIENT_UNKNOWN)
    stage.register(body)
    await letter_until(stage, speaker, newcomer, "")
    answering = stage.world.speaker(newcomer, signer)
    said = [answering.open(), answering.letter(code)]
    await stage.submit(newcomer, said)
    await stage.checker.until_decided(signed.digest for signed in said)
    assert {stage.checker.decided[signed.digest].reason for signed in said} == {""}
    await stage.checker.check()


async def test_a_body_is_suspended_and_comes_back(stage: Stage) -> None:
    """Nothing is written to it and nothing of it is taken; afterwards it goes on where it was."""
    suspended, other = stage.neighbours(2)
    silenced, speaker = stage.speaker(suspended), stage.speaker(other)
    opened, held = silenced.open(), silenced.letter(other)
    await stage.submit(suspended, [opened])
    await stage.submit(other, [speaker.open()])
    await stage.checker.until_decided([opened.digest])
    connected = stage.registered(suspended)
    stage.register(dataclasses.replace(connected, status=BodyStatus.SUSPENDED))
    await letter_until(stage, speaker, suspended, Reason.RECIPIENT_NOT_CONNECTED)
    told = len(stage.checker.notices[suspended, silenced.origin])
    await stage.submit(suspended, [held])
    await letter_until(stage, speaker, suspended, Reason.RECIPIENT_NOT_CONNECTED)
    assert held.digest not in stage.checker.decided
    stage.register(connected)
    await letter_until(stage, speaker, suspended, "")
    assert len(stage.checker.notices[suspended, silenced.origin]) == told
    await stage.submit(suspended, [held])
    await stage.checker.until_decided([held.digest])
    await stage.checker.check()


async def test_a_missing_inbox_is_named_and_nobody_waits(stage: Stage, router: Process) -> None:
    """Listed before its topic was made: the version before stays, also for a router that starts meanwhile."""
    (code,) = stage.fresh(1)
    speaker, early = stage.speaker(code), "too-early"
    body, _ = listed(stage, early)
    await stage.submit(code, [speaker.open()])
    lines = len(router.said)
    stage.register(body)
    await said_of(router, lines, f"'exchange.inbox.{early}'")
    await letter_until(stage, speaker, early, Reason.RECIPIENT_UNKNOWN)
    with stage.running("router", name="later") as later:
        await said_of(later, 0, "topic-missing")
        await letter_until(stage, speaker, early, Reason.RECIPIENT_UNKNOWN)
        await furnish(stage, early)
        letter = await letter_until(stage, speaker, early, "")
        assert later.stop() == 0
    assert stage.checker.decided[letter.digest].copies == (early,)
    await letter_until(stage, speaker, early, "")
    await stage.checker.check()


async def test_an_expired_certificate_holds_its_body_and_nobody_else(stage: Stage) -> None:
    """Its own body is told to sign again; in another's name, known or not, it is nobody's word (rule 3.4)."""
    present = datetime.now(UTC)
    (code,) = stage.neighbours(1, lane_of("no-such-body", SHAPE.lanes))
    body, signer = listed(stage, "expired", Validity(present - timedelta(days=3), present - timedelta(days=2)))
    await furnish(stage, "expired")
    stage.register(body)
    speaker = stage.speaker(code)
    await stage.submit(code, [speaker.open()])
    await letter_until(stage, speaker, "expired", "")
    own = stage.world.speaker("expired", signer)
    await stage.submit("expired", [own.open()])
    told = stage.checker.notices["expired", own.origin]
    await stage.checker.until(lambda: bool(told), "a notice")
    assert told[0].trouble is not None
    assert told[0].trouble.reason == Reason.CERTIFICATE_EXPIRED
    forgeries = [encode(stage.world.speaker(name, signer).open()) for name in (code, "no-such-body")]
    await stage.submit_bytes(code, forgeries)
    await letter_until(stage, speaker, "expired", "")
    dead = stage.checker.dead
    await stage.checker.until(lambda: all(digest(value) in dead for value in forgeries), "dead letters")
    reasons = [letter.reason for value in forgeries for letter in dead[digest(value)]]
    assert reasons == [Reason.WRONG_SIGNER] * 2
    await stage.checker.check()


async def test_a_revocation_counts_within_five_seconds(stage: Stage) -> None:
    """What was accepted before stays, what comes after waits; the body is told to use its present key."""
    code, other = stage.neighbours(2)
    speaker = stage.speaker(code)
    before = [speaker.open(), speaker.letter(other)]
    await stage.submit(code, before)
    await stage.checker.until_decided(signed.digest for signed in before)
    body, told = stage.registered(code), stage.checker.notices[code, speaker.origin]
    now = datetime.now(UTC)
    certificates = tuple(dataclasses.replace(one, revoked=now) for one in body.certificates)
    stage.register(dataclasses.replace(body, certificates=certificates))
    deadline = time.monotonic() + PATIENCE
    while not any(notice.trouble for notice in told):
        assert time.monotonic() < deadline
        await stage.submit(code, [speaker.letter(other)])
        await stage.checker.read()
    troubles = [notice.trouble for notice in told if notice.trouble is not None]
    assert troubles[0].reason == Reason.CERTIFICATE_REVOKED
    assert {stage.checker.decided[signed.digest].reason for signed in before} == {""}
    await stage.checker.check()


async def said_of(router: Process, lines: int, words: str) -> None:
    """Wait until the router has printed `words` behind its first `lines`."""
    deadline = time.monotonic() + PATIENCE
    while not any(words in line for line in router.said[lines:]):
        assert time.monotonic() < deadline, words
        await asyncio.sleep(0.1)
