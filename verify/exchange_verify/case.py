"""What a package's index must say of each statement, since statement and decision say it; and the same for people."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from exchange_verify import avro
from exchange_verify.errors import Refused, require

STAMP = "META-INF/timestamp.tst"
_ASIC, _DS = "{http://uri.etsi.org/02918/v1.2.1#}", "{http://www.w3.org/2000/09/xmldsig#}"
_REFERENCE = (f"{_ASIC}DataObjectReference", f"{_DS}DigestMethod", f"{_DS}DigestValue")
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ETSI_EVENTS = """
accepted SubmissionAcceptance, rejected SubmissionRejection, relay-failed RelayFailure, delivered ContentConsignment,
not-delivered ContentConsignmentFailure, handed-over ContentHandover, hand-over-failed ContentHandoverFailure,
registered ConsignmentAcceptance, refused ConsignmentRejection, expired AcceptanceRejectionExpiry
"""
_ETSI_PAIRS = (each.split() for each in _ETSI_EVENTS.split(","))
_ETSI_OF = {event: f"http://uri.etsi.org/19522/Event/{name}" for event, name in _ETSI_PAIRS}


@dataclass(frozen=True, slots=True)
class Said:
    """A statement with the exchange's decision about it; `kind` is empty where only its head can be read."""

    number: int
    statement: bytes
    entry: bytes
    signature: bytes
    kind: str
    fields: avro.Fields
    head: avro.Fields
    decision: avro.Fields

    @property
    def digest(self) -> bytes:
        """SHA-256 of the statement: its id."""
        return sha256(self.statement).digest()

    @property
    def about(self) -> bytes:
        """The letter that it is about, or else itself."""
        return self.fields.get("letter") or self.digest

    @property
    def files(self) -> tuple[str, str, str]:
        """Its paths in the package: statement, entry, proof."""
        entry = f"entries/{self.number:04}"
        return f"statements/{self.number:04}-{self.kind or 'statement'}.asics", f"{entry}.entry", f"{entry}.proof"

    def indexed(self) -> dict[str, Any]:
        """What the index must say of it."""
        decision, event = self.decision, self._event()
        said = {"kind": self.kind, "event": event, "etsi": _ETSI_OF.get(event), "body": self.head["body"]}
        said |= {"digest": self.digest.hex(), "decided": _time(decision["decided"])}
        said |= {name: decision[name] for name in ("verdict", "reason", "recipients")}
        said |= {"directory": decision["directory_version"], "policy": f"policy/{decision['policy_digest'].hex()}.toml"}
        return said | dict(zip(("statement", "entry", "proof"), self.files, strict=True))

    def told(self, letter: "Said") -> str:
        """The same for people, beside the letter that it is about."""
        reason, addressed = self.decision["reason"], letter.decision["recipients"]
        to = f" to {', '.join(addressed)}" if self is letter else ""
        told = f"{_time(self.decision['decided'])}  {self.head['body']}: {self.kind or 'unread'}, {self._event()}{to}"
        odd = self.head["body"] not in addressed or self.fields.get("sender") != letter.head["body"]
        told += "; NO ADDRESSEE'S, it says nothing of the letter" if self.kind == "receipt" and odd else ""
        return told + (f"; refused by the exchange, {reason}" if reason else "")

    def _event(self) -> str:
        accepted = not self.decision["reason"]
        if self.kind == "letter":
            return "accepted" if accepted else "rejected"
        named = {"receipt": self.fields.get("event"), "deadline": "expired", "command": self.fields.get("action")}
        return named.get(self.kind) or "not-taken" if accepted else "not-taken"


def read(number: int, statement: bytes, entry: bytes) -> Said:
    """A statement and the decision about it, which must be about exactly this one."""
    kind, decided = avro.read(entry)
    require(kind == "decided" and decided["statement"] == statement, "it is no decision about this statement")
    decision = decided["decision"]
    require(decision["statement"] == sha256(statement).digest(), "it names another statement than it holds")
    require((decision["verdict"] == "ACCEPTED") == (not decision["reason"]), "it refuses without saying why")
    try:
        kind, fields = avro.read(statement)
        require(kind != "decided", "the statement is none")
    except (Refused, ValueError, OverflowError):
        require(decision["reason"], "a statement that cannot be read was accepted")
        kind, fields = "", {"head": avro.read_head(statement)}
    return Said(number, statement, entry, decided["signature"], kind, fields, fields["head"], decision)


def read_manifest(data: bytes) -> tuple[bool, Mapping[str, bytes]]:
    """Whether a manifest is time-stamped, and the SHA-256 of each file that it names."""
    require(b"<!" not in data and b"&" not in data, "it declares something")
    root = ET.fromstring(data.decode())  # noqa: S314  # without declarations nothing can be expanded or fetched
    require(root.tag == f"{_ASIC}ASiCManifest", "it is no ASiCManifest")
    stamps = [each.attrib["URI"] for each in root if each.tag == f"{_ASIC}SigReference"]
    require(stamps in ([], [STAMP]), f"its time-stamp is not {STAMP}")
    digests = {}
    for each in root[len(stamps) :]:
        name, (method, value) = unquote(each.attrib["URI"], errors="strict"), each
        require((each.tag, method.tag, value.tag) == _REFERENCE, f"{name}: it is named in an odd way")
        require(method.attrib == {"Algorithm": _SHA256}, f"{name}: it is named by a weak digest, not by SHA-256")
        require(name not in digests, f"{name}: it is named twice")
        digests[name] = b64decode(value.text or "", validate=True)
    return bool(stamps), digests


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
