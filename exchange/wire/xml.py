"""Hardened XML: what a document system hands in is hostile until it validates.

`parse` turns bytes into a tree, or says in one `DocumentError` why not and in which line. It loads
nothing but the bytes given: a document type is refused before any parser sees it, so there are no
entities; size and depth are bounded; the encoding is the one that the document declares, strictly.
`Schema` validates against the schemas of `schemas/xml/`, naming element and line. Messages never
repeat a value: an error text may be logged, a letter's content may not.
"""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from itertools import islice
from operator import itemgetter
from threading import Lock
from typing import cast

import xmlschema
from lxml import etree
from lxml.etree import _Element as Element
from xmlschema.validators import (
    XMLSchemaDecodeError,
    XMLSchemaValidationError,
    XsdElement,
)

from exchange.domain.errors import DocumentError
from exchange.resources import resource

XML_BYTES = 1024 * 1024
XML_DEPTH = 64
FAULTS = 20
"""Faults of one document that are told at most."""
XML_TAGS = 128 * 1024
"""In one document: each element takes more memory than its few bytes, which a higher limit would multiply."""
XML_ATTRIBUTES_IN_ALL = 128 * 1024
"""In one document, as its quotation marks count: an attribute takes 40 times its few bytes of memory."""
XML_ATTRIBUTES = 1000
"""Of one element: to list a hundred thousand takes lxml half a minute."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "windows-1251": "cp1251", "cp1251": "cp1251"}
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# Atomic groups: a prolog of many comments must not make the search exponential.
_DOCTYPE = re.compile(rb"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL)
_ATTRIBUTE = re.compile(r"attribute (\S+?)=")
_TARGET = re.compile(r'targetNamespace="([^"]+)"')
_NAMESPACE = re.compile(r"\{[^}]*\}")
# Characters that XML 1.0 cannot hold (section 2.2), not even as references.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What xmlschema itself trips over, as over years of twenty digits.
_BEYOND = (ArithmeticError, ValueError)
_DIGITS = re.compile("[0-9]{9}")
_SHOWN = 300


def parse(data: bytes, name: str, *, limit: int = XML_BYTES) -> Element:
    """Parse an XML document given as bytes.

    Args:
        data: the document, in UTF-8 or windows-1251 as it declares (UTF-8 when it does not).
        name: the file's name, for messages.
        limit: largest size, bytes.

    Returns:
        The root element; comments and processing instructions are left out.

    Raises:
        DocumentError: `document-too-large`, `document-encoding`, `document-type-forbidden` or
            `document-malformed`, with the line.
    """
    if len(data) > limit:
        message = f"the document has {len(data)} bytes, more than {limit}: send what is large as attached files"
        raise DocumentError(message, code="document-too-large", place=name)
    if data.count(b"<") > XML_TAGS:
        message = f"the document has more than {XML_TAGS} tags: no letter needs that"
        raise DocumentError(message, code="document-too-large", place=name)
    if data.count(b'"') + data.count(b"'") > 2 * XML_ATTRIBUTES_IN_ALL:
        message = f"the document has more than {XML_ATTRIBUTES_IN_ALL} attributes: no letter needs that"
        raise DocumentError(message, code="document-too-large", place=name)
    text = _decode(data, name)
    if _DOCTYPE.match(text):
        message = "a document type (<!DOCTYPE …>) is not accepted: remove it and the entities that it declares"
        raise DocumentError(message, code="document-type-forbidden", place=name)
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True, collect_ids=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        message = f"no well-formed XML ({_shorten(error.msg or 'no text')}): repair or export it again"
        raise DocumentError(message, code="document-malformed", place=f"{name}, line {error.lineno}") from None
    _check_shape(root, name)
    return root


def serialise(root: Element, encoding: str = "utf-8") -> bytes:
    """The document's bytes with a declaration; what `encoding` cannot hold becomes references."""
    return cast("bytes", etree.tostring(root, encoding=encoding, xml_declaration=True, pretty_print=True))


