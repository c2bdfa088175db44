"""What the directory's files say: canonical JSON and back (rules 1.2, 3.2, 5.3).

One value has exactly one encoding (keys sorted, UTF-8, one space of indent, times in UTC with
microseconds, digests in hexadecimal, certificates in base64), because versions name the files by
digest. It is readable, so that two versions can be compared with any tool.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from cryptography import x509

from exchange.domain.directory import (
    Body,
    BodyStatus,
    CertificateUse,
    Change,
    Contact,
    Limits,
    ListedCertificate,
    Names,
    Paper,
)
from exchange.domain.ids import DIGEST_BYTES, ORIGIN_BYTES, ZERO_DIGEST, is_body_code
from exchange.security.cades import Verifier
from exchange.security.errors import DirectoryRefused, KeyRefused

FORMAT = 1
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_SOATE_DIGITS = 14

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole exchange; see `Directory`."""

    lanes: int
    journal_partitions: int
    issuers: tuple[bytes, ...]


def encode_settings(settings: Settings) -> bytes:
    """The file `exchange.json`."""
    return canonical(
        {
            "format": FORMAT,
            "lanes": settings.lanes,
            "journal_partitions": settings.journal_partitions,
            "issuers": [base64.b64encode(issuer).decode() for issuer in settings.issuers],
        }
    )


def decode_settings(document: bytes) -> Settings:
    """Read `exchange.json`.

    Raises:
        DirectoryRefused: as `decode_body`.
    """
    fields = fields_of(document, "exchange")
    issuers = tuple(_certificate(fields, "issuers", text)[0] for text in fields.texts("issuers"))
    fields.require("issuers", "names no certificate", holds=bool(issuers))
    settings = Settings(fields.number("lanes", least=1), fields.number("journal_partitions", least=1), issuers)
    require_canonical(encode_settings(settings), document, "exchange")
    return settings


def encode_body(body: Body) -> bytes:
    """A body's entry."""
    return canonical(
        {
            "format": FORMAT,
            "code": body.code,
            "names": {"ky": body.names.ky, "ru": body.names.ru, "en": body.names.en},
            "kind": body.kind,
            "status": body.status.value,
            "uids": list(body.uids),
            "soate": body.soate,
            "certificates": [
                {
                    "der": base64.b64encode(certificate.der).decode(),
                    "use": certificate.use.value,
                    "revoked": format_time(certificate.revoked) if certificate.revoked else None,
                }
                for certificate in body.certificates
            ],
            "inbound_origin": body.inbound_origin.hex() if body.inbound_origin is not None else None,
            "parent": body.parent,
            "gateway": body.gateway,
            "systems": list(body.systems),
            "contacts": [asdict(contact) for contact in body.contacts],
            "formats": list(body.formats),
            "limits": None if body.limits is None else asdict(body.limits),
            "change": None if body.change is None else _encode_change(body.change),
            "paper": None if body.paper is None else _encode_paper(body.paper),
        }
    )


def _encode_paper(paper: Paper) -> dict[str, object]:
    return {
        "inbound": None if paper.inbound is None else paper.inbound.isoformat(),
        "outbound": None if paper.outbound is None else paper.outbound.isoformat(),
    }


def _encode_change(change: Change) -> dict[str, object]:
    return {
        "number": change.number,
        "previous": change.previous.hex(),
        "at": format_time(change.at),
        "by": change.by,
        "reason": change.reason,
    }


