"""Whether a certificate was valid at a time: a chain to an issuer (RFC 5280), and lists of revoked ones (CRL)."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from exchange_verify.errors import Refused, require, within

STATEMENTS = x509.ObjectIdentifier("2.25.107290019016386115960636239826129751690.1")
_STRONG, _PIECE_BYTES = (hashes.SHA256, hashes.SHA384, hashes.SHA512), 512 * 1024
Certificates = list[x509.Certificate]


def chain(
    leaf: x509.Certificate, trusted: Certificates, others: Certificates, at: datetime, usage: x509.ObjectIdentifier
) -> Certificates:
    """The certificates from a leaf for that usage to a trusted one, others in between, all valid at that time."""

    def usages(_policy: object, _certificate: object, found: x509.ExtendedKeyUsage) -> None:
        _require(usage in found, f"it is not for usage {usage.dotted_string}")

    def key(_policy: object, _certificate: object, found: x509.KeyUsage) -> None:
        signs = [found.digital_signature, found.content_commitment]
        _require(all(signs) if usage == STATEMENTS else any(signs), "its key is not for such signatures")

    policy = ExtensionPolicy.permit_all().require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, usages)
    policy = policy.require_present(x509.KeyUsage, Criticality.AGNOSTIC, key)
    builder = PolicyBuilder().store(Store(trusted)).time(at)
    builder = builder.extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=policy)
    try:
        return builder.build_client_verifier().verify(leaf, others).chain
    except VerificationError as error:
        raise Refused(f"no chain to a trusted issuer was valid at {at:%Y-%m-%dT%H:%M:%SZ} ({error})") from error


def require_unrevoked(
    path: Certificates, policy: bytes, files: Mapping[str, bytes], issuers: Certificates, at: datetime
) -> list[str]:
    """The revocation lists that a policy names, among a package's files; by them nobody in a chain was revoked then."""
    named, whole, names = tomllib.loads(policy.decode()), {tuple(_pieces(files[name])): name for name in files}, []
    minds = named.get("revocation", {}).get("when_stale") == "refuse"
    for pieces in named.get("crls", {}).get("parts", ()):
        require(tuple(pieces) in whole, f"crls/: lacks the list with SHA-256 {pieces} that the policy names")
        names.append(whole[tuple(pieces)])
        with within(names[-1]):
            crl = x509.load_der_x509_crl(files[names[-1]])
            keys = [issuer.public_key() for issuer in issuers if issuer.subject == crl.issuer]
            held = any(crl.is_signature_valid(key) for key in keys)  # type: ignore[arg-type]  # others: TypeError
            require(held, "it is not signed by an issuer that the directory lists")
            full = not any(isinstance(each.value, x509.DeltaCRLIndicator) for each in crl.extensions)
            require(full and isinstance(crl.signature_hash_algorithm, _STRONG), "it is partial, or signed weakly")
        for certificate in (each for each in path if each.issuer == crl.issuer):
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            since = None if entry is None else entry.revocation_date_utc
            require(since is None or since > at, f"{certificate.serial_number:x} was revoked by its issuer at {since}")
            overdue = crl.next_update_utc is None or crl.next_update_utc < at.replace(microsecond=0)
            require(not (minds and overdue), "its issuer's list was overdue, which the policy does not accept")
    return names


def _require(holds: object, what: str) -> None:
    """For the library's callbacks, which it wants to end in this error."""
    if not holds:
        raise ValueError(what)


def _pieces(data: bytes) -> list[str]:
    return [sha256(data[at : at + _PIECE_BYTES]).hexdigest() for at in range(0, len(data), _PIECE_BYTES)]
