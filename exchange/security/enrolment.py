"""How a body asks to be let in: its request, and the answer to it, as files (rules 1.2, 1.4).

A body makes its keys on its own machine, where they stay, and writes `<code>.request.json`: its entry as
it would stand in the directory, and a PKCS#10 request for a certificate of each key, which proves that
it has the key (RFC 2986). The statement key signs the whole, so nobody on the way puts another key or
name in. What it signs begins with `{`: it can be taken for no statement (0x00) and no signature's
attributes (0x31).

The answer `<code>.answer.json` brings the certificates. It needs no signature: whoever installs it
compares each certificate with a key, and with roots, that were there before.

Both are canonical JSON, see `exchange.security.directory`.
"""

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from exchange.domain.directory import Body, BodyStatus, CertificateUse, ListedCertificate
from exchange.domain.ids import DIGEST_BYTES, body_code
from exchange.security.cades import checking, signing
from exchange.security.directory.canonical_json import (
    FORMAT,
    Fields,
    canonical,
    fields_of,
    format_time,
    require_canonical,
)
from exchange.security.directory.entries import decode_body, encode_body
from exchange.security.errors import DirectoryRefused, EnrolmentRefused, KeyRefused
from exchange.security.keys import PrivateKey, PublicKey, require_strong

Certificates = Mapping[CertificateUse, x509.Certificate]
"""A body's certificates, one for each use."""


@dataclass(frozen=True, slots=True)
class Request:
    """A body's request.

    Attributes:
        exchange: id of the exchange that it is for: SHA-256 of the root file that the body was given.
        made: when.
        body: its entry, requested and without certificates.
        csrs: what it wants certificates of, by their use.
        signature: of everything else, by the statement key.
    """

    exchange: bytes
    made: datetime
    body: Body
    csrs: Mapping[CertificateUse, x509.CertificateSigningRequest]
    signature: bytes

    @property
    def code(self) -> str:
        """The body's code."""
        return self.body.code

    def is_signed(self) -> bool:
        """Whether the signature is that of the statement key that the request names."""
        key = key_of(self.csrs[CertificateUse.STATEMENT])
        try:
            if key is not None:
                checking(key)(self.signature, _signed_bytes(self))
        except InvalidSignature:
            return False
        return key is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a body gets back; `exchange` as in the request."""

    exchange: bytes
    code: str
    certificates: Certificates


def uses_of(body: Body) -> tuple[CertificateUse, ...]:
    """What a body has keys for; whose letters a gateway carries, that one makes no connection of its own."""
    return tuple(use for use in CertificateUse if not (body.gateway and use is CertificateUse.TRANSPORT))


def make_request(body: Body, exchange: bytes, keys: Mapping[CertificateUse, PrivateKey], at: datetime) -> Request:
    """The request of `body`, signed.

    Args:
        body: its entry; status and certificates are set here.
        exchange: SHA-256 of the exchange's first root file.
        keys: one for each of `uses_of(body)`.
        at: the time (UTC).
    """
    csrs = {use: _csr(body.code, keys[use]) for use in uses_of(body)}
    requested = replace(body, status=BodyStatus.REQUESTED, certificates=(), change=None)
    unsigned = Request(exchange, at, requested, csrs, b"")
    return replace(unsigned, signature=signing(keys[CertificateUse.STATEMENT])(_signed_bytes(unsigned)))


def encode_request(request: Request) -> bytes:
    """The file of a request."""
    return canonical({**_document(request), "signature": base64.b64encode(request.signature).decode()})


def decode_request(document: bytes) -> Request:
    """Read a request. What it says is for `exchange.security.enrolment_rules` to look at.

    Raises:
        EnrolmentRefused: `enrolment-unreadable`: any other bytes whatever; the message names the field.
        ConfigurationError: `body-code-invalid`.
    """
    try:
        return _decode_request(document)
    except DirectoryRefused as error:
        message = f"this is no request of a body: {error}; write it with `exchange body request`"
        raise EnrolmentRefused(message) from error


def entry_of(request: Request, certificates: Certificates) -> Body:
    """The directory's entry of a body whose request was granted; how it came about is still to be said."""
    ordered = (use for use in CertificateUse if use in certificates)
    return replace(
        request.body,
        certificates=tuple(ListedCertificate(certificates[use].public_bytes(Encoding.DER), use) for use in ordered),
    )


