"""The one form of a statement's signature (docs/evidence.md): CMS, four signed attributes, ECDSA or RSA, SHA-256.

Little is interpreted: from certificate, signing time, digest and signature value all other bytes follow. They are put
together again, with certificates inside as a package has it, and without as the exchange decided; both are compared
whole.
"""

from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from exchange_verify import der
from exchange_verify.der import children, encode
from exchange_verify.errors import Refused, require

# Object identifiers, encoded: id-data and id-signedData; attributes; algorithms.
_DATA, SIGNED_DATA = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("06092a864886f70d010702")
CONTENT_TYPE, MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010903"), bytes.fromhex("06092a864886f70d010904")
_TIME, SIGNING_CERTIFICATE_V2 = bytes.fromhex("06092a864886f70d010905"), bytes.fromhex("060b2a864886f70d010910022f")
_SHA256 = encode(der.SEQUENCE, bytes.fromhex("0609608648016503040201"))
_ECDSA = encode(der.SEQUENCE, bytes.fromhex("06082a8648ce3d040302"))
_RSA = encode(der.SEQUENCE, bytes.fromhex("06092a864886f70d0101010500"))
_ONE = encode(der.INTEGER, b"\1")


def verify(cms: bytes, statement: bytes, bare: bytes) -> x509.Certificate:
    """The certificate, one of those inside, whose key signed exactly this statement; `bare` has none inside."""
    signed = der.only(children(cms, der.SEQUENCE)[1], der.CONTEXT_0)
    _, _, _, *inside, infos = children(signed, der.SEQUENCE)
    _, _, _, attributes, _, value = children(der.only(infos, der.SET), der.SEQUENCE)
    _, time, digest, _ = (children(each, der.SEQUENCE)[1] for each in children(attributes, der.CONTEXT_0))
    said = der.content(der.only(time, der.SET), der.UTC_TIME)
    require(len(said) == 13 and said[:12].isdigit() and said[12:] == b"Z", "its signing time is not YYMMDDHHMMSSZ")
    expected = sha256(statement).digest()
    require(der.content(der.only(digest, der.SET), der.OCTETS) == expected, "it is a signature of another statement")
    for encoded in children(inside[0], der.CONTEXT_0) if inside else ():
        certificate = x509.load_der_x509_certificate(encoded)
        named = _attributes(certificate, said, expected)
        if _put_together(certificate, named, value, inside) == cms:
            require(_put_together(certificate, named, value, []) == bare, "it is not the one that was decided about")
            check(certificate, der.content(value, der.OCTETS), encode(der.SET, named), hashes.SHA256())
            return certificate
    raise Refused("it is in another form than that of a signature by a certificate that is in it")


def check(certificate: x509.Certificate, value: bytes, data: bytes, algorithm: hashes.HashAlgorithm) -> None:
    """Refuse a signature value that a certificate's key did not make, and keys that are too weak."""
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 256:
            key.verify(value, data, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
            key.verify(value, data, padding.PKCS1v15(), algorithm)
        else:
            raise Refused("its key is too weak, or of another kind than ECDSA and RSA")
    except InvalidSignature as error:
        raise Refused("its signature value does not hold") from error


def issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Both as they stand in the certificate."""
    parts = children(certificate.tbs_certificate_bytes, der.SEQUENCE)
    serial, _, issuer = parts[1:4] if parts[0][0] == der.CONTEXT_0 else parts[:3]
    return issuer, serial


def _attributes(certificate: x509.Certificate, time: bytes, digest: bytes) -> bytes:
    """The four signed attributes: what is signed, when by the signer's own word, and by which certificate."""
    issuer, serial = issuer_and_serial(certificate)
    fingerprint = encode(der.OCTETS, sha256(certificate.public_bytes(Encoding.DER)).digest())
    by = encode(der.SEQUENCE, encode(der.SEQUENCE, encode(der.CONTEXT_4, issuer)), serial)
    stated = {
        CONTENT_TYPE: _DATA,
        _TIME: encode(der.UTC_TIME, time),
        MESSAGE_DIGEST: encode(der.OCTETS, digest),
        SIGNING_CERTIFICATE_V2: encode(der.SEQUENCE, encode(der.SEQUENCE, encode(der.SEQUENCE, fingerprint, by))),
    }
    return b"".join(encode(der.SEQUENCE, kind, encode(der.SET, said)) for kind, said in stated.items())


def _put_together(certificate: x509.Certificate, attributes: bytes, value: bytes, inside: list[bytes]) -> bytes:
    algorithm = _RSA if isinstance(certificate.public_key(), rsa.RSAPublicKey) else _ECDSA
    named = encode(der.SEQUENCE, *issuer_and_serial(certificate))
    info = encode(der.SEQUENCE, _ONE, named, _SHA256, encode(der.CONTEXT_0, attributes), algorithm, value)
    signed = (_ONE, encode(der.SET, _SHA256), encode(der.SEQUENCE, _DATA), *inside, encode(der.SET, info))
    return encode(der.SEQUENCE, SIGNED_DATA, encode(der.CONTEXT_0, encode(der.SEQUENCE, *signed)))
