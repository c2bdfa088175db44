"""What does not hold."""

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

_LIBRARY = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm)
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError, ArithmeticError, SyntaxError, *_LIBRARY)
"""What reading somebody's JSON, Avro, DER, XML or certificates may end in when it is not what it should be."""


class Refused(Exception):
    """Something that a package claims and that is not so."""


def require(holds: object, what: str) -> None:
    """Refuse unless a condition holds."""
    if not holds:
        raise Refused(what)


@contextmanager
def within(file: str) -> Iterator[None]:
    """Whatever is refused inside is refused of this file."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{file}: {error}") from error
    except _BROKEN as error:
        raise Refused(f"{file}: is not what it should be: {type(error).__name__}: {error}"[:400]) from error
