"""Time-stamps (RFC 3161): that some bytes were there at a time, on the word of an authority that the reader trusts."""

from datetime import UTC, datetime
from hashlib import new

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange_verify import certificates, cms, der
from exchange_verify.der import children, content, only
from exchange_verify.errors import require

_TST_INFO, _MEANT_BY_SHA1 = bytes.fromhex("060b2a864886f70d0109100104"), bytes.fromhex("060b2a864886f70d010910020c")
_STRONG: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
_DIGESTS = {bytes.fromhex(f"060960864801650304020{at}"): by for at, by in enumerate(_STRONG, 1)}


def token_of(response: bytes) -> bytes:
    """The token in an authority's response."""
    status, token = children(response, der.SEQUENCE)
    require(content(children(status, der.SEQUENCE)[0], der.INTEGER) in {b"\0", b"\1"}, "the authority refused")
    return token


def verify(token: bytes, data: bytes, roots: certificates.Certificates) -> tuple[datetime, datetime]:
    """When an authority under one of the roots says that it saw these bytes; and when its certificates end."""
    kind, wrapped = children(token, der.SEQUENCE)
    _, _, inside, *sets, infos = children(only(wrapped, der.CONTEXT_0), der.SEQUENCE)
    typed, holder = children(inside, der.SEQUENCE)
    require((kind, typed) == (cms.SIGNED_DATA, _TST_INFO), "it is no time-stamp")
    info = content(only(holder, der.CONTEXT_0), der.OCTETS)
    _, named, algorithm, attributes, _, value, *_ = children(only(infos, der.SET), der.SEQUENCE)
    by = _DIGESTS[children(algorithm, der.SEQUENCE)[0]]
    pairs = (children(each, der.SEQUENCE) for each in children(attributes, der.CONTEXT_0))
    said = {each: content(values, der.SET) for each, values in pairs}
    digest = der.encode(der.OCTETS, new(by.name, info).digest())
    require((said[cms.CONTENT_TYPE], said[cms.MESSAGE_DIGEST]) == (_TST_INFO, digest), "it was altered")
    found = [x509.load_der_x509_certificate(each) for each in children(sets[0], der.CONTEXT_0)] if sets else []
    (signer,) = (each for each in found if [*cms.issuer_and_serial(each)] == children(named, der.SEQUENCE))
    require(_is_meant(signer, said), "its signer meant another certificate")
    cms.check(signer, content(value, der.OCTETS), der.encode(der.SET, content(attributes, der.CONTEXT_0)), by)
    _, _, imprint, _, time, *_ = children(info, der.SEQUENCE)
    of, digest = children(imprint, der.SEQUENCE)
    over = new(_DIGESTS[children(of, der.SEQUENCE)[0]].name, data).digest()
    require(content(digest, der.OCTETS) == over, "it is of other bytes")
    at = datetime.strptime(content(time, der.GENERALIZED_TIME).decode()[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    others = [each for each in found if each != signer]
    path = certificates.chain(signer, roots, others, at, ExtendedKeyUsageOID.TIME_STAMPING)
    return at, min(each.not_valid_after_utc for each in path)


def _is_meant(certificate: x509.Certificate, said: dict[bytes, bytes]) -> bool:
    """Whether the attribute that names the signer's certificate names this one; the older one can only say SHA-1."""
    newer = cms.SIGNING_CERTIFICATE_V2 in said
    name, by = (cms.SIGNING_CERTIFICATE_V2, "sha256") if newer else (_MEANT_BY_SHA1, "sha1")
    first = children(children(children(said[name], der.SEQUENCE)[0], der.SEQUENCE)[0], der.SEQUENCE)
    return der.encode(der.OCTETS, new(by, certificate.public_bytes(Encoding.DER)).digest()) in first
