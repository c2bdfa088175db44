"""Reading and writing element trees so that nothing of a document is lost.

A `Reader` remembers what was read through it; `unread` tells the rest as extras, each with its path.
A `Writer` builds; `apply_extras` puts the rest back where the same format is written again.

Paths are relative to the root: `document/links/link[2]/reference/comment`, `header/@uid`. A number
in brackets stands where an element is not the first of its name.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType

from lxml import etree
from lxml.etree import _Element as Element

from adapters.formats.values import read_date
from exchange.domain.card import Extra
from exchange.wire.xml import Schema, legal_text, place_of

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_STEP = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?:\[(?P<index>[1-9][0-9]{0,3})\])?")
_EXTRA_STEPS = 12
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Names:
    """How a format spells names: its namespace, and whether attributes are in it too."""

    namespace: str
    prefix: str
    qualified_attributes: bool

    def tag(self, name: str) -> str:
        """Clark notation of an element."""
        return f"{{{self.namespace}}}{name}"

    def key(self, name: str) -> str:
        """Clark notation of an attribute."""
        return self.tag(name) if self.qualified_attributes else name

    def element(self, element: Element) -> str:
        """The name to show for an element; the namespace stands only where it is not the format's."""
        return str(element.tag).removeprefix(f"{{{self.namespace}}}")

    def attribute(self, key: str) -> str:
        """The name to show for an attribute."""
        return key.removeprefix(f"{{{self.namespace}}}")


@cache
def _steps(namespace: str, path: str) -> tuple[str, ...]:
    """The tags of a path of names; only those that readers spell out, so there are few."""
    return tuple(f"{{{namespace}}}{name}" for name in path.split("/"))


@dataclass(slots=True)
class Document:
    """A parsed document on its way into a draft: its names, its file and what was read of it.

    In `read`, the empty string stands for an element's text.
    """

    file: str
    names: Names
    read: dict[Element, set[str]] = field(default_factory=dict)
    _children: dict[Element, dict[str, list[Element]]] = field(default_factory=dict)

    def find(self, element: Element | None, path: str) -> Element | None:
        """The first element at a path of names. Most are not there, so children are looked through once for all."""
        for tag in _steps(self.names.namespace, path):
            if element is None:
                return None
            alike = (self._children.get(element) or self.children(element)).get(tag)
            element = alike[0] if alike else None
        return element

    def children(self, element: Element) -> Mapping[str, list[Element]]:
        """The children of an element by tag."""
        found = self._children.get(element)
        if found is None:
            found = self._children[element] = {}
            for child in element:
                found.setdefault(child.tag, []).append(child)
        return found

    def unread(self, root: Element) -> Iterator[Extra]:
        """What was not read: attributes and text, in document order."""
        paths = {root: ""}
        for element in root.iter():
            read = self.read.get(element, _NOTHING)
            for key, value in element.items():
                if key not in read and value and not str(key).startswith(_INSTANCE):
                    path = f"{self._path(element, paths)}/@{self.names.attribute(str(key))}"
                    yield Extra(path.removeprefix("/"), str(value))
            if "" not in read and element.text and not element.text.isspace():
                yield Extra(self._path(element, paths), element.text)

    def _path(self, element: Element, paths: dict[Element, str]) -> str:
        """Where an element stands; siblings are counted once, for there may be thousands of them."""
        parent = element.getparent()
        if element not in paths and parent is not None:
            seen: Counter[str] = Counter()
            before = self._path(parent, paths)
            for child in parent:
                seen[child.tag] += 1
                index = f"[{seen[child.tag]}]" if seen[child.tag] > 1 else ""
                paths[child] = f"{before}/{self.names.element(child)}{index}".removeprefix("/")
        return paths[element]


