"""Statements and decisions: Avro behind five bytes of frame, in the one encoding that they have.

So bytes under a signature or a digest say one thing only. What the index must say, and people are told, follows.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509

from exchange_verify.errors import require

_RECORDS = {
    "head": "exchange:32 body:str origin:16 number:long previous:32 created:time",
    "item": "digest:32 size:long media_type:str form:INLINE|SEALED|REFERENCE",
    "group": "expression:str directory_version:long",
    "seal": "suite:str key_commitment:32 wraps_root:32",
    "before": "origin:16 number:long digest:32",
    "place": "lane:long number:long previous:32",
    "letter": "head:head message_id:str consignment_id:str kind:DOCUMENT|ADDITION|REPLY conversation:str "
    "in_reply_to:?32 recipients:*str group:?group ack:NONE|ERRORS|ALWAYS wanted:*str urgency:ROUTINE|URGENT|IMMEDIATE "
    "reply_due:?date access:PUBLIC|RESTRICTED|CONFIDENTIAL seal:?seal contents:*item",
    "receipt": "head:head letter:32 sender:str event:str at:time reason:str contents:*item",
    "open": "head:head predecessor:?before",
    "void": "head:head replaced:32 reason:str",
    "deadline": "head:head letter:32 sender:str recipient:str stage:str due:time through:time policy:32 notify:*str",
    "command": "head:head action:str task:str person:str second:str reason:str detail:str letter:?32 recipient:str "
    "contents:*item",
    "decision": "place:place partition:long offset:long arrived:time decided:time directory_version:long "
    "directory_digest:32 policy_digest:32 statement:32 verdict:ACCEPTED|REFUSED reason:str detail:str recipients:*str",
    "decided": "decision:decision statement:bytes signature:bytes",
}
"""The schemas of `schemas/avro/`, fields in order. `32`: so many bytes; `*`: array of; `?`: null or; `A|B`: enum."""
_NUMBERED = {10: "letter", 11: "receipt", 12: "open", 13: "void", 14: "deadline", 15: "command", 30: "decided"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ETSI_EVENTS = """accepted SubmissionAcceptance, rejected SubmissionRejection, relay-failed RelayFailure,
delivered ContentConsignment, not-delivered ContentConsignmentFailure, handed-over ContentHandover,
hand-over-failed ContentHandoverFailure, registered ConsignmentAcceptance, refused ConsignmentRejection,
expired AcceptanceRejectionExpiry"""
_ETSI_OF = dict(each.split() for each in _ETSI_EVENTS.split(","))


class Said:
    """A statement and the decision about it; `kind` is empty where only the statement's head can be read."""

    signer: x509.Certificate  # found by later steps, as are time-stamps over the signature and where it is due
    stamps: list[tuple[bytes, bytes]]
    partition: int

    def __init__(self, number: int, entry: bytes, crls: list[str]) -> None:
        """Read an entry: a decision with the very bytes of statement and signature; lists are as the index says."""
        kind, decided = read(entry)
        require(kind == "decided", "it is no decision")
        self.entry, self.crls, self.decision = entry, crls, decided["decision"]
        self.statement, self.signature = bytes(decided["statement"]), bytes(decided["signature"])
        self.digest = sha256(self.statement).digest()
        require(self.decision["statement"] == self.digest, "it names another statement than it holds")
        self.reason: str = self.decision["reason"]
        require((self.decision["verdict"] == "ACCEPTED") == (not self.reason), "it refuses without saying why")
        try:
            self.kind, self.fields = read(self.statement)
            require(self.kind != "decided", "the statement is none")
        except (ValueError, OverflowError):
            require(self.reason, "a statement that cannot be read was accepted")
            self.kind, self.fields = "", {"head": _Reader(self.statement).read("head")}
        self.head: dict[str, Any] = self.fields["head"]
        self.decided = f"{self.decision['decided']:%Y-%m-%dT%H:%M:%S.%fZ}"
        self.about: bytes = self.fields.get("letter") or self.digest
        self.container = f"statements/{number:04}-{self.kind or 'statement'}.asics"
        self.policy = f"policy/{self.decision['policy_digest'].hex()}.toml"
        self.proof = f"entries/{number:04}.proof"

    def indexed(self) -> dict[str, Any]:
        """What the index must say of it."""
        decision, event = self.decision, self._event()
        etsi = f"http://uri.etsi.org/19522/Event/{_ETSI_OF[event]}" if event in _ETSI_OF else None
        said = {name: decision[name] for name in ("verdict", "reason", "recipients")}
        said |= {"kind": self.kind, "event": event, "etsi": etsi, "body": self.head["body"]}
        said |= {"decided": self.decided, "directory": decision["directory_version"], "policy": self.policy}
        said |= {"crls": self.crls, "digest": self.digest.hex(), "statement": self.container, "proof": self.proof}
        return said | {"entry": self.proof.replace(".proof", ".entry")}

    def told(self, letter: "Said") -> str:
        """The same for people, beside the letter that it is about."""
        addressed = letter.decision["recipients"]
        to = f" to {', '.join(addressed)}" if self is letter else ""
        told = f"{self.decided}  {self.head['body']}: {self.kind or 'unread'}, {self._event()}{to}"
        odd = self.head["body"] not in addressed or self.fields.get("sender") != letter.head["body"]
        told += "; NO ADDRESSEE'S, it says nothing of the letter" if self.kind == "receipt" and odd else ""
        return told + (f"; refused by the exchange, {self.reason}" if self.reason else "")

    def _event(self) -> str:
        plain = {"letter": "accepted", "deadline": "expired"}.get(self.kind)
        named = self.fields.get("event") or self.fields.get("action") or plain
        return (not self.reason and named) or ("rejected" if self.kind == "letter" else "not-taken")


