"""What both formats share about letters: kinds of link, and a letter on its way out as a draft."""

from collections.abc import Iterable
from dataclasses import replace

from adapters.formats.bodies import Bodies
from adapters.formats.values import cut
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter
from exchange.domain.card import DocumentSignature, Extra, FileInfo, FileRole, LetterCard, Link, Party, ReceiptCard
from exchange.domain.errors import DocumentError

ANSWER = "В ответ на"
ANSWERING = frozenset({ANSWER, "Ответ", "На №"})
"""Types of link (MEDO `linkType`) by which a letter answers another."""

EXCHANGE_NAME = "Система обмена"

_REMARKS = {
    ("medo-2.2", "document/comment"),
    ("medo-2.6", "document/comment"),
    ("medo-2.7", "header/comment"),
    ("medo-2.7.1", "header/comment"),
    ("gost53898", "DocumentList/Document/Note"),
}


def answered(links: Iterable[Link]) -> Link | None:
    """The letter that a letter with these links answers."""
    return next((link for link in links if link.type in ANSWERING), None)


def conversation_of(document_id: str, links: Iterable[Link]) -> str:
    """Key of the exchange of letters: the letter answered, else this one."""
    link = answered(links)
    return (link.document_id or link.number or document_id) if link else document_id


def as_draft(arrived: ArrivedLetter, recipient: str, bodies: Bodies) -> DraftLetter:
    """An arrived letter as if its sender's EDMS had written it for this one recipient.

    Sender and recipient are those that the exchange vouches for: where the card claims another
    identifier or name than they have, theirs is written, for registrars read names.

    Raises:
        DocumentError: `file-missing`: card and contents do not belong together.
    """
    letter, card = arrived.letter, arrived.card
    if len(card.files) != len(arrived.files):
        message = f"the card describes {len(card.files)} files, {len(arrived.files)} came: the sender's agent is broken"
        raise DocumentError(message, code="file-missing", place="card, files")
    sender = vouched(card.sender, arrived.sender, bodies)
    addressees = [party for party in card.addressees if party.body != recipient]
    mine = next((party for party in card.addressees if party.body == recipient), Party())
    link = answered(card.links)
    return DraftLetter(
        message_id=letter.message_id,
        consignment_id=letter.consignment_id,
        kind=letter.kind,
        conversation=letter.conversation,
        in_reply_to=link.document_id if link else "",
        in_reply_to_number=link.number if link else "",
        recipients=(recipient,),
        ack=letter.ack,
        wanted=letter.wanted,
        urgency=letter.urgency,
        reply_due=letter.reply_due,
        access=letter.access,
        card=replace(card, sender=sender, addressees=(vouched(mine, recipient, bodies), *addressees)),
        files=arrived.files,
    )


def vouched(party: Party, code: str, bodies: Bodies) -> Party:
    """`party` as body `code`: identifier and name from the directory unless the party's own are among them."""
    return replace(party, body=code, uid=bodies.uid(code, party.uid), name=bodies.name(code, party.name))


def own_extras(card: LetterCard | ReceiptCard | None, *source_formats: str) -> tuple[Extra, ...]:
    """Extras to put back: a card's, when one of these formats, which have them at the same places, wrote it."""
    return card.extras if card is not None and card.source_format in source_formats else ()


def remark_of(card: LetterCard) -> str:
    """What the sender's EDMS wrote beside the document, in whichever format."""
    return next((extra.value for extra in card.extras if (card.source_format, extra.path) in _REMARKS), "")


def reason_of(arrived: ArrivedReceipt) -> str:
    """Why, for people: the recipient's words, else the exchange's with the code to look up."""
    if arrived.card and arrived.card.reason_text:
        return arrived.card.reason_text
    return f"{arrived.text} ({arrived.reason})" if arrived.text and arrived.reason else arrived.text or arrived.reason


def pages_of(files: Iterable[FileInfo]) -> int:
    """Pages of the document itself, 0 where nobody counted them."""
    return sum(file.pages or 0 for file in files if file.role is FileRole.MAIN)


def is_plain_signature(file: FileInfo, signatures: Iterable[DocumentSignature]) -> bool:
    """Whether a file is only the detached signature of another: named there, not listed as a file."""
    return file.id == file.name and any(signature.signature_file == file.name for signature in signatures)


class Remarks:
    """What a format has no field for, told to people in its one field for remarks."""

    def __init__(self) -> None:
        """Nothing to say yet."""
        self._lines: list[str] = []

    def say(self, label: str, text: str) -> None:
        """Add a line when there is something to say."""
        if text:
            self._lines.append(f"{label}: {text}")

    def fit(self, label: str, text: str, characters: int) -> str:
        """`text` cut to what the field holds; the whole goes into the remarks."""
        if len(text) > characters:
            self.say(label, text)
        return cut(text, characters)

    def text(self, before: str) -> str:
        """All remarks, after those that the sender wrote."""
        return "\n".join([*([before] if before else []), *self._lines])
