"""A letter as a page: PDF/A-2b (ISO 19005-2), set by Typst with the fonts that it carries itself.

The same letter gives the same bytes. Everything that people wrote goes into the template as data, so no
text of theirs can be taken for markup; characters that the fonts lack are shown as �. Whatever the letter
says, setting it takes bounded work: long texts and tables are cut, and the page says where.
"""

import io
import json
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import segno
import typst

from adapters.formats.bodies import Bodies
from adapters.formats.values import KYRGYZ_TIME
from adapters.paper.slip import Slip
from exchange.agent.ports import ArrivedLetter
from exchange.domain.card import FileRole, Person
from exchange.domain.drawing import drawn
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, Urgency

TEXT_CHARACTERS = 100_000
"""Of a letter's text that are printed, about forty pages; the file itself lies beside the page."""
TEXT_LINES = 2_000
FIELD_CHARACTERS = 200
"""Of a text in the footer, which every page sets again, or beside the QR code."""
CELL_CHARACTERS = 2_000
HEADING_CHARACTERS = 500
ROWS = 200
"""Of each table; the card itself, which the recipient has, tells the others."""

_MARKS = {
    Access.RESTRICTED: "Кызматтык пайдалануу үчүн / Для служебного пользования",
    Access.CONFIDENTIAL: "Купуя / Конфиденциально",
}
_URGENCIES = {
    Urgency.ROUTINE: "",
    Urgency.URGENT: "шашылыш / срочно",
    Urgency.IMMEDIATE: "токтоосуз / незамедлительно",
}
_SIGNED = "Кол койгон / Подписал"
_FILES = "Тиркелген файлдар / Файлы"
_MORE_ROWS = "… дагы {count} / ещё {count}"
_GOES_ON = "… Уландысы каттын өзүндө / Продолжение в самом письме"
_STATEMENT = (
    "Бул кагаз алмашуу тутумунан басылып чыкты. Түп нускасы электрондук; анын белгиси QR-кодунда.\n"
    "Отпечатано из системы обмена. Подлинник электронный, его знак стоит в QR-коде:\n{letter}"
)


def print_letter(arrived: ArrivedLetter, slip: Slip, bodies: Bodies) -> bytes:
    """The PDF of a letter.

    Raises:
        DocumentError: `paper-not-printed`.
    """
    values = drawn(page_values(arrived, slip, bodies))
    try:
        return _set(json.dumps(values, ensure_ascii=False), arrived.letter.head.created)
    except BaseException as error:
        # A fault in Typst's own code arrives as a BaseException, and one letter must not stop the bridge.
        if not isinstance(error, typst.TypstError) and type(error).__name__ != "PanicException":
            raise
        message = f"the letter cannot be set as a page ({type(error).__name__}): print its files, and report this"
        raise DocumentError(message, code="paper-not-printed", place=slip.letter) from error


def page_values(arrived: ArrivedLetter, slip: Slip, bodies: Bodies) -> dict[str, Any]:
    """What the template sets, by the names that it uses; bounded, whatever the card says."""
    signatories = [[_SIGNED, _person(person)] for person in arrived.card.signatories]
    return {
        **_words(arrived, slip, bodies),
        "registration": _table(_registration(arrived, slip, bodies), FIELD_CHARACTERS),
        "signatories": _table(signatories, CELL_CHARACTERS),
        "files": _table(_files(arrived), CELL_CHARACTERS),
        "files_heading": _FILES,
        "qr": _qr(slip.code),
        "code": slip.code,
    }


def _set(letter: str, created: datetime) -> bytes:
    return typst.compile(
        (files("adapters.paper") / "letter.typ").read_bytes(),
        format="pdf",
        sys_inputs={"letter": letter},
        pdf_standards="a-2b",
        timestamp=created.replace(microsecond=0),
        ignore_system_fonts=True,
    )


def _words(arrived: ArrivedLetter, slip: Slip, bodies: Bodies) -> dict[str, str]:
    card = arrived.card
    return {
        "language": "ky" if card.language == "ky" else "ru",
        "sender": _cut(bodies.name(arrived.sender), FIELD_CHARACTERS),
        "heading": _cut(card.title or card.kind or "Письмо", HEADING_CHARACTERS),
        "text": _cut_text(_text(arrived)),
        "mark": _MARKS.get(arrived.letter.access, ""),
        "statement": _STATEMENT.format(letter=slip.letter),
        "short": _cut(f"{slip.sender} {slip.number}", FIELD_CHARACTERS),
    }


def _text(arrived: ArrivedLetter) -> str:
    """What the card says of the letter, and the letter itself where it is plain text."""
    plain = [
        data.decode(errors="replace").replace("\r\n", "\n")
        for info, data in zip(arrived.card.files, arrived.files, strict=True)
        if info.role is FileRole.MAIN and info.media_type == "text/plain"
    ]
    return "\n\n".join(part for part in (arrived.card.annotation, *plain) if part.strip())


def _cut(text: str, characters: int) -> str:
    """A text as one line of at most so many characters; "…" where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def _cut_text(text: str) -> str:
    """As much as is printed of what the letter says, and a line that it goes on."""
    lines = text[:TEXT_CHARACTERS].split("\n")[:TEXT_LINES]
    printed = "\n".join(lines)
    return printed if len(printed) == len(text) else f"{printed}\n{_GOES_ON}"


def _table(rows: list[list[str]], characters: int) -> list[list[str]]:
    """Rows of cells of at most so many characters; the last row says how many more there are."""
    printed = [[_cut(cell, characters) for cell in row] for row in rows[:ROWS]]
    more = len(rows) - len(printed)
    if more:
        printed.append(["", _MORE_ROWS.format(count=more), *("" for _ in rows[0][2:])])
    return printed


def _registration(arrived: ArrivedLetter, slip: Slip, bodies: Bodies) -> list[list[str]]:
    card, letter = arrived.card, arrived.letter
    executor = "" if card.executor is None else _person(card.executor)
    rows = (
        ("Кимге / Кому", bodies.name(slip.recipient)),
        ("Каттоо № / Рег. №", card.reg_number),
        ("Каттоо күнү / Дата", _day(card.reg_date)),
        ("Жөнөтүлдү / Отправлено", _moment(letter.head.created)),
        ("Шашылыш / Срочность", _URGENCIES[letter.urgency]),
        ("Жооп мөөнөтү / Ответить до", _day(letter.reply_due)),
        *(("Байланыштуу / Связь", f"{link.type} {link.number} {_day(link.dated)}".strip()) for link in card.links),
        ("Аткаруучу / Исполнитель", executor),
    )
    return [[label, value] for label, value in rows if value]


def _files(arrived: ArrivedLetter) -> list[list[str]]:
    """A row for each file: its place, name, size and the beginning of its SHA-256."""
    return [
        [str(number), info.name, f"{len(data)} B, SHA-256 {info.sha256.hex()[:16]}…"]
        for number, (info, data) in enumerate(zip(arrived.card.files, arrived.files, strict=True), 1)
    ]


def _person(person: Person) -> str:
    return ", ".join(part for part in (person.post, person.name, _day(person.signed)) if part)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%d.%m.%Y}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(KYRGYZ_TIME):%d.%m.%Y %H:%M}"


def _qr(code: str) -> str:
    """An SVG of the QR code; its level M survives a stamp on an edge."""
    picture = io.BytesIO()
    segno.make_qr(code, error="m").save(picture, kind="svg", xmldecl=False)
    return picture.getvalue().decode()
