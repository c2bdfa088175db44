"""The one error tree.

    ExchangeError
    ├── ConfigurationError      a file or setting is wrong: fix it and start again
    ├── WireError               bytes that are not what they claim to be
    ├── SignatureRefused        a signature that does not hold (exchange.security)
    ├── DocumentError           an EDMS document that cannot be understood (adapters)
    ├── BusError                Kafka said no, or not now
    ├── SpoolError              the agent's own storage
    └── EmbeddedError           the servers for trying out

Every error carries a stable `code` (kebab-case, one page in `docs/errors.md`), a message that names
the field and the next step, and `retriable`: may the same call succeed later without a change?
"""

import traceback


class ExchangeError(Exception):
    """Base of all errors that the exchange raises on purpose."""

    code = "exchange-error"
    retriable = False

    def __init__(self, message: str, *, code: str | None = None, retriable: bool | None = None) -> None:
        """Keep `message` for people and `code` for programs.

        Args:
            message: what is wrong, where, and what to do next; never content of a letter.
            code: stable kebab-case code, when it differs from the class's own.
            retriable: whether the same call may succeed later without a change.
        """
        super().__init__(message)
        if code is not None:
            self.code = code
        if retriable is not None:
            self.retriable = retriable


class ConfigurationError(ExchangeError):
    """A configuration file, option or folder is wrong."""

    code = "configuration-invalid"


class WireError(ExchangeError):
    """Bytes that are not the record that they claim to be."""

    code = "unreadable"


class DocumentError(ExchangeError):
    """An EDMS document that cannot be understood; `place` says where (file, line, field)."""

    code = "document-invalid"

    def __init__(self, message: str, *, code: str | None = None, place: str = "", others: tuple[str, ...] = ()) -> None:
        """Keep `place` apart so that it can be shown beside the message.

        Args:
            message: what is wrong, and what to do.
            code: stable code, when it is not the class's own.
            place: file, line and field.
            others: further faults of the same document, each with its place.
        """
        super().__init__(f"{place}: {message}" if place else message, code=code)
        self.place = place
        self.others = others


class BusError(ExchangeError):
    """Kafka refused, or could not be reached."""

    code = "bus-unavailable"
    retriable = True


class SpoolError(ExchangeError):
    """The agent's spool cannot be read or written."""

    code = "spool-failed"


class EmbeddedError(ExchangeError):
    """An embedded server could not be brought up."""

    code = "embedded-failed"


def fault(error: Exception) -> str:
    """Kind and place of an error that nobody expected, for the log; its text may quote a letter."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, {frame.filename}:{frame.lineno}"
