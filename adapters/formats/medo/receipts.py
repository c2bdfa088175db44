"""MEDO receipts, read and written: квитанция about a message, уведомление about a document."""

from dataclasses import replace
from uuid import UUID

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.letters import EXCHANGE_NAME, Remarks, own_extras, reason_of
from adapters.formats.medo.envelope import SUBJECT
from adapters.formats.medo.message import Message, add_destinations, begin
from adapters.formats.medo.parts import read_number, read_person, write_number, write_person
from adapters.formats.medo.versions import VERSIONS, Version
from adapters.formats.medo.words import (
    ACKNOWLEDGED,
    ACKNOWLEDGMENT_TYPE,
    ANNOTATION_CHARACTERS,
    COMMENT_CHARACTERS,
    DOCUMENT,
    EVENTS,
    MADE,
    NOTICE_TYPE,
    NOTICES,
    NUMBER_CHARACTERS,
    PUBLISHED,
)
from adapters.formats.tree import Reader, Writer, apply_extras, extra_value
from adapters.formats.values import cut, read_time, write_date, write_time
from exchange.agent.ports import ArrivedReceipt, DraftReceipt
from exchange.domain.card import Extra, Party, Person, ReceiptCard
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.reason import Reason

_WORDS = {element: words for words, element in (*NOTICES.values(), PUBLISHED)}
"""`notification/@type` of each element."""


def read_notice(message: Message) -> DraftReceipt:
    """An уведомление: it names the document's uid, since 2.6 perhaps the message's too."""
    notice = message.top.at("notification")
    _skip_envelope(message)
    said = next(child for child in notice.children() if child.name() in EVENTS)
    event = EVENTS[said.name()]
    kind, expected = notice.peek_attr("type"), _WORDS[said.name()]
    if event in NOTICES and NOTICES[event][1] == said.name():
        notice.attr("type")  # that of a publication is an extra: it is told to a MEDO sender as what it is
    if kind != expected:
        fault = f"@type says '{kind}', the content is '{said.name()}': write '{expected}' or the content that fits"
        raise DocumentError(fault, place=notice.place)
    reason = said.text("reason")
    actor = _first_person(said, "executor", "signatory")
    number = _first(said, "num", "report/num")
    note = said.text("courseText") if said.at("courseText") else notice.text("comment")
    card = ReceiptCard(
        document_id=notice.attr("uid"),
        message_id=notice.attr("mid"),
        reg_number=read_number(number),
        reg_date=number.date("date"),
        reason_text=reason,
        actor=actor,
        note=note or said.text("publicationPoint"),
        source_format=message.version.format,
        extras=(),
    )
    # What the letter itself says is not repeated as extras.
    said.skip("foundation")
    at = read_time(said.text("time"), said.place)
    code = Reason.REFUSED_BY_RECIPIENT.value if event is Event.REFUSED else ""
    return DraftReceipt(event, at, code, replace(card, extras=message.extras()))


def read_acknowledgment(message: Message) -> DraftReceipt:
    """A квитанция: it names the message's uid and says whether the EDMS took it in."""
    said = message.top.at("acknowledgment")
    _skip_envelope(message)
    accepted = said.text("accepted") in {"true", "1"}
    comment = said.text("comment")
    card = ReceiptCard(
        document_id="",
        message_id=said.attr("uid"),
        reg_number="",
        reg_date=None,
        reason_text="" if accepted else comment,
        actor=None,
        note=comment if accepted else "",
        source_format=message.version.format,
        extras=(),
    )
    at = read_time(said.text("time"), said.place)
    card = replace(card, extras=message.extras())
    if accepted:
        return DraftReceipt(Event.HANDED_OVER, at, "", card)
    return DraftReceipt(Event.HAND_OVER_FAILED, at, Reason.HAND_OVER_FAILED.value, card)


def _skip_envelope(message: Message) -> None:
    """Who speaks to whom is known from the signature and the letter."""
    message.top.skip("header")
    message.top.skip("deliveryIndex")


def _first(said: Reader, *paths: str) -> Reader:
    """The first of `paths` that is there, else an absent one."""
    return next((said.at(path) for path in paths if said.at(path)), said.at(paths[-1]))


def _first_person(said: Reader, *paths: str) -> Person | None:
    entry = _first(said, *paths)
    return read_person(entry) if entry else None


