"""Everything that the console says is said in Kyrgyz and Russian, too."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment

from tests.console.catalogs import CONSOLE, catalog_of, ids, missing, said

TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
PLURALS = {"ky": 2, "ru": 3}
_PLACE = re.compile(r"%\([a-z_]+\)s|%%|\{[a-z]+\}|`[^`]*`")
_SPOKEN_ATTRIBUTES = {"title", "placeholder", "alt", "aria-label", "aria-description", "label", "content"}
_NOT_SPOKEN = {"width=device-width, initial-scale=1"}
_SAME_EVERYWHERE = {"CSV", "JSON", "KB", "API", "to:minjust state:failing age:1d"}
"""Names that no language translates."""


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _places(text: str) -> list[str]:
    return sorted(_PLACE.findall(text))


@pytest.fixture(params=sorted(PLURALS))
def language(request: pytest.FixtureRequest) -> str:
    """A language that the console is translated into."""
    found: str = request.param
    return found


@pytest.fixture
def catalog(language: str) -> Catalog:
    """Its translations."""
    return catalog_of(language)


def test_nothing_is_untranslated(language: str) -> None:
    """`python -m tests.console.catalogs ky` prints what is missing, ready to be translated into a file beside."""
    assert ids(missing(language)) == set()


def test_nothing_is_translated_that_is_not_said(catalog: Catalog) -> None:
    """What a page no longer says leaves the catalogs with it."""
    assert ids(catalog) - ids(said()) == set()


def test_no_translation_is_a_guess(catalog: Catalog) -> None:
    """None is fuzzy, and none is empty."""
    assert [message.id for message in catalog if message.id and (message.fuzzy or not all(_strings(message)))] == []


def test_plural_forms_are_complete(catalog: Catalog, language: str) -> None:
    """Two in Kyrgyz, three in Russian."""
    plurals = [message for message in catalog if message.id and not isinstance(message.id, str)]
    assert plurals
    assert all(len(_strings(message)) == PLURALS[language] for message in plurals)


def test_translations_keep_what_is_put_into_them(catalog: Catalog) -> None:
    """Names of values, code and percent signs are the same as in English."""
    wrong = [
        (message.id, text)
        for message in catalog
        if message.id
        for text in _strings(message)
        if _places(text) != _places(message.id if isinstance(message.id, str) else message.id[0])
    ]
    assert wrong == []


class _Bare(HTMLParser):
    """Collects what a template says without translating it."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self.found += [data.strip()] if re.search(r"[^\W\d_]", data) else []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes that are read out or shown."""
        spoken = [value for name, value in attrs if name in _SPOKEN_ATTRIBUTES and value and tag != "meta"]
        self.found += [value for value in spoken if re.search(r"[^\W\d_]", value)]


def _without_jinja(source: str) -> Iterator[str]:
    for _line, kind, value in Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).lex(source):
        if kind == "data":
            yield value


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_only_texts_of_the_template_are_marked_in_it(path: Path) -> None:
    """What `_(…)` gives is HTML and a pattern for `%`: a text from elsewhere goes through the filter `tr`."""
    assert re.findall(r"(?<![\w.])_\((?=[^\"'])[^)]*\)", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_say_nothing_untranslated(path: Path) -> None:
    """Every word in a template is a message of the catalogs."""
    bare = _Bare()
    bare.feed("".join(_without_jinja(path.read_text(encoding="utf-8"))))
    bare.close()
    assert [text for text in bare.found if text not in _SAME_EVERYWHERE | _NOT_SPOKEN] == []
