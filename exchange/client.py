"""The exchange from Python: send a letter as a body, hear what becomes of it, read what arrived.

    async with Client.open("agent-mfa.toml") as client:
        letter = await client.send(to=["minjust"], title="Draft agreement", files=[Path("draft.pdf")])
        async for receipt in client.receipts(letter):
            print(receipt.actor, receipt.event, receipt.reg_number)

It is asynchronous because everything in it waits: for a disk, for Kafka, for people. A client works
on the spool of the body's agent: what it sends is on disk when `send` returns, numbered by the same
origin as everything that the body says (rule 2.7). Where no agent runs on that spool, the client
runs one itself for as long as it is open.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from adapters.formats.files import file_info
from exchange import system
from exchange.agent.agent import Agent
from exchange.agent.mailbox import Heard, Mailbox, Received, SentLetter
from exchange.agent.ports import DraftLetter, DraftReceipt, Format, Package
from exchange.agent.spool.outgoing import OutgoingState
from exchange.domain.card import FileRole, LetterCard, Party, ReceiptCard
from exchange.domain.delivery import DECISIVE
from exchange.domain.directory import Body, Directory
from exchange.domain.errors import BusError, ConfigurationError, DocumentError, ExchangeError, SpoolError
from exchange.domain.event import Event
from exchange.domain.group import parse_group, reached
from exchange.domain.statement import Access, AckPolicy, Group, LetterKind, Urgency
from exchange.security.documents import Anchors, SignatureReport, SignatureStatus, signature_reports
from exchange.settings.agent import agent_settings
from exchange.settings.bodies import BodySettings
from exchange.wiring.agent import Desk, open_desk

__all__ = ["Client", "Heard", "Received", "SentLetter", "SignatureReport", "SignatureStatus", "read_draft"]

LOOK_SECONDS = 0.1
SOURCE_FORMAT = "exchange-client"


class Client:
    """One body's client; make it with `Client.open`. For one event loop."""

    def __init__(self, body: BodySettings, desk: Desk, mailbox: Mailbox, anchors: Anchors) -> None:
        """Join the parts; see `open`."""
        self._body = body
        self._anchors = anchors
        self._desk = desk
        self._mailbox = mailbox

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: Path | str, *, body: str = "", environ: Mapping[str, str] = os.environ
    ) -> "AsyncIterator[Client]":
        """Open the spool that an agent's configuration names, beside its agent or in its place.

        Args:
            config: the agent's configuration file.
            body: which of its bodies; may be left out when there is but one.
            environ: where the cluster may be named instead.

        Raises:
            ConfigurationError: configuration, keys or directory cannot be used; `body-not-here`.
            SpoolError: the spool cannot be used.
        """
        settings = agent_settings(Path(config), environ)
        anchors = Anchors.load(settings.documents)
        with open_desk(settings) as desk:
            chosen = _chosen(settings.carried(desk.office.history.directory), body, Path(config))
            agent = desk.agent((chosen,))
            async with _in_place_of_agent(agent):
                yield cls(chosen, desk, agent.mailbox(chosen.code), anchors)

    @property
    def directory(self) -> Directory:
        """The bodies that letters can be sent to."""
        return self._desk.office.history.directory

    async def send(
        self, to: Sequence[str], title: str, files: Sequence[Path] = (), *, annotation: str = "", group: str = ""
    ) -> str:
        """Send a letter; it is on disk when this returns, and sent even if this process ends.

        Args:
            to: codes of the recipients; none when a group is given.
            title: what the letter is about.
            files: the first is the letter itself, the others are annexes.
            annotation: more words about it.
            group: whom to write to instead, as in `kind:ministry`; see `exchange.domain.group`, and `members`.

        Returns:
            The letter's message id, by which this body names it.

        Raises:
            DraftRefused: the exchange could never take it; the code says why.
            OSError: a file cannot be read.
        """
        draft = self._compose(to, title, files, annotation)
        if group:
            draft = replace(draft, group=Group(group, self.directory.version))
        return await self.submit(draft)

    def members(self, group: str) -> list[Body]:
        """Whom a letter to `group` goes to, by the newest directory known here and as far as the policy lets it.

        Raises:
            GroupInvalid: it cannot be read.
        """
        return reached(parse_group(group), self._body.code, self.directory)

    async def submit(self, draft: DraftLetter) -> str:
        """Send a letter that a document system has written, see `read_draft`; raises as `send`."""
        await self._mailbox.submit(draft)
        return draft.message_id

    async def decided(self, letter: str, seconds: float = 30.0) -> SentLetter:
        """Wait until the exchange has accepted or refused a letter.

        Args:
            letter: its message id.
            seconds: how long to wait.

        Raises:
            BusError: `bus-slow`, retriable: nothing was heard in time; the letter stays in the spool.
            ExchangeError: the reason's code (`certificate-revoked`, `body-suspended`, …): by the directory the
                exchange can take nothing of this body now; the letter stays in the spool.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    sent = await self.sent(letter)
                    if sent.state not in {OutgoingState.DRAFT, OutgoingState.SIGNED}:
                        return sent
                    if (hindrance := await self._mailbox.hindrance()) is not None:
                        message = f"{hindrance.text}; the letter is kept, and goes out by itself then"
                        raise ExchangeError(message, code=hindrance.reason.value)
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            message = (
                f"nothing heard of {letter} in {seconds:.0f} s; it is kept and goes out by itself: ask again later"
            )
            raise BusError(message, code="bus-slow") from None

    async def sent(self, letter: str) -> SentLetter:
        """A letter of ours by its message id, with the receipts heard so far.

        Raises:
            DocumentError: `letter-unknown`.
        """
        found = await self._mailbox.sent_letter(letter)
        if found is None:
            raise DocumentError(f"no letter '{letter[:80]}' was sent from this spool", code="letter-unknown")
        return found

    async def receipts(self, letter: str) -> AsyncIterator[Heard]:
        """What is heard about a letter, as it comes, until every recipient has registered or refused it.

        Ends without a receipt when the exchange itself refused the letter. Of a letter to a group only the
        exchange knows to whom it went: it goes on until the caller leaves.
        """
        last, ended = 0, set[str]()
        while True:
            sent = await self.sent(letter)
            while some := await self._mailbox.heard(letter, last):
                for row, heard in some:
                    last, ended = row, ended | ({heard.actor} if heard.event in DECISIVE else set())
                    yield heard
            answered = not sent.group and ended >= set(sent.recipients)
            if answered or sent.state in {OutgoingState.REFUSED, OutgoingState.VOID}:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def arrived(self, limit: int = 100) -> list[Received]:
        """The last letters that arrived for the body, newest first."""
        return await self._mailbox.arrived(limit)

    async def signatures(self, received: Received) -> tuple[SignatureReport, ...]:
        """What becomes of the document's own signatures, see docs/document-signatures.md; one per signer."""
        letter = received.arrived
        return await asyncio.to_thread(signature_reports, letter.card, letter.files, self._anchors, system.now())

    async def letters(self) -> AsyncIterator[Received]:
        """Letters to the body, each once: those of the last that are there already, then as they arrive."""
        seen: set[bytes] = set()
        while True:
            for received in reversed(await self.arrived()):
                if received.arrived.digest not in seen:
                    seen.add(received.arrived.digest)
                    yield received
            await asyncio.sleep(LOOK_SECONDS)

    async def register(self, letter: bytes, number: str, dated: date) -> None:
        """Say that an arrived letter was registered: for bodies whose letters no document system takes.

        Args:
            letter: its digest.
            number: registration number here.
            dated: its date.

        Raises:
            DraftRefused: `receipt-letter-unknown`.
        """
        card = ReceiptCard(reg_number=number, reg_date=dated, source_format=SOURCE_FORMAT)
        await self._mailbox.take(letter)
        await self._mailbox.say(letter, DraftReceipt(Event.REGISTERED, system.now(), "", card))

    def _compose(self, to: Sequence[str], title: str, files: Sequence[Path], annotation: str) -> DraftLetter:
        message_id = system.random_id()
        roles = [FileRole.MAIN, *[FileRole.ANNEX] * len(files)]
        contents = [path.read_bytes() for path in files]
        infos = tuple(
            file_info(str(index), path.name, data, role)
            for index, (path, data, role) in enumerate(zip(files, contents, roles, strict=False))
        )
        card = LetterCard(
            document_id=message_id,
            title=title,
            annotation=annotation or title,
            sender=self._party(self._body.code),
            addressees=tuple(map(self._party, to)),
            files=infos,
            source_format=SOURCE_FORMAT,
        )
        return DraftLetter(
            message_id=message_id, consignment_id=message_id, kind=LetterKind.DOCUMENT, conversation=message_id,
            in_reply_to="", in_reply_to_number="", recipients=tuple(to), ack=AckPolicy.ALWAYS, wanted=(),
            urgency=Urgency.ROUTINE, reply_due=None, access=Access.PUBLIC, card=card, files=tuple(contents),
        )  # fmt: skip

    def _party(self, code: str) -> Party:
        body = self.directory.bodies.get(code)
        return Party(body=code) if body is None else Party(body=code, name=body.names.ru, soate=body.soate)


