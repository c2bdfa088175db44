"""What is refused of a time-stamp, and of who should give one."""

from exchange.domain.errors import ExchangeError


class TimestampError(ExchangeError):
    """Bytes that are no time-stamp, or one that proves nothing; by its code also an authority that gave none."""

    code = "timestamp-invalid"


def away(why: str) -> TimestampError:
    """No answer of the authority came."""
    message = f"the time-stamping authority does not answer ({why}): asked again later, nothing waits for it"
    return TimestampError(message, code="timestamp-authority-away", retriable=True)


def refused(why: str) -> TimestampError:
    """The authority answered that it does not stamp."""
    message = f"the time-stamping authority refused: {why}: ask whoever runs it"
    return TimestampError(message, code="timestamp-refused")
