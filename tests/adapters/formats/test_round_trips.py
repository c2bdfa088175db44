"""For any letter: what one format writes it reads again, and the other keeps what both have."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.formats import FORMATS, WritingFormat, format_named
from exchange.agent.ports import DraftLetter
from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.errors import ConfigurationError, DocumentError
from exchange.domain.event import Event
from tests.adapters.formats.strategies import LINES, drafts
from tests.adapters.support import DIRECTORY, DRAFT, NAMES, NOW, arrived, letter_of, receipt, receipt_of
from tests.strategies import values

SOME = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


def test_formats_are_found_by_name() -> None:
    """Both formats say their own names; another name is a fault of configuration."""
    assert {name: format_named(name).name for name in FORMATS} == {name: name for name in ("medo-2.6", "gost53898")}
    with pytest.raises(ConfigurationError, match=r"medo-2\.6, gost53898"):
        format_named("paper")


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@given(data=st.data())
@SOME
def test_written_and_read_is_the_same_letter(fmt: WritingFormat, data: st.DataObject) -> None:
    """`parse` gives back what `write` was given."""
    draft = data.draw(drafts(fmt.name))
    assert letter_of(fmt.parse(fmt.write(draft, NOW, DIRECTORY, "letter"), DIRECTORY)) == draft


def shared(draft: DraftLetter) -> object:
    """What every format carries of a letter."""
    card = draft.card
    return (
        draft.message_id, draft.in_reply_to, draft.in_reply_to_number, draft.recipients, draft.access,
        card.document_id, card.reg_number, card.reg_date, card.title, card.annotation, card.language,
        [(person.name, person.post, person.organization, person.signed) for person in card.signatories],
        [(link.type, link.document_id, link.number, link.dated) for link in card.links],
        [(task.id, task.text, task.deadline, task.controlled, len(task.executors)) for task in card.tasks],
        [(file.name, file.sha256, file.description) for file in card.files],
        [(signature.signature_file, signature.signer.name, signature.time) for signature in card.signatures],
    )  # fmt: skip


@given(drafts("medo-2.6"))
@SOME
def test_medo_arrives_whole_at_a_gost_body(draft: DraftLetter) -> None:
    """MEDO sender, GOST recipient."""
    sent = replace(draft, recipients=draft.recipients[:1])
    package = FORMATS["gost53898"].render_letter(arrived(sent), sent.recipients[0], DIRECTORY)
    assert shared(letter_of(FORMATS["gost53898"].parse(package, DIRECTORY))) == shared(sent)


@given(drafts("gost53898", common=True))
@SOME
def test_gost_arrives_whole_at_a_medo_body(draft: DraftLetter) -> None:
    """GOST sender, MEDO recipient; what MEDO has no field for stands in the comment."""
    sent = replace(draft, recipients=draft.recipients[:1])
    package = FORMATS["medo-2.6"].render_letter(arrived(sent), sent.recipients[0], DIRECTORY)
    read = letter_of(FORMATS["medo-2.6"].parse(package, DIRECTORY))
    assert shared(read) == shared(sent)
    if sent.reply_due:
        assert f"Срок ответа: {sent.reply_due}" in " ".join(extra.value for extra in read.card.extras)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@given(number=LINES, name=LINES, note=LINES, data=st.data())
@SOME
def test_receipts_cross_formats(fmt: WritingFormat, number: str, name: str, note: str, data: st.DataObject) -> None:
    """Whichever format the letter came from, its sender's EDMS finds it by message and document id."""
    about = data.draw(drafts("medo-2.6") | drafts("gost53898"))
    said = receipt(Event.REGISTERED, about, reg_number=number or name or "7", note=note)
    package = fmt.render_receipt(said, "mfa", DIRECTORY)
    assert package is not None
    back = receipt_of(fmt.parse(package, DIRECTORY)).card
    assert (back.message_id, back.document_id) == (about.message_id, about.card.document_id)
    assert (back.reg_number, back.note) == (number or name or "7", note)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@given(card=values(LetterCard))
@SOME
def test_any_card_at_all_is_written_or_refused(fmt: WritingFormat, card: LetterCard) -> None:
    """A card comes from another body's agent: whatever it holds, the document is valid or refused."""
    letter = arrived(replace(DRAFT, card=card, files=tuple(b"x" for _ in card.files)))
    try:
        package = fmt.render_letter(letter, "minjust", DIRECTORY)
    except DocumentError:
        return
    assert letter_of(fmt.parse(package, DIRECTORY)).recipients == ("minjust",)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@given(event=st.sampled_from(Event), card=st.none() | values(ReceiptCard), source=st.sampled_from(["", *FORMATS]))
@SOME
def test_any_receipt_at_all_is_written(fmt: WritingFormat, event: Event, card: ReceiptCard | None, source: str) -> None:
    """What a recipient's agent wrote can spoil its words, never the document."""
    card = None if card is None else replace(card, source_format=source)
    said = replace(receipt(event, DRAFT, "gap", "почему"), card=card)
    package = fmt.render_receipt(said, "mfa", DIRECTORY)
    if package is not None:
        assert receipt_of(fmt.parse(package, DIRECTORY)).card.document_id in {DRAFT.card.document_id, ""}


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_a_sender_is_named_as_the_directory_names_it(fmt: WritingFormat) -> None:
    """Registrars read names: a body that calls itself the ministry of finance is shown as what it is."""
    claimed = replace(DRAFT.card.sender, uid="another's", name="Министерство финансов")
    draft = replace(DRAFT, card=replace(DRAFT.card, sender=claimed, signatories=()))
    package = fmt.render_letter(arrived(draft), "minjust", DIRECTORY)
    sender = letter_of(fmt.parse(package, DIRECTORY)).card.sender
    assert (sender.name, sender.body) == (NAMES["mfa"], "mfa")
    assert claimed.name.encode() not in b"".join(package.files.values())
