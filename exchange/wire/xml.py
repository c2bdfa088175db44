"""Hardened XML: what a document system hands in is hostile until it validates.

`parse` turns bytes into a tree, or says in one `DocumentError` why not and in which line. It loads
nothing but the bytes given: a document type is refused before any parser sees it, so there are no
entities; size and depth are bounded; the encoding is the one that the document declares, strictly.
`Schema` validates against the schemas of `schemas/xml/`, naming element and line. Messages never
repeat a value: an error text may be logged, a letter's content may not.
"""

import re
from functools import cache
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

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "windows-1251": "cp1251", "cp1251": "cp1251"}
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# Atomic groups: a prolog of many comments must not make the search exponential.
_DOCTYPE = re.compile(rb"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL)
_ATTRIBUTE = re.compile(r"attribute (\S+?)=")
_NAMESPACE = re.compile(r"\{[^}]*\}")
# Characters that XML 1.0 cannot hold (section 2.2), not even as references.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
    _check_depth(root, name)
    return root


def serialise(root: Element, encoding: str = "utf-8") -> bytes:
    """The document's bytes with a declaration; what `encoding` cannot hold becomes references."""
    return cast("bytes", etree.tostring(root, encoding=encoding, xml_declaration=True, pretty_print=True))


def legal_text(text: str) -> str:
    """`text` with every character that XML cannot hold replaced by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def place_of(element: Element, name: str) -> str:
    """Where an element stands, for people: file, line and path of local names."""
    names = [etree.QName(parent).localname for parent in reversed(list(element.iterancestors()))]
    path = "/".join([*names, etree.QName(element).localname])
    return f"{name}, line {element.sourceline}, /{path}"


class Schema:
    """One of the schemas in `schemas/xml/`. Read-only once built, so threads may share it."""

    def __init__(self, text: str) -> None:
        """Build from the schema's text; nothing else is loaded, whatever a document hints at."""
        self._schema = xmlschema.XMLSchema(text, allow="none")

    def check(self, root: Element, name: str) -> None:
        """Validate a tree.

        Raises:
            DocumentError: `document-invalid` for the first fault, with file, line and element.
        """
        for fault in self._schema.iter_errors(root):
            path = _NAMESPACE.sub("", str(fault.path))
            attribute = _ATTRIBUTE.match(str(fault.reason))
            field = f"{path}/@{attribute[1]}" if attribute else path
            place = f"{name}, line {fault.sourceline}, {field}" if fault.sourceline else f"{name}, {field}"
            raise DocumentError(_explain(fault), place=place)

    def is_valid(self, root: Element) -> bool:
        """Whether a tree validates."""
        return next(self._schema.iter_errors(root), None) is None

    def sort(self, root: Element) -> None:
        """Put the children of every element into the order of the schema, stable among equals."""
        pending = [(root, self._schema.maps.elements[str(root.tag)])]
        while pending:
            element, declaration = pending.pop()
            children = {child.name: child for child in declaration.iterchildren() if isinstance(child, XsdElement)}
            order = {tag: position for position, tag in enumerate(children)}
            element[:] = sorted(element, key=lambda child: order.get(child.tag, len(order)))
            pending.extend((child, children[child.tag]) for child in element if child.tag in children)


@cache
def schema(name: str) -> Schema:
    """The schema `schemas/xml/<name>.xsd`, built once."""
    return Schema(resource("schemas", "xml", f"{name}.xsd").read_text(encoding="utf-8"))


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


def _check_depth(root: Element, name: str) -> None:
    """Bound the depth, so that whoever walks the tree may recurse."""
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > XML_DEPTH:
            message = f"elements are nested deeper than {XML_DEPTH}: no format needs that"
            raise DocumentError(message, code="document-malformed", place=f"{name}, line {element.sourceline}")


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
