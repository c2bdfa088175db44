"""What becomes of a signature, and why: the words of every report. docs/document-signatures.md explains each."""

from enum import StrEnum


class SignatureStatus(StrEnum):
    """What became of one signature."""

    VALID = "valid"
    """It holds, and its signer's certificate leads to one of the roots that were given."""
    SIGNER_UNKNOWN = "signer-unknown"
    """It holds for the certificate beside it, but nobody that is trusted here vouches for that."""
    ALTERED = "altered"
    """It is of other content than the file's."""
    INVALID = "invalid"
    """It does not hold."""
    NOT_VERIFIED = "not-verified"
    """Nothing is known: it cannot be read, or is of an algorithm that cannot be checked here."""


class SignatureReason(StrEnum):
    """Why a signature is not valid."""

    ANCHORS_MISSING = "anchors-missing"
    CERTIFICATE_UNTRUSTED = "certificate-untrusted"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_YET_VALID = "certificate-not-yet-valid"

    CONTENT_DIFFERS = "content-differs"

    SIGNATURE_WRONG = "signature-wrong"
    ATTRIBUTES_WRONG = "attributes-wrong"
    CERTIFICATE_OTHER = "certificate-other"

    GOST = "gost"
    ALGORITHM_WEAK = "algorithm-weak"
    ALGORITHM_UNKNOWN = "algorithm-unknown"
    KEY_UNSUPPORTED = "key-unsupported"
    CERTIFICATE_MISSING = "certificate-missing"
    SIGNER_MISSING = "signer-missing"
    FILE_MISSING = "file-missing"
    FILE_AMBIGUOUS = "file-ambiguous"
    UNREADABLE = "signature-unreadable"
    TOO_LARGE = "signature-too-large"
