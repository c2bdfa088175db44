"""The versions of MEDO up to 2.6: what each writes, and that all are read."""

import dataclasses

import pytest

from adapters.formats.bodies import Bodies
from adapters.formats.medo import MedoFormat
from adapters.formats.medo.message import _identified
from adapters.formats.medo.versions import MEDO_2_2, VERSIONS, Version
from adapters.formats.medo.words import DOCUMENT
from exchange.agent.ports import Package
from exchange.domain.card import Party
from exchange.domain.event import Event
from tests.adapters.support import (
    DIRECTORY,
    NOW,
    SAMPLES,
    draft_of,
    edited,
    letter_of,
    receipt,
    receipt_of,
    sample,
    validated,
)

MEDO = MedoFormat()
SAMPLE = sample("document_2.6.xml", DOCUMENT, letter_pdf=b"%PDF", letter_p7s=b"0\x82")


def rendered(package: Package | None) -> str:
    """The document of a package, which must validate."""
    return validated(package, DOCUMENT, "medo")


def test_2_2_writes_what_2_2_knows() -> None:
    """No uids of addressees, numbers of files, data, signed data or `@mid`; who signed stands in the comment."""
    package = MedoFormat(MEDO_2_2).write(draft_of("medo-2.2"), NOW, DIRECTORY, "kat")
    text = rendered(package)
    document = text.partition("<xdms:document ")[2].partition("</xdms:document>")[0]
    assert 'version="2.2"' in text
    assert "addressee xdms:uid" not in document
    assert "<xdms:files>" not in document
    for newer in ("Данные", "signedData", "signerInfo"):
        assert newer not in text
    assert "Подпись файла Кат №77.pdf: Кат №77.p7s, Н. Б. Өмүралиева, 2022-01-20T12:00:00.25" in text
    told = MedoFormat(MEDO_2_2).render_receipt(
        receipt(Event.REGISTERED, draft_of(""), reg_number="7"), "mfa", DIRECTORY
    )
    assert "xdms:mid" not in rendered(told)


def test_addressees_without_uids_are_found_by_their_names() -> None:
    """A 2.2 system says uids in the delivery index only."""
    draft = draft_of("medo-2.2")
    read = letter_of(MEDO.parse(MedoFormat(MEDO_2_2).write(draft, NOW, DIRECTORY, "kat"), DIRECTORY))
    assert read.recipients == draft.recipients
    assert read.card.addressees == draft.card.addressees


def test_thousands_of_names_are_looked_up_once() -> None:
    """Looking through all destinations again for every addressee would take minutes."""
    destinations = [Party(f"body-{number}", f"body-{number}", "One for all") for number in range(20_000)]
    addressees = [Party(name="One for all")] * 20_001
    assert _identified(addressees, destinations, Bodies(DIRECTORY)) == [*destinations, addressees[0]]


PUBLICATION = """<xdms:notification xdms:type="Опубликование" xdms:uid="a644d9ca-d2c1-c94e-8373-2f2883696a93">
<xdms:documentPublished><xdms:time>2018-03-30T10:41:12</xdms:time><xdms:num><xdms:number>7</xdms:number></xdms:num>
<xdms:publicationPoint>Эркин-Тоо</xdms:publicationPoint></xdms:documentPublished></xdms:notification>"""


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_a_publication_is_progress_and_told_as_what_it_is(version: Version) -> None:
    """Where the sender's version has a word for it, which came with 2.6."""
    text = SAMPLES.joinpath("accepted_2.2.xml").read_text(encoding="utf-8")
    start, end = text.index("<xdms:notification"), text.index("</xdms:communication>")
    package = Package("kat", {DOCUMENT: (text[:start] + PUBLICATION + text[end:]).encode()})
    said = receipt_of(MEDO.parse(package, DIRECTORY))
    assert (said.event, said.card.note, said.card.reg_number) == (Event.PROGRESS, "Эркин-Тоо", "7")
    back = dataclasses.replace(receipt(Event.PROGRESS, draft_of("")), card=said.card)
    told = MedoFormat(version).render_receipt(back, "mfa", DIRECTORY)
    assert told is not None
    word, other = ("courseText", "publicationPoint") if version is MEDO_2_2 else ("publicationPoint", "courseText")
    assert f"{word}>Эркин-Тоо<" in told.files[DOCUMENT].decode()
    assert other not in told.files[DOCUMENT].decode()


def test_personal_data_are_marked() -> None:
    """By the special mark, which is a word of this project; another mark stays what it is."""
    package = MEDO.write(draft_of("medo-2.6", personal_data=True), NOW, DIRECTORY, "kat")
    assert "<xdms:specialMark>Содержит персональные данные<" in rendered(package)
    assert letter_of(MEDO.parse(package, DIRECTORY)).card.personal_data


@pytest.mark.parametrize("number", ["2.2", "2.3", "2.5", "2.6", "2.9", "", "x"])
def test_the_version_is_the_messages_own(number: str) -> None:
    """An EDMS that is updated needs no word here."""
    draft = letter_of(MEDO.parse(edited(SAMPLE, DOCUMENT, 'version="2.6"', f'version="{number}"'), DIRECTORY))
    assert draft.card.source_format == ("medo-2.2" if number in {"2.2", "2.3", "2.5"} else "medo-2.6")
