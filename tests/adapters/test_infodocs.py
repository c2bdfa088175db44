"""The Infodocs profile: what its page says goes where."""

from dataclasses import replace

import pytest

from adapters.formats.languages import apart, together
from adapters.ports import WritingFormat
from adapters.profile import read_profile
from exchange.agent.ports import DraftLetter
from exchange.domain.card import Link, Translation
from exchange.domain.statement import LetterKind
from exchange.resources import resource
from tests.adapters.support import CARD, DIRECTORY, DRAFT, NOW, letter_of

KY = "Электрондук документ жүгүртүүгө өтүү жөнүндө\nБардык мекемелер үчүн"
RU = "О переходе на электронный документооборот\nДля всех органов"


@pytest.fixture(scope="module")
def infodocs() -> WritingFormat:
    """The format, as the ready profile opens it."""
    fmt = read_profile(resource("config", "agents", "infodocs.toml")).open_unmapped()
    assert isinstance(fmt, WritingFormat)
    return fmt


def in_two_languages(first: str, second: str) -> DraftLetter:
    """The letter as Infodocs has it."""
    titles = [text.split("\n")[0] for text in (first, second)]
    languages = ("ky", "ru") if first is KY else ("ru", "ky")
    card = replace(
        CARD, source_format="medo-2.6", title=titles[0], annotation=first, language=languages[0],
        translations=(Translation(languages[1], titles[1], second),),
    )  # fmt: skip
    return replace(DRAFT, card=card)


@pytest.mark.parametrize(("first", "second"), [(KY, RU), (RU, KY)])
def test_kyrgyz_and_russian_are_kept_apart(infodocs: WritingFormat, first: str, second: str) -> None:
    """Title and text of each; there and back."""
    draft = in_two_languages(first, second)
    package = infodocs.write(draft, NOW, DIRECTORY, "kat")
    assert f"{first}\n\n{second}" in package.files["document.xml"].decode()
    assert letter_of(infodocs.parse(package, DIRECTORY)) == draft


def test_one_language_stays_one() -> None:
    """Paragraphs of the same language are one text; so is a text without a blank line."""
    for text in (f"{RU}\n\n{RU}", KY, ""):
        draft = replace(DRAFT, card=replace(CARD, annotation=text))
        assert apart(draft) is draft
    assert together(DRAFT) is DRAFT


def test_what_an_infodocs_letter_says(infodocs: WritingFormat) -> None:
    """Number with its index, executor, resolutions, and links of both kinds."""
    links = (Link("В ответ на", "d-9", "7-12/9", NOW.date()), Link("Во исполнение", "d-3", "УП-15", NOW.date()))
    card = replace(CARD, source_format="medo-2.6", reg_number="01-5/123-К", links=links)
    read = letter_of(infodocs.parse(infodocs.write(replace(DRAFT, card=card), NOW, DIRECTORY, "kat"), DIRECTORY))
    assert (read.card.reg_number, read.card.links) == ("01-5/123-К", links)
    assert (read.card.executor, read.card.tasks) == (card.executor, card.tasks)
    assert (read.kind, read.in_reply_to) == (LetterKind.REPLY, "d-9")