def read_draft(paths: Sequence[Path], fmt: Format, directory: Directory) -> DraftLetter:
    """A letter as a document system wrote it: a folder with its files, or the files themselves.

    Raises:
        DocumentError: the document breaks its format, or is a receipt.
        OSError: a file cannot be read.
    """
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    contents = {file.name: file.read_bytes() for file in files if not file.name.startswith(".")}
    return letter_in(Package(paths[0].stem, contents), fmt, directory)


def letter_in(package: Package, fmt: Format, directory: Directory) -> DraftLetter:
    """The letter of a package.

    Raises:
        DocumentError: the document breaks its format, or is a receipt.
    """
    draft = fmt.parse(package, directory)
    if isinstance(draft, DraftReceipt):
        message = "the document is a receipt, not a letter: drop it into the agent's folder"
        raise DocumentError(message, code="document-unexpected", place=package.name)
    return draft


@asynccontextmanager
async def _in_place_of_agent(agent: Agent) -> AsyncIterator[None]:
    """Run `agent` while the context lasts, unless another process's agent runs on its spool."""
    task = asyncio.create_task(agent.run(), name="agent of the client")
    try:
        await asyncio.sleep(0)  # the first thing that it does is to lock the spool
        if task.done():
            _require_in_use(task)
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _require_in_use(task: asyncio.Task[None]) -> None:
    """Any other failure than that the agent is there already is the caller's."""
    error = task.exception()
    if not (isinstance(error, SpoolError) and error.code == "spool-in-use") and error is not None:
        raise error


def _chosen(bodies: Sequence[BodySettings], code: str, config: Path) -> BodySettings:
    for body in bodies:
        if body.code == code or (not code and len(bodies) == 1):
            return body
    known = ", ".join(body.code for body in bodies)
    message = f"{config}: '{code}' is none of its bodies; name one of {known}"
    raise ConfigurationError(message, code="body-not-here")
