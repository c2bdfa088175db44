"""SOAP envelopes with the headers of X-Road's message protocol 4.0."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree
from lxml.etree import _Element as Element

from exchange.domain.errors import DocumentError
from exchange.wire.xml import legal_text, parse, place_of, serialise

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
X_ROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
PRODUCER = "http://dhx.x-road.eu/producer"

_PREFIXES = {"soap": SOAP, "xro": X_ROAD, "iden": IDENTIFIERS, "prod": PRODUCER}
_PROTOCOL = "4.0"
_CODES = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")


@dataclass(frozen=True, slots=True)
class Subsystem:
    """Who speaks on X-Road; `str` is its path, `central-server/GOV/70000001/DHX`."""

    instance: str
    member_class: str
    member: str
    subsystem: str

    def __str__(self) -> str:
        """The path."""
        return f"{self.instance}/{self.member_class}/{self.member}/{self.subsystem}"


@dataclass(frozen=True, slots=True)
class Headers:
    """Of a message: who calls whom, by which id; a response repeats those of its request."""

    id: str
    client: Subsystem
    service: Subsystem
    service_code: str
    service_version: str = ""


def read_envelope(data: bytes, name: str) -> tuple[Element, Element]:
    """Root and content of the body of an envelope.

    Raises:
        DocumentError: no XML, no envelope (`document-namespace`), or a body without exactly one element.
    """
    root = parse(data, name)
    if root.tag != _tag(SOAP, "Envelope"):
        message = f"the root is not 'Envelope' of {SOAP}: send a SOAP 1.1 message"
        raise DocumentError(message, code="document-namespace", place=place_of(root, name))
    content = root.findall(f"{_tag(SOAP, 'Body')}/*")
    if len(content) != 1:
        raise DocumentError("the Body must hold exactly one element", place=place_of(root, name))
    return root, content[0]


def read_headers(root: Element, name: str) -> Headers:
    """The X-Road headers of a request.

    Raises:
        DocumentError: one that must be there is missing.
    """
    client = _subsystem(root, "client", name)
    service = _subsystem(root, "service", name)
    called = f"{_tag(SOAP, 'Header')}/{_tag(X_ROAD, 'service')}/"
    return Headers(
        id=_text(root, f"{_tag(SOAP, 'Header')}/{_tag(X_ROAD, 'id')}"),
        client=client,
        service=service,
        service_code=_text(root, called + _tag(IDENTIFIERS, "serviceCode")),
        service_version=_text(root, called + _tag(IDENTIFIERS, "serviceVersion")),
    )


def fields(content: Element) -> Mapping[str, str]:
    """The parameters of a call by name, the first of each; what is not known is skipped, as DHX demands."""
    found: dict[str, str] = {}
    for name, element in _children(content):
        found.setdefault(name, (element.text or "").strip())
    return found


def write_envelope(headers: Headers, name: str, parameters: Mapping[str, str | Mapping[str, str]]) -> bytes:
    """An envelope with the element `name` of DHX: its parameters in their order, empty ones left out."""
    root = etree.Element(_tag(SOAP, "Envelope"), nsmap=_PREFIXES)
    _write_headers(etree.SubElement(root, _tag(SOAP, "Header")), headers)
    content = etree.SubElement(etree.SubElement(root, _tag(SOAP, "Body")), _tag(PRODUCER, name))
    for parameter, value in parameters.items():
        if isinstance(value, str):
            _add(content, PRODUCER, parameter, value)
        elif value:
            inner = etree.SubElement(content, _tag(PRODUCER, parameter))
            for part, text in value.items():
                _add(inner, PRODUCER, part, text)
    return serialise(root)


def _write_headers(header: Element, headers: Headers) -> None:
    _add(header, X_ROAD, "protocolVersion", _PROTOCOL)
    _add(header, X_ROAD, "id", headers.id)
    _write_subsystem(header, "client", headers.client, "SUBSYSTEM")
    service = _write_subsystem(header, "service", headers.service, "SERVICE")
    _add(service, IDENTIFIERS, "serviceCode", headers.service_code)
    _add(service, IDENTIFIERS, "serviceVersion", headers.service_version)


def _write_subsystem(header: Element, name: str, subsystem: Subsystem, kind: str) -> Element:
    element = etree.SubElement(header, _tag(X_ROAD, name))
    element.set(_tag(IDENTIFIERS, "objectType"), kind)
    codes = (subsystem.instance, subsystem.member_class, subsystem.member, subsystem.subsystem)
    for code, text in zip(_CODES, codes, strict=True):
        _add(element, IDENTIFIERS, code, text)
    return element


def _subsystem(root: Element, name: str, file: str) -> Subsystem:
    """A client or service; the subsystem may be missing, the member not."""
    element = root.find(f"{_tag(SOAP, 'Header')}/{_tag(X_ROAD, name)}")
    if element is None:
        raise DocumentError(f"the X-Road header '{name}' is missing: call by the security server", place=file)
    codes = [_text(element, _tag(IDENTIFIERS, code)) for code in _CODES]
    if not all(codes[:3]) or any("/" in code for code in codes):
        message = f"the X-Road header '{name}' names no member: fill instance, class and code, each without '/'"
        raise DocumentError(message, place=place_of(element, file))
    return Subsystem(*codes)


def _children(element: Element) -> Iterator[tuple[str, Element]]:
    for child in element:
        yield etree.QName(child).localname, child


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _add(parent: Element, namespace: str, name: str, text: str) -> None:
    if text:
        etree.SubElement(parent, _tag(namespace, name)).text = legal_text(text)


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}"