def decode_body(document: bytes, code: str) -> Body:
    """Read the entry of the body `code`.

    Raises:
        DirectoryRefused: for any other bytes whatever. `directory-unreadable` (no JSON),
            `directory-field-invalid` (the message names the field), `directory-not-canonical`.
    """
    place = f"bodies.{code}"
    fields = fields_of(document, place)
    fields.require("code", "is not the body whose entry it is", holds=fields.text("code") == code)
    fields.require(
        "code", "is no body code: use 1-63 of a-z, 0-9 and '-', not starting with 'svc-'", holds=is_body_code(code)
    )
    names = fields.inner("names")
    soate = fields.text("soate")
    whole = len(soate) == _SOATE_DIGITS and soate.isascii() and soate.isdigit()
    fields.require("soate", f"is neither {_SOATE_DIGITS} digits nor empty", holds=not soate or whole)
    body = Body(
        code=code,
        names=Names(ky=names.text("ky"), ru=names.text("ru"), en=names.text("en")),
        kind=fields.text("kind"),
        status=fields.choice("status", BodyStatus),
        uids=tuple(fields.texts("uids")),
        soate=soate,
        certificates=tuple(_decode_certificate(item) for item in fields.items("certificates")),
        inbound_origin=None if fields.absent("inbound_origin") else fields.binary("inbound_origin", ORIGIN_BYTES),
        parent=_code(fields, "parent"),
        gateway=_code(fields, "gateway"),
        systems=tuple(fields.texts("systems")),
        contacts=tuple(_decode_contact(item) for item in fields.items("contacts")),
        formats=tuple(fields.texts("formats")),
        limits=None if fields.absent("limits") else _decode_limits(fields.inner("limits")),
        change=None if fields.absent("change") else _decode_change(fields.inner("change")),
        paper=None if fields.absent("paper") else _decode_paper(fields.inner("paper")),
    )
    require_canonical(encode_body(body), document, place)
    return body


def _code(fields: "Fields", name: str) -> str:
    code = fields.text(name)
    fields.require(name, "is neither a body code nor empty", holds=not code or is_body_code(code))
    return code


def _decode_contact(fields: "Fields") -> Contact:
    return Contact(fields.text("duty"), fields.text("name"), fields.text("email"), fields.text("phone"))


def _decode_limits(fields: "Fields") -> Limits:
    return Limits(fields.number("bytes_per_second", least=1), fields.number("request_percent", least=1))


def _decode_paper(fields: "Fields") -> Paper:
    return Paper(*(None if fields.absent(way) else fields.day(way) for way in ("inbound", "outbound")))


def _decode_change(fields: "Fields") -> Change:
    number, previous = fields.number("number", least=1), fields.binary("previous", DIGEST_BYTES)
    begins = (previous == ZERO_DIGEST) == (number == 1)
    fields.require("previous", "is not zeros in change 1, and only there", holds=begins)
    return Change(number, previous, fields.time("at"), fields.text("by"), fields.text("reason"))


def format_time(moment: datetime) -> str:
    """A time as the directory's files write it."""
    return moment.astimezone(UTC).strftime(_TIME)


def parse_time(text: str) -> datetime:
    """A time as the directory's files write it.

    Raises:
        ValueError: anything else.
    """
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def _decode_certificate(fields: "Fields") -> ListedCertificate:
    use = fields.choice("use", CertificateUse)
    encoded, certificate = _certificate(fields, "der", fields.text("der"))
    try:
        if use is CertificateUse.STATEMENT:
            Verifier(certificate)
    except KeyRefused as error:
        raise fields.refusal("der", f"cannot sign statements: {error}") from error
    return ListedCertificate(encoded, use, None if fields.absent("revoked") else fields.time("revoked"))


def _certificate(fields: "Fields", name: str, text: str) -> tuple[bytes, x509.Certificate]:
    try:
        encoded = base64.b64decode(text, validate=True)
        certificate = x509.load_der_x509_certificate(encoded)
        fields.require(name, "has a serial number that is not positive", holds=certificate.serial_number > 0)
    except (ValueError, x509.InvalidVersion) as error:
        raise fields.refusal(name, "is no certificate in base64") from error
    return encoded, certificate


def fields_of(document: bytes, place: str) -> "Fields":
    """The members of a document in JSON, format 1; `place` names it in refusals.

    Raises:
        DirectoryRefused: `directory-unreadable`, `directory-field-invalid`.
    """
    try:
        fields = Fields(json.loads(document.decode()), place)
    except (ValueError, RecursionError) as error:
        message = f"{place} is no JSON in UTF-8: fetch the file again"
        raise DirectoryRefused(message) from error
    known = fields.number("format", least=1) == FORMAT
    fields.require("format", f"is not {FORMAT}, the only one known here", holds=known)
    return fields


