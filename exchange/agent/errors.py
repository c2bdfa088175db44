"""What this layer refuses.

ExchangeError
├── DraftRefused       a letter or receipt that the exchange could never take, found before signing
├── ArrivalFlagged     an inbox record that does not prove what it says: kept, and not handed over
└── SpoolError         `spool-full`, `spool-corrupt`, `spool-in-use`, `spool-version`, `spool-unwritable`
"""

from collections.abc import Iterator
from contextlib import contextmanager

from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.domain.reason import Reason, text


class DraftRefused(ExchangeError):
    """What a body wants to say cannot be said like this; nothing was stored."""

    code = "draft-refused"


class ArrivalFlagged(ExchangeError):
    """A record of an inbox that fails verification."""

    code = "arrival-flagged"


def refused_draft(reason: Reason, detail: str) -> DraftRefused:
    """A `DraftRefused` in the words that the router would have found."""
    return DraftRefused(f"{detail}: {text(reason)}", code=reason.value)


NO_MEMORY = "no memory is left: give the machine more, or let less run on it; the agent tries again"


@contextmanager
def want_of_memory_named() -> Iterator[None]:
    """A `MemoryError` as an error that may pass, so that it is waited out like a full disk.

    Raises:
        ExchangeError: `out-of-memory`, retriable.
    """
    try:
        yield
    except MemoryError as error:
        raise ExchangeError(NO_MEMORY, code="out-of-memory", retriable=True) from error


def may_pass(error: ExchangeError) -> bool:
    """Whether a running agent waits `error` out.

    A certificate or directory that is being replaced is none for a moment; at the start it was good. Rights come
    after the directory has let a body in, and go while it is suspended: both without the agent's doing.
    """
    return error.retriable or isinstance(error, ConfigurationError) or error.code == "access-denied"
