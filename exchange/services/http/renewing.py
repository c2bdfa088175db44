"""TLS of an API whose certificate is renewed while it serves: what begins afterwards sees the new one."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from exchange.domain.errors import ExchangeError
from exchange.security.keys import KeyFiles
from exchange.services.http.listening import Address, load_pair, tls_context

LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def renewed_tls(address: Address) -> AsyncIterator[ssl.SSLContext | None]:
    """TLS with an address's files, and with what replaces them while the context lasts; None without files.

    Connections that are open stay as they are. A pair that does not match, as between two copies, changes nothing.

    Raises:
        KeyRefused, ConfigurationError: as `tls_context`.
    """
    context = tls_context(address)
    if context is None or address.files is None:
        yield None
        return
    seen = _contents(address.files)
    task = asyncio.create_task(_keep(context, address.files, seen), name="certificate")
    try:
        yield context
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep(context: ssl.SSLContext, files: KeyFiles, seen: tuple[bytes, ...]) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        found = await asyncio.to_thread(_contents, files)
        if found in {seen, ()}:
            continue
        try:
            load_pair(context, files)
        except (ExchangeError, OSError) as error:
            log.warning("%s stays as it was: %s", files.certificate, error)
        else:
            seen = found
            log.info("%s is served from now on", files.certificate)


def _contents(files: KeyFiles) -> tuple[bytes, ...]:
    """Nothing while they are being replaced."""
    try:
        return files.certificate.read_bytes(), files.key.read_bytes()
    except OSError:
        return ()
