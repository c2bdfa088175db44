"""For any letter: a capsule brings it back, others' letters arrive whole in one, and each is officially valid."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.formats import FORMATS
from adapters.formats.dhx.addition import Addition, FileDetails, read_addition, write_addition
from adapters.formats.dhx.words import ADDITIONS, NAMES
from adapters.formats.tree import Writer
from exchange.agent.ports import DraftLetter
from exchange.domain.card import DocumentSignature, Extra, LetterCard, Link, Translation
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.statement import AckPolicy, Urgency
from tests.adapters.formats.official import assert_official, tell_if_absent
from tests.adapters.formats.strategies import DATES, IDENTS, LINES, MOMENTS, TEXTS, drafts, persons, tasks
from tests.adapters.support import DIRECTORY, DRAFT, NOW, arrived, letter_of
from tests.strategies import values

DHX = FORMATS["dhx-2.1"]
SOME = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
GUIDS = st.uuids().map(str)


@pytest.fixture(scope="module", autouse=True)
def _account(pytestconfig: pytest.Config) -> None:
    """Without the official schema the run says so."""
    tell_if_absent(pytestconfig)


@st.composite
def own_drafts(draw: st.DrawFn) -> DraftLetter:
    """Letters as a capsule alone can say them: titles apart from annotations, restrictions, several languages."""
    draft = draw(drafts("dhx-2.1"))
    language, title = draw(st.sampled_from(["ky", "ru", "en"])), draw(LINES) or draft.card.title
    translations = st.lists(st.builds(Translation, st.sampled_from(["ru", "uz"]), LINES, TEXTS), max_size=2)
    card = replace(
        draft.card, title=title, language=language, translations=tuple(draw(translations)),
        personal_data=draw(st.booleans()),
        access_basis=draw(LINES), access_until=draw(st.none() | DATES),
        extras=draw(st.sampled_from([(), EXTRAS])),
    )  # fmt: skip
    return replace(draft, card=card, ack=draw(st.sampled_from(AckPolicy)))


EXTRAS = (
    Extra("Initiator/Organisation/OrganisationCode", "70000001"),
    Extra("RecordSenderToDec/Organisation/Residency", "KG"),
    Extra("Recipient/MessageForRecipient", "К сведению"),
    Extra("DecMetadata/DecId", "7"),
    Extra("DecMetadata/DecReceiptDate", "2022-01-20T12:00:00"),
    Extra(ADDITIONS, '<a xmlns="urn:a" xmlns:b="urn:b" t="b:c"><d/> <e>f</e></a>'),
    Extra(ADDITIONS, "<plain>1</plain>"),
)


@given(own_drafts())
@SOME
def test_written_and_read_is_the_same_letter(draft: DraftLetter) -> None:
    """All that a capsule and the exchange's own element in it can hold, and what others put there."""
    package = DHX.write(draft, NOW, DIRECTORY, "letter")
    assert_official(package)
    assert letter_of(DHX.parse(package, DIRECTORY)) == draft


def carried(draft: DraftLetter) -> object:
    """What MEDO, GOST and DHX all carry of a letter."""
    card = draft.card
    return (
        draft.message_id, draft.in_reply_to, draft.in_reply_to_number, draft.recipients,
        draft.access, card.document_id, card.kind, card.reg_number, card.reg_date, card.title, card.annotation,
        [(person.name, person.post, person.organization, person.signed) for person in card.signatories],
        card.links, [(task.id, task.text, task.deadline, task.controlled, len(task.executors)) for task in card.tasks],
        [(file.name, file.sha256, file.description) for file in card.files],
        [(signature.signature_file, signature.signer.name, signature.time) for signature in card.signatures],
    )  # fmt: skip


@pytest.mark.parametrize("source", ["medo-2.6", "gost53898"])
@given(data=st.data())
@SOME
def test_letters_of_other_formats_arrive_whole(source: str, data: st.DataObject) -> None:
    """MEDO or GOST sender, DHX recipient."""
    draft = data.draw(drafts(source))
    sent = replace(draft, recipients=draft.recipients[:1])
    package = DHX.render_letter(arrived(sent), sent.recipients[0], DIRECTORY)
    assert_official(package)
    assert carried(letter_of(DHX.parse(package, DIRECTORY))) == carried(sent)


@pytest.mark.parametrize("target", ["medo-2.6", "gost53898"])
@given(data=st.data())
@SOME
def test_capsules_arrive_whole_in_other_formats(target: str, data: st.DataObject) -> None:
    """DHX sender, MEDO or GOST recipient."""
    draft = data.draw(drafts("dhx-2.1", common=True))
    sent = replace(draft, recipients=draft.recipients[:1])
    package = FORMATS[target].render_letter(arrived(sent), sent.recipients[0], DIRECTORY)
    assert carried(letter_of(FORMATS[target].parse(package, DIRECTORY))) == carried(sent)


@given(card=values(LetterCard), own=st.booleans())
@settings(max_examples=25)
def test_any_card_at_all_is_officially_valid_or_refused(card: LetterCard, *, own: bool) -> None:
    """Whatever another body's agent made up, what we write is a capsule."""
    card = replace(card, source_format="dhx-2.1" if own else "")
    try:
        package = DHX.render_letter(
            arrived(replace(DRAFT, card=card, files=(b"x",) * len(card.files))), "minjust", DIRECTORY
        )
    except DocumentError:
        return
    assert_official(package)
    assert letter_of(DHX.parse(package, DIRECTORY)).recipients == ("minjust",)


@st.composite
def additions(draw: st.DrawFn) -> Addition:
    """Anything that the exchange's own element holds."""
    files = st.builds(FileDetails, LINES, st.booleans(), st.none() | st.integers(1, 1_000_000), LINES)
    signatures = st.builds(DocumentSignature, GUIDS, IDENTS, persons(signed=True), st.none() | MOMENTS)
    return Addition(
        message_id=draw(LINES), document_id=draw(LINES), local_id=draw(LINES), purpose=draw(LINES),
        addition=draw(st.booleans()), confidential=draw(st.booleans()), personal_data=draw(st.booleans()),
        unregistered=draw(st.booleans()), without_files=draw(st.booleans()), restriction_basis=draw(LINES),
        restriction_end=draw(st.none() | DATES), system=draw(LINES), x_road_id=draw(LINES), soate=draw(LINES),
        executor_signed=draw(st.none() | DATES),
        urgency=draw(st.sampled_from(Urgency)), ack=draw(st.sampled_from(AckPolicy)),
        wanted=tuple(draw(st.lists(st.sampled_from(Event).map(str), max_size=2))),
        signatories=draw(st.dictionaries(st.integers(1, 9), persons(signed=True), max_size=2)),
        links=tuple(draw(st.lists(st.builds(Link, LINES, LINES, LINES, st.none() | DATES), max_size=2))),
        tasks=tuple(draw(st.lists(tasks(medo=False), max_size=2))),
        files=draw(st.dictionaries(GUIDS, files, max_size=2)),
        signatures=tuple(draw(st.lists(signatures, max_size=2))),
        translations=tuple(draw(st.lists(st.builds(Translation, LINES, TEXTS, TEXTS), max_size=2))),
    )  # fmt: skip


@given(additions())
@SOME
def test_what_we_add_returns_as_it_was(addition: Addition) -> None:
    """Every attribute and element of it, and nothing at all where there is nothing to add."""
    root = Writer.root(NAMES, ADDITIONS, {}).element
    written = write_addition(addition)
    assert (written is None) == (addition == Addition())
    if written is not None:
        root.append(written)
    assert read_addition(root, "capsule.xml") == addition
