"""Signatures (CMS, RFC 5652): of statements in their one form, and of time-stamps (RFC 3161) in their authority's.

Of a statement's little is interpreted: from certificate, time, digest and value all other bytes follow. They are put
together again, and must be what was decided about; a package has certificates and revocation lists put into the same.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import new, sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange_verify.certificates import Certificates, chain, require_signed
from exchange_verify.errors import Refused, require

_OCTETS, _SEQUENCE, _SET, _CONTEXT_0, _CONTEXT_1, _CONTEXT_4 = 0x04, 0x30, 0x31, 0xA0, 0xA1, 0xA4
# Object identifiers in DER: of what is signed, of the attributes that are signed with it, of digests and algorithms.
_SIGNED_DATA, _DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
_TIME_STAMP, _STAMP = bytes.fromhex("060b2a864886f70d0109100104"), bytes.fromhex("060b2a864886f70d010910020e")
_TYPE, _TIME = bytes.fromhex("06092a864886f70d010903"), bytes.fromhex("06092a864886f70d010905")
_DIGEST, _BY = bytes.fromhex("06092a864886f70d010904"), bytes.fromhex("060b2a864886f70d010910022f")
_BY_SHA1 = bytes.fromhex("060b2a864886f70d010910020c")
_STRONG: tuple[HashAlgorithm, ...] = (SHA256(), SHA384(), SHA512())
_DIGESTS = {bytes.fromhex(f"060960864801650304020{at}"): by for at, by in enumerate(_STRONG, 1)}
_ECDSA, _RSA = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300d06092a864886f70d0101010500")
_ONE, _SHA256 = bytes.fromhex("020101"), bytes.fromhex("300b0609608648016503040201")


class _Element:
    """An element of DER in its one encoding; iterated over, it gives the elements that it is made of."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        size, begin = data[at + 1], at + 2
        if size >= 0x80:
            begin += size - 0x80
            size = int.from_bytes(data[at + 2 : begin], "big")
        self.content, self.end = data[begin : begin + size], begin + size
        self.der = data[at : self.end]
        require(self.der == _encode(data[at], self.content), "it is no DER")

    def __iter__(self) -> Iterator["_Element"]:
        at = 0
        while at < len(self.content):
            element = _Element(self.content, at)
            yield element
            at = element.end


def verify_statement(cms: bytes, statement: bytes, decided: bytes) -> tuple[x509.Certificate, list[bytes], bytes]:
    """The certificate, of those inside, whose key signed exactly this statement; as decided it has none inside.

    And time-stamps that stand behind the signature value unsigned, and that value.
    """
    kind, ((version, digests, data, certificates, *_lists, infos),) = _only(cms)
    (signer,) = infos
    _, _, _, (_, (_, (time,)), (_, (digest,)), _), _, value, *unsigned = signer
    stamps = [(each.der[0], name.der, token.der) for each in unsigned for name, (token,) in each]
    known = [stamp[:2] for stamp in stamps] == [(_CONTEXT_1, _STAMP)] * len(unsigned)
    require(known and len(unsigned) < 2, "it has something unsigned that is not one time-stamp")
    require(re.fullmatch(rb"\x17\x0d\d{12}Z", time.der), "its signing time is not YYMMDDHHMMSSZ")
    require(digest.der == _encode(_OCTETS, sha256(statement).digest()), "it is a signature of another statement")
    plain = _encode(_SET, _encode(_SEQUENCE, signer.content[: value.end]))
    bare = kind.der == _SIGNED_DATA and _signed_data(version.der, digests.der, data.der, plain)
    require(bare == decided, "it is not the one that was decided about")
    for each in certificates:
        certificate = x509.load_der_x509_certificate(each.der)
        issuer, serial = _issuer_and_serial(certificate)
        by = _encode(_SEQUENCE, _encode(_SEQUENCE, _encode(_CONTEXT_4, issuer)), serial)
        by = _encode(_SEQUENCE, _encode(_OCTETS, sha256(each.der).digest()), by)
        by = _encode(_SEQUENCE, _encode(_SEQUENCE, by))
        said = {_TYPE: _DATA, _TIME: time.der, _DIGEST: digest.der, _BY: by}
        signed = b"".join(_encode(_SEQUENCE, name, _encode(_SET, value)) for name, value in said.items())
        algorithm = _RSA if isinstance(certificate.public_key(), RSAPublicKey) else _ECDSA
        info = (_ONE, _encode(_SEQUENCE, issuer, serial), _SHA256, _encode(_CONTEXT_0, signed), algorithm, value.der)
        infos_due = _encode(_SET, _encode(_SEQUENCE, *info))
        if _signed_data(_ONE, _encode(_SET, _SHA256), _encode(_SEQUENCE, _DATA), infos_due) == decided:
            require_signed(certificate.public_key(), value.content, _encode(_SET, signed), SHA256())
            return certificate, [token for *_, token in stamps], value.content
    raise Refused("it is in another form than that of a signature by a certificate that is in it")


