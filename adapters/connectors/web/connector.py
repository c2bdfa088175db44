"""Packages over HTTP, between any two steps of which the agent may be killed.

In, exactly once: a package is staged on our own disk (`staging`) and published by a POST with its key as
`Idempotency-Key`; it is removed once the EDMS has said that it has it. Killed in between, or without an answer, the
same is sent again, and the EDMS knows it by the key.

Out, at least once: the EDMS lists what waits until it was told `taken` or `refused`; the message's own id makes
a second sending the first one's repeat.
"""

from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path

import msgspec

from adapters.connectors.durable import ConnectorError, connector_errors
from adapters.connectors.staging import Staging
from adapters.connectors.web.client import Client
from adapters.connectors.web.messages import (
    JSON_BYTES,
    Refusal,
    Waiting,
    decode_package,
    encoded_package,
    said_code,
)
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError

ANSWER_BYTES = 64 * 1024
LIST_BYTES = 1024 * 1024

_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers that no repeat would change."""
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class HttpConnector:
    """Implements `exchange.agent.ports.Connector` over HTTP."""

    def __init__(
        self,
        staging: Path,
        push: Client,
        pull: Client | None,
        *,
        monotonic: Callable[[], float],
        pull_seconds: float,
    ) -> None:
        """Take the ways to the EDMS.

        Args:
            staging: our own folder for packages that are not handed over yet.
            push: where packages are handed over.
            pull: where packages are collected; None where the EDMS sends in another way.
            monotonic: seconds that only grow.
            pull_seconds: the EDMS is asked again so long after nothing waited.

        Raises:
            ConnectorError: the folder cannot be made.
        """
        self._push, self._pull = push, pull
        self._monotonic, self._pull_seconds = monotonic, pull_seconds
        self._quiet_until = monotonic()
        with connector_errors("preparing the folder of staged packages"):
            self._staging = Staging(staging)

    def close(self) -> None:
        """Close the connections that are kept open."""
        for client in (self._push, self._pull):
            if client is not None:
                client.close()

    def collect(self, limit: int) -> Iterator[Package]:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: the EDMS does not answer, or not as it should.
        """
        if self._pull is None or limit == 0 or self._monotonic() < self._quiet_until:
            return
        listed = _ids(self._pull.ask(f"?limit={limit}", frozenset(), LIST_BYTES).body)
        if not listed:
            self._quiet_until = self._monotonic() + self._pull_seconds
        for ident in listed[:limit]:
            answer = self._pull.ask(f"/{ident}", _GONE, JSON_BYTES)
            if answer.status in _GONE:
                continue
            try:
                package = decode_package(answer.body, ident)
            except DocumentError as error:
                self.quarantine(ident, str(error), error.code)
                continue
            yield package

    def archive(self, name: str) -> None:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: the EDMS does not answer.
        """
        self._tell(name, "taken", b"{}")

    def quarantine(self, name: str, problem: str, code: str) -> None:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: the EDMS does not answer.
        """
        self._tell(name, "refused", msgspec.json.encode(Refusal(code, problem.encode(errors="replace").decode())))

    def stage(self, key: str, package: Package) -> None:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: `disk-full`, or our folder cannot be written.
            DocumentError: `file-name-unsafe`: a name that no format should have let pass.
        """
        with connector_errors("staging a package for the EDMS"):
            self._staging.put(key, package)

    def publish(self, key: str) -> None:
        """See `exchange.agent.ports.Connector`.

        A package that the EDMS refuses for good stays staged: sent again it would be refused again.

        Raises:
            ConnectorError: `http-refused`, not retriable; the EDMS does not answer, or cannot take it now.
        """
        folder = self._staging.find(key)
        if folder is None:
            return
        with connector_errors("reading a staged package"):
            answer = self._push.send(partial(encoded_package, folder), key, _REFUSED, ANSWER_BYTES)
        if answer.status in _REFUSED:
            code = said_code(answer.body)
            message = f"the document system refuses it with {answer.status} {code}".rstrip()
            raise ConnectorError(f"{message}: ask who runs it", code="http-refused", retriable=False)
        with connector_errors("removing a package that the EDMS has taken"):
            self._staging.remove(folder)

    def _tell(self, ident: str, verdict: str, body: bytes) -> None:
        """Tell the EDMS what became of a package; one that it no longer knows needs no telling."""
        if self._pull is not None:
            self._pull.tell(f"/{ident}/{verdict}", body, _GONE, ANSWER_BYTES)


def _ids(data: bytearray) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(data, type=Waiting).packages
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        message = f"the EDMS's list of packages is none ({type(error).__name__}): see the page of the HTTP connector"
        raise ConnectorError(message, code="http-answer-invalid") from error