class Reader:
    """One element, or the absence of one: then every text is empty and there are no children."""

    __slots__ = ("_document", "_element")

    def __init__(self, document: Document, element: Element | None) -> None:
        """Read `element` of `document`."""
        self._document = document
        self._element = element

    def __bool__(self) -> bool:
        """Whether the element is there."""
        return self._element is not None

    @property
    def place(self) -> str:
        """Where this is, for messages."""
        return self._document.file if self._element is None else place_of(self._element, self._document.file)

    def at(self, path: str) -> "Reader":
        """The first element at a path of names."""
        return Reader(self._document, self._document.find(self._element, path))

    def all(self, path: str) -> list["Reader"]:
        """All elements of the last name of `path`, below the first of the names before it."""
        before, _, last = path.rpartition("/")
        parent = self._document.find(self._element, before) if before else self._element
        if parent is None:
            return []
        (tag,) = _steps(self._document.names.namespace, last)
        alike = self._document.children(parent).get(tag, [])
        return [Reader(self._document, child) for child in alike]

    def text(self, path: str = "") -> str:
        """Text of the first element at `path` (of this one without), stripped; read from now on."""
        element = self._document.find(self._element, path) if path else self._element
        if element is None:
            return ""
        self._document.read.setdefault(element, set()).add("")
        return (element.text or "").strip()

    def date(self, path: str = "") -> date | None:
        """The `xs:date` that is the text of the first element at `path` (of this one without), None where absent.

        Raises:
            DocumentError: a date that the calendar does not have.
        """
        reader = self.at(path) if path else self
        text = reader.text()
        return read_date(text, reader.place) if text else None

    def peek(self, path: str) -> str:
        """Text of the first element at `path`, stripped, not counted as read."""
        element = self._document.find(self._element, path)
        return "" if element is None else (element.text or "").strip()

    def peek_attr(self, name: str) -> str:
        """Value of an attribute, stripped, not counted as read."""
        return "" if self._element is None else str(self._element.get(self._document.names.key(name), "")).strip()

    def attr(self, name: str) -> str:
        """Value of an attribute, stripped; read from now on."""
        if self._element is None:
            return ""
        key = self._document.names.key(name)
        self._document.read.setdefault(self._element, set()).add(key)
        return str(self._element.get(key, "")).strip()

    def attr_if(self, name: str, value: str) -> bool:
        """Whether an attribute has a value; read when it has, an extra when not."""
        if self._element is None or self._element.get(self._document.names.key(name)) != value:
            return False
        return bool(self.attr(name))

    def name(self) -> str:
        """The element's local name."""
        return "" if self._element is None else self._document.names.element(self._element)

    def skip(self, path: str) -> None:
        """Take everything below the first element at `path` for read."""
        element = self._document.find(self._element, path)
        for part in () if element is None else element.iter():
            self._document.read[part] = {"", *map(str, part.attrib)}

    def children(self) -> list["Reader"]:
        """All child elements."""
        return [] if self._element is None else [Reader(self._document, child) for child in self._element]


class Writer:
    """Builds one element. Text that XML cannot hold is replaced, never refused."""

    __slots__ = ("_names", "element")

    def __init__(self, names: Names, element: Element) -> None:
        """Write into `element`."""
        self._names = names
        self.element = element

    @classmethod
    def root(cls, names: Names, name: str, attributes: Mapping[str, str]) -> "Writer":
        """A new document."""
        writer = cls(names, etree.Element(names.tag(name), nsmap={names.prefix: names.namespace}))
        writer.set(attributes)
        return writer

    def set(self, attributes: Mapping[str, str]) -> None:
        """Set attributes; empty ones are left out."""
        for name, value in attributes.items():
            if value:
                self.element.set(self._names.key(name), legal_text(value))

    def add(self, name: str, text: str = "", attributes: Mapping[str, str] | None = None) -> "Writer":
        """Append a child."""
        child = Writer(self._names, etree.SubElement(self.element, self._names.tag(name)))
        child.set(attributes or {})
        if text:
            child.element.text = legal_text(text)
        return child

    def maybe(self, name: str, text: str) -> None:
        """Append a child when there is something to say."""
        if text:
            self.add(name, text)

    def prune(self) -> None:
        """Take this element out again when nothing was written into it."""
        parent = self.element.getparent()
        if parent is not None and not len(self.element) and not self.element.text and not self.element.attrib:
            parent.remove(self.element)


