"""Letters and receipts as lines of text, `Name: value`: an example of a format in a package of its own.

letter.txt          receipt.txt
Message: m-1        Message: m-1
From: mfa           Event: registered
To: minjust         Number: 14-9
Number: 1-2/3       Date: 2022-03-02
Date: 2022-03-01    To: mfa
Title: Кат
File: letter.pdf
"""

from datetime import UTC, date, datetime, time
from typing import Annotated

import msgspec

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, file_info
from adapters.formats.letters import as_draft
from adapters.ports import FormatPlugin, Options
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.card import Extra, FileRole, LetterCard, Party, ReceiptCard
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.reason import Reason
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency

NAME = "plain-1"
LETTER, RECEIPT = "letter.txt", "receipt.txt"
KNOWN = ("Message", "From", "To", "Number", "Date", "Title", "File")
SAID = {Event.REGISTERED: "", Event.REFUSED: Reason.REFUSED_BY_RECIPIENT.value}
"""What this format has a word for, and the reason code that goes with it."""


class PlainOptions(Options, frozen=True):
    """What a profile may say of this format."""

    separator: Annotated[str, msgspec.Meta(min_length=1, max_length=3, description="Between name and value")] = ": "


class PlainFormat:
    """Implements `adapters.ports.WritingFormat`."""

    name = NAME

    def __init__(self, separator: str) -> None:
        """Write and read lines with `separator` between name and value."""
        self._separator = separator

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """A letter or a receipt; whatever is wrong is a `DocumentError` that says where."""
        if RECEIPT in package.files:
            return self._receipt(package.files[RECEIPT])
        if LETTER not in package.files:
            message = f"there is neither {LETTER} nor {RECEIPT}: add the one that says what this is"
            raise DocumentError(message, code="document-missing", place=package.name)
        lines = self._lines(package.files[LETTER], LETTER)
        bodies, attachments = Bodies(directory), Attachments(package, LETTER, frozenset())
        data = [attachments.take(name, f"{LETTER}, File") for name in lines.get("File", [])]
        attachments.finish()
        roles = [FileRole.MAIN] + [FileRole.ANNEX] * len(data)
        files = [file_info(str(n), name, data[n], roles[n]) for n, name in enumerate(lines.get("File", []))]
        recipients = tuple(dict.fromkeys(bodies.destination(uid, f"{LETTER}, To") for uid in _all(lines, "To", LETTER)))
        ident = _one(lines, "Message", LETTER)
        title = _one(lines, "Title", LETTER)
        card = LetterCard(
            document_id=ident, reg_number=_or_none(lines, "Number"), reg_date=_day(lines, LETTER), title=title,
            annotation=title, sender=bodies.party(Party(uid=_or_none(lines, "From"))),
            addressees=tuple(bodies.party(Party(uid=uid)) for uid in lines["To"]), files=tuple(files),
            source_format=NAME,
            extras=tuple(Extra(name, value) for name in lines for value in lines[name] if name not in KNOWN),
        )  # fmt: skip
        return DraftLetter(
            message_id=ident, consignment_id=ident, kind=LetterKind.DOCUMENT, conversation=ident, in_reply_to="",
            in_reply_to_number="", recipients=recipients, ack=AckPolicy.ALWAYS, wanted=(), urgency=Urgency.ROUTINE,
            reply_due=None, access=Access.PUBLIC, card=card, files=tuple(data),
        )  # fmt: skip

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """The letter as the recipient's document system takes it."""
        draft = as_draft(arrived, recipient, Bodies(directory))
        return self.write(draft, arrived.letter.head.created, directory, f"letter-from-{arrived.sender}")

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """The receipt as the sender's document system takes it; None for events without a word."""
        if arrived.event not in SAID:
            return None
        card = arrived.card or ReceiptCard()
        said = {"Message": arrived.message_id, "Event": arrived.event.value, "Number": card.reg_number,
                "Date": (card.reg_date or arrived.at.date()).isoformat(), "Reason": card.reason_text or arrived.text,
                "To": Bodies(directory).uid(recipient)}  # fmt: skip
        return Package(f"{arrived.event}-{arrived.message_id}", {RECEIPT: self._text(list(said.items()))})

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:  # noqa: ARG002
        """The letter as the sender's document system would write it; this format has no place for a time."""
        card, bodies = draft.card, Bodies(directory)
        said = [("Message", draft.message_id), ("From", bodies.uid(card.sender.body, card.sender.uid))]
        said += [("To", bodies.uid(code)) for code in draft.recipients]
        said += [("Number", card.reg_number), ("Title", card.title or card.annotation)]
        said += [("Date", card.reg_date.isoformat())] if card.reg_date else []
        said += [("File", info.name) for info in card.files]
        said += [(extra.path, extra.value) for extra in card.extras if card.source_format == NAME]
        files = {info.name: data for info, data in zip(card.files, draft.files, strict=True)}
        return Package(name, {LETTER: self._text(said), **files})

    def _receipt(self, data: bytes) -> DraftReceipt:
        lines = self._lines(data, RECEIPT)
        word = _one(lines, "Event", RECEIPT)
        if word not in list(SAID):
            raise DocumentError(f"none of {', '.join(SAID)}", place=f"{RECEIPT}, Event")
        event, day = Event(word), _day(lines, RECEIPT)
        if day is None:
            raise DocumentError("is missing: write the day as YYYY-MM-DD", place=f"{RECEIPT}, Date")
        card = ReceiptCard(
            message_id=_one(lines, "Message", RECEIPT), reg_number=_or_none(lines, "Number"), reg_date=day,
            reason_text=_or_none(lines, "Reason"), source_format=NAME,
        )  # fmt: skip
        return DraftReceipt(event, datetime.combine(day, time(), UTC), SAID[event], card)

    def _lines(self, data: bytes, file: str) -> dict[str, list[str]]:
        lines: dict[str, list[str]] = {}
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise DocumentError("is not UTF-8: save it as that", code="document-encoding", place=file) from error
        for number, line in enumerate(text.splitlines(), 1):
            name, separator, value = line.partition(self._separator)
            if not separator:
                raise DocumentError(f"no 'Name{self._separator}value'", place=f"{file}, line {number}")
            lines.setdefault(name, []).append(value.strip())
        return lines

    def _text(self, said: list[tuple[str, str]]) -> bytes:
        return "".join(f"{name}{self._separator}{' '.join(value.split())}\n" for name, value in said if value).encode()


def _all(lines: dict[str, list[str]], name: str, file: str) -> list[str]:
    if not lines.get(name):
        raise DocumentError("is missing: add the line", place=f"{file}, {name}")
    return lines[name]


def _one(lines: dict[str, list[str]], name: str, file: str) -> str:
    return _all(lines, name, file)[0]


def _or_none(lines: dict[str, list[str]], name: str) -> str:
    return lines.get(name, [""])[0]


def _day(lines: dict[str, list[str]], file: str) -> date | None:
    written = _or_none(lines, "Date")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError as error:
        raise DocumentError("no date of the calendar: write YYYY-MM-DD", place=f"{file}, Date") from error


PLAIN = FormatPlugin(NAME, PlainOptions, lambda options: PlainFormat(options.separator))
"""What the entry point names."""
