"""Whether a signed statement holds: all trust rules in one place, without I/O and clock.

Router, agents, tracker and auditors ask the same question with the same inputs, the directory version
and the time of the decision (rule 3.2), and so get the same answer in twenty years.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from exchange.domain.directory import CertificateUse, Directory
from exchange.domain.ids import digest
from exchange.domain.reason import Reason
from exchange.security.cades import Verifier
from exchange.security.chain import ChainValidator
from exchange.security.crl import NO_REVOCATIONS, Revocations
from exchange.security.errors import DirectoryRefused, SignatureRefused
from exchange.security.form import Frame, ParsedSignature, beginning, parse
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity


@dataclass(slots=True)
class _Listed:
    """A statement certificate that the directory lists for a body.

    `validity` is the chain's interval that was used last; threads may overwrite one another's with
    an equally true one. The verifier is made when the body is heard for the first time: of a country's
    10,000 bodies a process hears few.
    """

    body: str
    der: bytes
    revoked: datetime | None
    validity: Validity | None = None
    _verifier: Verifier | None = None

    @property
    def verifier(self) -> Verifier:
        """Of the certificate, whose key was looked at when the entry was read."""
        if self._verifier is None:
            self._verifier = Verifier(x509.load_der_x509_certificate(self.der))
        return self._verifier


class Trust:
    """What one directory version says about signatures; may be shared by threads."""

    def __init__(self, directory: Directory, revocations: Revocations = NO_REVOCATIONS) -> None:
        """Index the statement certificates of `directory`, a version that was proven, by their digests.

        Raises:
            DirectoryRefused: `certificate-shared` (listed twice).
        """
        self.directory = directory
        issuers = [x509.load_der_x509_certificate(issuer) for issuer in directory.issuers]
        roots = [issuer for issuer in issuers if not _has_issuer(issuer, issuers)]
        below = [issuer for issuer in issuers if issuer not in roots]
        self._chains = ChainValidator(roots, Purpose.STATEMENT, below, revocations)
        self._listed: dict[bytes, _Listed] = {}
        self._held: dict[bytes, Frame] = {}
        for listed in _statement_certificates(directory):
            signer = digest(listed.der)
            if signer in self._listed:
                message = f"bodies.{listed.body}.certificates: listed twice; a certificate speaks for one body"
                raise DirectoryRefused(message, code="certificate-shared")
            self._listed[signer] = listed

    def verify_statement(self, statement: bytes, signature: bytes, at: datetime) -> str:
        """The body that signed `statement`.

        1. The signature has the one accepted form (rule 1.4).
        2. The directory lists the certificate that it names (rule 1.4).
        3. The bytes are exactly what this certificate's signature of this statement looks like, and
           the signature value holds (rules 1.3, 1.4).
        4. The certificate was not revoked at that time (rule 3.2).
        5. It led to a trusted root, for statements, at that time, and nothing on the way was revoked by the
           issuers' lists in force (rules 1.4, 3.2).

        The certificate comes last, so that the refusal of a genuine signature can name the body that
        has to sign again (rule 2.4). Whether the body may speak, and whether the statement is its
        own to say, is for the decision to look at.

        Args:
            statement: the exact bytes.
            signature: detached CMS.
            at: time of the decision (UTC), never the signing time, which is only a claim.

        Raises:
            SignatureRefused: with its reason; `body` is set for steps 4 and 5 only.
        """
        parsed = self._parse(signature)
        listed = self._find(parsed)
        listed.verifier.verify(parsed, statement)
        frame = listed.verifier.frame(parsed)
        self._held[frame.before] = frame
        if listed.revoked is not None and listed.revoked <= at:
            raise SignatureRefused(Reason.CERTIFICATE_REVOKED, body=listed.body)
        if listed.validity is None or not listed.validity.covers(at):
            listed.validity = self._validate(listed, at)
        return listed.body

    def certificate_of(self, signature: bytes) -> x509.Certificate:
        """The listed certificate that a signature names, to export it beside the statement.

        Raises:
            SignatureRefused: `signature-form`, `signer-unknown`.
        """
        return self._find(parse(signature)).verifier.certificate

    def _parse(self, signature: bytes) -> ParsedSignature:
        """As `parse`, but one that begins as one that held before is not gone through element by element."""
        frame = self._held.get(beginning(signature))
        parsed = None if frame is None else frame.parse(signature)
        return parse(signature) if parsed is None else parsed

    def _find(self, parsed: ParsedSignature) -> _Listed:
        listed = self._listed.get(parsed.signer)
        if listed is None:
            detail = f"certificate {parsed.signer.hex()}, directory version {self.directory.version}"
            raise SignatureRefused(Reason.SIGNER_UNKNOWN, detail)
        return listed

    def _validate(self, listed: _Listed, at: datetime) -> Validity:
        try:
            return self._chains.validate(listed.verifier.certificate, at)
        except SignatureRefused as error:
            raise SignatureRefused(error.reason, f"certificate of {listed.body}", body=listed.body) from error


def _has_issuer(certificate: x509.Certificate, issuers: Iterable[x509.Certificate]) -> bool:
    """Whether another one that is listed stands above it; then only a chain to the top one holds.

    An issuer below an authority's root may be listed without it: then only what that one issues is taken.
    """
    return any(each.subject == certificate.issuer and each.subject != certificate.subject for each in issuers)


def _statement_certificates(directory: Directory) -> Iterator[_Listed]:
    for body in directory.bodies.values():
        for certificate in body.certificates:
            if certificate.use is CertificateUse.STATEMENT:
                yield _Listed(body.code, certificate.der, certificate.revoked)
