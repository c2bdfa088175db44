"""Versions of the directory in a folder: signed, numbered, all kept (rules 3.2, 5.3).

    <folder>/directory-<version>.json       the document
    <folder>/directory-<version>.p7s        its detached signature; a version exists once this does
    <folder>/signer-<sha-256>.crt.pem       certificates that signed, by the name a signature gives them

Every version names the digest of the one before, and decisions name version and digest, so none is
ever taken away. Readers look again from time to time; there is nothing to watch or to lock.
"""

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from exchange.domain.directory import Body, Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.cades import Signer, Verifier
from exchange.security.chain import ChainValidator
from exchange.security.directory import DOCUMENT_BYTES_MAX, decode, encode, exchange_id
from exchange.security.errors import DirectoryRefused, KeyRefused, SignatureRefused
from exchange.security.files import write_atomically
from exchange.security.form import parse
from exchange.security.keys import load_certificate
from exchange.security.purpose import Purpose

_SIGNATURE_NAME = re.compile(r"directory-([1-9][0-9]{0,9})\.p7s")


def successor(latest: Directory, bodies: Mapping[str, Body], issued: datetime) -> Directory:
    """The version after `latest` with other `bodies`; its digest is known once it is published."""
    return dataclasses.replace(
        latest,
        version=latest.version + 1,
        previous=latest.digest,
        digest=ZERO_DIGEST,
        issued=issued,
        bodies=bodies,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class DirectoryProof:
    """A version as it is journalled: document, detached signature, and the signer's certificate (DER)."""

    document: bytes
    signature: bytes
    certificate: bytes


def verify_proof(proof: DirectoryProof, roots: Sequence[x509.Certificate]) -> Directory:
    """The directory that a proof proves under `roots`: what an auditor does with a journalled one.

    1. The document is a directory, of this exchange.
    2. The certificate led to a root, for directories, when the version was issued (rule 3.2).
    3. The signature is this certificate's, of this document.

    Raises:
        DirectoryRefused: `foreign-exchange`, `directory-signature-invalid`, and as
            `exchange.security.directory.decode`.
    """
    return _verify(proof, exchange_id(roots[0]), ChainValidator(roots, Purpose.DIRECTORY))


class DirectoryFolder:
    """Reads and publishes versions; one publisher at a time, any number of readers."""

    def __init__(self, folder: Path, roots: Sequence[x509.Certificate]) -> None:
        """Use `folder` under the trust of `roots`, whose first gives the exchange its id."""
        self.folder = folder
        self._exchange = exchange_id(roots[0])
        self._chains = ChainValidator(roots, Purpose.DIRECTORY)

    def latest(self, known: Directory | None = None) -> Directory:
        """The newest version; cheap when `known` is still it.

        Args:
            known: the version that the caller uses now. What is returned continues it, version by
                version: an older or another history is refused.

        Raises:
            DirectoryRefused: as `version`; `directory-missing` (no version at all),
                `directory-rolled-back` (older than `known`, or not its continuation).
        """
        newest = self._newest()
        if newest == 0:
            message = f"{self.folder} holds no directory: publish version 1, or check the path"
            raise DirectoryRefused(message, code="directory-missing")
        if known is None:
            return self.version(newest)
        if newest < known.version:
            raise _rolled_back(f"{self.folder} ends with version {newest}, {known.version} is in use")
        for number in range(known.version + 1, newest + 1):
            follower = self.version(number)
            if follower.previous != known.digest:
                raise _rolled_back(f"version {number} does not continue version {known.version} as it was read")
            known = follower
        return known

    def version(self, number: int) -> Directory:
        """One version, verified as of the time at which it was issued.

        1. Document, signature and the certificate that the signature names are there.
        2. They prove a directory (see `verify_proof`).
        3. It is the version that was asked for.

        Raises:
            DirectoryRefused: `directory-missing`, `foreign-exchange`, `directory-version-invalid`,
                `directory-signature-invalid`, and as `exchange.security.directory.decode`.
        """
        directory = self._verify(self.proof(number))
        if directory.version != number:
            message = f"directory-{number}.json says that it is version {directory.version}: restore the file"
            raise DirectoryRefused(message, code="directory-version-invalid")
        return directory

    def proof(self, number: int) -> DirectoryProof:
        """The files that prove a version, to be journalled before a decision names it (rule 5.3).

        Raises:
            DirectoryRefused: `directory-missing`, `directory-signature-invalid`.
        """
        signature = self._read(f"directory-{number}.p7s")
        try:
            certificate = load_certificate(self._certificate(parse(signature).signer))
        except (SignatureRefused, KeyRefused) as error:
            step = "take this version away, or restore it from another reader's copy; whoever starts meanwhile ends"
            message = f"the signature of directory-{number}.json cannot be used: {step} ({error.code}: {error})"
            raise DirectoryRefused(message, code="directory-signature-invalid") from error
        return DirectoryProof(self._read(f"directory-{number}.json"), signature, _der(certificate))

    def publish(self, directory: Directory, signer: Signer, at: datetime) -> Directory:
        """Sign and write the next version, which readers see whole or not at all.

        Args:
            directory: version and previous digest continue the newest one (see `successor`); its own
                digest is computed here.
            signer: with a certificate for directories.
            at: signing time (UTC).

        Returns:
            The version as readers will read it, with its digest.

        Raises:
            DirectoryRefused: `directory-version-invalid` (does not continue the newest), and all of
                `version`: what readers would refuse is not published.
            OSError: the folder cannot be written; readers still see the version before.
        """
        self._require_next(directory)
        document = encode(directory)
        signature = signer.sign(document, at)
        published = self._verify(DirectoryProof(document, signature, _der(signer.certificate)))
        certificate = signer.certificate.public_bytes(serialization.Encoding.PEM)
        write_atomically(self._certificate(signer.signer), certificate)
        write_atomically(self.folder / f"directory-{directory.version}.json", document)
        write_atomically(self.folder / f"directory-{directory.version}.p7s", signature)
        return published

    def _verify(self, proof: DirectoryProof) -> Directory:
        return _verify(proof, self._exchange, self._chains)

    def _require_next(self, directory: Directory) -> None:
        newest = self._newest()
        previous = self.version(newest).digest if newest else ZERO_DIGEST
        if (directory.version, directory.previous) != (newest + 1, previous):
            message = f"version {directory.version} does not continue version {newest}: read it and change that"
            raise DirectoryRefused(message, code="directory-version-invalid")

    def _newest(self) -> int:
        """Highest version with a signature, 0 without any."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return 0
        except OSError as error:
            message = f"{self.folder} cannot be read ({error.strerror}): check the path, and who may read it"
            raise DirectoryRefused(message, code="directory-missing") from error
        matches = map(_SIGNATURE_NAME.fullmatch, names)
        return max((int(match[1]) for match in matches if match), default=0)

    def _certificate(self, signer: bytes) -> Path:
        return self.folder / f"signer-{signer.hex()}.crt.pem"

    def _read(self, name: str) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                return file.read(min(size, DOCUMENT_BYTES_MAX) + 1)
        except OSError as error:
            message = f"{self.folder / name} cannot be read ({error.strerror}): restore it from another reader's copy"
            raise DirectoryRefused(message, code="directory-missing") from error


def _verify(proof: DirectoryProof, exchange: bytes, chains: ChainValidator) -> Directory:
    directory = decode(proof.document)
    if directory.exchange != exchange:
        message = f"directory version {directory.version} is of another exchange than the trust root: check both"
        raise DirectoryRefused(message, code="foreign-exchange")
    try:
        certificate = x509.load_der_x509_certificate(proof.certificate)
        verifier = Verifier(certificate)
        chains.validate(certificate, directory.issued)
        verifier.verify(parse(proof.signature), proof.document)
    except (ValueError, x509.InvalidVersion, SignatureRefused, KeyRefused) as error:
        message = f"the signature of directory version {directory.version} does not hold: {error}"
        raise DirectoryRefused(message, code="directory-signature-invalid") from error
    return directory


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _rolled_back(what: str) -> DirectoryRefused:
    message = f"{what}: restore the folder from another reader's copy"
    return DirectoryRefused(message, code="directory-rolled-back")
