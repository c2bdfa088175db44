"""A whole country of bodies, for trying out the roll-out: as many as the source of January 2022 has.

Real are the nine of the demo, five of which the source names. All others are made up, and say so in each
of their names: for every part of the country in the code list an administration; for every raion and
city seven services; the paper bridge; and as many central bodies as are missing to the 941 that the
source calls connected, 400 ayil okmotu among them. The list gives Russian names only: Kyrgyz ones are these with a
Kyrgyz word for the kind, English ones are these in Latin letters.
"""

from collections.abc import Iterator, Mapping

from exchange.domain.directory import Names
from exchange.domain.rollout import AYIL_OKMOTU
from exchange.embedded.demo_bodies import DemoBody, demo_bodies
from exchange.settings.territory import Territory

CONNECTED_THEN = 941
"""Bodies that the source calls connected in January 2022."""
AYIL_OKMOTU_THEN = 400
"""Ayil okmotu among them."""
OTHER_BODIES = CONNECTED_THEN - AYIL_OKMOTU_THEN

PAPER_BRIDGE = "paper-bridge"

SERVICES = (
    Names("салык кызматы", "налоговая служба", "tax service"),
    Names("социалдык фонд", "социальный фонд", "social fund"),
    Names("статистика бөлүмү", "отдел статистики", "statistics office"),
    Names("юстиция башкармалыгы", "управление юстиции", "justice office"),
    Names("билим берүү бөлүмү", "отдел образования", "education office"),
    Names("саламаттык сактоо борбору", "центр здравоохранения", "health centre"),
    Names("жер ресурстары бөлүмү", "отдел земельных ресурсов", "land office"),
)
_MADE_UP = Names("шарттуу", "условно", "made up")
_ADMINISTRATION = Names("администрациясы", "администрация", "administration")
_CENTRAL = Names("Борбордук мекеме", "Центральное ведомство", "Central agency")
_PROFILE = "sanarip-aimak"
_PARTS = ((3, 5), (5, 8), (8, 11))
"""Where a code has its oblast, raion and ayil aimak."""

_LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True))
    | {"ё": "yo", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": ""}
    | {"ю": "yu", "я": "ya"}
)


def country_bodies(territory: Territory) -> tuple[DemoBody, ...]:
    """All bodies in the order of their codes; the same every time."""
    real = demo_bodies()
    known = {body.soate for body in real if body.soate}
    made_up = [
        _body(PAPER_BRIDGE, "bridge", "", Names("Кагаз көпүрөсү", "Бумажный мост", "Paper bridge")),
        *_administrations("oblast", territory.oblasts),
        *_administrations("city", territory.cities),
        *_administrations("raion", territory.raions),
        *_services({**territory.cities, **territory.raions}),
    ]
    named = sum(body.kind != AYIL_OKMOTU for body in real)
    central = map(_central, range(1, OTHER_BODIES - named - len(made_up) + 1))
    villages = (_ayil_okmotu(soate, name) for soate, name in territory.ayil_aimaks.items() if soate not in known)
    return tuple(sorted((*real, *made_up, *central, *villages), key=lambda body: body.code))


def latin(text: str) -> str:
    """Russian in Latin letters, capital where it was."""
    found = (char.lower().translate(_LATIN) for char in text)
    return "".join(new.capitalize() if char.isupper() else new for char, new in zip(text, found, strict=True))


def _administrations(kind: str, places: Mapping[str, str]) -> Iterator[DemoBody]:
    for soate, name in places.items():
        yield _body(f"{kind}-{_short(soate)}", kind, soate, _at(name, _ADMINISTRATION))


def _services(places: Mapping[str, str]) -> Iterator[DemoBody]:
    for soate, name in places.items():
        for number, service in enumerate(SERVICES, 1):
            yield _body(f"service-{number}-{_short(soate)}", "service", soate, _at(name, service))


def _central(number: int) -> DemoBody:
    names = Names(f"{_CENTRAL.ky} № {number}", f"{_CENTRAL.ru} № {number}", f"{_CENTRAL.en} No. {number}")
    return _body(f"central-{number:02}", "central", "", names)


def _ayil_okmotu(soate: str, name: str) -> DemoBody:
    names = Names(f"{name} айыл өкмөтү", f"{name} айыл окмоту", f"{latin(name)} ayil okmotu")
    return _body(f"ayil-{_short(soate)}", AYIL_OKMOTU, soate, names)


def _at(place: str, what: Names) -> Names:
    return Names(f"{place}, {what.ky}", f"{place}, {what.ru}", f"{latin(place)}, {what.en}")


def _body(code: str, kind: str, soate: str, names: Names) -> DemoBody:
    marked = Names(f"{names.ky} ({_MADE_UP.ky})", f"{names.ru} ({_MADE_UP.ru})", f"{names.en} ({_MADE_UP.en})")
    return DemoBody(code, marked, kind, (f"made-up-{code}",), soate, _PROFILE)


def _short(soate: str) -> str:
    """The parts of a code that say something: `02-205-805`."""
    parts = (soate[begins:ends] for begins, ends in _PARTS)
    return "-".join(part for part in parts if part != "000")
