"""Which algorithms are checked here, which are only named, and how one is called for people.

RSA (PKCS #1 v1.5 and PSS, RFC 4055) and ECDSA (RFC 5754) with SHA-2 are checked. GOST R 34.10 is what many documents
carry and what nothing here can check; what has been broken (SHA-1, MD5, short keys) proves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from exchange.security.documents import ber
from exchange.security.documents.reason import SignatureReason
from exchange.security.documents.signed_data import Algorithm, algorithm

RSA_BITS_MIN = 2048
RSA_BITS_MAX = 8192
EXPONENT_BITS_MAX = 32

_GOST = "1.2.643."
"""The arc of all that Russian standards name."""
_GOST_NAMES = MappingProxyType(
    {
        "1.2.643.2.2.3": "GOST R 34.10-2001",
        "1.2.643.2.2.19": "GOST R 34.10-2001",
        "1.2.643.7.1.1.1.1": "GOST R 34.10-2012, 256 bits",
        "1.2.643.7.1.1.1.2": "GOST R 34.10-2012, 512 bits",
        "1.2.643.7.1.1.3.2": "GOST R 34.10-2012, 256 bits",
        "1.2.643.7.1.1.3.3": "GOST R 34.10-2012, 512 bits",
    }
)
_SHA_1, _MD5 = "1.3.14.3.2.26", "1.2.840.113549.2.5"
_RSA, _PSS, _MASK = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
_WEAK = frozenset({_SHA_1, _MD5, "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"})
_DIGESTS: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {
        "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
        "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
        "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    }
)
# A signature's algorithm names its digest, or leaves that to the digest of the content (None).
_RSA_DIGESTS: Mapping[str, hashes.HashAlgorithm | None] = MappingProxyType(
    {
        _RSA: None,
        "1.2.840.113549.1.1.11": hashes.SHA256(),
        "1.2.840.113549.1.1.12": hashes.SHA384(),
        "1.2.840.113549.1.1.13": hashes.SHA512(),
    }
)
_ECDSA_DIGESTS: Mapping[str, hashes.HashAlgorithm | None] = MappingProxyType(
    {
        "1.2.840.10045.2.1": None,
        "1.2.840.10045.4.3.2": hashes.SHA256(),
        "1.2.840.10045.4.3.3": hashes.SHA384(),
        "1.2.840.10045.4.3.4": hashes.SHA512(),
    }
)
_PSS_SALT, _PSS_SALT_MAX = 20, 1024
"""Bytes of salt: where nothing is said, and beyond which no key could hold it."""
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


class NotChecked(Exception):
    """An algorithm or key that nothing here can, or may, check."""

    def __init__(self, reason: SignatureReason) -> None:
        """Say why."""
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a signature is to be checked.

    Attributes:
        content: digest of the content.
        signed: digest that the signature is over.
        padding: of RSA; None for ECDSA.
    """

    content: hashes.HashAlgorithm
    signed: hashes.HashAlgorithm
    padding: padding.AsymmetricPadding | None

    def verify(self, key: object, value: bytes, digest: bytes) -> None:
        """Check a signature of something whose digest by `signed` is given.

        Raises:
            InvalidSignature: it does not hold.
            NotChecked: the key is not of the scheme's kind, too short, or on an unusual curve.
        """
        if self.padding is not None and isinstance(key, rsa.RSAPublicKey):
            if key.key_size < RSA_BITS_MIN:
                raise NotChecked(SignatureReason.ALGORITHM_WEAK)
            if key.key_size > RSA_BITS_MAX or key.public_numbers().e.bit_length() > EXPONENT_BITS_MAX:
                raise NotChecked(SignatureReason.KEY_UNSUPPORTED)  # made to cost time: a hundred times the usual
            key.verify(value, digest, self.padding, Prehashed(self.signed))
        elif self.padding is None and isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
            key.verify(value, digest, ec.ECDSA(Prehashed(self.signed)))
        else:
            raise NotChecked(SignatureReason.KEY_UNSUPPORTED)


def scheme(digest: Algorithm, signature: Algorithm) -> Scheme:
    """How a signature with these algorithms is to be checked.

    Raises:
        NotChecked: it is not.
    """
    for oid in (signature.oid, digest.oid):
        if oid.startswith(_GOST):
            raise NotChecked(SignatureReason.GOST)
        if oid in _WEAK:
            raise NotChecked(SignatureReason.ALGORITHM_WEAK)
    content = digest_of(digest)
    if signature.oid in _ECDSA_DIGESTS:
        return Scheme(content, _ECDSA_DIGESTS[signature.oid] or content, None)
    if signature.oid in _RSA_DIGESTS:
        return Scheme(content, _RSA_DIGESTS[signature.oid] or content, padding.PKCS1v15())
    if signature.oid == _PSS:
        return _pss(content, signature)
    raise NotChecked(SignatureReason.ALGORITHM_UNKNOWN)


def name(digest: Algorithm, signature: Algorithm) -> str:
    """Name of a signature's algorithm, for people; its object identifier where it has none here."""
    for oid in (signature.oid, digest.oid):
        if oid.startswith(_GOST):
            return _GOST_NAMES.get(oid, f"GOST {oid}")
    try:
        found = scheme(digest, signature)
    except NotChecked:
        return signature.oid
    kind = "ECDSA" if found.padding is None else "RSA-PSS" if signature.oid == _PSS else "RSA"
    return f"{kind}, {found.signed.name.upper().replace('SHA', 'SHA-')}"


def digest_of(found: Algorithm) -> hashes.HashAlgorithm:
    """A digest by its algorithm.

    Raises:
        NotChecked: it is not to be relied on, or nobody knows it here.
    """
    if found.oid in _WEAK:
        raise NotChecked(SignatureReason.ALGORITHM_WEAK)
    if found.oid not in _DIGESTS:
        raise NotChecked(SignatureReason.ALGORITHM_UNKNOWN)
    return _DIGESTS[found.oid]


def _pss(content: hashes.HashAlgorithm, signature: Algorithm) -> Scheme:
    """RSASSA-PSS-params (RFC 4055, 3.1); what is left out there is SHA-1."""
    try:
        fields = {} if signature.parameters is None else {each.tag: each for each in ber.sequence(signature.parameters)}
        parts = {tag: ber.sequence(field, tag)[0] for tag, field in fields.items()}
        if not {0xA0, 0xA1} <= parts.keys():
            raise NotChecked(SignatureReason.ALGORITHM_WEAK)
        mask = algorithm(parts[0xA1])
        if mask.oid != _MASK or mask.parameters is None:
            raise NotChecked(SignatureReason.ALGORITHM_UNKNOWN)
        signed, masked = digest_of(algorithm(parts[0xA0])), digest_of(algorithm(mask.parameters))
        salt = int.from_bytes(parts[0xA2].content, "big") if 0xA2 in parts else _PSS_SALT
    except (ValueError, IndexError):
        raise NotChecked(SignatureReason.ALGORITHM_UNKNOWN) from None
    if salt > _PSS_SALT_MAX:
        raise NotChecked(SignatureReason.ALGORITHM_UNKNOWN)
    return Scheme(content, signed, padding.PSS(padding.MGF1(masked), salt))
