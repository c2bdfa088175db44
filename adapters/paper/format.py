"""The paper bridge's format: a letter becomes a page with its files, the clerk's word a receipt.

    letter.pdf        the page to print: registration data, text, QR code
    1-<name>, …       the letter's files, in their order
    delivery.json     what the clerk's desk needs to know

What the clerk writes with `exchange paper received` comes back as `receipt.json`.
"""

from datetime import date, datetime

from adapters.formats.bodies import Bodies
from adapters.formats.files import check_name
from adapters.paper.page import print_letter
from adapters.paper.slip import RECORD, Slip, read_object, text_of
from adapters.ports import FormatPlugin, Options
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftReceipt, Package
from exchange.domain.card import Person, ReceiptCard
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.reason import Reason

NAME = "paper"
PAGE = "letter.pdf"
RECEIPT = "receipt.json"
SAID = {Event.REGISTERED.value: "", Event.REFUSED.value: Reason.REFUSED_BY_RECIPIENT.value}
"""What a clerk can say, and the reason code that goes with it."""


class PaperFormat:
    """Implements `exchange.agent.ports.Format` for bodies that are carried on paper."""

    name = NAME

    def parse(self, package: Package, directory: Directory) -> DraftReceipt:  # noqa: ARG002
        """The clerk's receipt. Letters of carried bodies are sent with `exchange send`.

        Raises:
            DocumentError: `file-missing`, `document-invalid`.
        """
        if set(package.files) != {RECEIPT}:
            message = f"a package of the paper bridge is one file '{RECEIPT}': write it with `exchange paper received`"
            raise DocumentError(message, code="file-missing", place=package.name)
        record = read_object(package.files[RECEIPT], RECEIPT)
        fields = {name: text_of(record, name, RECEIPT) for name in FIELDS}
        if fields["event"] not in SAID:
            raise DocumentError(f"event is none of {', '.join(SAID)}", place=RECEIPT)
        try:
            at, day = datetime.fromisoformat(fields["at"]), fields["reg_date"]
            registered = date.fromisoformat(day) if day else None
        except ValueError as error:
            raise DocumentError("at is no time, or reg_date no date: write it again", place=RECEIPT) from error
        if at.tzinfo is None:
            raise DocumentError("at has no time zone: write it again", place=RECEIPT)
        card = ReceiptCard(
            document_id=fields["document_id"],
            message_id=fields["message_id"],
            reg_number=fields["reg_number"],
            reg_date=registered,
            reason_text=fields["reason"],
            actor=Person(name=fields["clerk"]) if fields["clerk"] else None,
            source_format=NAME,
        )
        return DraftReceipt(Event(fields["event"]), at, SAID[fields["event"]], card, fields["sender"])

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """The page, the files, and the record for the desk.

        Raises:
            DocumentError: `file-missing` (card and contents do not belong together), `file-name-unsafe`,
                `paper-not-printed`.
        """
        letter, card = arrived.letter, arrived.card
        if len(card.files) != len(arrived.files):
            message = (
                f"the card describes {len(card.files)} files, {len(arrived.files)} came: the sender must send again"
            )
            raise DocumentError(message, code="file-missing", place="card, files")
        ids = (letter.message_id, card.document_id, card.reg_number)
        slip = Slip(arrived.digest.hex(), recipient, arrived.sender, *ids, letter.head.created)
        named = {
            f"{number}-{check_name(info.name, 'card, files')}": data
            for number, (info, data) in enumerate(zip(card.files, arrived.files, strict=True), 1)
        }
        page = print_letter(arrived, slip, Bodies(directory))
        return Package(f"letter-from-{arrived.sender}", {PAGE: page, RECORD: slip.encode(), **named})

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:  # noqa: ARG002
        """Nothing: who sends for a carried body sees what became of it with `exchange track`."""
        return None


PAPER = FormatPlugin(NAME, Options, lambda _: PaperFormat())
"""As profiles name it."""

FIELDS = ("event", "at", "sender", "message_id", "document_id", "reg_number", "reg_date", "reason", "clerk")
"""Of a receipt, all texts; empty where there is nothing to say."""