def verify_time_stamp(token: bytes, data: bytes, roots: Certificates) -> tuple[datetime, datetime]:
    """When an authority under one of the roots says that it saw these bytes; and when its certificates end."""
    kind, ((_, _, (typed, (info,)), certificates, *_lists, infos),) = _only(token)
    require((kind.der, typed.der) == (_SIGNED_DATA, _TIME_STAMP), "it is no time-stamp")
    ((_, named, (algorithm, *_), attributes, _, value, *_),) = infos
    by, said = _DIGESTS[algorithm.der], {name.der: value for name, (value,) in attributes}
    due = _encode(_OCTETS, new(by.name, info.content).digest())
    require((said[_TYPE].der, said[_DIGEST].der) == (_TIME_STAMP, due), "it was altered")
    # The newer attribute names its signer's certificate by SHA-256, the older one can only by SHA-1.
    ((meant, *_), *_), weak = (said[_BY], "sha256") if _BY in said else (said[_BY_SHA1], "sha1")
    found = [x509.load_der_x509_certificate(each.der) for each in certificates]
    (signer,) = (each for each in found if _encode(_SEQUENCE, *_issuer_and_serial(each)) == named.der)
    due = _encode(_OCTETS, new(weak, signer.public_bytes(Encoding.DER)).digest())
    require(due in (each.der for each in meant), "its signer meant another certificate")
    require_signed(signer.public_key(), value.content, _encode(_SET, attributes.content), by)
    _, _, ((algorithm, *_), imprint), _, time, *_ = _only(info.content)
    require(imprint.content == new(_DIGESTS[algorithm.der].name, data).digest(), "it is of other bytes")
    at = datetime.strptime(time.content.decode()[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    path = chain(signer, roots, [each for each in found if each != signer], at, ExtendedKeyUsageOID.TIME_STAMPING)
    return at, min(each.not_valid_after_utc for each in path)


def token_of(response: bytes) -> bytes:
    """The time-stamp in an authority's response."""
    (granted, *_), token = _only(response)
    require(granted.der in {b"\2\1\0", b"\2\1\1"}, "the authority refused")
    return token.der


def _only(data: bytes) -> _Element:
    (element,) = _Element(_encode(_SEQUENCE, data))
    return element


def _encode(tag: int, *parts: bytes) -> bytes:
    inside = b"".join(parts)
    if len(inside) < 0x80:
        return bytes((tag, len(inside))) + inside
    length = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + inside


def _signed_data(*parts: bytes) -> bytes:
    return _encode(_SEQUENCE, _SIGNED_DATA, _encode(_CONTEXT_0, _encode(_SEQUENCE, *parts)))


def _issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Both as they stand in the certificate, behind its version and around an algorithm."""
    _, serial, _, issuer, *_ = _only(certificate.tbs_certificate_bytes)
    return issuer.der, serial.der
