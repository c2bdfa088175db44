"""What each document system of the story answers, and what is wrong with the bad letters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from adapters.formats import format_named
from adapters.formats.medo import MedoFormat
from adapters.ports import WritingFormat
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.card import Person
from exchange.domain.event import Event
from exchange.embedded.edms import Answer, Notice, Reply, Sample, Script
from exchange.embedded.edms_story import STORY

UNKNOWN_BODY = "minzdrav"
"""A body that this exchange's directory does not have."""

REGISTERS: Mapping[str, str] = MappingProxyType(
    {
        "prezident": "01-7/{}",
        "mfa": "ВХ-{}/2022",
        "minekonom": "14-{}-вх",
        "minjust": "05-1/{}",
        "natstatkom": "11-08/{}",
        "kyzmat": "02-{}/22",
        "sanarip-aimak": "СА-{}",
        "ak-bulun": "кир-{}",
        "chon-oruktu": "№ {}",
    }
)
"""How each body writes its registration numbers."""

EXECUTOR = Person(name="Г. С. Токтогулова", post="Начальник управления экспертизы")
REFUSAL = "Приложение без листа согласования: направьте проект повторно"
TRADE_REPLY = Sample(
    sender="natstatkom",
    recipients=(),
    number="11-08/318",
    dated=date(2022, 1, 28),
    annotation="Сверенные данные о внешней торговле за IV квартал 2021 года",
    signatory=Person(name="Б. К. Кудайбергенов", post="Председатель", signed=date(2022, 1, 28)),
    attachments={"Сверка.csv": "период;расхождение\n2021-11;0,4\n2021-12;0,0\n".encode()},
)
UNKNOWN_SAMPLE = Sample(
    sender="mfa",
    recipients=(UNKNOWN_BODY,),
    number="11-10/81",
    dated=date(2022, 1, 31),
    annotation="О направлении перечня соглашений в сфере здравоохранения",
    signatory=Person(name="Н. Б. Өмүралиева", post="Заместитель министра", signed=date(2022, 1, 31)),
)
BROKEN_SAMPLE = Sample(
    sender="natstatkom",
    recipients=("prezident",),
    number="11-08/325",
    dated=date(2022, 1, 31),
    annotation="Об итогах года",
    signatory=Person(name="Б. К. Кудайбергенов", post="Председатель", signed=date(2022, 1, 31)),
)
"""Sent after `broken` has written its date as people do and the format does not."""

FORGED_AS, FORGED_BY = "prezident", "natstatkom"
"""Who the forged letter claims to be from, and whose key signs it."""


@dataclass(slots=True)
class _Register:
    """A body's book of incoming documents."""

    pattern: str
    last: int = 0

    def enter(self, today: date) -> Notice:
        self.last += 1
        return Notice(Event.REGISTERED, self.pattern.format(self.last), today)


def script_of(body: str, today: Callable[[], date]) -> Script:
    """What the document system of `body` answers to a letter; it keeps its own book of numbers."""
    register = _Register(REGISTERS[body])

    def answers(letter: DraftLetter) -> Iterator[Answer]:
        number = letter.card.reg_number
        if body == "minjust" and number == STORY["licensing"].number:
            yield Notice(Event.REFUSED, reason=REFUSAL)
            return
        yield register.enter(today())
        if body == "minjust":
            yield Notice(Event.EXECUTOR_ASSIGNED, actor=EXECUTOR)
        if body == "natstatkom" and number == STORY["trade"].number:
            yield Reply(TRADE_REPLY)

    return answers


def sender_format(sample: Sample, name: str) -> WritingFormat:
    """The format in which a sender's EDMS writes: the administration's still writes windows-1251."""
    if sample.sender == "prezident":
        return MedoFormat(encoding="windows-1251")
    return format_named(name)


def broken(package: Package) -> Package:
    """The package with its registration date written as DD.MM.YYYY, which the schema refuses."""
    dated = BROKEN_SAMPLE.dated
    wrong, right = dated.strftime("%d.%m.%Y").encode(), dated.isoformat().encode()
    files = {
        name: data.replace(right, wrong) if name.endswith(".xml") else data for name, data in package.files.items()
    }
    return Package(package.name, files)
