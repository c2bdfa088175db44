"""DHX's service `sendDocument`: a capsule, sent by a call over X-Road, and the answer to it.

Pure functions between HTTP bodies and values, for a connector that speaks DHX: it keeps what it has seen by
`SendDocument.key`, tells a repeated call by the fault `DUPLICATE`, and everything else by `fault_of`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree
from lxml.etree import _Element as Element

from adapters.formats.dhx.multipart import Part, join, named, split
from adapters.formats.dhx.soap import PRODUCER, Headers, fields, read_envelope, read_headers, write_envelope
from adapters.formats.dhx.words import (
    CALL_DOCUMENT,
    INVALID_ADDRESSEE,
    LETTER_DOCUMENT,
    SIZE_LIMIT_EXCEEDED,
    UNSUPPORTED_VERSION,
    VALIDATION,
)
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError
from exchange.wire.xml import place_of

REQUEST_BYTES = 12 * 1024 * 1024
"""Of a call: the largest capsule in base64, and its envelope."""

DHX_VERSION = "1.0"
MEDIA_TYPE = "text/xml; charset=UTF-8"

_ENVELOPE = "sendDocument"
_RESPONSE = "sendDocumentResponse"
_ROOT_ID = "envelope"
_CAPSULE_ID = "capsule.xml"
_KNOWN_VERSION = re.compile(r"1(?:\.[0-9]{1,9}){0,2}")
_ID_CHARACTERS = 255
_NAME_CHARACTERS = 32
_FAULTS = {
    "document-kind-unsupported": UNSUPPORTED_VERSION,
    "document-too-large": SIZE_LIMIT_EXCEEDED,
    "package-too-large": SIZE_LIMIT_EXCEEDED,
    "recipient-missing": INVALID_ADDRESSEE,
    "recipient-unknown": INVALID_ADDRESSEE,
}


@dataclass(frozen=True, slots=True)
class SendDocument:
    """A call.

    Attributes:
        headers: of X-Road.
        consignment_id: the sender's id of the consignment, the same in every attempt to send it.
        capsule: the document.
        recipient: code of the body, where the called member works for others.
        recipient_system: which of its systems.
        version: of DHX.
    """

    headers: Headers
    consignment_id: str
    capsule: bytes
    recipient: str = ""
    recipient_system: str = ""
    version: str = DHX_VERSION

    @property
    def key(self) -> str:
        """What is the same in every attempt to send a consignment, and in no other: X-Road client and consignment."""
        return f"{self.headers.client}/{self.consignment_id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: an id of its receipt, or a fault's code and text."""

    receipt_id: str = ""
    fault_code: str = ""
    fault_text: str = ""


def read_request(content_type: str, body: bytes) -> SendDocument:
    """A call from the HTTP header `Content-Type` and the body.

    Raises:
        DocumentError: as `fault_of` tells apart: too large, another version of DHX, anything else.
    """
    if len(body) > REQUEST_BYTES:
        message = f"the call has {len(body)} bytes, more than {REQUEST_BYTES}: send fewer or smaller files"
        raise DocumentError(message, code="document-too-large", place=_ENVELOPE)
    parts = split(content_type, body, _ENVELOPE)
    root, said, place = _read_call(parts[0].data, _ENVELOPE)
    version = said.get("DHXVersion", "")
    if not _KNOWN_VERSION.fullmatch(version):
        message = f"DHXVersion is missing or unknown: send {DHX_VERSION}"
        raise DocumentError(message, code="document-kind-unsupported", place=place)
    capsule = named(parts[1:], said.get("documentAttachment", ""))
    if capsule is None:
        message = "documentAttachment names no attachment: write cid: and the Content-ID of the capsule"
        raise DocumentError(message, code="file-missing", place=place)
    headers = read_headers(root, _ENVELOPE)
    recipient, system = said.get("recipient", ""), said.get("recipientSystem", "")
    return SendDocument(headers, said["consignmentId"], capsule.data, recipient, system, version)


def package_of(call: SendDocument) -> Package:
    """The package that hands a call to the format: capsule and envelope, named the same in every attempt."""
    name = hashlib.sha256(call.key.encode("utf-8", "surrogatepass")).hexdigest()[:_NAME_CHARACTERS]
    return Package(name, {LETTER_DOCUMENT: call.capsule, CALL_DOCUMENT: _write_call(call)})


def consignment_of(envelope: bytes, name: str) -> str:
    """The sender's id of the consignment, from the envelope that `package_of` keeps.

    Raises:
        DocumentError: no envelope of a call, or no id in it.
    """
    _, said, _ = _read_call(envelope, name)
    return said["consignmentId"]


def _read_call(envelope: bytes, name: str) -> tuple[Element, Mapping[str, str], str]:
    """Root, parameters and place of a call that names its consignment."""
    root, content = read_envelope(envelope, name)
    place = place_of(content, name)
    if content.tag != etree.QName(PRODUCER, _ENVELOPE).text:
        message = f"the Body does not hold 'sendDocument' of {PRODUCER}: no other service is offered"
        raise DocumentError(message, code="document-namespace", place=place)
    said = fields(content)
    if not 0 < len(said.get("consignmentId", "")) <= _ID_CHARACTERS:
        message = f"consignmentId has no or more than {_ID_CHARACTERS} characters: give each consignment its own id"
        raise DocumentError(message, place=place)
    return root, said, place


def write_request(call: SendDocument) -> tuple[str, bytes]:
    """`Content-Type` and body of a call; the same call gives the same bytes."""
    return join([Part(_ROOT_ID, MEDIA_TYPE, _write_call(call)), Part(_CAPSULE_ID, MEDIA_TYPE, call.capsule)])


def _write_call(call: SendDocument) -> bytes:
    parameters = {
        "DHXVersion": call.version,
        "recipient": call.recipient,
        "recipientSystem": call.recipient_system,
        "consignmentId": call.consignment_id,
        "documentAttachment": f"cid:{_CAPSULE_ID}",
    }
    return write_envelope(call.headers, _ENVELOPE, parameters)


def read_answer(body: bytes) -> Answer:
    """What the called system answered: receipt or fault, a SOAP fault among them.

    Raises:
        DocumentError: no envelope, or neither receipt nor fault in it.
    """
    root, content = read_envelope(body, "answer")
    place = place_of(root, "answer")
    if etree.QName(content).localname == "Fault":
        said = fields(content)
        return Answer(fault_code=said.get("faultcode", "") or "Server", fault_text=said.get("faultstring", ""))
    fault = next((child for child in content if etree.QName(child).localname == "fault"), None)
    told = {} if fault is None else fields(fault)
    answer = Answer(fields(content).get("receiptId", ""), told.get("faultCode", ""), told.get("faultString", ""))
    if not answer.receipt_id and not answer.fault_code:
        raise DocumentError("the answer holds neither receiptId nor fault: send the document again", place=place)
    return answer


def write_answer(call: SendDocument, answer: Answer) -> bytes:
    """Body of the answer to a call, of `MEDIA_TYPE`; the security server adds the hash of the request."""
    if not answer.fault_code:
        return write_envelope(call.headers, _RESPONSE, {"receiptId": answer.receipt_id})
    fault = {"faultCode": answer.fault_code, "faultString": answer.fault_text or answer.fault_code}
    return write_envelope(call.headers, _RESPONSE, {"fault": fault})


def fault_of(error: DocumentError) -> Answer:
    """The answer to a call whose message or capsule was refused: DHX's code, our words."""
    return Answer(fault_code=_FAULTS.get(error.code, VALIDATION), fault_text=str(error))
