"""For any letter: what one format writes it reads again, and the other keeps what both have."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.formats import FORMATS, format_named
from adapters.formats.medo.versions import VERSIONS
from adapters.formats.medo.words import REMARKS_FILE
from adapters.ports import WritingFormat
from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.errors import ConfigurationError, DocumentError
from exchange.domain.event import Event
from tests.adapters.formats.losses import BARE, FULL, STRANGE, is_within, losses, told
from tests.adapters.formats.strategies import IDENTS, LINES, drafts
from tests.adapters.support import DIRECTORY, DRAFT, NAMES, NOW, arrived, draft_of, letter_of, receipt, receipt_of
from tests.strategies import values

COLUMNS = {"medo-2.2": 1, "medo-2.6": 2, "medo-2.7": 3, "medo-2.7.1": 3}
WHOLE = dict.fromkeys(("json-1", "e-kyzmat-1"), frozenset({"card.document_id"}))
"""These have every field; the message id stands for a missing document id."""

LOST = WHOLE | {name: told("medo.md", column) for name, column in COLUMNS.items()} | {
    "gost53898": told("gost53898.md", 1), "dhx-2.1": told("dhx.md", 1),
}  # fmt: skip
"""Fields that each format loses, as the pages say."""

SOME = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])


def test_formats_are_found_by_name() -> None:
    """Formats say their own names; another name is a fault of configuration."""
    assert {name: format_named(name).name for name in FORMATS} == {name: name for name in LOST}
    with pytest.raises(ConfigurationError, match=r"medo-2\.6, medo-2\.7, medo-2\.7\.1, gost53898, dhx-2\.1, json-1"):
        format_named("paper")


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@given(data=st.data())
@SOME
def test_written_and_read_is_the_same_letter(fmt: WritingFormat, data: st.DataObject) -> None:
    """`parse` gives back what `write` was given."""
    draft = data.draw(drafts(fmt.name))
    assert letter_of(fmt.parse(fmt.write(draft, NOW, DIRECTORY, "letter"), DIRECTORY)) == draft


@pytest.mark.parametrize("name", LOST)
def test_what_a_format_loses_is_what_its_page_says(name: str) -> None:
    """Of letters with something in every field, and in none, exactly those of the table come back otherwise."""
    lost = set()
    for draft in (FULL, STRANGE, BARE):
        package = FORMATS[name].write(draft, NOW, DIRECTORY, "letter")
        lost |= losses(draft, letter_of(FORMATS[name].parse(package, DIRECTORY)))
    assert {path for path in lost if not is_within(path, LOST[name])} == set()
    assert {field for field in LOST[name] if not any(is_within(path, [field]) for path in lost)} == set()


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_a_letter_crosses_formats_with_the_losses_that_the_pages_name(data: st.DataObject) -> None:
    """Whatever the first carries arrives, but for the fields that the second's page names."""
    source, target = (data.draw(st.sampled_from(sorted(LOST))) for _ in range(2))
    draft = data.draw(drafts(source))
    sent = letter_of(FORMATS[source].parse(FORMATS[source].write(draft, NOW, DIRECTORY, "letter"), DIRECTORY))
    package = FORMATS[target].write(sent, NOW, DIRECTORY, "letter")
    read = letter_of(FORMATS[target].parse(package, DIRECTORY))
    assert {path for path in losses(sent, read) if not is_within(path, LOST[target])} == set()
    assert read.recipients == sent.recipients


@pytest.mark.parametrize("name", VERSIONS)
def test_what_has_no_field_stands_in_the_remarks(name: str) -> None:
    """People at least are told of it, in the comment or beside it in a file."""
    package = FORMATS[name].write(FULL, NOW, DIRECTORY, "letter")
    read = letter_of(FORMATS[name].parse(package, DIRECTORY))
    told = next(data for file, data in zip(read.card.files, read.files, strict=True) if file.name == REMARKS_FILE)
    for line in ("Срок ответа: 2022-01-20", "Заголовок (ky): Бир", "Аннотация (ky): Эки", "Пункт 1, автор: e, post e"):
        assert line in told.decode()


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@given(number=LINES, name=LINES, note=LINES, idents=st.tuples(IDENTS, IDENTS), source=st.sampled_from(sorted(FORMATS)))
@SOME
def test_receipts_cross_formats(
    fmt: WritingFormat, number: str, name: str, note: str, idents: tuple[str, str], source: str
) -> None:
    """Whichever format the letter came from, its sender's EDMS finds it by message and document id."""
    about = replace(draft_of(source, document_id=idents[0]), message_id=idents[1])
    said = receipt(Event.REGISTERED, about, reg_number=number or name or "7", note=note)
    package = fmt.render_receipt(said, "mfa", DIRECTORY)
    assert package is not None
    back = receipt_of(fmt.parse(package, DIRECTORY)).card
    known = "" if fmt.name == "medo-2.2" else about.message_id
    assert (back.message_id, back.document_id) == (known, about.card.document_id)
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
