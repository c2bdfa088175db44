"""What this layer refuses.

ExchangeError
├── ConfigurationError
│   ├── KeyRefused               a key or certificate file that must not be used
│   ├── DirectoryRefused         a directory file that must not be used
│   └── EnrolmentRefused         a request of a body, or the answer to it, that must not be used
└── SignatureRefused             a signature that does not hold; `reason` says why
    └── SignatureFormError       bytes that are not the one accepted form (rule 1.4)
"""

from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.domain.reason import Reason, text


class KeyRefused(ConfigurationError):
    """A private key or certificate file is missing, exposed, corrupt, weak or of another key."""

    code = "key-file-unreadable"


class DirectoryRefused(ConfigurationError):
    """A directory's bytes, signature or place in the row of versions is wrong."""

    code = "directory-unreadable"


class EnrolmentRefused(ConfigurationError):
    """The bytes of a request or answer are none, or do not belong here."""

    code = "enrolment-unreadable"


class SignatureRefused(ExchangeError):
    """A signature that does not hold; its code is the reason's.

    Attributes:
        reason: why, for the journal.
        body: whose certificate it is when the signature as such holds and only the certificate is no
            longer, not yet or never good: the one who can sign again (rule 2.4). None otherwise: then
            nobody may be blamed or told (rule 3.4).
    """

    def __init__(self, reason: Reason, detail: str = "", *, body: str | None = None) -> None:
        """Say in `detail` what exactly was found."""
        super().__init__(f"{detail}: {text(reason)}" if detail else text(reason), code=reason.value)
        self.reason = reason
        self.body = body


class SignatureFormError(SignatureRefused):
    """The bytes are not a signature in the one accepted form."""

    def __init__(self, detail: str) -> None:
        """Say in `detail` where the bytes leave the form."""
        super().__init__(Reason.SIGNATURE_FORM, detail)
