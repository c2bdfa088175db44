"""What commands ask of the console's API, and the console that a file names."""

import asyncio
import importlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TypeVar

import httpx
import msgspec

from exchange.cli.events import Event, Events
from exchange.console.api import ROOT
from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.services.http.openapi import JSON
from exchange.services.http.problems import Problem
from exchange.settings import OperatorSettings
from exchange.settings.console_access import ConsoleAccess

Told = TypeVar("Told", bound=msgspec.Struct)
Words = Mapping[str, str | None]
"""Parameters; what is None or empty is left out."""

ANSWER_SECONDS = 60.0
SILENT_SECONDS = 35.0
"""A stream that says nothing for so long is broken: it says something every ten seconds."""
AGAIN_SECONDS = 1.0
_TOKEN_BYTES = 1024


class ConsoleProblem(ExchangeError):
    """What the console says is wrong."""

    code = "console-unreachable"


class ConsoleApi:
    """Questions to the console."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Ask by `client`, whose base is the console's address."""
        self._client = client

    async def get(self, path: str, kind: type[Told], words: Words) -> Told:
        """An answer.

        Raises:
            ConsoleProblem: with the console's own code; `console-unreachable`, retriable.
        """
        return await self._asked(self._client.build_request("GET", path, params=_said(words)), kind)

    async def post(
        self, path: str, kind: type[Told], content: msgspec.Struct, headers: Mapping[str, str] = MappingProxyType({})
    ) -> Told:
        """The answer to what changes something; raises as `get`."""
        sent = {"Content-Type": JSON, **headers}
        return await self._asked(
            self._client.build_request("POST", path, content=msgspec.json.encode(content), headers=sent), kind
        )

    async def events(self, words: Words) -> AsyncIterator[Event]:
        """What happens from now on, over as many connections as it takes.

        Raises:
            ConsoleProblem: the first connection failed, or a later one was refused.
        """
        events, has_begun = Events(), False
        while True:
            try:
                async for event in self._connected(words, events):
                    has_begun = True
                    yield event
            except httpx.TransportError as error:
                if not has_begun:
                    raise _unreachable(self._client, error) from error
            except ConsoleProblem as error:
                if not (has_begun and error.retriable):
                    raise
            await asyncio.sleep(AGAIN_SECONDS)

    async def _asked(self, request: httpx.Request, kind: type[Told]) -> Told:
        try:
            answer = await self._client.send(request)
        except httpx.TransportError as error:
            raise _unreachable(self._client, error) from error
        if answer.status_code not in {httpx.codes.OK, httpx.codes.CREATED}:
            raise _problem(answer)
        return _decoded(answer.content, kind)

    async def _connected(self, words: Words, events: Events) -> AsyncIterator[Event]:
        headers = {"Last-Event-ID": events.last_id} if events.last_id else {}
        timeout = httpx.Timeout(ANSWER_SECONDS, read=SILENT_SECONDS)
        path = f"{ROOT}/stream"
        async with self._client.stream("GET", path, params=_said(words), headers=headers, timeout=timeout) as answer:
            if answer.status_code != httpx.codes.OK:
                await answer.aread()
                raise _problem(answer)
            events.begin()
            async for chunk in answer.aiter_raw():
                for event in events.feed(chunk):
                    yield event


@asynccontextmanager
async def opened_api(settings: OperatorSettings, *, follows: bool = False) -> AsyncIterator[ConsoleApi]:
    """The console that the settings name, or one in this process, whose modules are only imported then.

    Args:
        settings: the operator's.
        follows: whether `events` will be asked for.

    Raises:
        ConfigurationError: the token or the authority's file cannot be read.
        StoreError: `store-url-invalid`.
    """
    if settings.console is not None:
        opened = remote_api(settings.console)
    else:
        opened = importlib.import_module("exchange.cli.console_here").local_api(settings, follows=follows)
    async with opened as api:
        yield api


@asynccontextmanager
async def remote_api(access: ConsoleAccess) -> AsyncIterator[ConsoleApi]:
    """The console that a file names.

    Raises:
        ConfigurationError: the token or the authority's file cannot be read.
    """
    async with asking(access.url, _token(access), verify=_trust(access)) as client:
        yield ConsoleApi(client)


def asking(
    url: str, token: str, *, verify: ssl.SSLContext | bool = True, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client that shows a token to the console at an address."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return httpx.AsyncClient(
        base_url=url, headers=headers, timeout=ANSWER_SECONDS, verify=verify, transport=transport, trust_env=False
    )


def _token(access: ConsoleAccess) -> str:
    try:
        with access.token.open("rb") as opened:
            return opened.read(_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{access.token} is no file with a token: put there what `exchange console token` has shown"
        raise ConfigurationError(message, code="tokens-invalid") from error


def _trust(access: ConsoleAccess) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=access.ca)
    except OSError as error:
        message = f"[console] ca: {access.ca} is no PEM certificate that could be read: name its file"
        raise ConfigurationError(message, code="ca-invalid") from error


def _said(words: Words) -> dict[str, str]:
    return {word: value for word, value in words.items() if value}


def _problem(answer: httpx.Response) -> ConsoleProblem:
    try:
        told = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.MsgspecError:
        message = f"{answer.request.url.host} answered {answer.status_code}, and not as a console: check [console] url"
        return ConsoleProblem(message)
    return ConsoleProblem(told.detail, code=told.code, retriable=told.retriable)


def _unreachable(client: httpx.AsyncClient, error: httpx.TransportError) -> ConsoleProblem:
    message = f"the console at {client.base_url} cannot be reached ({error}): see that it runs, and [console] url"
    return ConsoleProblem(message, retriable=True)


def _decoded(content: bytes, kind: type[Told]) -> Told:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        message = f"the console's answer is of another version ({error}): use the `exchange` of the console's version"
        raise ConsoleProblem(message) from error
