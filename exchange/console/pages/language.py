"""Languages of the console: which one a visitor gets, and its catalog of texts.

English stands in the templates and tables themselves; `locale/*/LC_MESSAGES/*.po` say it in Kyrgyz and
Russian. They are read when the console starts: from a checkout and from a wheel alike, nothing is compiled.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_FOLDER = Path(__file__).parent.parent / "locale"
MAX_HEADER = 200
"""Characters of `Accept-Language` that are looked at."""


class Language(StrEnum):
    """A language by its ISO 639-1 code, the first the one of who says nothing."""

    KY = "ky"
    RU = "ru"
    EN = "en"


LANGUAGES = frozenset(language.value for language in Language)

LANGUAGE_NAMES: Mapping[Language, str] = {
    Language.KY: "Кыргызча",
    Language.RU: "Русский",
    Language.EN: "English",
}
"""Each in itself: that is how people find it."""


@cache
def read_catalogs() -> Mapping[Language, NullTranslations]:
    """The texts of every language, read once; a language may have several files, for several people to write."""
    return MappingProxyType({language: _read(LOCALE_FOLDER / language.value / "LC_MESSAGES") for language in Language})


def merged_catalog(folder: Path) -> Catalog:
    """All `.po` files of a folder as one catalog; of the same message the last file's translation."""
    merged = Catalog()
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file)
        merged.locale = catalog.locale
        for message in catalog:
            if message.id:
                merged[message.id] = message
    return merged


def choose_language(cookie: str, accept: str) -> Language:
    """The language that a visitor chose, else the first of the browser's that the console has.

    Args:
        cookie: what the visitor's cookie says, or empty.
        accept: the header `Accept-Language`, or empty.
    """
    if cookie in LANGUAGES:
        return Language(cookie)
    for wanted in _by_preference(accept[:MAX_HEADER]):
        if wanted in LANGUAGES:
            return Language(wanted)
    return Language.KY


def _read(folder: Path) -> NullTranslations:
    if not folder.is_dir():
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, merged_catalog(folder))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _by_preference(accept: str) -> Iterator[str]:
    """Languages of the header, the most wanted first."""
    found = []
    for part in accept.split(","):
        tag, _, weight = part.partition(";q=")
        try:
            found.append((-float(weight or 1), tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return (tag for _, tag in sorted(found, key=lambda each: each[0]))