def write_receipt(arrived: ArrivedReceipt, recipient: str, bodies: Bodies, version: Version) -> Element | None:
    """A receipt as a validated message; None where MEDO has no word for the event."""
    if arrived.event not in ACKNOWLEDGED and arrived.event not in NOTICES:
        return None
    acknowledged = arrived.event in ACKNOWLEDGED
    actor = Party(uid=EXCHANGE, name=EXCHANGE_NAME)
    if arrived.actor != EXCHANGE:
        actor = Party(uid=bodies.uid(arrived.actor), name=bodies.name(arrived.actor))
    kind, uid = (ACKNOWLEDGMENT_TYPE if acknowledged else NOTICE_TYPE), str(UUID(bytes=arrived.digest[:16]))
    root, _ = begin(version, kind, uid, write_time(arrived.at), actor)
    sender = arrived.about.sender
    if acknowledged:
        _write_acknowledgment(root, arrived)
    else:
        _NoticeWriter(arrived, actor.name, bodies.name(recipient), version).write(root)
    add_destinations(root, [Party(uid=bodies.uid(recipient, sender.uid), name=sender.name or bodies.name(recipient))])
    element = apply_extras(root.element, _own(arrived), version.names, version.schema, MADE)
    version.schema.check(element, DOCUMENT)
    return element


def _own(arrived: ArrivedReceipt) -> list[Extra]:
    """Extras of the recipient's receipt: all versions have them at the same places, but for those of the envelope."""
    return [extra for extra in own_extras(arrived.card, *VERSIONS) if extra.path != SUBJECT]


def _write_acknowledgment(root: Writer, arrived: ArrivedReceipt) -> None:
    said = root.add("acknowledgment", attributes={"uid": arrived.message_id})
    accepted = ACKNOWLEDGED[arrived.event]
    said.add("time", write_time(arrived.at))
    said.add("accepted", "true" if accepted else "false")
    comment = (arrived.card.note if arrived.card else "") if accepted else reason_of(arrived)
    said.maybe("comment", cut(comment, COMMENT_CHARACTERS))


class _NoticeWriter:
    """Writes the notice of an event, about the document as its sender knows it."""

    def __init__(self, arrived: ArrivedReceipt, actor: str, addressed: str, version: Version) -> None:
        self._arrived = arrived
        self._card = arrived.card or ReceiptCard()
        self._actor = actor
        self._addressed = addressed
        self._version = version
        self._remarks = Remarks()
        self._number = self._remarks.fit("Номер", self._card.reg_number, NUMBER_CHARACTERS)
        self._day = write_date(self._card.reg_date)
        self._person = self._card.actor or Person(organization=actor)

    def write(self, root: Writer) -> None:
        arrived, about = self._arrived, self._arrived.about
        words, element = PUBLISHED if self._is_publication() else NOTICES[arrived.event]
        notice = root.add(
            "notification",
            attributes={"type": words, "uid": about.document_id or arrived.message_id, "id": about.local_id,
                        "mid": arrived.message_id if self._version.linked else ""},
        )  # fmt: skip
        said = notice.add(element)
        said.add("time", write_time(arrived.at))
        foundation = said.add("foundation")
        foundation.add("organization", about.sender.name or self._addressed)
        if about.reg_number:
            write_number(foundation, cut(about.reg_number, NUMBER_CHARACTERS), write_date(about.reg_date))
        self._say(said, element)
        note = "" if arrived.event is Event.PROGRESS else self._card.note
        notice.maybe("comment", cut(self._remarks.text(note), COMMENT_CHARACTERS))

    def _is_publication(self) -> bool:
        """Whether progress is that the document was published, which MEDO tells apart since 2.6."""
        words = extra_value(_own(self._arrived), "notification/@type")
        return self._version.linked and self._arrived.event is Event.PROGRESS and words == PUBLISHED[0]

    def _say(self, said: Writer, element: str) -> None:
        """What the event is about."""
        match self._arrived.event:
            case Event.REGISTERED:
                write_number(said, self._number, self._day)
            case Event.REFUSED:
                said.add("reason", reason_of(self._arrived))
            case Event.EXECUTOR_ASSIGNED:
                for role in ("secretary", "manager"):
                    entry = said.add(role)
                    if not self._is_told(f"notification/{element}/{role}"):
                        entry.add("organization", self._actor)
                write_person(said.add("executor"), self._person)
            case Event.REPLY_PREPARED:
                signatory = said.add("signatory")
                write_person(signatory, self._person)
                signatory.maybe("signed", write_date(self._person.signed))
            case Event.REPLY_SENT:
                report = said.add("report")
                if self._number or self._day:
                    write_number(report, self._number, self._day)
            case _ if element == PUBLISHED[1]:
                write_number(said, self._number, self._day)
                said.add("publicationPoint", self._card.note)
            case _:
                said.add("courseText", self._remarks.fit("Исполнение", self._card.note, ANNOTATION_CHARACTERS))

    def _is_told(self, path: str) -> bool:
        """Whether the recipient's own extras fill the element at `path`."""
        return any(extra.path.startswith(f"{path}/") for extra in _own(self._arrived))