def require_canonical(encoded: bytes, document: bytes, place: str) -> None:
    """Refuse a document that is not what its value is `encoded` to.

    Raises:
        DirectoryRefused: `directory-not-canonical`.
    """
    if encoded != document:
        message = f"{place} is not in its canonical encoding: write it with exchange.security.directory"
        raise DirectoryRefused(message, code="directory-not-canonical")


def canonical(document: Mapping[str, object]) -> bytes:
    """The one encoding of a document."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


class Fields:
    """Reads the members of one JSON object; every refusal names the member's place."""

    def __init__(self, value: Any, place: str) -> None:
        """Read `value`, which must be an object; `place` is where it stands."""
        self._place = place
        if not isinstance(value, dict):
            raise self.refusal("", "is no object")
        self._members: dict[str, Any] = value

    def refusal(self, name: str, what: str) -> DirectoryRefused:
        """The error that says what is wrong with member `name`, or with the object itself."""
        place = f"{self._place}.{name}" if name else self._place
        return DirectoryRefused(f"{place} {what}", code="directory-field-invalid")

    def require(self, name: str, what: str, *, holds: bool) -> None:
        """Refuse member `name`, saying `what`, unless the condition `holds`."""
        if not holds:
            raise self.refusal(name, what)

    def names(self) -> list[str]:
        """Names of all members."""
        return list(self._members)

    def absent(self, name: str) -> bool:
        """Whether the member says null."""
        return self._get(name) is None

    def text(self, name: str) -> str:
        """A string that UTF-8 can carry."""
        value = self._get(name)
        if not isinstance(value, str) or not _is_plain(value):
            raise self.refusal(name, "is no text")
        return value

    def texts(self, name: str) -> list[str]:
        """An array of different strings."""
        values = self._list(name)
        plain = all(isinstance(value, str) and _is_plain(value) for value in values)
        self.require(name, "is no list of different texts", holds=plain and len(set(values)) == len(values))
        return values

    def number(self, name: str, least: int) -> int:
        """A whole number of 31 bits, `least` or more."""
        value = self._get(name)
        if type(value) is not int or not least <= value < 1 << 31:
            raise self.refusal(name, f"is no whole number from {least} on")
        return value

    def binary(self, name: str, size: int) -> bytes:
        """Exactly `size` bytes in hexadecimal."""
        try:
            value = bytes.fromhex(self.text(name))
        except ValueError:
            value = b""
        self.require(name, f"is not {size} bytes in hexadecimal", holds=len(value) == size)
        return value

    def time(self, name: str) -> datetime:
        """A time in UTC with microseconds."""
        try:
            return parse_time(self.text(name))
        except ValueError as error:
            raise self.refusal(name, "is no time like 2026-01-31T09:00:00.000000Z") from error

    def day(self, name: str) -> date:
        """A date."""
        text = self.text(name)
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.refusal(name, "is no date like 2026-01-31") from error

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        """One of the values of an enumeration."""
        try:
            return choices(self.text(name))
        except ValueError as error:
            raise self.refusal(name, f"is none of {', '.join(choices)}") from error

    def inner(self, name: str) -> "Fields":
        """A nested object."""
        return Fields(self._get(name), f"{self._place}.{name}")

    def document(self, name: str) -> bytes:
        """A nested object as a document of its own."""
        try:
            return canonical(self.inner(name)._members)  # noqa: SLF001 - one of its own
        except (ValueError, RecursionError) as error:
            raise self.refusal(name, "cannot be written in UTF-8") from error

    def items(self, name: str) -> list["Fields"]:
        """An array of objects."""
        return [Fields(item, f"{self._place}.{name}[{at}]") for at, item in enumerate(self._list(name))]

    def _get(self, name: str) -> Any:
        if name not in self._members:
            raise self.refusal(name, "is missing")
        return self._members[name]

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        if not isinstance(value, list):
            raise self.refusal(name, "is no list")
        return value


def _is_plain(text: str) -> bool:
    """Whether `text` has no lone surrogates, which JSON can say and UTF-8 cannot."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
