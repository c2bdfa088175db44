"""Hypothesis strategies of letters as an EDMS of each format can write them.

They keep to what the pages of `docs/formats/` list as carried: what is lost there is left out here.
"""

import unicodedata
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from adapters.formats.files import file_info
from adapters.formats.letters import answered, conversation_of
from adapters.formats.medo.versions import VERSIONS, Version
from adapters.formats.medo.words import LINK_TYPES, NO_NUMBER, PARTICIPANT, RESPONSIBLE
from adapters.formats.values import language_of, title_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import (
    DocumentSignature,
    Executor,
    FileInfo,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    Task,
    Translation,
)
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency
from tests.adapters.support import UIDS

LETTERS = "abzйңөүЖ𐍈<>&'\" -№"
TEXTS = st.text(st.sampled_from(LETTERS + "\n\t\u00a0]"), max_size=12).map(str.strip)
LINES = st.text(st.sampled_from(LETTERS), max_size=8).map(str.strip)
IDENTS = st.text(st.sampled_from("abzйңөү<>&:/{}-№1"), min_size=1, max_size=8)
STEMS = st.text(st.sampled_from("abйңөү№ 1-"), min_size=1, max_size=6).map(str.strip).filter(bool)
DATES = st.dates(date(1900, 1, 1), date(2200, 1, 1))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
BYTES_OF = (b"x", b"%PDF-1.4", b"\x00\xff" * 4)
BYTES = st.sampled_from(BYTES_OF)
WANTED = (Event.DELIVERED.value, Event.PROGRESS.value, Event.EXPIRED.value)
BODIES = st.lists(st.sampled_from([*UIDS, "unlisted-body"]), min_size=1, max_size=3, unique=True)


def persons(*, signed: bool) -> st.SearchStrategy[Person]:
    """Anyone; `signed` where the place has a date of signing."""
    days = st.none() | DATES if signed else st.none()
    return st.builds(
        Person, name=LINES, post=LINES, department=LINES, organization=LINES, region=LINES, contact=LINES, signed=days
    )


