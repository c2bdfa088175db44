"""What this layer refuses."""

from exchange.domain.errors import ExchangeError


class LogRefused(ExchangeError):
    """Bytes of a transparency log, or about one, that are not what they claim to be."""

    code = "log-unreadable"
