"""Every format against every kind of bad input: one family of errors, or something that can be sent as it is."""

import dataclasses

import pytest

from adapters.formats import FORMATS
from adapters.formats.files import file_info
from adapters.formats.letters import ANSWERING
from adapters.plugins import formats
from exchange.agent.ports import Package
from exchange.domain.card import FileRole, Link
from exchange.domain.errors import DocumentError
from tests.adapters.formats.bad_input import KINDS, Bad, goods, opened, refused
from tests.adapters.support import DIRECTORY, NOW, draft_of, letter_of

NAMES = (
    "Кат №77 жөнүндө.pdf",
    "خطاب رسمي.pdf",
    "公文二号.pdf",
    "📎 кыска.pdf",
    "й.pdf",
    "без расширения",
    "a" * 236 + ".pdf",
    "я" * 118 + ".pdf",
)
WRONG_NAMES = ("../Кат.pdf", "/etc/passwd", "a\\b.pdf", "CON.pdf", "я" * 130, "Кат.", "..", "a\u202eb\u0085.pdf")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", formats())
def test_bad_documents(name: str, kind: Bad) -> None:
    """Refused by their code where there is one, at a place; else never anything that could not be sent."""
    for good in goods(name):
        for document in kind.change(good.package.files[good.document]):
            code = refused(opened(name), good.with_document(document))
            assert code in kind.codes or not kind.codes, document[:300]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("file", NAMES)
def test_names_of_any_alphabet_and_length_arrive(name: str, file: str) -> None:
    """As they were written, on the way out of a document system and into it."""
    files = (file_info("1", file, b"data", FileRole.MAIN),)
    draft = dataclasses.replace(draft_of(name, files=files, signatures=()), files=(b"data",))
    written = FORMATS[name].write(draft, NOW, DIRECTORY, "kat")
    read = letter_of(FORMATS[name].parse(written, DIRECTORY))
    assert [info.name for info in read.card.files] == [file]
    assert read.files == (b"data",)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("wrong", WRONG_NAMES)
def test_names_that_lead_elsewhere_do_not_get_in(name: str, wrong: str) -> None:
    """In the document, beside it, or both: refused, or not taken for a name."""
    files = (file_info("1", "plain-name.pdf", b"data", FileRole.MAIN),)
    draft = dataclasses.replace(draft_of(name, files=files, signatures=()), files=(b"data",))
    written = FORMATS[name].write(draft, NOW, DIRECTORY, "kat").files
    for old in ("plain-name.pdf", "plain-name"):
        within = {file: data.replace(old.encode(), wrong.encode()) for file, data in written.items()}
        beside = {file.replace(old, wrong): data for file, data in written.items()}
        both = {file.replace(old, wrong): data for file, data in within.items()}
        for some in (within, beside, both):
            if some != written:
                refused(opened(name), Package("kat", some))


@pytest.mark.parametrize("name", FORMATS)
def test_links_that_go_round_are_only_links(name: str) -> None:
    """A letter that answers itself is read, and belongs to a conversation that has an end."""
    own = draft_of(name).card.document_id
    answering = min(ANSWERING)
    links = (Link(answering, own), Link(answering, own))
    draft = dataclasses.replace(draft_of(name, links=links), in_reply_to=own, in_reply_to_number="", conversation=own)
    written = FORMATS[name].write(draft, NOW, DIRECTORY, "kat")
    try:
        read = letter_of(FORMATS[name].parse(written, DIRECTORY))
    except DocumentError:
        return
    assert read.conversation
    assert read.in_reply_to == read.card.links[0].document_id
