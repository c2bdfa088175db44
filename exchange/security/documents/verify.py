"""Whether documents' own signatures hold. They are the documents' matter: what is found is reported, and stops nothing.

A document may come with detached signatures of people, made by the EDMS of whoever wrote it and for readers that the
exchange knows nothing of. They travel as files among files. Here they are looked at for whoever wants to know.
Revocation is not asked for, and time-stamp tokens are not checked: a signing time is what the signer says.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from exchange.domain.card import LetterCard
from exchange.domain.errors import WireError
from exchange.security.crl import BROKEN
from exchange.security.documents import algorithms, ber, signed_data
from exchange.security.documents.algorithms import NotChecked, Scheme
from exchange.security.documents.anchors import Anchors
from exchange.security.documents.certificates import Carried, readable
from exchange.security.documents.reason import SignatureReason, SignatureStatus
from exchange.security.documents.signed_data import SignedData, SignerInfo, parse_signature

SIGNATURES = 200
"""Of one letter that are looked at; each may take as long as its 32 signers do."""


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """One signer's signature of one file.

    Attributes:
        file: name of the signed file.
        signature_file: name of the file that holds the signature.
        status: what became of it.
        reason: why it is not valid; None where it is.
        signer: common name, else the whole subject, of the signer's certificate; what the document says of the signer
            where no certificate can be read.
        subject: of that certificate, RFC 4514; empty without one.
        signed_at: signing time as the signer says; None where nothing is said.
        time_stamped: whether a time-stamp token lies beside; it is not checked.
        algorithm: for people.
    """

    file: str
    signature_file: str
    status: SignatureStatus
    reason: SignatureReason | None = None
    signer: str = ""
    subject: str = ""
    signed_at: datetime | None = None
    time_stamped: bool = False
    algorithm: str = ""


def signature_reports(
    card: LetterCard, files: Sequence[bytes], anchors: Anchors, now: datetime
) -> tuple[SignatureReport, ...]:
    """Reports on all signatures that a letter's card names, signer by signer, in the card's order.

    Args:
        card: the letter's.
        files: bytes of `card.files`, in that order.
        anchors: who is trusted to vouch for signers.
        now: as of when certificates are looked at where a signer says no time, or a later one.
    """
    contents = {info.id: (info.name, data) for info, data in zip(card.files, files, strict=False)}
    by_name = dict(contents.values())
    ids, names = Counter(info.id for info in card.files), Counter(info.name for info in card.files)
    reports: list[SignatureReport] = []
    for number, signature in enumerate(card.signatures, 1):
        name, content = contents.get(signature.file_id, (signature.file_id, None))
        found = SignatureReport(name, signature.signature_file, SignatureStatus.NOT_VERIFIED)
        cms = by_name.get(signature.signature_file)
        if ids[signature.file_id] > 1 or names[signature.signature_file] > 1 or names[name] > 1:
            some = [replace(found, reason=SignatureReason.FILE_AMBIGUOUS)]
        elif content is None or cms is None:
            some = [replace(found, reason=SignatureReason.FILE_MISSING)]
        elif number > SIGNATURES:
            some = [replace(found, reason=SignatureReason.TOO_LARGE)]
        else:
            some = _reports(found, content, cms, anchors, now)
        reports += [replace(report, signer=report.signer or signature.signer.name) for report in some]
    return tuple(reports)


def _reports(
    found: SignatureReport, content: bytes, cms: bytes, anchors: Anchors, now: datetime
) -> list[SignatureReport]:
    """On all signers of one signature; at least one, and never an exception, whatever the bytes."""
    try:
        data = parse_signature(cms)
    except WireError as error:
        return [replace(found, reason=SignatureReason(error.code))]
    if not data.signers:
        return [replace(found, reason=SignatureReason.SIGNER_MISSING)]
    certificates = tuple(readable(data.certificates))
    digests: dict[str, bytes] = {}
    return [
        _report(found, _Case(data, signer, content, digests, certificates, anchors, now)) for signer in data.signers
    ]


@dataclass(frozen=True, slots=True)
class _Case:
    """All that is known of one signer's signature; `digests` of the content, by algorithm, as they are asked for."""

    data: SignedData
    signer: SignerInfo
    content: bytes
    digests: dict[str, bytes]
    certificates: tuple[Carried, ...]
    anchors: Anchors
    now: datetime

    def digest(self, algorithm: hashes.HashAlgorithm) -> bytes:
        if algorithm.name not in self.digests:
            self.digests[algorithm.name] = _digest(algorithm, self.content)
        return self.digests[algorithm.name]

    def certificate(self) -> Carried | None:
        """The signer's, out of the file or of the anchors."""
        known = (*self.certificates, *self.anchors.certificates)
        return next((each for each in known if each.is_of(self.signer)), None)


class _Refused(Exception):
    """A step that did not hold."""

    def __init__(self, status: SignatureStatus, reason: SignatureReason) -> None:
        super().__init__(reason.value)
        self.status, self.reason = status, reason


