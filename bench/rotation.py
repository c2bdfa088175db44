"""A body's keys change in a stream of letters: how many are lost or refused. And how soon a revocation counts.

The rotation is what administrators do: `exchange body renew`, the certificates come back, the directory lists
the next one beside the present, the agent changes over by itself, `exchange body renew --finish`, the directory
revokes the old one. Letters go on all the while.

A revocation counts from the time of the directory's entry; measured is how long after the entry was published a
router still accepted what the revoked key signed. Then the same with an issuer's revocation list. In the end the
auditor's replay must find nothing.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from bench.letters import Writer, bodies, draft, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.agent.spool.outgoing import OutgoingState
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import DEAD_LETTERS, SUBMISSIONS, inbox
from exchange.client import Client
from exchange.domain.decision import Decided, Journalled, Notice
from exchange.domain.directory import Body, CertificateUse, ListedCertificate
from exchange.domain.ids import lane_of
from exchange.domain.statement import Letter
from exchange.embedded.installation import SHAPE
from exchange.security.authority import Authority
from exchange.security.files import write_atomically
from exchange.security.form import parse
from exchange.security.keys import KeyFiles, load_certificate, load_key_pair
from exchange.settings.agent import agent_settings
from exchange.wire.records import decode, decode_statement, kind_of
from tests.published import directory_folder, publish
from tests.security.issuing import certify_next
from tests.security.lists import revocation_list

PER_SECOND = 50
BEFORE_SECONDS = 10
AFTER_SECONDS = 15
WAIT_SECONDS = 180
REVOKED = 5
LETTER_BYTES = 4096


@dataclass(slots=True)
class _Seen:
    """What the reader's inbox and the sender's own say.

    Attributes:
        letters: message ids of the sender's letters, in order of arrival.
        signers: certificates that signed them.
        accepted: when the last letter of each body was accepted.
        troubles: notices to the sender that something of its was not taken.
    """

    letters: list[str] = field(default_factory=list)
    signers: list[bytes] = field(default_factory=list)
    accepted: dict[str, datetime] = field(default_factory=dict)
    troubles: int = 0


async def run() -> None:
    """Rotation first, then revocations, in the same installation."""
    sender, reader, *victims = bodies(REVOKED + 3)
    seen = _Seen()
    async with stage((sender, reader, *victims)) as place:
        config = place.folder / "router.toml"
        config.write_text(f'{config.read_text()}\n[crl]\nfolder = "crl"\n')
        (place.folder / "crl").mkdir()
        place.start_routers(2)
        authority = Authority(place.folder / "authority", now=system.now())
        listening = asyncio.create_task(_listen(place, sender, reader, seen))
        sent = await _rotate(place, authority, sender, reader, seen)
        dead = await _dead_letters(place)
        by_entry = [
            await _revoke(place, _by_directory(place, authority), victim, reader, seen) for victim in victims[1:]
        ]
        by_list = await _revoke(place, _by_issuer(place, authority), victims[0], reader, seen)
        listening.cancel()
        await _exchange("audit", "replay", "--alone", "--config", str(place.folder / "auditor.toml"))
    report(Figure("rotation.letters", sent.count, "letters"))
    report(Figure("rotation.lost", sent.count - len(set(seen.letters)), "letters"))
    report(Figure("rotation.refused", sent.refused + seen.troubles + dead, "letters"))
    report(Figure("rotation.said_twice", len(seen.letters) - len(set(seen.letters)), "letters"))
    report(Figure("rotation.changed_over", sent.changed_over, "s"))
    report(Figure("revocation.entry.max", max(by_entry), "s"))
    report(Figure("revocation.list", by_list, "s"))


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of the stream; `changed_over`: seconds from the next certificate's listing to its first letter."""

    count: int
    refused: int
    changed_over: float


async def _rotate(place: Stage, authority: Authority, sender: str, reader: str, seen: _Seen) -> _Sent:
    config = place.folder / f"agent-{sender}.toml"
    settings = agent_settings(config, {})
    statement = settings.bodies[0].statement
    async with Client.open(config) as client, asyncio.TaskGroup() as tasks:
        ids: list[str] = []
        stream = tasks.create_task(_stream(client, reader, ids))
        await asyncio.sleep(BEFORE_SECONDS)
        await _exchange("body", "renew", "--config", str(config))
        certify_next(settings.kafka.files, authority.transport_root, system.now())
        following = certify_next(statement, authority.statement_root, system.now())
        new = ListedCertificate(following.public_bytes(Encoding.DER), CertificateUse.STATEMENT)
        _publish(place, authority, sender, lambda body: (*body.certificates, new))
        listed, old = system.monotonic(), len(set(seen.signers))
        await _until(lambda: len(set(seen.signers)) > old)
        changed_over = system.monotonic() - listed
        await _exchange("body", "renew", "--config", str(config), "--finish")
        _publish(place, authority, sender, lambda body: _all_revoked_but(body, new))
        await asyncio.sleep(AFTER_SECONDS)
        stream.cancel()
        await asyncio.wait([stream])
        states = [(await client.decided(letter, 60)).state for letter in ids]
        refused = sum(state is not OutgoingState.TAKEN for state in states)
        await _until(lambda: len(set(seen.letters)) >= len(ids) - refused)
    return _Sent(len(ids), refused, changed_over)