def legal_text(text: str) -> str:
    """`text` with every character that XML cannot hold replaced by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def place_of(element: Element, name: str) -> str:
    """Where an element stands, for people: file, line and path of local names."""
    names = [str(each.tag).rpartition("}")[2] for each in (element, *element.iterancestors())]
    path = "/".join(reversed(names))
    return f"{name}, line {element.sourceline}, /{path}"


_BUILDING = Lock()
"""libxml2 makes its own types when the first schema of a process is built, and is not safe in threads while it does: of
two at once either may find half of them, and from then on no schema can be built in that process."""


class Schema:
    """One of the schemas in `schemas/xml/`. Read-only once built, so threads may share it.

    libxml2 finds a valid document valid in a fiftieth of the time that xmlschema takes; what it does not,
    xmlschema decides on, and says why, with line and field.
    """

    def __init__(self, text: str) -> None:
        """Build from the schema's text, which is whole: nothing else is loaded, whatever a document hints at."""
        self._text = text
        with _BUILDING:
            self._quick = etree.XMLSchema(etree.fromstring(text.encode()))
        self._known: dict[XsdElement, Mapping[object, tuple[int, XsdElement]]] = {}

    @cached_property
    def _schema(self) -> xmlschema.XMLSchema:
        """Built when it is asked for: that takes most of a second, and a valid document never asks."""
        return xmlschema.XMLSchema(self._text, allow="none")

    def check(self, root: Element, name: str) -> None:
        """Validate a tree.

        Raises:
            DocumentError: `document-invalid` with the first faults, each with file, line and element.
        """
        if self._quick.validate(root):
            return
        try:
            faults = list(islice(self._schema.iter_errors(root), FAULTS))
        except _BEYOND:
            message = "a number or date is larger than any that can be read: correct it"
            raise DocumentError(message, place=_place_of_digits(root, name)) from None
        if faults:
            others = tuple(f"{_fault_place(fault, name)}: {_explain(fault)}" for fault in faults[1:])
            raise DocumentError(_explain(faults[0]), place=_fault_place(faults[0], name), others=others)

    def is_valid(self, root: Element) -> bool:
        """Whether a tree validates."""
        try:
            return self._quick.validate(root) or next(self._schema.iter_errors(root), None) is None
        except _BEYOND:
            return False

    def sort(self, root: Element) -> None:
        """Put the children of every element into the order of the schema, stable among equals."""
        pending = [(root, self._schema.maps.elements[str(root.tag)])]
        while pending:
            element, declaration = pending.pop()
            children = self._children(declaration)
            places = [children[child.tag][0] if child.tag in children else len(children) for child in element]
            if places != sorted(places):
                element[:] = [child for _, child in sorted(zip(places, element, strict=True), key=itemgetter(0))]
            pending.extend((child, children[child.tag][1]) for child in element if len(child) and child.tag in children)

    def _children(self, declaration: XsdElement) -> Mapping[object, tuple[int, XsdElement]]:
        """The elements that one may hold, each with its place among them."""
        if declaration not in self._known:
            found = {child.name: child for child in declaration.iterchildren() if isinstance(child, XsdElement)}
            self._known[declaration] = {name: (place, found[name]) for place, name in enumerate(found)}
        return self._known[declaration]


@cache
def schema(name: str, namespace: str = "") -> Schema:
    """The schema `schemas/xml/<name>.xsd`, built once; with `namespace`, the same rules in that one.

    Later versions of a format may change nothing but the namespace.
    """
    text = resource("schemas", "xml", f"{name}.xsd").read_text(encoding="utf-8")
    target = _TARGET.search(text)
    return Schema(text.replace(f'"{target[1]}"', f'"{namespace}"') if target and namespace else text)


def _decode(data: bytes, name: str) -> bytes:
    """Check the declared encoding strictly; return UTF-8 without a byte order mark."""
    body = data.removeprefix(_BYTE_ORDER_MARK)
    declared = _DECLARATION.match(body)
    label = declared[1].decode().lower() if declared else "utf-8"
    codec = _CODECS.get(label)
    if codec is None or (codec != "utf-8" and body is not data):
        message = f"encoding '{label[:40]}' is not accepted here: write UTF-8 or windows-1251 without a byte order mark"
        raise DocumentError(message, code="document-encoding", place=f"{name}, line 1")
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = f"declared as {label}, but the bytes here are not: declare the encoding that was written"
        raise DocumentError(message, code="document-encoding", place=f"{name}, line {line}") from None
    if codec != "utf-8" and not body.isascii() and _is_utf8(body):
        message = f"declared as {label}, but written in utf-8: declare the encoding that was written"
        raise DocumentError(message, code="document-encoding", place=f"{name}, line 1")
    return text.encode()


def _is_utf8(data: bytes) -> bool:
    """Whether `data` decodes; Cyrillic windows-1251 practically never does."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_shape(root: Element, name: str) -> None:
    """Bound the depth, so that whoever walks the tree may recurse, and the attributes, so that one may list them."""
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > XML_DEPTH:
            message = f"elements are nested deeper than {XML_DEPTH}: no format needs that"
            raise DocumentError(message, code="document-malformed", place=f"{name}, line {element.sourceline}")
        if len(element.attrib) > XML_ATTRIBUTES:
            message = f"an element has more than {XML_ATTRIBUTES} attributes: no format needs that"
            raise DocumentError(message, code="document-malformed", place=f"{name}, line {element.sourceline}")


def _place_of_digits(root: Element, name: str) -> str:
    """Where the first number of very many digits stands; the file where there is none."""
    for element in root.iter():
        if any(map(_DIGITS.search, (element.text or "", *map(str, element.attrib.values())))):
            return place_of(element, name)
    return name


def _fault_place(fault: XMLSchemaValidationError, name: str) -> str:
    path = _NAMESPACE.sub("", str(fault.path))
    attribute = _ATTRIBUTE.match(str(fault.reason))
    field = f"{path}/@{attribute[1]}" if attribute else path
    return f"{name}, line {fault.sourceline}, {field}" if fault.sourceline else f"{name}, {field}"


def _explain(fault: XMLSchemaValidationError) -> str:
    """What is wrong, without the value: `reason` would quote it for types and attributes."""
    if isinstance(fault, XMLSchemaDecodeError):
        kind = getattr(fault.validator, "name", None) or "value"
        return f"not a valid {_NAMESPACE.sub('', kind)}"
    reason = str(fault.reason)
    if _ATTRIBUTE.match(reason):
        # 'attribute x='value': why' — the value may hold anything, so the text is cut by its length.
        reason = _facet(fault)
    return _shorten(_NAMESPACE.sub("", reason))


def _facet(fault: XMLSchemaValidationError) -> str:
    """The rule that an attribute's value breaks."""
    rule = fault.validator
    allowed = getattr(rule, "enumeration", None)
    if allowed:
        return f"must be one of {', '.join(map(str, allowed))}"
    facet = type(rule).__name__.removeprefix("Xsd").removesuffix("s").removesuffix("Facet")
    value = getattr(rule, "value", None)
    return f"breaks the limit {facet}" if value is None else f"breaks the limit {facet} {value}"


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