def _report(found: SignatureReport, case: _Case) -> SignatureReport:
    signer, certificate = case.signer, case.certificate()
    found = replace(
        found,
        signer="" if certificate is None else certificate.name,
        subject="" if certificate is None else certificate.subject,
        signed_at=signer.signing_time,
        time_stamped=signer.has_time_stamp,
        algorithm=algorithms.name(signer.digest, signer.signature),
    )
    try:
        _verify(case, certificate)
    except _Refused as refused:
        return replace(found, status=refused.status, reason=refused.reason)
    except NotChecked as error:
        return replace(found, status=SignatureStatus.NOT_VERIFIED, reason=error.reason)
    return replace(found, status=SignatureStatus.VALID)


def _verify(case: _Case, certificate: Carried | None) -> None:
    """The steps of RFC 5652, 5.4 and 5.6, and of a chain.

    Raises:
        NotChecked: an algorithm or key that is not checked here.
        _Refused: anything else that does not hold.
    """
    # 1. The algorithms are ones that can be checked here.
    scheme = algorithms.scheme(case.signer.digest, case.signer.signature)
    # 2. What is signed is the digest of this very content.
    _require_content(case, scheme)
    # 3. The signer's certificate is there, and the one that the signer meant.
    if certificate is None:
        raise _Refused(SignatureStatus.NOT_VERIFIED, SignatureReason.CERTIFICATE_MISSING)
    _require_meant(case.signer, certificate.certificate)
    # 4. The signature holds for that certificate's key.
    _require_signature(case, scheme, certificate.certificate)
    # 5. At the time of signing, somebody trusted vouched for that certificate.
    at = min(case.signer.signing_time or case.now, case.now)
    problem = case.anchors.problem(certificate, case.certificates, at)
    if problem is not None:
        raise _Refused(SignatureStatus.SIGNER_UNKNOWN, problem)


def _require_content(case: _Case, scheme: Scheme) -> None:
    attributes = case.signer.attributes
    if attributes is None:
        if case.content[:1] == bytes((ber.SET,)) and signed_data.MESSAGE_DIGEST_ENCODED in case.content:
            # Somebody's signed attributes, handed out as content: nobody signed that they are a document.
            raise _Refused(SignatureStatus.INVALID, SignatureReason.ATTRIBUTES_WRONG)
        return
    kind, digest = attributes.get(signed_data.CONTENT_TYPE), attributes.get(signed_data.MESSAGE_DIGEST)
    try:
        named = "" if kind is None else ber.dotted(kind)
        claimed = b"" if digest is None else digest.octets()
    except ValueError:
        raise _Refused(SignatureStatus.INVALID, SignatureReason.ATTRIBUTES_WRONG) from None
    if not claimed or named != case.data.content_type:
        raise _Refused(SignatureStatus.INVALID, SignatureReason.ATTRIBUTES_WRONG)
    if claimed != case.digest(scheme.content):
        raise _Refused(SignatureStatus.ALTERED, SignatureReason.CONTENT_DIFFERS)


def _require_meant(signer: SignerInfo, certificate: x509.Certificate) -> None:
    """Another certificate of the same key, issuer and number cannot take the place of the meant one (RFC 5035)."""
    attributes = signer.attributes or {}
    try:
        if signed_data.SIGNING_CERTIFICATE_V2 in attributes:
            named, algorithm = meant(attributes[signed_data.SIGNING_CERTIFICATE_V2])
        elif signed_data.SIGNING_CERTIFICATE in attributes:
            named, _ = meant(attributes[signed_data.SIGNING_CERTIFICATE])
            algorithm = hashes.SHA1()  # noqa: S303 - RFC 2634 knows no other
        else:
            return
    except (ValueError, IndexError):
        raise _Refused(SignatureStatus.INVALID, SignatureReason.ATTRIBUTES_WRONG) from None
    if certificate.fingerprint(algorithm) != named:
        raise _Refused(SignatureStatus.INVALID, SignatureReason.CERTIFICATE_OTHER)


def meant(attribute: ber.Element) -> tuple[bytes, hashes.HashAlgorithm]:
    """Digest of the certificate that ESS names first (RFC 5035), and by which algorithm; SHA-256 where none stands.

    Raises:
        NotChecked: an algorithm that is not relied on.
        ValueError, IndexError: the attribute is broken.
    """
    first, *_ = ber.sequence(ber.sequence(attribute)[0])
    parts = ber.sequence(first)
    if parts[0].tag == ber.SEQUENCE:
        return parts[1].octets(), algorithms.digest_of(signed_data.algorithm(parts[0]))
    return parts[0].octets(), hashes.SHA256()


def _require_signature(case: _Case, scheme: Scheme, certificate: x509.Certificate) -> None:
    try:
        key = certificate.public_key()
    except BROKEN:
        raise NotChecked(SignatureReason.KEY_UNSUPPORTED) from None
    digests = [_digest(scheme.signed, each) for each in case.signer.signed] or [case.digest(scheme.signed)]
    for digest in digests:
        try:
            scheme.verify(key, case.signer.value, digest)
        except InvalidSignature:
            continue
        return
    raise _Refused(SignatureStatus.INVALID, SignatureReason.SIGNATURE_WRONG)


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()
