"""An agent's HTTP API from Python: for systems on other machines, and for those that are not asynchronous.

    with AgentApi.open("http://127.0.0.1:9105", "mfa", token) as api:
        accepted = api.send(Letter(message_id="42", recipients=("minjust",), title="Draft agreement"))
        page = api.inbox(wait=60)

`exchange.client` works on the agent's spool itself; this needs its address and a token only.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from adapters.formats.json_profile.documents import File, Letter, Receipt
from exchange.domain.errors import ExchangeError
from exchange.services.api.model import (
    Accepted,
    ArrivedLetter,
    Inbox,
    Receipts,
    Said,
    SentLetter,
    SentLetters,
    SentSummary,
)
from exchange.services.http.problems import Problem

__all__ = ["AgentApi", "ApiProblem", "File", "Letter", "Receipt"]

ANSWER_SECONDS = 30.0
Answer = TypeVar("Answer")


class ApiProblem(ExchangeError):
    """What the agent says is wrong.

    Attributes:
        status: of the answer; 0 when there was none.
        field: JSON pointer into what was sent, else empty.
    """

    code = "api-unreachable"

    def __init__(self, message: str, *, code: str, retriable: bool, status: int = 0, field: str = "") -> None:
        """Keep what the answer said."""
        super().__init__(message, code=code, retriable=retriable)
        self.status = status
        self.field = field


class AgentApi:
    """One body's letters, by the API of its agent. Make it with `open`; it may be used by several threads.

    Every method may raise `ApiProblem`; what is `retriable` may be asked again as it is: nothing is sent twice.
    """

    def __init__(self, client: httpx.Client, body: str) -> None:
        """Ask by `client`, whose base URL and token are set."""
        self._client = client
        self._path = f"/v1/bodies/{body}"

    @classmethod
    @contextmanager
    def open(cls, url: str, body: str, token: str, *, verify: ssl.SSLContext | bool = True) -> "Iterator[AgentApi]":
        """Keep connections open while the context lasts.

        Args:
            url: of the agent, as `https://host:port`.
            body: the body's code.
            token: one of that body.
            verify: whom to trust, and our certificate where the agent wants one.
        """
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, timeout=ANSWER_SECONDS, verify=verify) as client:
            yield cls(client, body)

    def send(self, letter: Letter) -> Accepted:
        """Send a letter; when this returns it is on the agent's disk."""
        return self._post("/letters", letter, Accepted)

    def sent(self, message_id: str) -> SentLetter:
        """What became of a letter."""
        return self._get(f"/letters/{quote(message_id, safe='')}", SentLetter)

    def last_sent(self, limit: int = 50) -> tuple[SentSummary, ...]:
        """The last letters sent, newest first."""
        return self._get("/letters", SentLetters, limit=limit).letters

    def receipts(self, after: int = 0, *, limit: int = 50, wait: int = 0) -> Receipts:
        """What was heard about letters after a cursor; with `wait` seconds for there to be something."""
        return self._get("/receipts", Receipts, after=after, limit=limit, wait=wait)

    def inbox(self, after: int = 0, *, limit: int = 50, wait: int = 0) -> Inbox:
        """Letters that arrived after a cursor; with `wait` seconds for there to be something."""
        return self._get("/inbox", Inbox, after=after, limit=limit, wait=wait)

    def letter(self, letter: str) -> tuple[ArrivedLetter, Letter]:
        """An arrived letter by its id: what the agent says of it, and what its sender wrote."""
        arrived = self._get(f"/inbox/{letter}", ArrivedLetter)
        return arrived, msgspec.json.decode(arrived.letter, type=Letter)

    def file(self, letter: str, number: int) -> bytes:
        """The bytes of a file of an arrived letter, counted from 0."""
        return self._answer("GET", f"/inbox/{letter}/files/{number}").content

    def say(self, letter: str, receipt: Receipt) -> Said:
        """Say what becomes of an arrived letter; when this returns it is on the agent's disk."""
        return self._post(f"/inbox/{letter}/receipts", receipt, Said)

    def _get(self, path: str, kind: type[Answer], **query: int) -> Answer:
        timeout = ANSWER_SECONDS + query.get("wait", 0)
        return msgspec.json.decode(self._answer("GET", path, params=query, timeout=timeout).content, type=kind)

    def _post(self, path: str, document: Letter | Receipt, kind: type[Answer]) -> Answer:
        content = msgspec.json.encode(document)
        headers = {"Content-Type": "application/json"}
        return msgspec.json.decode(self._answer("POST", path, content=content, headers=headers).content, type=kind)

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._client.request(method, f"{self._path}{path}", **request)
        except httpx.TransportError as error:
            message = f"the agent does not answer ({type(error).__name__}): check its address, then ask again"
            raise ApiProblem(message, code="api-unreachable", retriable=True) from error
        if response.is_success:
            return response
        raise _problem(response)


def _problem(response: httpx.Response) -> ApiProblem:
    try:
        told = msgspec.json.decode(response.content, type=Problem)
    except msgspec.DecodeError:
        message = f"the answer is {response.status_code} and no agent's: check the address, and what stands in between"
        retriable = response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
        return ApiProblem(message, code="api-unreachable", retriable=retriable, status=response.status_code)
    return ApiProblem(told.detail, code=told.code, retriable=told.retriable, status=told.status, field=told.field)