def answer_of(exchange: bytes, body: Body) -> Answer:
    """The answer for a body that is let in: of each use the certificate that its entry lists last and that speaks.

    Args:
        exchange: id of the exchange.
        body: its entry, read from the directory or a draft.
    """
    listed = {each.use: each.der for each in body.certificates if each.revoked is None}
    return Answer(exchange, body.code, {use: x509.load_der_x509_certificate(der) for use, der in listed.items()})


def encode_answer(answer: Answer) -> bytes:
    """The file of an answer."""
    return canonical(
        {
            "format": FORMAT,
            "exchange": answer.exchange.hex(),
            "code": answer.code,
            "certificates": {use.value: _encoded(each) for use, each in answer.certificates.items()},
        }
    )


def decode_answer(document: bytes) -> Answer:
    """Read an answer.

    Raises:
        EnrolmentRefused: `enrolment-unreadable`: any other bytes whatever; the message names the field.
    """
    place = "answer"
    try:
        fields = fields_of(document, place)
        certificates = fields.inner("certificates")
        found = {use: _certificate(certificates, use.value) for use in _uses(certificates)}
        answer = Answer(fields.binary("exchange", DIGEST_BYTES), fields.text("code"), found)
        require_canonical(encode_answer(answer), document, place)
    except DirectoryRefused as error:
        message = f"this is no answer to a request: {error}; ask the exchange's operators for the file again"
        raise EnrolmentRefused(message) from error
    return answer


def key_of(csr: x509.CertificateSigningRequest) -> PublicKey | None:
    """The key of a request for a certificate; None when it is weak, or of a kind that is not accepted."""
    try:
        return require_strong(csr.public_key(), "")
    except (KeyRefused, ValueError, UnsupportedAlgorithm):
        return None


def _decode_request(document: bytes) -> Request:
    place = "request"
    fields = fields_of(document, place)
    code = body_code(fields.inner("body").text("code"))
    body = decode_body(fields.document("body"), code)
    bare = body.status is BodyStatus.REQUESTED and not body.certificates and body.change is None
    fields.require("body", "is not requested, or has certificates or a change already", holds=bare)
    csrs = fields.inner("csrs")
    wanted = _uses(csrs)
    named = ", ".join(uses_of(body))
    fields.require("csrs", f"is not exactly one for each of {named}", holds=set(wanted) == set(uses_of(body)))
    request = Request(
        exchange=fields.binary("exchange", DIGEST_BYTES),
        made=fields.time("made"),
        body=body,
        csrs={use: _request(csrs, use.value) for use in wanted},
        signature=_bytes(fields, "signature"),
    )
    require_canonical(encode_request(request), document, place)
    return request


def _document(request: Request) -> dict[str, object]:
    """Everything but the signature."""
    return {
        "format": FORMAT,
        "exchange": request.exchange.hex(),
        "made": format_time(request.made),
        "body": json.loads(encode_body(request.body)),
        "csrs": {use.value: _encoded(csr) for use, csr in request.csrs.items()},
    }


def _signed_bytes(request: Request) -> bytes:
    return canonical(_document(request))


def _csr(code: str, key: PrivateKey) -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


def _encoded(item: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return base64.b64encode(item.public_bytes(Encoding.DER)).decode()


def _uses(fields: Fields) -> Collection[CertificateUse]:
    """The uses that an object has members for."""
    known: Iterable[str] = tuple(CertificateUse)
    for name in fields.names():
        fields.require(name, f"is none of {', '.join(known)}", holds=name in known)
    return [CertificateUse(name) for name in fields.names()]


def _request(fields: Fields, name: str) -> x509.CertificateSigningRequest:
    try:
        csr = x509.load_der_x509_csr(_bytes(fields, name))
        fields.require(name, "has a subject that says nothing", holds=bool(list(csr.subject)))
    except (ValueError, TypeError, x509.InvalidVersion) as error:  # a TypeError is what odd names raise
        raise fields.refusal(name, "is no PKCS#10 request in base64") from error
    return csr


def _certificate(fields: Fields, name: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(_bytes(fields, name))
        fields.require(name, "has a subject that says nothing", holds=bool(list(certificate.subject)))
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise fields.refusal(name, "is no certificate in base64") from error
    return certificate


def _bytes(fields: Fields, name: str) -> bytes:
    try:
        return base64.b64decode(fields.text(name), validate=True)
    except ValueError as error:
        raise fields.refusal(name, "is not base64") from error