async def _stream(client: Client, reader: str, ids: list[str]) -> None:
    begin = system.monotonic()
    while True:
        await asyncio.sleep(max(0.0, begin + len(ids) / PER_SECOND - system.monotonic()))
        ids.append(await client.submit(draft(f"m-{len(ids)}", reader, LETTER_BYTES)))


def _by_directory(place: Stage, authority: Authority) -> Callable[[str], None]:
    return lambda victim: _publish(place, authority, victim, _all_revoked_but)


def _by_issuer(place: Stage, authority: Authority) -> Callable[[str], None]:
    def revoke(victim: str) -> None:
        root = authority.statement_root
        issuer = load_key_pair(KeyFiles(root.with_name("statement.key.pem"), root))
        serial = load_certificate(statement_keys(place.folder, victim).certificate).serial_number
        now = system.now().replace(microsecond=0)
        data = revocation_list(issuer, {serial: now}, this_update=now, next_update=now + timedelta(days=1))
        write_atomically(place.folder / "crl" / "issuer.crl", data)

    return revoke


async def _revoke(place: Stage, revoke: Callable[[str], None], victim: str, reader: str, seen: _Seen) -> float:
    """Seconds from the revocation until the last letter that was accepted in spite of it; 0 when none was."""
    exchange = place.directory.exchange
    writer = Writer(exchange, victim, statement_keys(place.folder, victim), system.now(), 1)
    lane = lane_of(victim, SHAPE.lanes)
    async with SubmissionProducer(place.kafka(victim)) as producer:

        async def say(values: Sequence[bytes], seconds: float) -> None:
            for value in values:
                await producer.send([Outgoing(value, victim.encode())], topic=SUBMISSIONS, partition=lane)
                await asyncio.sleep(seconds)

        await say([writer.open()], 0)
        await say([writer.letter(reader) for _ in range(PER_SECOND)], 1 / PER_SECOND)
        await _until(lambda: victim in seen.accepted)
        revoke(victim)
        published = system.now()
        await say([writer.letter(reader) for _ in range(PER_SECOND * AFTER_SECONDS)], 1 / PER_SECOND)
    return max(0.0, (seen.accepted[victim] - published).total_seconds())


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for what other tasks hear; a letter that never arrives ends the bench."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other tasks
            await asyncio.sleep(0.05)


def _publish(
    place: Stage, authority: Authority, code: str, change: Callable[[Body], tuple[ListedCertificate, ...]]
) -> None:
    body = directory_folder(place.folder, authority).latest().bodies[code]
    publish(place.folder, authority, replace(body, certificates=change(body)))


def _all_revoked_but(body: Body, kept: ListedCertificate | None = None) -> tuple[ListedCertificate, ...]:
    now = system.now()
    return tuple(
        one if one == kept or one.use is not CertificateUse.STATEMENT else replace(one, revoked=now)
        for one in body.certificates
    )


async def _listen(place: Stage, sender: str, reader: str, seen: _Seen) -> None:
    positions = {(inbox(body), 0): None for body in (sender, reader)}
    async with PositionedReader(place.kafka("operator"), positions, fetch_wait_seconds=0.05) as inboxes:
        while True:
            place.check()
            for record in await inboxes.read(1.0):
                if isinstance(record, Record) and record.value and any(record.value):
                    _note(record.value, sender, seen)


def _note(value: bytes, sender: str, seen: _Seen) -> None:
    kind = kind_of(value)
    if kind is Notice:
        seen.troubles += decode(Notice, value).trouble is not None
    if kind is not Journalled:
        return
    decided = decode(Decided, decode(Journalled, value).entry)
    statement = decode_statement(decided.statement)
    if not isinstance(statement, Letter):
        return
    seen.accepted[statement.head.body] = decided.decision.decided
    if statement.head.body == sender:
        seen.letters.append(statement.message_id)
        seen.signers.append(parse(decided.signature).signer)


async def _dead_letters(place: Stage) -> int:
    """How many submissions moved nothing so far."""
    async with PositionedReader(place.kafka("operator"), {(DEAD_LETTERS, 0): None}) as reader:
        ends, count = await reader.end_offsets(), 0
        while not reader.reached(ends):
            count += len(await reader.read(1.0))
    return count


async def _exchange(*arguments: str) -> None:
    """Run a command as a person does."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "exchange.cli", *arguments)
    if code := await process.wait():
        message = f"exchange {' '.join(arguments)} ended with {code}"
        raise RuntimeError(message)
