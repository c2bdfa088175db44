"""Signatures (CMS, RFC 5652): of statements in their one form, and of time-stamps (RFC 3161) in their authority's.

Of a statement's all bytes follow from certificate, time, digest and value: they are put together again and compared.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import new, sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from exchange_verify.certificates import Certificates, chain, require_signed
from exchange_verify.errors import Refused, require

_OCTETS, _SEQUENCE, _SET, _CONTEXT_0, _CONTEXT_4 = 0x04, 0x30, 0x31, 0xA0, 0xA4
_SIGNED_DATA, _DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
_TYPE, _DIGEST, _TIME = (bytes.fromhex(f"06092a864886f70d01090{number}") for number in (3, 4, 5))
_STAMP, _BY, _BY_SHA1, _OVER = (bytes.fromhex(f"060b2a864886f70d010910{at}") for at in ("0104", "022f", "020c", "020e"))
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


def verify_statement(cms: bytes, statement: bytes, entry: bytes) -> tuple[x509.Certificate, list[tuple[bytes, bytes]]]:
    """The certificate inside that signed this very statement; its value and each stamp of it. An entry has neither."""
    kind, ((version, digests, data, certificates, *lists, infos),) = _only(cms)
    (own,) = infos
    _, _, _, (_, (_, (time,)), (_, (digest,)), _), _, value, *unsigned = own
    tags = bytes(each.der[0] for each in (certificates, *lists, infos, *unsigned))
    require(re.fullmatch(rb"\xa0\xa1?\x31\xa1?", tags), "it has other parts than certificates, lists and a time-stamp")
    require(re.fullmatch(rb"\x17\x0d\d{12}Z", time.der), "its signing time is not YYMMDDHHMMSSZ")
    require(digest.der == _encode(_OCTETS, sha256(statement).digest()), "it is a signature of another statement")
    (bare, ((*parts, due),)), plain = _only(entry), _encode(_SET, _encode(_SEQUENCE, own.content[: value.end]))
    same = [each.der for each in (bare, *parts)] == [each.der for each in (kind, version, digests, data)]
    require(same and due.der == plain, "it is not the one that was decided about")
    for each in certificates:
        certificate = x509.load_der_x509_certificate(each.der)
        issuer, serial = _issuer_and_serial(certificate)
        name = _encode(_SEQUENCE, _encode(_SEQUENCE, _encode(_CONTEXT_4, issuer)), serial)
        by = _encode(_SEQUENCE, _encode(_OCTETS, sha256(each.der).digest()), name)
        said = {_TYPE: _DATA, _TIME: time.der, _DIGEST: digest.der, _BY: _encode(_SEQUENCE, _encode(_SEQUENCE, by))}
        signed = b"".join(_encode(_SEQUENCE, name, _encode(_SET, value)) for name, value in said.items())
        algorithm = _RSA if isinstance(certificate.public_key(), RSAPublicKey) else _ECDSA
        info = (_ONE, _encode(_SEQUENCE, issuer, serial), _SHA256, _encode(_CONTEXT_0, signed), algorithm, value.der)
        form = (_ONE, _encode(_SET, _SHA256), _encode(_SEQUENCE, _DATA), _encode(_SET, _encode(_SEQUENCE, *info)))
        if _encode(_SEQUENCE, _SIGNED_DATA, _encode(_CONTEXT_0, _encode(_SEQUENCE, *form))) == entry:
            require_signed(certificate.public_key(), value.content, _encode(_SET, signed), SHA256())
            require(all(name.der == _OVER for ((name, _),) in unsigned), "it holds more than a time-stamp of it")
            return certificate, [(value.content, stamp.der) for ((_, (stamp,)),) in unsigned]
    raise Refused("it is in another form than that of a signature by a certificate that is in it")


def verify_time_stamp(stamp: bytes, data: bytes, roots: Certificates, *, response: bool) -> tuple[datetime, datetime]:
    """When an authority under one of the roots says that it saw these bytes; and when its certificates end."""
    token = _only(stamp)
    if response:
        (granted, *_), token = token
        require(granted.der in {b"\2\1\0", b"\2\1\1"}, "the authority refused")
    kind, ((_, _, (typed, (info,)), certificates, *_lists, infos),) = token
    require((kind.der, typed.der) == (_SIGNED_DATA, _STAMP), "it is no time-stamp")
    ((_, named, (algorithm, *_), attributes, _, value, *_),) = infos
    by, said = _DIGESTS[algorithm.der], {name.der: value for name, (value,) in attributes}
    due = _encode(_OCTETS, new(by.name, info.content).digest())
    require((said[_TYPE].der, said[_DIGEST].der) == (_STAMP, due), "it was altered")
    # The newer attribute names its signer's certificate by SHA-256, the older one can only by SHA-1.
    ((meant, *_), *_), weak = (said[_BY], "sha256") if _BY in said else (said[_BY_SHA1], "sha1")
    found = {each.der: x509.load_der_x509_certificate(each.der) for each in certificates}
    (der,) = (each for each in found if _encode(_SEQUENCE, *_issuer_and_serial(found[each])) == named.der)
    signer, due = found.pop(der), _encode(_OCTETS, new(weak, der).digest())
    require(due in (each.der for each in meant), "its signer meant another certificate")
    require_signed(signer.public_key(), value.content, _encode(_SET, attributes.content), by)
    _, _, ((algorithm, *_), imprint), _, time, *_ = _only(info.content)
    require(imprint.content == new(_DIGESTS[algorithm.der].name, data).digest(), "it is of other bytes")
    at = datetime.strptime(time.content.decode()[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    path = chain(signer, roots, [*found.values()], at, x509.oid.ExtendedKeyUsageOID.TIME_STAMPING)
    return at, min(each.not_valid_after_utc for each in path)


def _only(data: bytes) -> _Element:
    (element,) = _Element(_encode(_SEQUENCE, data))
    return element


def _encode(tag: int, *parts: bytes) -> bytes:
    inside = b"".join(parts)
    if len(inside) < 0x80:
        return bytes((tag, len(inside))) + inside
    length = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + inside


def _issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Both as they stand in the certificate, behind its version and around an algorithm."""
    _, serial, _, issuer, *_ = _only(certificate.tbs_certificate_bytes)
    return issuer.der, serial.der
