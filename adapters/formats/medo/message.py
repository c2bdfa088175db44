"""What all messages of MEDO have in common: how they are opened, whom they go to, how they begin and end."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments
from adapters.formats.letters import answered, conversation_of, own_extras
from adapters.formats.medo.envelope import SUBJECT, Envelope
from adapters.formats.medo.parts import read_partner
from adapters.formats.medo.versions import Version, version_of
from adapters.formats.tree import Document, Reader, Writer
from exchange.agent.ports import DraftLetter
from exchange.domain.card import Extra, LetterCard, Party
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency
from exchange.wire.xml import parse, place_of

PASSPORT_PATH = "passport/"
"""Before the paths of a passport's extras: they stand beside those of its message."""

_ENVELOPE_PATH = SUBJECT.partition("/")[0] + "/"


@dataclass(frozen=True, slots=True)
class Message:
    """A validated message on its way into a draft, and what came with it."""

    document: Document
    root: Element
    version: Version
    bodies: Bodies
    attachments: Attachments
    envelope: Envelope

    @property
    def top(self) -> Reader:
        """The message itself."""
        return Reader(self.document, self.root)

    def extras(self) -> tuple[Extra, ...]:
        """What was not read of it."""
        subject = self.envelope.subject
        return (*self.document.unread(self.root), *([Extra(SUBJECT, subject)] if subject else []))


def open_message(data: bytes, name: str) -> tuple[Element, Version]:
    """Parse and validate a message.

    Raises:
        DocumentError: no XML, another vocabulary (`document-namespace`), or a fault that the schema finds.
    """
    root = parse(data, name)
    version = version_of(root)
    if version is None:
        message = "the root is no 'communication' of MEDO 2.2 to 2.7.1: nothing else is read here"
        raise DocumentError(message, code="document-namespace", place=place_of(root, name))
    version.schema.check(root, name)
    return root, version


def read_message_id(message: Reader) -> str:
    """The message's uid, which acknowledgments name.

    Raises:
        DocumentError: there is none.
    """
    header = message.at("header")
    uid = header.attr("uid")
    if not uid:
        fault = "the message has no uid, so no acknowledgment could name it: fill header/@uid"
        raise DocumentError(fault, place=header.place)
    return uid


def read_route(message: Message, named: Iterable[tuple[Party, str]]) -> tuple[tuple[str, ...], tuple[Party, ...]]:
    """Recipients and addressees.

    The delivery index says where a message goes; without one the addressees do who have a uid; without any, the
    addresses of the envelope.

    Args:
        message: the message.
        named: its addressees, each with its place.

    Raises:
        DocumentError: `recipient-unknown` or `recipient-missing`.
    """
    bodies, destinations, addressees = message.bodies, [], []
    for entry in message.top.all("deliveryIndex/destination"):
        entry.text("files")
        party = read_partner(entry.at("destination"))
        destinations.append(replace(party, body=bodies.destination(party.uid, entry.place)))
    parties = list(named)
    if not destinations and not any(party.uid for party, _ in parties):
        for address in message.envelope.addresses:
            body = bodies.destination(address, f"{message.document.file}, envelope")
            destinations.append(Party(body=body, uid=address, name=bodies.name(body)))
    for party, place in parties:
        if party.uid and not destinations:
            bodies.destination(party.uid, place)
        addressees.append(bodies.party(party))
    recipients, ordered = route(destinations, _identified(addressees, destinations, bodies))
    if not recipients:
        fault = "no addressee has a uid: fill deliveryIndex/destination/destination/@uid or the envelope's addresses"
        raise DocumentError(fault, code="recipient-missing", place=message.top.place)
    return recipients, ordered


def _identified(addressees: list[Party], destinations: list[Party], bodies: Bodies) -> list[Party]:
    """Addressees that have only a name, as the destinations of that name, each once."""
    claimed = {party.body for party in addressees}
    named: dict[str, deque[Party]] = defaultdict(deque)
    for party in destinations:
        for name in {party.name, *bodies.names(party.body)}:
            named[name].append(party)
    known = []
    for party in addressees:
        alike = named[party.name] if party.name and not party.uid else deque[Party]()
        while alike and alike[0].body in claimed:
            alike.popleft()
        if alike:
            claimed.add(alike[0].body)
            known.append(replace(party, body=alike[0].body, uid=alike[0].uid))
        else:
            known.append(party)
    return known


def drafted(
    card: LetterCard, message_id: str, recipients: tuple[str, ...], access: Access, urgency: Urgency,
    files: tuple[bytes, ...],
) -> DraftLetter:  # fmt: skip
    """A letter, with what MEDO leaves unsaid."""
    link = answered(card.links)
    return DraftLetter(
        message_id=message_id,
        consignment_id=message_id,
        kind=LetterKind.REPLY if link else LetterKind.DOCUMENT,
        conversation=conversation_of(card.document_id, card.links),
        in_reply_to=link.document_id if link else "",
        in_reply_to_number=link.number if link else "",
        recipients=recipients,
        ack=AckPolicy.ALWAYS,
        wanted=(),
        urgency=urgency,
        reply_due=None,
        access=access,
        card=card,
        files=files,
    )


def begin(version: Version, kind: str, uid: str, created: str, source: Party) -> tuple[Writer, Writer]:
    """A new message and its header."""
    root = Writer.root(version.names, "communication", {"version": version.number})
    header = root.add("header", attributes={"type": kind, "uid": uid, "created": created})
    header.add("source", attributes={"uid": source.uid}).add("organization", source.name)
    return root, header


def add_destinations(root: Writer, destinations: Iterable[Party], files: str = "") -> None:
    """The delivery index: whom the message goes to, and with which of its files."""
    index = root.add("deliveryIndex")
    for party in destinations:
        destination = index.add("destination")
        destination.add("destination", attributes={"uid": party.uid}).add("organization", party.name)
        destination.maybe("files", files)
    index.prune()


def destinations_of(draft: DraftLetter, bodies: Bodies) -> list[Party]:
    """The recipients of a letter, with identifiers and names to write."""
    return [
        Party(uid=bodies.uid(code, party.uid), name=party.name or bodies.name(code))
        for code, party in zip(draft.recipients, draft.card.addressees, strict=False)
    ]


def message_extras(card: LetterCard, version: Version) -> list[Extra]:
    """Extras of a letter that belong into its message: not those of passport and envelope."""
    beside = (PASSPORT_PATH, _ENVELOPE_PATH)
    return [extra for extra in own_extras(card, *version.kin) if not extra.path.startswith(beside)]


def passport_extras(card: LetterCard, version: Version) -> list[Extra]:
    """Extras of a letter that belong into its passport, by their paths there."""
    return [
        Extra(extra.path.removeprefix(PASSPORT_PATH), extra.value)
        for extra in own_extras(card, *version.kin)
        if extra.path.startswith(PASSPORT_PATH)
    ]
