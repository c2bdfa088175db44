"""Serves an API: socket, TLS, callers that are slow, and an end that leaves no answer half-given."""

import asyncio
import errno
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from exchange.domain.errors import ConfigurationError
from exchange.security.keys import KeyFiles, load_key_pair, load_passphrase

log = logging.getLogger(__name__)

CONNECTIONS = 256
ANSWER_SECONDS = 120.0
"""From a connection's begin, or its last answer, to the next answer: longer than any wait that may be asked for."""
END_SECONDS = 3
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API is served.

    Attributes:
        host: an address or name of this machine.
        port: 0 takes any free one.
        files: key and certificate of TLS; None serves plain HTTP, on the loopback interface only.
        client_ca: who issues the certificates that callers must have beside their token; None: they need none.
        table: of the configuration that says so, for what is wrong with it.
    """

    host: str
    port: int
    files: KeyFiles | None = None
    client_ca: Path | None = None
    table: str = "api"


@contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """The listening socket.

    Raises:
        ConfigurationError: `port-taken`, `api-address-unusable`, `api-tls-required`.
    """
    if address.files is None and not is_loopback(address.host):
        message = f"{address.host} is reached from other machines: set certificate and key, or 127.0.0.1"
        raise ConfigurationError(f"[{address.table}] host: {message}", code="api-tls-required")
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listener = socket.create_server((address.host, address.port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"{address.host}:{address.port} is taken: is this process running already? else set another"
            raise ConfigurationError(f"{message} [{address.table}] port", code="port-taken") from error
        message = (
            f"[{address.table}] {address.host}:{address.port} cannot be listened on ({error.strerror}): check both"
        )
        raise ConfigurationError(message, code="api-address-unusable") from error
    with listener:
        # Connections inherit it: an answer's end would else wait 40 ms for the caller to acknowledge its beginning.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        log.info("[%s] is at %s:%d", address.table, address.host, listener.getsockname()[1])
        yield listener


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(address: Address) -> ssl.SSLContext | None:
    """TLS 1.2 or later with the address's files; None without them.

    Raises:
        KeyRefused: as `load_key_pair`.
        ConfigurationError: `ca-invalid`.
    """
    if address.files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, address.files)
    if address.client_ca is not None:
        try:
            context.load_verify_locations(address.client_ca)
        except OSError as error:
            message = f"{address.client_ca} is no PEM certificate that could be read: name its file"
            raise ConfigurationError(f"[{address.table}] client_ca: {message}", code="ca-invalid") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_pair(context: ssl.SSLContext, files: KeyFiles) -> None:
    """Have a context serve a key and its certificate from now on.

    Raises:
        KeyRefused: as `load_key_pair`; nothing changed then.
    """
    load_key_pair(files)  # says in our words what is wrong
    # Without a passphrase OpenSSL would ask for one on the terminal; the key was seen not to need any.
    passphrase = "" if files.passphrase is None else load_passphrase(files.passphrase)
    context.load_cert_chain(files.certificate, files.key, passphrase)


async def serve(
    application: ASGIApp,
    listener: socket.socket,
    context: ssl.SSLContext | None,
    end: Callable[[], None],
    connections: int = CONNECTIONS,
) -> None:
    """Serve on a listening socket until cancelled; then call `end` and let the answers under way be given.

    Args:
        application: ASGI.
        listener: see `listening`.
        context: see `tls_context`.
        end: makes the answers that wait for something end.
        connections: so many at a time; further ones are told to come back.
    """
    config = uvicorn.Config(
        application,
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=connections,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=END_SECONDS,
        ssl_context_factory=None if context is None else lambda *_: context,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]), name="uvicorn")
    try:
        await asyncio.shield(serving)
    finally:
        end()
        server.should_exit = True
        await asyncio.wait([serving])


class BoundedConnection(H11Protocol):
    """A connection that is cut when no answer has been given for two minutes.

    Whether a caller sends its request drop by drop, or does not read the answer: what waits for it is let go.
    An answer that is still being given, and read, is a stream: it may last.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base class
        """Begin to wait for the first answer."""
        super().connection_made(transport)
        self._wait_anew()

    def on_response_complete(self) -> None:
        """Begin to wait for the next answer."""
        super().on_response_complete()
        self._wait_anew()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        super().connection_lost(exc)
        self._forget()

    def _wait_anew(self) -> None:
        self._forget()
        self._deadline = self.loop.call_later(ANSWER_SECONDS, self._look)

    def _look(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        given = cycle is not None and cycle.response_started and not cycle.response_complete
        if given and not self.flow.write_paused:
            self._wait_anew()
        else:
            self.transport.abort()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """Leaves signals to the process, of which it is a part."""

    @contextmanager
    def capture_signals(self) -> Iterator[Any]:
        yield
