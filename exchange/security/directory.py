"""The directory as a document: canonical JSON and back (rules 1.2, 3.2, 5.3).

One directory has exactly one encoding (keys sorted, UTF-8, one space of indent, times in UTC with
microseconds, digests in hexadecimal, certificates in base64), because decisions name its digest. It
is readable, so that two versions can be compared with any tool.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Names
from exchange.domain.ids import DIGEST_BYTES, ORIGIN_BYTES, ZERO_DIGEST, is_body_code
from exchange.security.cades import Verifier
from exchange.security.errors import DirectoryRefused, KeyRefused

FORMAT = 1
DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_SOATE_DIGITS = 14

_Choice = TypeVar("_Choice", bound=StrEnum)


def exchange_id(root: x509.Certificate) -> bytes:
    """Id of the exchange whose first trust root is `root`: SHA-256 of its DER (rule 1.2)."""
    return hashlib.sha256(root.public_bytes(serialization.Encoding.DER)).digest()


def encode(directory: Directory) -> bytes:
    """The directory's document; `directory.digest` is not part of it but its SHA-256."""
    document = {
        "format": FORMAT,
        "exchange": directory.exchange.hex(),
        "version": directory.version,
        "previous": directory.previous.hex(),
        "issued": _time(directory.issued),
        "lanes": directory.lanes,
        "journal_partitions": directory.journal_partitions,
        "bodies": {body.code: _encode_body(body) for body in directory.bodies.values()},
    }
    return _canonical(document)


def decode(document: bytes) -> Directory:
    """Read a directory's document.

    Raises:
        DirectoryRefused: for any other bytes whatever. `directory-unreadable` (no JSON, too large),
            `directory-field-invalid` (the message names the field), `directory-not-canonical`.
    """
    fields = _Fields(_parse(document), "directory")
    known = fields.number("format", least=1) == FORMAT
    fields.require("format", f"is not {FORMAT}, the only one known here", holds=known)
    version, previous = fields.number("version", least=1), fields.binary("previous", DIGEST_BYTES)
    begins = (previous == ZERO_DIGEST) == (version == 1)
    fields.require("previous", "is not zeros in version 1, and only there", holds=begins)
    bodies = fields.inner("bodies")
    directory = Directory(
        exchange=fields.binary("exchange", DIGEST_BYTES),
        version=version,
        digest=hashlib.sha256(document).digest(),
        previous=previous,
        issued=fields.time("issued"),
        lanes=fields.number("lanes", least=1),
        journal_partitions=fields.number("journal_partitions", least=1),
        bodies={code: _decode_body(code, bodies.inner(code)) for code in bodies.names()},
    )
    _require_unique(directory)
    if encode(directory) != document:
        message = "the directory is not in its canonical encoding: write it with exchange.security.directory"
        raise DirectoryRefused(message, code="directory-not-canonical")
    return directory


def _encode_body(body: Body) -> dict[str, object]:
    return {
        "names": {"ky": body.names.ky, "ru": body.names.ru, "en": body.names.en},
        "kind": body.kind,
        "status": body.status.value,
        "uids": list(body.uids),
        "soate": body.soate,
        "certificates": [
            {
                "der": base64.b64encode(certificate.der).decode(),
                "use": certificate.use.value,
                "revoked": _time(certificate.revoked) if certificate.revoked else None,
            }
            for certificate in body.certificates
        ],
        "inbound_origin": body.inbound_origin.hex() if body.inbound_origin is not None else None,
    }


def _decode_body(code: str, fields: "_Fields") -> Body:
    fields.require(
        "", "is no body code: use 1-63 of a-z, 0-9 and '-', not starting with 'svc-'", holds=is_body_code(code)
    )
    names = fields.inner("names")
    soate = fields.text("soate")
    whole = len(soate) == _SOATE_DIGITS and soate.isascii() and soate.isdigit()
    fields.require("soate", f"is neither {_SOATE_DIGITS} digits nor empty", holds=not soate or whole)
    return Body(
        code=code,
        names=Names(ky=names.text("ky"), ru=names.text("ru"), en=names.text("en")),
        kind=fields.text("kind"),
        status=fields.choice("status", BodyStatus),
        uids=tuple(fields.texts("uids")),
        soate=soate,
        certificates=tuple(_decode_certificate(item) for item in fields.items("certificates")),
        inbound_origin=None if fields.absent("inbound_origin") else fields.binary("inbound_origin", ORIGIN_BYTES),
    )


def _decode_certificate(fields: "_Fields") -> ListedCertificate:
    use = fields.choice("use", CertificateUse)
    try:
        encoded = base64.b64decode(fields.text("der"), validate=True)
        certificate = x509.load_der_x509_certificate(encoded)
        fields.require("der", "has a serial number that is not positive", holds=certificate.serial_number > 0)
        if use is CertificateUse.STATEMENT:
            Verifier(certificate)
    except KeyRefused as error:
        raise fields.refusal("der", f"cannot sign statements: {error}") from error
    except (ValueError, x509.InvalidVersion) as error:
        raise fields.refusal("der", "is no certificate in base64") from error
    return ListedCertificate(encoded, use, None if fields.absent("revoked") else fields.time("revoked"))


def _require_unique(directory: Directory) -> None:
    """An identifier or a certificate that two bodies share would speak for the wrong one."""
    seen: set[str | bytes] = set()
    for body in directory.bodies.values():
        marks: list[str | bytes] = [*body.uids, *(certificate.der for certificate in body.certificates)]
        if len(seen | set(marks)) < len(seen) + len(marks):
            message = f"directory.bodies.{body.code} has a uid or certificate that is listed already: list it once"
            raise DirectoryRefused(message, code="directory-field-invalid")
        seen.update(marks)


def _parse(document: bytes) -> object:
    if len(document) > DOCUMENT_BYTES_MAX:
        message = f"a directory of {len(document)} bytes is over {DOCUMENT_BYTES_MAX}: is this the right file?"
        raise DirectoryRefused(message)
    try:
        return json.loads(document.decode())
    except (ValueError, RecursionError) as error:
        message = "the directory is no JSON in UTF-8: fetch the file again"
        raise DirectoryRefused(message) from error


def _canonical(document: Mapping[str, object]) -> bytes:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_TIME)


class _Fields:
    """Reads the members of one JSON object; every refusal names the member's place."""

    def __init__(self, value: Any, place: str) -> None:
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
            return datetime.strptime(self.text(name), _TIME).replace(tzinfo=UTC)
        except ValueError as error:
            raise self.refusal(name, "is no time like 2026-01-31T09:00:00.000000Z") from error

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        """One of the values of an enumeration."""
        try:
            return choices(self.text(name))
        except ValueError as error:
            raise self.refusal(name, f"is none of {', '.join(choices)}") from error

    def inner(self, name: str) -> "_Fields":
        """A nested object."""
        return _Fields(self._get(name), f"{self._place}.{name}")

    def items(self, name: str) -> list["_Fields"]:
        """An array of objects."""
        return [_Fields(item, f"{self._place}.{name}[{at}]") for at, item in enumerate(self._list(name))]

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
