"""What an identity provider answers to us, bounded in bytes and time."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import httpx

from exchange.console.auth.errors import AccessRefused

ANSWER_BYTES = 256 * 1024
ANSWER_SECONDS = 10.0
AGAIN_SECONDS = 30


class Answers:
    """Asks a provider for objects of JSON."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Args: client: follows no redirects."""
        self._client = client

    async def get(self, address: str, headers: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, Any]:
        """Raises: AccessRefused: `provider-away`, retriable."""
        return await self._ask(self._client.build_request("GET", address, headers={**headers}))

    async def post(self, address: str, form: Mapping[str, str], auth: httpx.BasicAuth) -> Mapping[str, Any]:
        """Raises: AccessRefused: `provider-away`, retriable; `provider-answer-wrong`: it refuses the form."""
        return await self._ask(self._client.build_request("POST", address, data={**form}), auth)

    async def _ask(self, request: httpx.Request, auth: httpx.BasicAuth | None = None) -> Mapping[str, Any]:
        request.headers["Accept"] = "application/json"
        request.headers["Accept-Encoding"] = "identity"
        content = bytearray()
        try:
            response = await self._client.send(request, stream=True, auth=auth)
            try:
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > ANSWER_BYTES:
                        raise _away("its answer is too large")
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _away(type(error).__name__) from error
        if response.is_client_error and auth is not None:
            message = (
                f"the identity provider gives nothing for this code (status {response.status_code}): sign in again"
            )
            raise AccessRefused(message, code="provider-answer-wrong")
        if not response.is_success:
            raise _away(f"status {response.status_code}")
        try:
            answer = json.loads(bytes(content))
        except ValueError as error:
            raise _away("its answer is no JSON") from error
        if not isinstance(answer, dict):
            raise _away("its answer is no object")
        return answer


def _away(why: str) -> AccessRefused:
    return AccessRefused(
        f"the identity provider does not answer as it should ({why}): try again, or use a local account",
        code="provider-away",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        wait_seconds=AGAIN_SECONDS,
    )
