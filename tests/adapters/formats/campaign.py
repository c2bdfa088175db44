"""An attestation campaign as a personnel service writes it: thirty people, all made up."""

import json
from typing import Any

from exchange.agent.ports import Package

PEOPLE = (
    ("Абдыкадырова", "Айгүл", "Бакытовна"), ("Асанбеков", "Нурлан", "Токтогулович"),
    ("Байсалова", "Жылдыз", "Эркиновна"), ("Бектуров", "Адилет", "Маратович"),
    ("Джумабаева", "Гүлнара", "Сагынбековна"), ("Жээнбекова", "Мээрим", "Таалайбековна"),
    ("Ибраимов", "Кубанычбек", "Асанович"), ("Исакова", "Чынара", "Орозбековна"),
    ("Калыков", "Эрмек", "Жумабекович"), ("Карабаева", "Назгүл", "Алмазовна"),
    ("Кожоналиев", "Бакыт", "Өмүрбекович"), ("Мамбетов", "Улан", "Кеңешбекович"),
    ("Маматова", "Бурул", "Сапаровна"), ("Молдобаев", "Азамат", "Турдубекович"),
    ("Мусаева", "Кыял", "Дөөлөтовна"), ("Насырова", "Элмира", "Рысбековна"),
    ("Оморов", "Сыймык", "Нурбекович"), ("Орозалиева", "Салтанат", "Үсөновна"),
    ("Осмонов", "Темирлан", "Бейшенович"), ("Раимбекова", "Айжан", "Чоробековна"),
    ("Сагынбаев", "Тилек", "Мелисович"), ("Садыкова", "Перизат", "Кадыровна"),
    ("Сатаров", "Данияр", "Искендерович"), ("Султаналиева", "Жаркынай", "Болотовна"),
    ("Таштанбеков", "Мирлан", "Сатыбалдыевич"), ("Токтосунова", "Анара", "Муратовна"),
    ("Тургунбаев", "Семетей", "Абдылдаевич"), ("Усубалиева", "Нурзат", "Качкынбаевна"),
    ("Шаршенов", "Байэл", "Ташматович"), ("Эсенгулова", "Бегимай", "Жаныбековна"),
)  # fmt: skip
HELD_ON, VALID_UNTIL = "2026-02-17", "2029-02-16"
COMMISSION = {
    "name": "ЭДО боюнча аттестациялык комиссия",
    "chair": "Төрөкулова Р. К.",
    "members": ["Алиев Н. Т.", "Бегалиева С. О."],
    "protocol": {"number": "4", "date": HELD_ON},
}


def personal_number(index: int) -> str:
    """A number of the right form that nobody has."""
    return f"2{index + 1:02d}13199{index:05d}9"


def attestations() -> list[dict[str, Any]]:
    """A record for each: most passed, every seventh must come again."""
    return [_attestation(index, *names) for index, names in enumerate(PEOPLE)]


def _attestation(index: int, surname: str, given_name: str, patronymic: str) -> dict[str, Any]:
    passed = index % 7 != 6
    outcome = {"result": "passed", "valid_until": VALID_UNTIL} if passed else {"result": "retake"}
    return {
        "type": "attestation",
        "id": f"r-{index + 1}",
        "employee": {
            "personal_number": personal_number(index),
            "surname": surname,
            "given_name": given_name,
            "patronymic": patronymic,
        },
        "order": {"number": "12-к", "date": "2026-02-20"},
        "commission": COMMISSION,
        "held_on": HELD_ON,
        "score": 60 + index,
        **outcome,
    }


def campaign_staff(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The records of the campaign."""
    campaign = {"id": "edms-2026", "title": "ЭДО", "first_day": "2026-02-01", "last_day": "2026-02-28"}
    return {"campaign": campaign, "records": records}


def staff_package(name: str, message_id: str, to: str, staff: dict[str, Any], **said: Any) -> Package:
    """A letter with records, laid out over lines as people do."""
    letter = {"message_id": message_id, "recipients": [to], "kind": "Письмо", "staff": staff, **said}
    return Package(name, {"letter.json": json.dumps(letter, ensure_ascii=False, indent=1).encode()})


def receipt_of_letter(name: str, message_id: str, event: str, at: str, **said: Any) -> Package:
    """What a personnel service says about a letter."""
    receipt = {"message_type": "receipt", "event": event, "event_time": at, "message_id": message_id, **said}
    return Package(name, {"receipt.json": json.dumps(receipt, ensure_ascii=False).encode()})
