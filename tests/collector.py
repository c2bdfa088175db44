"""A collector of OpenTelemetry in the test's own process: takes OTLP over HTTP, and understands what it says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.patience import PATIENCE


class Collector:
    """What was brought so far."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.address = ""
        self.bodies: list[bytes] = []
        self._spans: list[tuple[str, Any]] = []
        self._news = threading.Condition()

    def take(self, path: str, body: bytes) -> None:
        """Take one request."""
        assert path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(body)
        with self._news:
            self.bodies.append(body)
            for resource in request.resource_spans:
                named = attributes(resource.resource)["service.name"]
                self._spans += [(named, span) for scope in resource.scope_spans for span in scope.spans]
            self._news.notify_all()

    def of(self, letter: bytes, count: int) -> dict[str, tuple[str, Any]]:
        """The spans of a letter's trace by their names, with who told them, once there are so many."""
        with self._news:
            self._news.wait_for(lambda: len(self._mine(letter)) >= count, PATIENCE)
            found = self._mine(letter)
        assert len(found) == count, [span.name for _, span in found]
        return {span.name: (service, span) for service, span in found}

    def _mine(self, letter: bytes) -> list[tuple[str, Any]]:
        return [(service, span) for service, span in self._spans if span.trace_id == letter[:16]]


def attributes(of: Any) -> dict[str, Any]:
    """Attributes of a span or a resource, by their names."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in of.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens while the context lasts."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """One request."""
            collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
