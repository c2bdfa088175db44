"""The letters of the story: bodies write to each other, in Russian and in Kyrgyz."""

import json
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from adapters.formats.staff.records import FILE_NAME
from exchange.domain.card import Person, Task
from exchange.domain.statement import Urgency
from exchange.embedded.edms import Sample

_NOTE_KY = (
    "Кат кагаз түрүндө жөнөтүлбөйт. Бардык мекемелер 2022-жылдын 1-мартынан тартып "
    "электрондук документ жүгүртүүгө өтөт.\n"
).encode()
_PLAN_RU = (
    "План перехода\n1. До 15 февраля назначить ответственных.\n2. До 20 февраля проверить обмен "
    "через систему.\n3. С 1 марта бумажные письма не принимаются.\n"
).encode()
_TRADE_CSV = "период;экспорт;импорт\n2021-11;241,7;512,3\n2021-12;268,4;533,9\n".encode()
_AK_BULUN_CSV = "айыл;калктын саны\nАк-Булуң;4812\n".encode()
_CHON_ORUKTU_CSV = "айыл;калктын саны\nЧоң-Өрүктү;1934\n".encode()
_STAFF_JSON = json.dumps(
    {
        "records": [
            {
                "type": "attestation",
                "id": "r-1",
                "employee": {"personal_number": "20101199000019", "surname": "Асанбеков", "given_name": "Нурлан"},
                "order": {"number": "12-к", "date": "2022-01-27"},
                "commission": {
                    "name": "ЭДО боюнча аттестациялык комиссия",
                    "chair": "Төрөкулова Р. К.",
                    "protocol": {"number": "4", "date": "2022-01-26"},
                },
                "held_on": "2022-01-26",
                "score": 87,
                "result": "passed",
                "valid_until": "2025-01-25",
            }
        ]
    },
    ensure_ascii=False,
).encode()
_DRAFT_RU = "Проект. О внесении изменений в порядок лицензирования отдельных видов деятельности.\n".encode()

STORY: Mapping[str, Sample] = MappingProxyType(
    {
        "paperless": Sample(
            sender="prezident",
            recipients=("mfa", "minekonom", "minjust", "natstatkom", "kyzmat"),
            number="01-5/123",
            dated=date(2022, 1, 20),
            annotation="О переходе на электронный документооборот без бумажных носителей с 1 марта 2022 года",
            signatory=Person(name="А. К. Касымов", post="Руководитель Администрации", signed=date(2022, 1, 20)),
            attachments={"План перехода.txt": _PLAN_RU, "Эскертүү.txt": _NOTE_KY},
            tasks=(Task("1", "Представить сведения о готовности к переходу", date(2022, 2, 20), controlled=True),),
            urgency=Urgency.URGENT,
        ),
        "treaties": Sample(
            sender="mfa",
            recipients=("prezident",),
            number="11-10/77",
            dated=date(2022, 1, 24),
            annotation="Эл аралык келишимдердин долбоорлору жөнүндө",
            signatory=Person(name="Н. Б. Өмүралиева", post="Министрдин орун басары", signed=date(2022, 1, 24)),
            attachments={"Түшүндүрмө кат.txt": _NOTE_KY},
        ),
        "trade": Sample(
            sender="minekonom",
            recipients=("natstatkom",),
            number="14-2/905",
            dated=date(2022, 1, 25),
            annotation="О сверке данных о внешней торговле за IV квартал 2021 года",
            signatory=Person(name="Д. Т. Амангельдиев", post="Министр", signed=date(2022, 1, 25)),
            attachments={"Внешняя торговля.csv": _TRADE_CSV},
            reply_due=date(2022, 2, 4),
        ),
        "licensing": Sample(
            sender="minekonom",
            recipients=("minjust",),
            number="14-2/911",
            dated=date(2022, 1, 26),
            annotation="О согласовании проекта постановления о лицензировании",
            signatory=Person(name="Д. Т. Амангельдиев", post="Министр", signed=date(2022, 1, 26)),
            attachments={"Проект постановления.txt": _DRAFT_RU},
        ),
        "register": Sample(
            sender="minjust",
            recipients=("ak-bulun", "chon-oruktu"),
            number="05-3/40",
            dated=date(2022, 1, 27),
            annotation="Айыл өкмөтүнүн ченемдик укуктук актыларын реестрге киргизүү жөнүндө",
            signatory=Person(name="А. Ш. Баетов", post="Министр", signed=date(2022, 1, 27)),
        ),
        "attestation": Sample(
            sender="kyzmat",
            recipients=("minjust",),
            number="02-7/51",
            dated=date(2022, 1, 28),
            annotation="ЭДО боюнча кызматкерлерди аттестациялоонун жыйынтыгы жөнүндө",
            signatory=Person(name="Р. К. Төрөкулова", post="Директор", signed=date(2022, 1, 28)),
            attachments={FILE_NAME: _STAFF_JSON},
        ),
        "population": Sample(
            sender="ak-bulun",
            recipients=("natstatkom",),
            number="07/12",
            dated=date(2022, 1, 28),
            annotation="Айыл аймагынын калкынын саны жөнүндө маалымат",
            signatory=Person(name="Ж. Э. Үсөнов", post="Айыл өкмөтүнүн башчысы", signed=date(2022, 1, 28)),
            attachments={"Калктын саны.csv": _AK_BULUN_CSV},
        ),
        "neighbours": Sample(
            sender="chon-oruktu",
            recipients=("natstatkom",),
            number="01-20/8",
            dated=date(2022, 1, 28),
            annotation="Айыл аймагынын калкынын саны жөнүндө маалымат",
            signatory=Person(name="Т. А. Мамбетова", post="Айыл өкмөтүнүн башчысы", signed=date(2022, 1, 28)),
            attachments={"Калктын саны.csv": _CHON_ORUKTU_CSV},
        ),
    }
)
"""Letters by a short name; senders and recipients are bodies of `config/demo/bodies.toml`."""
