"""An archive, or whoever pretends to be one, on a socket of this machine, for callers that are not asynchronous."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from starlette.types import ASGIApp

from exchange.services.http.listening import Address, listening, serve, tls_context
from tests.patience import PATIENCE


@contextmanager
def served(app: ASGIApp, address: Address | None = None) -> Iterator[str]:
    """The URL of an app that is served by the archive's own server."""
    address = address or Address("127.0.0.1", 0)
    is_over = Event()
    context = tls_context(address)
    with listening(address) as listener:

        async def run() -> None:
            """Until it is over."""
            serving = asyncio.create_task(serve(app, listener, context, lambda: None))
            await asyncio.to_thread(is_over.wait)
            serving.cancel()
            await asyncio.wait([serving])

        thread = Thread(target=asyncio.run, args=(run(),))
        thread.start()
        try:
            yield f"http{'' if context is None else 's'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            is_over.set()
            thread.join(PATIENCE)
