"""Foreign trees of a capsule's `RecordTypeSpecificMetadata`, carried as XML text and put back as they were."""

from collections.abc import Iterable, Iterator

from lxml import etree
from lxml.etree import _Element as Element

from adapters.formats.dhx.words import ADDITIONS, NAMES, OWN_NAMES
from exchange.domain.card import Extra
from exchange.domain.errors import DocumentError
from exchange.wire.xml import legal_text, parse

_OUTER = 2
"""Levels that stand around a tree in a capsule."""


def read_foreign(additions: Element | None) -> Iterator[Extra]:
    """The trees that others wrote, one extra each, in their order."""
    for child in () if additions is None else additions:
        if not _is_own(child):
            yield Extra(ADDITIONS, _text_of(child))


def write_foreign(additions: Element, extras: Iterable[Extra]) -> None:
    """Append the trees again; what is no XML, or nested too deep for a capsule, is left out.

    A sender's agent may have made them up: they go through the same parser as any document.
    """
    for extra in extras:
        if extra.path == ADDITIONS:
            # Beside text, nothing is indented below: blanks may mean something in a foreign tree.
            additions.text = "\n"
            wrapped = "<a>" * _OUTER + legal_text(extra.value) + "</a>" * _OUTER
            try:
                inner = parse(wrapped.encode(), ADDITIONS)[0]
            except (DocumentError, IndexError):
                continue
            additions.extend(child for child in inner if not _is_own(child))


def _text_of(tree: Element) -> str:
    """A tree as XML that stands by itself, without the capsule's own namespace where it does not use that."""
    alone = etree.fromstring(etree.tostring(tree, encoding="unicode", with_tail=False))
    kept = [prefix for prefix, uri in alone.nsmap.items() if prefix and uri != NAMES.namespace]
    etree.cleanup_namespaces(alone, keep_ns_prefixes=kept)
    return etree.tostring(alone, encoding="unicode")


def _is_own(tree: Element) -> bool:
    return etree.QName(tree).namespace == OWN_NAMES.namespace
