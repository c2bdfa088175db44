"""One request at a time to one EDMS, bounded in time and bytes, and signed."""

import contextlib
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from adapters.connectors.durable import ConnectorError
from adapters.connectors.web.gate import Gate
from adapters.connectors.web.signature import RequestSigner

CONNECT_SECONDS, SILENCE_SECONDS, ANSWER_SECONDS = 5.0, 30.0, 120.0
"""To connect, between two bytes, and for the whole answer."""

Body = Callable[[], Iterable[bytes]]

_ITS_OWN = frozenset({HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR})
"""Answers that say something of this package rather than of the whole EDMS: others need not wait for it."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The present time in UTC, seconds that only grow, and random numbers from 0 to 1."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the EDMS answered."""

    status: int
    body: bytearray


class Client:
    """Speaks to the EDMS at one URL. What it cannot answer now closes the gate for a while."""

    def __init__(self, url: httpx.URL, tls: ssl.SSLContext, signer: RequestSigner | None, clocks: Clocks) -> None:
        """Connect to nothing yet; `signer` is None where the client certificate says who we are."""
        self._url = url
        self._signer = signer
        self._clocks = clocks
        self._gate = Gate(clocks.monotonic, clocks.random)
        self._http = httpx.Client(
            verify=tls,
            trust_env=False,  # no proxy and no .netrc of the environment's
            follow_redirects=False,
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "exchange-agent"},
        )

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def ask(self, path: str, expected: frozenset[int], most: int) -> Answer:
        """GET below the URL; see `send`."""
        return self._request("GET", self._below(path), tuple, "", expected, most)

    def tell(self, path: str, body: bytes, expected: frozenset[int], most: int) -> Answer:
        """POST below the URL; see `send`."""
        return self._request("POST", self._below(path), lambda: (body,), "", expected, most)

    def send(self, body: Body, key: str, expected: frozenset[int], most: int) -> Answer:
        """POST to the URL itself under a key that is the same whenever this is sent again.

        Args:
            body: gives pieces of JSON, the same each time: to be measured and signed, then sent.
            key: what the EDMS knows a repeat by.
            expected: statuses that the caller knows to deal with; 2xx always are.
            most: bytes of an answer that is read.

        Raises:
            ConnectorError: `http-failed`: the EDMS has something against this one now;
                `http-unavailable`: it cannot be reached, or answers with no expected status;
                `http-answer-invalid`: too much, or compressed.
        """
        return self._request("POST", self._url, body, key, expected, most)

    def _below(self, path: str) -> httpx.URL:
        return httpx.URL(f"{str(self._url).rstrip('/')}{path}")

    def _request(
        self, method: str, url: httpx.URL, body: Body, key: str, expected: frozenset[int], most: int
    ) -> Answer:
        self._gate.pass_through()
        headers = {}
        if method == "POST":
            headers = {"Content-Type": "application/json", "Content-Length": str(sum(map(len, body())))}
        if key:
            headers["Idempotency-Key"] = f'"{key}"'
        if self._signer is not None:
            ident = key or f"{method} {url.raw_path.decode()}"
            headers |= self._signer.headers(ident, self._clocks.now(), body())
        content = body() if method == "POST" else None
        with self._failures(), self._http.stream(method, url, content=content, headers=headers) as response:
            status = response.status_code
            if status not in expected and not response.is_success:
                self._refuse(response)
            answer = Answer(status, self._read(response, most))
        self._gate.open()
        return answer

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.StreamError) as error:
            said = f"{type(error).__name__}: {str(error)[:200]}"
            failure = ConnectorError(f"{self._url.host} cannot be reached ({said}): see to it", code="http-unavailable")
            self._gate.close(failure)
            raise failure from error

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in _ITS_OWN:
            message = f"{self._url.host} answers {status} to this package: see its log"
            raise ConnectorError(message, code="http-failed")
        if response.is_client_error and status != HTTPStatus.TOO_MANY_REQUESTS:
            step = "check URL, secret and certificate"
        else:
            step = "name the final URL" if response.has_redirect_location else "see its log"
        failure = ConnectorError(f"{self._url.host} answers {status}: {step}", code="http-unavailable")
        self._gate.close(failure, self._asked(response.headers.get("Retry-After", "")))
        raise failure

    def _asked(self, text: str) -> float | None:
        """Seconds of a Retry-After: a number, or a date (RFC 9110, section 10.2.3)."""
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max(0.0, (parsedate_to_datetime(text) - self._clocks.now()).total_seconds())
        except (TypeError, ValueError):
            return None

    def _read(self, response: httpx.Response, most: int) -> bytearray:
        """The body, as long as it is not too much and does not take too long."""
        body, until = bytearray(), self._clocks.monotonic() + ANSWER_SECONDS
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > most or self._clocks.monotonic() > until or "Content-Encoding" in response.headers:
                message = f"{self._url.host} answers with more than {most} bytes, too slowly, or compressed: mend that"
                failure = ConnectorError(message, code="http-answer-invalid")
                self._gate.close(failure)
                raise failure
        return body
