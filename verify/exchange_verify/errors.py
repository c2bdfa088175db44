"""What does not hold, and of which file."""

from collections.abc import Iterator
from contextlib import contextmanager


class Refused(ValueError):
    """Something that a package claims and that is not so."""


def require(holds: object, what: str) -> None:
    """Refuse unless a condition holds."""
    if not holds:
        raise Refused(what)


@contextmanager
def within(file: str) -> Iterator[None]:
    """Whatever is refused inside is refused of this file; so is whatever a stranger's bytes make a parser raise."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{file}: {error}") from error
    except Exception as error:
        raise Refused(f"{file}: is not what it should be: {error!r}"[:400]) from error
