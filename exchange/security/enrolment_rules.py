"""Whether a body's request may be granted, and its answer installed: all rules in one place, without I/O and clock.

All of them are looked at, so that the body hears at once of everything that is wrong. What no program
can see, whether this is the body at all, is for the people who grant it: they compare the request's
SHA-256 with its administrator, by a way that they know.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, NameOID

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory
from exchange.domain.entry import OWN_KIND, Problem, Surroundings, entry_problems
from exchange.domain.ids import digest
from exchange.security.chain import ChainValidator
from exchange.security.enrolment import Answer, Request
from exchange.security.errors import KeyRefused, SignatureRefused
from exchange.security.keys import PublicKey, certified_key, require_strong
from exchange.security.purpose import PURPOSES

REQUEST_LIFETIME = timedelta(days=30)
CLOCKS_DIFFER = timedelta(minutes=5)

BEFORE_GRANT = frozenset({BodyStatus.PLANNED, BodyStatus.REQUESTED})
"""What a body may be listed as whose request is granted."""


def examine_request(
    request: Request,
    directory: Directory,
    soate_codes: Collection[str],
    used_keys: Mapping[bytes, str],
    now: datetime,
) -> list[Problem]:
    """Everything that is wrong with a request.

    1. It is for this exchange, of the last month, and signed by the statement key that it names.
    2. The body is not in yet, and is what was planned for it.
    3. Each key is strong, its own, and new: no body ever had it listed. So a request is granted once.
    4. Each certificate request proves that the body has the key, and names the body alone.
    5. The entry fits into the directory: kind, names, SOATE, parent, gateway, identifiers.

    Args:
        request: as `decode_request` read it.
        directory: the newest version.
        soate_codes: the codes of the state's list.
        used_keys: whose key each one was that was ever listed; see `keys_listed`.
        now: the time (UTC).
    """
    around = Surroundings(directory.bodies, directory.by_uid(), soate_codes)
    return [
        *_document_problems(request, directory, now),
        *_plan_problems(request.body, directory.bodies.get(request.code)),
        *_key_problems(request, used_keys),
        *_csr_problems(request),
        *entry_problems(request.body, around),
    ]


def keys_listed(bodies: Iterable[Body]) -> dict[bytes, str]:
    """Codes of bodies by the SHA-256 of each key that they have listed, revoked ones too."""
    found = {}
    for body in bodies:
        for listed in body.certificates:
            with suppress(ValueError, UnsupportedAlgorithm):  # a key of unknown kind is refused in requests anyway
                found[key_digest(x509.load_der_x509_certificate(listed.der))] = body.code
    return found


@dataclass(frozen=True, slots=True)
class Applicant:
    """What a body has on its own machine when the answer comes.

    Attributes:
        code: its code.
        exchange: SHA-256 of the root file that it was given.
        keys: the public halves of its keys.
        transport_root: vouches for transport certificates; given to it by hand.
        issuers: of the other certificates, as the directory lists them; empty while it is not here yet.
    """

    code: str
    exchange: bytes
    keys: Mapping[CertificateUse, PublicKey]
    transport_root: x509.Certificate
    issuers: tuple[x509.Certificate, ...]


def examine_answer(answer: Answer, applicant: Applicant, now: datetime) -> list[Problem]:
    """Everything that is wrong with the answer to a body's request.

    1. It is for this body, in this exchange, and has a certificate of each of its keys.
    2. Each certificate is of the key, and names the body.
    3. It leads to a root that the body knows, for its use, now.
    """
    problems = []
    if (answer.exchange, answer.code) != (applicant.exchange, applicant.code):
        text = (
            f"it is for {answer.code[:63]} in exchange {answer.exchange.hex()[:8]}: take the one for {applicant.code}"
        )
        problems.append(Problem(code="answer-foreign", place="code", text=text))
    if set(answer.certificates) != set(applicant.keys):
        text = f"it has not exactly one for each of {', '.join(applicant.keys)}: ask the operators for the whole answer"
        problems.append(Problem(code="answer-incomplete", place="certificates", text=text))
    for use in answer.certificates.keys() & applicant.keys.keys():
        problems += _certificate_problems(answer.certificates[use], use, applicant, now)
    return problems


def listing_problems(
    certificate: x509.Certificate, use: CertificateUse, code: str, roots: Sequence[x509.Certificate], now: datetime
) -> Iterator[Problem]:
    """Everything that is wrong with a certificate that keepers would list for a body beside those that it has.

    It may begin to hold later, and its subject may say more than the body's name.

    Args:
        certificate: that somebody issued, and sent.
        use: what it is for.
        code: the body's.
        roots: who may issue such certificates.
        now: the time (UTC).
    """
    names = [each.value for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [code]:
        text = f"names {certificate.subject.rfc4514_string()[:80] or 'nobody'}, not CN={code}"
        yield Problem(code="certificate-names-another", place=use.value, text=text)
    try:
        certified_key(certificate, "the certificate")
        ChainValidator(roots, PURPOSES[use]).validate(certificate, max(now, certificate.not_valid_before_utc))
    except (KeyRefused, SignatureRefused) as refused:
        yield Problem(code=refused.code, place=use.value, text=str(refused))


def require_issuer(certificate: x509.Certificate, owner: str) -> None:
    """Make sure that a certificate may issue others; `owner` names it in the error.

    Raises:
        KeyRefused: `certificate-not-issuer`.
    """
    found = {each.oid: each for each in certificate.extensions}
    constraints, usage = (found.get(oid) for oid in (ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE))
    issues = (
        constraints is not None
        and constraints.critical
        and constraints.value.ca
        and usage is not None
        and usage.value.key_cert_sign
        and ExtensionOID.EXTENDED_KEY_USAGE not in found
    )
    if not issues:
        subject = certificate.subject.rfc4514_string()[:80]
        message = f"{owner} ({subject}) is no issuer's: name the authority's own certificate, not one that it issued"
        raise KeyRefused(message, code="certificate-not-issuer")


def _certificate_problems(
    certificate: x509.Certificate, use: CertificateUse, applicant: Applicant, now: datetime
) -> Iterator[Problem]:
    place = f"certificates.{use}"
    try:
        if certified_key(certificate, "the certificate") != applicant.keys[use]:
            text = "is not of the key that lies here: was the key made again after the request?"
            yield Problem(code="key-certificate-mismatch", place=place, text=text)
    except KeyRefused as error:
        yield Problem(code=error.code, place=place, text=str(error))
    if _common_names(certificate.subject) != [applicant.code]:
        text = f"names {certificate.subject.rfc4514_string()[:80] or 'nobody'}, not {applicant.code}"
        yield Problem(code="certificate-names-another", place=place, text=text)
    roots = (applicant.transport_root,) if use is CertificateUse.TRANSPORT else applicant.issuers
    try:
        if roots:
            ChainValidator(roots, PURPOSES[use]).validate(certificate, now)
    except SignatureRefused as refused:
        yield Problem(code=refused.code, place=place, text=str(refused))


def _document_problems(request: Request, directory: Directory, now: datetime) -> Iterator[Problem]:
    if request.exchange != directory.exchange:
        text = f"it is for exchange {request.exchange.hex()[:8]}, this is {directory.exchange.hex()[:8]}"
        yield Problem(code="request-foreign", place="exchange", text=f"{text}: make it with this one's root file")
    if not now - REQUEST_LIFETIME <= request.made <= now + CLOCKS_DIFFER:
        text = f"it was made on {request.made:%Y-%m-%d at %H:%M} UTC, not within the last {REQUEST_LIFETIME.days} days"
        yield Problem(code="request-outdated", place="made", text=f"{text}: make it again, or set the clock")
    if not request.is_signed():
        text = "it is not that of the request's own statement key: somebody altered the file, send it again"
        yield Problem(code="request-signature-invalid", place="signature", text=text)


def _plan_problems(body: Body, listed: Body | None) -> Iterator[Problem]:
    if body.kind == OWN_KIND:
        yield Problem(code="kind-unknown", place="kind", text=f"{OWN_KIND} is for the exchange's own: name yours")
    if listed is None:
        return
    if listed.status not in BEFORE_GRANT:
        text = f"{body.code} is in the directory as {listed.status}: choose another code, or change its certificates"
        yield Problem(code="body-listed", place="code", text=text)
        return
    for field in ("kind", "soate", "parent", "gateway"):
        planned, wanted = getattr(listed, field), getattr(body, field)
        if planned and planned != wanted:
            text = f"is '{wanted[:63]}', planned was '{planned}': correct one of them"
            yield Problem(code="request-differs", place=field, text=text)


def _key_problems(request: Request, used_keys: Mapping[bytes, str]) -> Iterator[Problem]:
    seen: dict[bytes, CertificateUse] = {}
    for use, csr in request.csrs.items():
        place = f"csrs.{use}"
        try:
            require_strong(csr.public_key(), "the key")
        except KeyRefused as error:
            yield Problem(code=error.code, place=place, text=str(error))
            continue
        except (ValueError, UnsupportedAlgorithm) as error:
            yield Problem(code="key-unsupported", place=place, text=f"{error}: use ECDSA P-256 or RSA")
            continue
        if use is CertificateUse.ENCRYPTION and not isinstance(csr.public_key(), ec.EllipticCurvePublicKey):
            yield Problem(code="key-unsupported", place=place, text="content keys are wrapped for P-256 keys only")
        name = key_digest(csr)
        if name in seen:
            yield Problem(code="key-shared", place=place, text=f"is the {seen[name]} key too: make one for each use")
        seen[name] = use
        if owner := used_keys.get(name):
            yield Problem(code="key-reused", place=place, text=f"{owner} had this key listed: make a new one")


def _csr_problems(request: Request) -> Iterator[Problem]:
    for use, csr in request.csrs.items():
        place = f"csrs.{use}"
        if not _proves_possession(csr):
            yield Problem(code="csr-signature-invalid", place=place, text="is not signed by the key that it names")
        if _common_names(csr.subject) != [request.code]:
            text = f"names {csr.subject.rfc4514_string()[:80] or 'nobody'}, not CN={request.code} alone"
            yield Problem(code="csr-names-another", place=place, text=text)


def _proves_possession(csr: x509.CertificateSigningRequest) -> bool:
    try:
        return csr.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        return False


def _common_names(subject: x509.Name) -> list[str | bytes] | None:
    """A name's common names; None when it says anything else."""
    said = list(subject)
    return [each.value for each in said] if all(each.oid == NameOID.COMMON_NAME for each in said) else None


def key_digest(owner: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    """SHA-256 of the public key that somebody has."""
    return digest(owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
