"""An EDMS that is spoken to over HTTP: the documentation's own, listening on a port of this machine."""

import base64
import ssl
import threading
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from adapters.connectors.web.client import Client, Clocks
from adapters.connectors.web.connector import HttpConnector
from adapters.connectors.web.signature import RequestSigner

PAGE = Path(__file__).parents[4] / "docs" / "connectors" / "http.md"
PULL_SECONDS = 5.0
SECRET = "whsec_" + base64.b64encode(b"of the tests' own making").decode()


class Clock:
    """Seconds that pass when a test says so; the present time is the real one, which the example looks at."""

    def __init__(self) -> None:
        """At some time."""
        self.seconds = 1000.0

    @property
    def clocks(self) -> Clocks:
        """As the connector takes them, with no jitter to speak of."""
        return Clocks(lambda: datetime.now(UTC), lambda: self.seconds, lambda: 1.0)


def example() -> type[BaseHTTPRequestHandler]:
    """A fresh class of the example on the page."""
    source = PAGE.read_text(encoding="utf-8").split("```python\n")[1].partition("```")[0]
    module = types.ModuleType("edms")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)  # noqa: S102 - the page's example is what is tested
    handler: type[BaseHTTPRequestHandler] = module.DocumentSystem
    return handler


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its URL while it answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http{'' if tls is None else 's'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class WebSystem:
    """The example with what a test sees of it; `faults` are what its next answers to pushes are instead."""

    def __init__(self, staging: Path, tls: ssl.SSLContext | None = None, secret: str = SECRET) -> None:
        """`secret` is empty where the client certificate is enough."""
        self.clock = Clock()
        self.staging = staging
        self.faults: list[bytes] = []
        self.pull_faults: list[bytes] = []
        self.requests: list[str] = []
        self.url = ""
        self.client_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.secret = secret
        self._tls = tls
        self._opened: list[HttpConnector] = []
        self.handler: Any = self._handler()

    @contextmanager
    def running(self) -> Iterator["WebSystem"]:
        """While it answers."""
        with serving(self.handler, self._tls) as self.url:
            yield self
            for connector in self._opened:
                connector.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        system, base = self, example()

        class Faulty(base):  # type: ignore[valid-type, misc]
            secret = SECRET
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                return

            def is_signed(self, body: bytes) -> bool:
                system.requests.append(f"{self.command} {self.path}")
                return not system.secret or bool(super().is_signed(body))

            def answer(self, status: int, said: object) -> None:
                faults = system.faults if self.path == "/in" else system.pull_faults
                fault = faults.pop(0) if faults else b""
                if fault == b"cut":
                    self.close_connection = True
                    self.connection.shutdown(2)
                elif fault:
                    self.close_connection = True
                    self.wfile.write(fault)
                else:
                    super().answer(status, said)

        return Faulty

    def connector(self) -> HttpConnector:
        signer = RequestSigner(self.secret) if self.secret else None
        push, pull = (
            Client(httpx.URL(f"{self.url}{path}"), self.client_tls, signer, self.clock.clocks)
            for path in ("/in", "/out")
        )
        monotonic = self.clock.clocks.monotonic
        connector = HttpConnector(self.staging, push, pull, monotonic=monotonic, pull_seconds=PULL_SECONDS)
        self._opened.append(connector)
        return connector

    def put(self, name: str, files: Mapping[str, bytes], age: int) -> None:
        listed = [{"name": file, "content": base64.b64encode(data).decode()} for file, data in files.items()]
        waiting = self.handler.waiting | {name: {"name": name, "files": listed}}
        self.handler.waiting = dict(sorted(waiting.items(), key=lambda item: int(item[0])))
        assert int(name) == age

    def put_unsound(self, name: str) -> None:
        self.handler.waiting = {name: {"name": name}}

    def taken(self) -> set[str]:
        return {ident for ident, (verdict, _) in self.handler.verdicts.items() if verdict == "taken"}

    def refused(self) -> dict[str, str]:
        said = self.handler.verdicts.items()
        return {ident: f"{why['problem']} ({why['code']})" for ident, (verdict, why) in said if verdict == "refused"}

    def shown(self) -> list[dict[str, bytes]]:
        packages = self.handler.arrived.values()
        return [{file["name"]: base64.b64decode(file["content"]) for file in each["files"]} for each in packages]
