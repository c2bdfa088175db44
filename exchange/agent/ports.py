"""What the agent asks of an EDMS: a format (bytes <-> meaning) and a connector (how files travel).

`adapters/` implements these; the agent knows nothing else of an EDMS. An EDMS message is a
`Package`: a named folder of files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.directory import Directory
from exchange.domain.event import Event
from exchange.domain.statement import Access, AckPolicy, Group, Letter, LetterKind, Urgency


@dataclass(frozen=True, slots=True)
class Package:
    """One EDMS message: a folder's name and its files by plain name (no separators)."""

    name: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class DraftLetter:
    """A letter as an EDMS wants it sent.

    Attributes:
        message_id: the sender's own id of this message; unique within the sender.
        consignment_id: stable over the EDMS's own retries; the message id where it has none.
        conversation: the sender's key of the exchange of letters; letters of one go in order.
        in_reply_to: document id of the letter that this one answers, else empty.
        in_reply_to_number: registration number of that letter at its sender or here, else empty.
        recipients: body codes, in the order of `card.addressees`.
        files: bytes of `card.files`, in that order.
        group: whom it goes to instead of `recipients`, when that is an expression.
    """

    message_id: str
    consignment_id: str
    kind: LetterKind
    conversation: str
    in_reply_to: str
    in_reply_to_number: str
    recipients: tuple[str, ...]
    ack: AckPolicy
    wanted: tuple[str, ...]
    urgency: Urgency
    reply_due: date | None
    access: Access
    card: LetterCard
    files: tuple[bytes, ...]
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class DraftReceipt:
    """What an EDMS says about a letter that was handed over to it.

    A quittance names the letter's message id, a notice its document id: whichever the format knows
    stands in `card.message_id` and `card.document_id`, the other is empty. `addressee` is the code of
    the body that the receipt is addressed to, empty where it is not known: it decides between letters
    of several senders with the same ids.
    """

    event: Event
    at: datetime
    reason: str
    card: ReceiptCard
    addressee: str = ""


@dataclass(frozen=True, slots=True)
class ArrivedLetter:
    """A letter to be handed over: `digest` is its id in the exchange, `sender` a body code."""

    digest: bytes
    sender: str
    letter: Letter
    card: LetterCard
    files: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ArrivedReceipt:
    """A receipt to be handed over to the sender of the letter.

    Attributes:
        digest: key of the hand-over, stable over repeats.
        letter: digest of the letter concerned.
        message_id: the sender's own id of that letter.
        about: the card that the sender wrote for it.
        actor: code of the body that speaks; `exchange` when the exchange itself does.
        reason: code of a negative event, else empty.
        text: the reason in words for people, else empty.
        card: what the recipient wrote, None when nothing.
    """

    digest: bytes
    letter: bytes
    message_id: str
    about: LetterCard
    actor: str
    event: Event
    at: datetime
    reason: str
    text: str
    card: ReceiptCard | None


class Format(Protocol):
    """An EDMS format. Pure: bytes in, values out; raises `DocumentError` for any bytes whatever."""

    name: str

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """Understand a message of the EDMS.

        An addressee whose uid the directory does not know is passed on as written where it could be
        a body code, so that the exchange refuses it with its reason.

        Raises:
            DocumentError: names file, line and field of what is wrong.
        """
        ...

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """The message that hands a letter to the recipient's EDMS."""
        ...

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """The message that tells the sender's EDMS of an event; None when the format has no word for it."""
        ...


class Connector(Protocol):
    """How packages get out of and into an EDMS. Blocking: called from a worker thread.

    Durability: `stage` returns when the package would survive a power cut, `publish` is atomic and
    may be repeated: a key that is staged no more was published. So a hand-over happens once even
    when the agent is killed between any two steps.
    """

    def collect(self, limit: int) -> Iterator[Package]:
        """Complete packages that wait to be sent, oldest first, at most `limit`.

        What can never be read (a name with a separator, too large) is quarantined on the way.
        """
        ...

    def archive(self, name: str) -> None:
        """The spool has this package: put it aside."""
        ...

    def quarantine(self, name: str, problem: str, code: str) -> None:
        """The package cannot be sent: put it aside with a text that says what is wrong and where, and its code."""
        ...

    def stage(self, key: str, package: Package) -> None:
        """Make a package for the EDMS durable without showing it; repeating replaces."""
        ...

    def publish(self, key: str) -> None:
        """Show a staged package to the EDMS, atomically; nothing happens when it is staged no more."""
        ...
