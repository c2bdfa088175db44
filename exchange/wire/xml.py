"""Hardened XML: what a document system hands in is hostile until it validates.

`parse` turns bytes into a tree, or says in one `DocumentError` why not and in which line. It loads
nothing but the bytes given: a document type is refused before any parser sees it, so there are no
entities; size and depth are bounded; the encoding is the one that the document declares, strictly.
`Schema` validates against the schemas of `schemas/xml/`, naming element and line. Messages never
repeat a value: an error text may be logged, a letter's content may not.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from threading import Lock
from typing import Any, cast

from lxml import etree
from lxml.etree import _Element as Element

from exchange.domain.errors import DocumentError
from exchange.resources import resource

XML_BYTES = 1024 * 1024
XML_DEPTH = 64

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "windows-1251": "cp1251", "cp1251": "cp1251"}
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# Atomic groups: a prolog of many comments must not make the search exponential.
_DOCTYPE = re.compile(rb"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL)
_NAMESPACE = re.compile(r"\{[^}]*\}")
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_HINT = "{http://www.w3.org/2001/XMLSchema-instance}"

# What libxml2 says of a tree. Values are quoted in it and may hold anything, quotes and verdicts too.
_FAULT = re.compile(r"(?:Element '[^']*'(?:, attribute '(?P<attribute>[^']*)')?: )?(?P<text>.*)", re.DOTALL)
_VERDICT = re.compile(
    r"(?:\[facet '\w+'\] )?(?:(?:The value )?'.*'|The value)"
    r" (?P<verdict>(?:is not an? |is not accepted by |is less than |is greater than |has a length of |has more ).*\.)",
    re.DOTALL,
)
_STRUCTURE = (
    "This element is not expected", "Missing child element", "The attribute ", "Character content ",
    "Element content ", "No matching global ",
)  # fmt: skip
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
        The root element; comments, processing instructions and hints to validators (`xsi:…`), which
        could lead them to other files, are left out.

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
    for element in root.iter():
        for hint in [key for key in map(str, element.attrib) if key.startswith(_HINT)]:
            del element.attrib[hint]
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
    """One of the schemas in `schemas/xml/`; threads may share it."""

    def __init__(self, text: str) -> None:
        """Build from the schema's text; nothing else is loaded, whatever a document hints at."""
        document = etree.fromstring(text.encode())
        self._schema = etree.XMLSchema(document)
        # libxml2's validator keeps the faults of the last tree.
        self._validating = Lock()
        self._order = _Order(document)

    def check(self, root: Element, name: str) -> None:
        """Validate a tree.

        Raises:
            DocumentError: `document-invalid` for the first fault, with file, line and element.
        """
        with self._validating:
            if self._schema.validate(root):
                return
            faults: Any = self._schema.error_log  # a list, which the stubs do not say
            fault = faults[0]
        said = cast("re.Match[str]", _FAULT.fullmatch(fault.message))  # any text matches
        attribute = f"/@{_NAMESPACE.sub('', said['attribute'])}" if said["attribute"] else ""
        line = f", line {fault.line}" if fault.line else ""
        place = f"{name}{line}, {_shorten(_path(_found(root, fault.path or '')) + attribute)}"
        raise DocumentError(_explain(said["text"]), place=place)

    def is_valid(self, root: Element) -> bool:
        """Whether a tree validates."""
        with self._validating:
            return bool(self._schema.validate(root))

    def sort(self, root: Element) -> None:
        """Put the children of every element into the order of the schema, stable among equals."""
        pending = [(root, self._order.of_root(root))]
        while pending:
            element, declaration = pending.pop()
            children = self._order.children[declaration]
            order = {tag: position for position, tag in enumerate(children)}
            element[:] = sorted(element, key=lambda child: order.get(child.tag, len(order)))
            pending.extend((child, children[child.tag]) for child in element if child.tag in children)


class _Order:
    """The order of children, read from the schema's own text.

    Attributes:
        children: by declaration of an element, the declarations of its children by tag, in order.
    """

    def __init__(self, document: Element) -> None:
        self._document = document
        self._namespace = document.get("targetNamespace", "")
        self._types = {kind.get("name"): kind for kind in document.findall(_XSD + "complexType")}
        self.children = {
            declaration: {self._tag(child): child for child in self._particles(self._type(declaration))}
            for declaration in document.iter(_XSD + "element")
        }

    def of_root(self, root: Element) -> Element:
        """The declaration of a document's root."""
        return next(each for each in self._document.findall(_XSD + "element") if self._tag(each) == root.tag)

    def _tag(self, declaration: Element) -> str:
        return f"{{{self._namespace}}}{declaration.get('name')}"

    def _type(self, declaration: Element) -> Iterable[Element]:
        """What an element holds: its own type, or the named one; nothing for texts."""
        named = declaration.get("type")
        return declaration if named is None else self._types.get(named, ())

    def _particles(self, node: Iterable[Element]) -> Iterator[Element]:
        """Declarations inside a type; what a type extends comes before its own."""
        for child in node:
            if child.tag == _XSD + "element":
                yield child
            else:
                yield from self._particles(self._types.get(child.get("base"), ()))
                yield from self._particles(child)


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


def _found(root: Element, path: str) -> Element:
    """The element at libxml2's path, which names prefixes as the document does; the root when it cannot be told."""
    prefixes = {prefix: uri for element in root.iter() for prefix, uri in element.nsmap.items() if prefix}
    try:
        found = cast("list[Element]", root.getroottree().xpath(path, namespaces=prefixes))
    except etree.XPathError:
        return root
    return found[0] if found else root


def _path(element: Element) -> str:
    """Local names down to an element, counted from 1 where there are several of a name."""
    steps = []
    for each in (element, *element.iterancestors()):
        alike = [] if (parent := each.getparent()) is None else parent.findall(str(each.tag))
        count = f"[{alike.index(each) + 1}]" if len(alike) > 1 else ""
        steps.append(f"{etree.QName(each).localname}{count}")
    return "/".join(["", *reversed(steps)])


def _explain(text: str) -> str:
    """What libxml2 says is wrong, without the value that it quotes: from the last closing quote before a verdict."""
    about_value = _VERDICT.fullmatch(text)
    if about_value:
        return _shorten(f"the value {about_value['verdict']}")
    return _shorten(_NAMESPACE.sub("", text)) if text.startswith(_STRUCTURE) else "not valid"


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