def parties(body: str, *, system: bool = False, named: bool = False, region: bool = True) -> st.SearchStrategy[Party]:
    """A body as one of its identifiers names it, with or without a person; `named` where its name must find it."""
    regions = LINES if region else st.just("")
    within = st.builds(Person, name=LINES, post=LINES, region=regions, contact=LINES).filter(
        lambda who: who != Person()
    )
    return st.builds(
        Party, body=st.just(body), uid=st.sampled_from(UIDS.get(body) or (body,)),
        name=LINES.filter(bool) if named else LINES, unit=LINES,
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
    author = None if medo else draw(st.none() | persons(signed=True))
    return Task(draw(IDENTS), draw(TEXTS), draw(st.none() | DATES), draw(st.booleans()), tuple(executors), author)


def signatories(version: Version | None) -> st.SearchStrategy[Person]:
    """Who signs; passports know organisation, name, post and contact."""
    if version is None or version.passport is None:
        return persons(signed=True)
    return st.builds(Person, name=LINES, post=LINES, organization=LINES.filter(bool), contact=LINES)


Contents = tuple[tuple[FileInfo, ...], tuple[DocumentSignature, ...], tuple[bytes, ...]]
"""Files with their detached signatures and their bytes."""


@st.composite
def contents(draw: st.DrawFn, version: Version | None, signers: tuple[Person, ...]) -> Contents:
    """Files with their bytes and detached signatures; those come last, in order."""
    container, linked = version is not None and version.passport is not None, version is None or version.linked
    fold = lambda stem: unicodedata.normalize("NFC", stem).casefold()  # noqa: E731 - a key
    stems = draw(st.lists(STEMS, min_size=int(container), max_size=3, unique_by=fold))
    files, signatures = [], []
    for index, stem in enumerate(stems):
        ident = str(index) if container else f"F-{index}" if version is None else str(index * 3)
        role = draw(st.sampled_from(FileRole if linked else [FileRole.MAIN, FileRole.ANNEX]))
        pages, description = draw(st.none() | st.integers(1, 99_999)), draw(LINES)
        if container:
            role = FileRole.ANNEX if index else FileRole.MAIN
            pages, description = (None, description) if index else (pages, "")
        name = f"{stem}.{draw(st.sampled_from(['pdf', 'TXT', 'xyz']))}"
        files.append(file_info(ident, name, draw(BYTES), role, description=description, pages=pages))
        if linked and (index or signers or not container) and draw(st.booleans()):
            signatures.append(draw(detached(version, ident, f"{stem}.p7s", () if index else signers)))
    names = [signature.signature_file for signature in signatures]
    files += [file_info(name, name, draw(BYTES), FileRole.DATA) for name in names]
    data = [next(content for content in BYTES_OF if digest(content) == file.sha256) for file in files]
    return tuple(files), tuple(signatures), tuple(data)


def detached(
    version: Version | None, ident: str, name: str, signers: tuple[Person, ...]
) -> st.SearchStrategy[DocumentSignature]:
    """A signature of file `ident`; a container knows of its document who signed it, of attachments nothing."""
    if version is not None and version.passport is not None:
        signer = st.sampled_from(signers) if signers else st.just(Person())
        return st.builds(DocumentSignature, st.just(ident), st.just(name), signer)
    signer = st.builds(Person, name=LINES) if version is None else persons(signed=False)
    return st.builds(DocumentSignature, st.just(ident), st.just(name), signer, st.none() | MOMENTS)


TRANSLATIONS = st.lists(
    st.builds(Translation, st.sampled_from(["ky", "ru", "en"]), TEXTS.filter(bool), TEXTS),
    max_size=2,
    unique_by=lambda each: each.language,
).map(tuple)


@st.composite
def drafts(draw: st.DrawFn, source_format: str, *, common: bool = False) -> DraftLetter:
    """A letter in everything that the format carries; `common` keeps to links and numbers of MEDO."""
    version = VERSIONS.get(source_format)
    medo, container = version is not None, version is not None and version.passport is not None
    named = version is not None and (container or not version.linked)
    recipients = tuple(draw(BODIES))
    routed = (draw(parties(body, named=named, region=not container)) for body in recipients)
    beside = st.builds(Party, name=LINES, unit=LINES)
    addressees = (*routed, *draw(st.lists(beside, max_size=1)))
    linked = tuple(draw(st.lists(links(medo=common or medo), max_size=3)))
    signed = tuple(draw(st.lists(signatories(version), min_size=int((medo or common) and not container), max_size=2)))
    files, signatures, data = draw(contents(version, signed))
    message_id, document_id, annotation = draw(IDENTS), draw(IDENTS), draw(TEXTS)
    link = answered(linked)
    kinds = [LetterKind.REPLY if link else LetterKind.DOCUMENT, *([] if medo else [LetterKind.ADDITION])]
    nothing: st.SearchStrategy[Any] = st.just("")
    card = LetterCard(
        document_id=document_id,
        local_id=draw(nothing if container else IDENTS),
        kind=draw(LINES),
        purpose=draw(nothing if container else LINES),
        reg_number=draw(LINES.filter(lambda text: text != NO_NUMBER)),
        reg_date=draw(st.none() | DATES),
        title=title_of(annotation),
        annotation=annotation,
        language=language_of(annotation) if medo else draw(st.sampled_from([language_of(annotation), "en"])),
        access_basis=draw(nothing if medo else LINES),
        access_until=None if medo else draw(st.none() | DATES),
        sender=draw(parties("mfa", system=True)) if not medo else Party("mfa", UIDS["mfa"][0], draw(LINES)),
        addressees=addressees,
        signatories=signed,
        executor=None if container else draw(st.none() | persons(signed=not medo)),
        links=linked,
        tasks=() if container else tuple(draw(st.lists(tasks(medo=medo), max_size=2))),
        files=files,
        signatures=signatures,
        source_format=source_format,
        translations=() if medo else draw(TRANSLATIONS),
        personal_data=False if container else draw(st.booleans()),
    )
    wanted = () if medo else draw(st.sampled_from([(), WANTED]))
    acks = [AckPolicy.ALWAYS] if medo else [AckPolicy.ALWAYS, AckPolicy.ERRORS] if wanted else list(AckPolicy)
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
        urgency=Urgency.ROUTINE if container else draw(st.sampled_from(Urgency)),
        reply_due=None if medo else draw(st.none() | DATES),
        access=draw(st.sampled_from(Access)),
        card=card,
        files=data,
    )
