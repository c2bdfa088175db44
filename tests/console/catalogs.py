"""`python -m tests.console.catalogs ru`: what the console says and a catalog lacks, ready to be translated.

Texts are English in templates (`_("…")`, `ngettext`) and in modules of `exchange/console` (`_("…")`), and
those of reasons in `exchange/domain/reason.py`, of findings in `exchange/journal/findings.py`. Translations stand in
`exchange/console/locale/*/LC_MESSAGES/*.po`, in whichever file of that folder suits; all are read.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from exchange.console.pages.language import LOCALE_FOLDER, merged_catalog
from exchange.domain.reason import TEXTS
from exchange.journal.findings import FINDING_TEXTS
from exchange.services.audit.findings import TREE_TEXTS

CONSOLE = Path(__file__).parents[2] / "exchange" / "console"
_OPTIONS = {"silent": "false", "trimmed": "false"}

Id = str | tuple[str, ...]


@cache
def said() -> Catalog:
    """Everything that the console says."""
    catalog = Catalog()
    for path, method, keywords in _sources():
        with path.open("rb") as file:
            for line, found, _comments, _context in extract(method, file, keywords, options=_OPTIONS):
                catalog.add(found, locations=[(str(path.relative_to(CONSOLE)), line)])
    for text in FINDING_TEXTS.values():
        catalog.add(text, locations=[("exchange/journal/findings.py", 1)])
    for text in TREE_TEXTS.values():
        catalog.add(text, locations=[("exchange/services/audit/findings.py", 1)])
    for happened, step in TEXTS.values():
        for text in (happened, step):
            catalog.add(text, locations=[("exchange/domain/reason.py", 1)])
    return catalog


def catalog_of(language: str) -> Catalog:
    """What is translated into a language."""
    return merged_catalog(LOCALE_FOLDER / language / "LC_MESSAGES")


def ids(catalog: Catalog) -> set[Id]:
    """Messages by their ids; those with plurals by the singular and the plural."""
    return {_hashable(message) for message in catalog if message.id}


def missing(language: str) -> Catalog:
    """What is said and not translated."""
    known = {_hashable(message) for message in catalog_of(language) if message.id and message.string}
    lacking = Catalog(locale=language)
    for message in said():
        if message.id and _hashable(message) not in known:
            lacking.add(message.id, locations=message.locations)
    return lacking


def _hashable(message: Message) -> Id:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def _sources() -> Iterator[tuple[Path, str, dict[str, tuple[int, ...] | None]]]:
    calls: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}
    for path in sorted(CONSOLE.rglob("*.py")):
        yield path, "python", {"_": None}
    for path in sorted((CONSOLE / "templates").rglob("*.html")):
        yield path, "jinja2", calls


if __name__ == "__main__":
    write_po(sys.stdout.buffer, missing(sys.argv[1]), omit_header=True, width=120)
