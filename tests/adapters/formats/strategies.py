"""Hypothesis strategies of letters as an EDMS of each format can write them.

They keep to what the pages of `docs/formats/` list as carried: what is lost there is left out here.
"""

import unicodedata
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from adapters.formats.files import file_info
from adapters.formats.letters import answered, conversation_of
from adapters.formats.medo.words import LINK_TYPES, NO_NUMBER, PARTICIPANT, RESPONSIBLE
from adapters.formats.values import language_of, title_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import (
    DocumentSignature,
    Executor,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    Task,
)
from exchange.domain.event import Event
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency
from tests.adapters.support import UIDS

LETTERS = "abzйңөүЖ𐍈<>&'\" -№"
TEXTS = st.text(st.sampled_from(LETTERS + "\n\t\u00a0]"), max_size=12).map(str.strip)
LINES = st.text(st.sampled_from(LETTERS), max_size=8).map(str.strip)
IDENTS = st.text(st.sampled_from("abzйңөү<>&:/{}-№1"), min_size=1, max_size=8)
STEMS = st.text(st.sampled_from("abйңөү№ 1-"), min_size=1, max_size=6).map(str.strip).filter(bool)
DATES = st.dates(date(1900, 1, 1), date(2200, 1, 1))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
BODIES = st.lists(st.sampled_from([*UIDS, "unlisted-body"]), min_size=1, max_size=3, unique=True)


def persons(*, signed: bool) -> st.SearchStrategy[Person]:
    """Anyone; `signed` where the place has a date of signing."""
    days = st.none() | DATES if signed else st.none()
    return st.builds(
        Person, name=LINES, post=LINES, department=LINES, organization=LINES, region=LINES, contact=LINES, signed=days
    )


def parties(body: str, *, system: bool = False) -> st.SearchStrategy[Party]:
    """A body as one of its identifiers names it, with or without a person."""
    within = st.builds(Person, name=LINES, post=LINES, region=LINES, contact=LINES).filter(lambda who: who != Person())
    return st.builds(
        Party, body=st.just(body), uid=st.sampled_from(UIDS.get(body) or (body,)), name=LINES, unit=LINES,
        system=LINES if system else st.just(""), person=st.none() | within,
    )  # fmt: skip


@st.composite
def links(draw: st.DrawFn, *, medo: bool) -> Link:
    """A link; MEDO has six kinds and short numbers."""
    number = draw(LINES.filter(lambda text: text != NO_NUMBER))
    kind = draw(st.sampled_from(sorted(LINK_TYPES)) if medo else LINES)
    return Link(kind, draw(IDENTS | st.just("")), number, draw(st.none() | DATES))


@st.composite
def tasks(draw: st.DrawFn, *, medo: bool) -> Task:
    """A task; MEDO has one responsible executor and participants."""
    who = persons(signed=not medo)
    if medo:
        first = draw(st.lists(st.builds(Executor, who, st.just(RESPONSIBLE)), max_size=1))
        executors = [*first, *draw(st.lists(st.builds(Executor, who, st.just(PARTICIPANT)), max_size=2))]
    else:
        executors = draw(st.lists(st.builds(Executor, who, LINES), max_size=2))
    return Task(draw(IDENTS), draw(TEXTS), draw(st.none() | DATES), draw(st.booleans()), tuple(executors))


@st.composite
def contents(draw: st.DrawFn, *, medo: bool) -> dict[str, Any]:
    """Files with their bytes and detached signatures; those come last, in order."""
    stems = draw(st.lists(STEMS, max_size=3, unique_by=lambda stem: unicodedata.normalize("NFC", stem).casefold()))
    files, data, signatures = [], [], []
    for index, stem in enumerate(stems):
        content = draw(st.binary(min_size=1, max_size=8))
        ident = str(index * 3) if medo else f"F-{index}"
        pages = draw(st.none() | st.integers(1, 99_999))
        role = draw(st.sampled_from(FileRole))
        name = f"{stem}.{draw(st.sampled_from(['pdf', 'TXT', 'xyz']))}"
        files.append(file_info(ident, name, content, role, description=draw(LINES), pages=pages))
        data.append(content)
        if draw(st.booleans()):
            signer = draw(persons(signed=False) if medo else st.builds(Person, name=LINES))
            signatures.append(DocumentSignature(ident, f"{stem}.p7s", signer, draw(st.none() | MOMENTS)))
    for signature in signatures:
        content = draw(st.binary(min_size=1, max_size=8))
        files.append(file_info(signature.signature_file, signature.signature_file, content, FileRole.DATA))
        data.append(content)
    return {"files": tuple(files), "signatures": tuple(signatures), "data": tuple(data)}


@st.composite
def drafts(draw: st.DrawFn, source_format: str, *, common: bool = False) -> DraftLetter:
    """A letter in everything that the format carries; `common` keeps to links and numbers of MEDO."""
    medo = source_format == "medo-2.6"
    common = common or medo
    recipients = tuple(draw(BODIES))
    beside = st.builds(Party, name=LINES, unit=LINES)
    addressees = (*(draw(parties(body)) for body in recipients), *draw(st.lists(beside, max_size=1)))
    linked = tuple(draw(st.lists(links(medo=common), max_size=3)))
    content = draw(contents(medo=medo))
    message_id, document_id, annotation = draw(IDENTS), draw(IDENTS), draw(TEXTS)
    link = answered(linked)
    kinds = [LetterKind.REPLY if link else LetterKind.DOCUMENT, *([] if medo else [LetterKind.ADDITION])]
    card = LetterCard(
        document_id=document_id,
        local_id=draw(IDENTS),
        kind=draw(LINES),
        purpose=draw(LINES),
        reg_number=draw(LINES.filter(lambda text: text != NO_NUMBER)),
        reg_date=draw(st.none() | DATES),
        title=title_of(annotation),
        annotation=annotation,
        language=language_of(annotation),
        access_basis="" if medo else draw(LINES),
        access_until=None if medo else draw(st.none() | DATES),
        sender=draw(parties("mfa", system=True)) if not medo else Party("mfa", UIDS["mfa"][0], draw(LINES)),
        addressees=addressees,
        signatories=tuple(draw(st.lists(persons(signed=True), min_size=1 if common else 0, max_size=2))),
        executor=draw(st.none() | persons(signed=not medo)),
        links=linked,
        tasks=tuple(draw(st.lists(tasks(medo=medo), max_size=2))),
        files=content["files"],
        signatures=content["signatures"],
        source_format=source_format,
        extras=(),
    )
    wanted = () if medo else draw(st.sampled_from([(), (Event.DELIVERED.value, Event.PROGRESS.value)]))
    acks = [AckPolicy.ALWAYS] if medo or wanted else [AckPolicy.ALWAYS, AckPolicy.NONE]
    return DraftLetter(
        message_id=message_id,
        consignment_id=message_id,
        kind=draw(st.sampled_from(kinds)),
        conversation=conversation_of(document_id, linked),
        in_reply_to=link.document_id if link else "",
        in_reply_to_number=link.number if link else "",
        recipients=recipients,
        ack=draw(st.sampled_from(acks)),
        wanted=wanted,
        urgency=draw(st.sampled_from(Urgency)),
        reply_due=None if medo else draw(st.none() | DATES),
        access=draw(st.sampled_from(Access)),
        card=card,
        files=content["data"],
    )