def read(data: bytes) -> tuple[str, dict[str, Any]]:
    """A record's kind and fields; only its one encoding is read."""
    reader, kind = _Reader(data), _NUMBERED.get(int.from_bytes(data[1:5], "big"), "")
    require(kind, f"schema {data[1:5].hex()} is not known here")
    value = reader.read(kind)
    require(reader.at == len(data), f"{len(data) - reader.at} bytes are left over")
    return kind, value


class _Reader:
    """Reads from behind the frame: a zero byte and the schema's number in four."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 5
        require(len(data) >= self.at and not data[0], "it has no frame, a zero byte and a schema's number")

    def read(self, layout: str) -> Any:
        if layout[0] == "*":
            items = [self.read(layout[1:]) for _ in range(self._number(len(self._data)))]
            require(not items or not self._number(), "it has an array in several blocks")
            return items
        if layout[0] == "?":
            return self.read(layout[1:]) if self._number(1) else None
        if "|" in layout:
            return layout.split("|")[self._number(layout.count("|"))]
        if layout in {"long", "time", "date"}:
            number, day = self._number(), timedelta(days=1)
            return number if layout == "long" else _EPOCH + number * (day if layout == "date" else day.resolution)
        if layout in {"str", "bytes"} or layout.isdigit():
            data = self._take(int(layout) if layout.isdigit() else self._number(len(self._data)))
            return data.decode() if layout == "str" else data
        fields = (field.split(":") for field in _RECORDS[layout].split())
        return {name: self.read(inner) for name, inner in fields}

    def _number(self, most: int | None = None) -> int:
        """Zigzag, seven bits a byte, the lowest first; from 0 to `most` if there is one."""
        value, shift, byte = 0, 0, 0x80
        while byte >= 0x80 and shift < 70:
            (byte,) = self._take(1)
            value, shift = value | (byte & 0x7F) << shift, shift + 7
        require(byte < 0x80 and not value >> 64 and (byte or shift == 7), "it has a number of too many bytes")
        value = (value >> 1) ^ -(value & 1)
        require(most is None or 0 <= value <= most, f"it has {value} where {most} is the most")
        return value

    def _take(self, size: int) -> bytes:
        require(size <= len(self._data) - self.at, "it ends early")
        self.at += size
        return self._data[self.at - size : self.at]
