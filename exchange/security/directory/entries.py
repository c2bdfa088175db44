"""What the directory's files say: bodies' entries and `exchange.json` as canonical JSON, and back (rules 1.2, 3.2)."""

import base64
from dataclasses import asdict, dataclass

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
from exchange.security.directory.canonical_json import (
    FORMAT,
    Fields,
    canonical,
    fields_of,
    format_time,
    require_canonical,
)
from exchange.security.errors import KeyRefused

_SOATE_DIGITS = 14


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


def _code(fields: Fields, name: str) -> str:
    code = fields.text(name)
    fields.require(name, "is neither a body code nor empty", holds=not code or is_body_code(code))
    return code


def _decode_contact(fields: Fields) -> Contact:
    return Contact(fields.text("duty"), fields.text("name"), fields.text("email"), fields.text("phone"))


def _decode_limits(fields: Fields) -> Limits:
    return Limits(fields.number("bytes_per_second", least=1), fields.number("request_percent", least=1))


def _decode_paper(fields: Fields) -> Paper:
    return Paper(*(None if fields.absent(way) else fields.day(way) for way in ("inbound", "outbound")))


def _decode_change(fields: Fields) -> Change:
    number, previous = fields.number("number", least=1), fields.binary("previous", DIGEST_BYTES)
    begins = (previous == ZERO_DIGEST) == (number == 1)
    fields.require("previous", "is not zeros in change 1, and only there", holds=begins)
    return Change(number, previous, fields.time("at"), fields.text("by"), fields.text("reason"))


def _decode_certificate(fields: Fields) -> ListedCertificate:
    use = fields.choice("use", CertificateUse)
    encoded, certificate = _certificate(fields, "der", fields.text("der"))
    try:
        if use is CertificateUse.STATEMENT:
            Verifier(certificate)
    except KeyRefused as error:
        raise fields.refusal("der", f"cannot sign statements: {error}") from error
    return ListedCertificate(encoded, use, None if fields.absent("revoked") else fields.time("revoked"))


def _certificate(fields: Fields, name: str, text: str) -> tuple[bytes, x509.Certificate]:
    try:
        encoded = base64.b64decode(text, validate=True)
        certificate = x509.load_der_x509_certificate(encoded)
        fields.require(name, "has a serial number that is not positive", holds=certificate.serial_number > 0)
    except (ValueError, x509.InvalidVersion) as error:
        raise fields.refusal(name, "is no certificate in base64") from error
    return encoded, certificate
