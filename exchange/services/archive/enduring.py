"""Goes on by itself after what passes; what a person must look at ends it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.services.runner import is_asked_to_end

RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


async def endure(part: str, work: Callable[[], Awaitable[None]], told: Callable[[str, str], None]) -> None:
    """Do `work`, which never ends by itself, again and again until cancelled.

    Args:
        part: what is spoken of in the log.
        work: opens what it needs, and closes it whatever happens.
        told: hears what is waited for, and the error's code.

    Raises:
        ExchangeError: one that does not pass.
    """
    while True:
        try:
            await work()
        except ExchangeError as error:
            told(f"{error.code}: {error}", error.code)
            # A certificate that is being replaced is none for a moment; at the start it was good.
            if not (error.retriable or isinstance(error, ConfigurationError)):
                raise
            log.warning("%s opens everything anew: %s: %s", part, error.code, error)
        except asyncio.CancelledError:
            # A Kafka client that is closed while its broker is away lets the end of its own tasks out; only who
            # cancels this task may end it.
            if is_asked_to_end():
                raise
            told("Kafka: the connection was lost", "bus-unavailable")
            log.warning("%s opens everything anew: the connection was lost", part)
        await asyncio.sleep(RETRY_SECONDS)
