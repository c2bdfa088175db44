"""How commands end. The codes stand in `docs/operator.md` too; they never change their meaning."""

from enum import IntEnum

from exchange.domain.errors import BusError, ConfigurationError, EmbeddedError, ExchangeError


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    """What was asked for was done."""
    FOUND = 1
    """The exchange refused, a check found something, a comparison differs."""
    USAGE = 2
    """The command was called in a way that it does not know."""
    CONFIGURATION = 3
    """A configuration file, certificate, key or folder is wrong or missing."""
    UNAVAILABLE = 4
    """A server did not answer, or a time limit passed: the same call may succeed later."""


def exit_code(error: ExchangeError) -> Exit:
    """The code with which a command ends on `error`."""
    if isinstance(error, ConfigurationError):
        return Exit.CONFIGURATION
    if isinstance(error, BusError | EmbeddedError) or error.retriable:
        return Exit.UNAVAILABLE
    return Exit.FOUND
