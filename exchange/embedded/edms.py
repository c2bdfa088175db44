"""Stand-in document systems: what a body's EDMS does, for the demo and for tests.

A `StandInEdms` reads the letters that its agent puts into `in/`, does what a script says (register,
refuse, assign, report, reply) and puts the answers into `out/`, in its own format. `compose_letter`
makes what it sends of its own accord.
"""

import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from adapters.formats.files import file_info
from adapters.formats.staff.records import FILE_NAME, MEDIA_TYPE
from adapters.ports import WritingFormat
from exchange.agent.ports import ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.card import FileInfo, FileRole, LetterCard, Link, Party, Person, ReceiptCard, Task
from exchange.domain.directory import Directory
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency

_IDS = uuid.UUID("6f9f2a4e-4d0b-5b3a-9a57-1d5c8f1f0a31")


@dataclass(frozen=True, slots=True)
class Sample:
    """A letter to compose: codes of bodies, and what people wrote.

    Attributes:
        attachments: bytes by file name; a PDF of the letter itself is always added before them.
    """

    sender: str
    recipients: tuple[str, ...]
    number: str
    dated: date
    annotation: str
    signatory: Person
    kind: str = "Письмо"
    attachments: Mapping[str, bytes] | None = None
    tasks: tuple[Task, ...] = ()
    links: tuple[Link, ...] = ()
    urgency: Urgency = Urgency.ROUTINE
    reply_due: date | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """An answer that says what became of a letter: `DELIVERED` is the EDMS's own acknowledgment."""

    event: Event
    reg_number: str = ""
    reg_date: date | None = None
    reason: str = ""
    actor: Person | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is a letter; links to the answered one and its sender are filled in."""

    sample: Sample


Answer = Notice | Reply
Script = Callable[[DraftLetter], Iterable[Answer]]


class StandInEdms:
    """A document system of one body. Not for use by two at once.

    Every letter is answered exactly once, also when it is handed over twice or the process is
    killed: answers have names and ids that follow from the letter, and what was answered is kept in
    `.edms/answered`.

    Attributes:
        letters: letters read by this object, in order.
        receipts: receipts read by this object, in order.
    """

    def __init__(
        self, root: Path, body: str, fmt: WritingFormat, directory: Directory, script: Script,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """Work in the folder that the body's connector uses.

        Args:
            root: the folder of `out/` and `in/`.
            body: code of the body.
            fmt: what this EDMS speaks.
            directory: bodies and their identifiers.
            script: what to answer to a letter, in order.
            now: the clock.
        """
        self._root, self._body, self._format, self._directory = root, body, fmt, directory
        self._script, self._now = script, now
        self._answered = root / ".edms" / "answered"
        self._answered.parent.mkdir(parents=True, exist_ok=True)
        self._read: set[str] = set()
        self.letters: list[DraftLetter] = []
        self.receipts: list[DraftReceipt] = []

    def answer_by(self, script: Script) -> None:
        """Answer by another script from now on."""
        self._script = script

    def step(self) -> int:
        """Read what is new in `in/` and answer it; what the script says failed is lost, and new when it comes again.

        Returns:
            How many packages were new.

        Raises:
            DocumentError: a package is not what this EDMS understands.
        """
        arrived = self._root / "in"
        folders = sorted(arrived.iterdir()) if arrived.is_dir() else []
        new = [folder for folder in folders if folder.name not in self._read and not folder.name.startswith(".")]
        for folder in new:
            package = Package(folder.name, {file.name: file.read_bytes() for file in folder.iterdir()})
            message = self._format.parse(package, self._directory)
            if isinstance(message, DraftLetter):
                self.letters.append(message)
                if not self._answer(message):
                    shutil.rmtree(folder)
                    continue
            else:
                self.receipts.append(message)
            self._read.add(folder.name)
        return len(new)

    def _answer(self, letter: DraftLetter) -> bool:
        """Whether the letter was taken, now or before."""
        key = digest(f"{letter.card.sender.body}\0{letter.message_id}".encode())
        answered = self._answered.read_text().split() if self._answered.exists() else []
        if key.hex() in answered:
            return True
        for index, answer in enumerate(self._script(letter)):
            lost = isinstance(answer, Notice) and answer.event is Event.HAND_OVER_FAILED
            name = f"{'lost' if lost else 'answer'}-{key.hex()[:12]}-{index}"
            if not self._was_sent(name):
                drop(self._root, self._write(answer, letter, name))
            if lost:
                return False
        with self._answered.open("a") as file:
            file.write(f"{key.hex()}\n")
        return True

    def _was_sent(self, name: str) -> bool:
        """Whether an answer of that name went out before the letter could be noted as answered."""
        return (self._root / "out" / name).exists() or any(self._root.glob(f"sent/*/{name}"))

    def _write(self, answer: Answer, letter: DraftLetter, name: str) -> Package:
        ident = digest(f"{self._body}\0{letter.message_id}\0{name}".encode())
        if isinstance(answer, Reply):
            message_id = str(uuid.UUID(bytes=ident[:16]))
            sample = _as_reply(answer.sample, letter)
            return compose_letter(self._format, sample, self._directory, message_id, self._now(), name)
        card = ReceiptCard(
            reg_number=answer.reg_number, reg_date=answer.reg_date, reason_text=answer.reason, actor=answer.actor,
            note=answer.note, source_format=self._format.name,
        )  # fmt: skip
        # What this EDMS says and what the sender's is told are the same kind of document.
        said = ArrivedReceipt(
            digest=ident, letter=ident, message_id=letter.message_id, about=letter.card, actor=self._body,
            event=answer.event, at=self._now(), reason="", text="", card=card,
        )  # fmt: skip
        package = self._format.render_receipt(said, letter.card.sender.body, self._directory)
        if package is None:
            message = f"{self._format.name} has no word for '{answer.event}'"
            raise ValueError(message)
        return Package(name, package.files)


def drop(root: Path, package: Package) -> None:
    """Put a package into `out/` the way a well-behaved EDMS does: written aside, then renamed.

    The mark `.done` spares the connector its second look.
    """
    draft = root / "out" / f".{package.name}"
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(parents=True)
    for name, data in package.files.items():
        (draft / name).write_bytes(data)
    (draft / ".done").touch()
    draft.rename(root / "out" / package.name)


def compose_letter(
    fmt: WritingFormat, sample: Sample, directory: Directory, message_id: str, created: datetime, name: str = ""
) -> Package:
    """A letter as the sender's EDMS writes it.

    Args:
        fmt: the sender's format.
        sample: what to write.
        directory: identifiers and names of the bodies; a recipient that it does not have is written as it is.
        message_id: unique within the sender; the document's id follows from it.
        created: when.
        name: of the package; made from sender and message id when empty.
    """
    text = f"{sample.sender}, {sample.dated.isoformat()}, {message_id}"
    contents = {"letter.pdf": minimal_pdf(text), **(sample.attachments or {})}
    roles = [FileRole.MAIN, *[FileRole.ANNEX] * (len(contents) - 1)]
    files = tuple(
        _info(str(index), file_name, data, role)
        for index, (role, (file_name, data)) in enumerate(zip(roles, contents.items(), strict=True))
    )
    document_id = str(uuid.uuid5(_IDS, message_id))
    card = LetterCard(
        document_id=document_id, local_id="1", kind=sample.kind, reg_number=sample.number, reg_date=sample.dated,
        annotation=sample.annotation, sender=_party(sample.sender, directory),
        addressees=tuple(_party(code, directory) for code in sample.recipients), signatories=(sample.signatory,),
        links=sample.links, tasks=sample.tasks, files=files, source_format=fmt.name,
    )  # fmt: skip
    draft = DraftLetter(
        message_id=message_id, consignment_id=message_id, kind=LetterKind.DOCUMENT, conversation=document_id,
        in_reply_to="", in_reply_to_number="", recipients=sample.recipients, ack=AckPolicy.ALWAYS, wanted=(),
        urgency=sample.urgency, reply_due=sample.reply_due, access=Access.PUBLIC, card=card,
        files=tuple(contents.values()),
    )  # fmt: skip
    return fmt.write(draft, created, directory, name or f"{sample.sender}-{message_id}")


def _info(ident: str, name: str, data: bytes, role: FileRole) -> FileInfo:
    """A file of a composed letter; records of staff are known by their name."""
    if name == FILE_NAME:
        return replace(file_info(ident, name, data, FileRole.DATA), media_type=MEDIA_TYPE)
    return file_info(ident, name, data, role, pages=None if role is FileRole.ANNEX else 1)


def minimal_pdf(text: str) -> bytes:
    """A valid one-page PDF (ISO 32000-1, 7.5) with one line of Latin text."""
    line = text.encode("ascii", "replace").translate(None, b"()\\")
    stream = b"BT /F1 12 Tf 72 770 Td (" + line + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >>>>>>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, entries)
    return out + table + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))


def _party(code: str, directory: Directory) -> Party:
    body = directory.bodies.get(code)
    if body is None:
        return Party(body=code, uid=code, name=code)
    return Party(body=code, uid=body.uids[0] if body.uids else code, name=body.names.ru)


def _as_reply(sample: Sample, letter: DraftLetter) -> Sample:
    card = letter.card
    link = Link("В ответ на", card.document_id, card.reg_number, card.reg_date)
    return replace(sample, recipients=(card.sender.body,), links=(link, *sample.links))