def apply_extras(
    root: Element, extras: Iterable[Extra], names: Names, schema: Schema, made: frozenset[str],
    needed: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Element:  # fmt: skip
    """Put extras of a card back into a document of the format that they came from.

    What the document says already stays; elements named in `made` (files, addressees, …) are never
    created, because their number is the card's to say. If the document would not validate with the
    extras, which a sender may have made up, it goes without them.

    Args:
        root: the document without them.
        extras: of the card.
        names: of the format.
        schema: of the document.
        made: names of elements that are never created.
        needed: for the name of an element, children that it must have and that may be empty: nothing in
            the extras tells of these.

    Returns:
        The document to send, children in the schema's order.
    """
    waiting = list(extras)
    if not waiting:
        return root  # the writer has put everything in order, and the caller validates it
    kept = etree.tostring(root)
    known: _Children = {}
    for extra in waiting:
        _apply(root, extra, names, made, known)
    for name, children in needed.items():
        for element in root.iter(names.tag(name)):
            for child in children:
                if element.find(names.tag(child)) is None:
                    etree.SubElement(element, names.tag(child))
    schema.sort(root)
    return root if schema.is_valid(root) else etree.fromstring(kept)


def renumbered(extras: Iterable[Extra], path: str, numbers: Mapping[int, int]) -> Iterator[Extra]:
    """Extras after elements at `path` changed their places.

    What was said of an addressee must not be told of another one, who stands first now.

    Args:
        extras: of a card.
        path: of the elements, without a number.
        numbers: new places by old ones, from 1; extras of elements without a new place are left out.
    """
    numbered = re.compile(rf"{re.escape(path)}(?:\[([1-9][0-9]{{0,3}})\])?(?=/|$)")
    for extra in extras:
        found = numbered.match(extra.path)
        if found is None:
            yield extra
        elif number := numbers.get(int(found[1] or 1)):
            index = f"[{number}]" if number > 1 else ""
            yield Extra(f"{path}{index}{extra.path[found.end() :]}", extra.value)


def extra_value(extras: Iterable[Extra], path: str) -> str:
    """Value of the extra at `path`, else empty."""
    return next((extra.value for extra in extras if extra.path == path), "")


_Children = dict[tuple[Element, str], list[Element]]
"""Children by parent and tag, each looked for once: a sender's extras may be thousands of siblings."""


def _apply(root: Element, extra: Extra, names: Names, made: frozenset[str], known: _Children) -> None:
    steps = extra.path.split("/")
    attribute = steps.pop().removeprefix("@") if steps[-1].startswith("@") else ""
    parsed = [_STEP.fullmatch(step) for step in steps]
    if len(steps) > _EXTRA_STEPS or (attribute and not _STEP.fullmatch(attribute)):
        return
    element = root
    for step in parsed:
        if step is None:
            return
        alike = _alike(element, names.tag(step["name"]), known)
        index = int(step["index"] or 1)
        if index == len(alike) + 1 and step["name"] not in made:
            alike.append(etree.SubElement(element, names.tag(step["name"])))
        if index > len(alike):
            return
        element = alike[index - 1]
    value = legal_text(extra.value)
    if attribute and names.key(attribute) not in element.attrib:
        element.set(names.key(attribute), value)
    elif not attribute and not element.text and not len(element):
        element.text = value


def _alike(element: Element, tag: str, known: _Children) -> list[Element]:
    """The children of that tag."""
    if (element, tag) not in known:
        known[element, tag] = element.findall(tag)
    return known[element, tag]
