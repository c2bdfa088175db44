"""Reading an archive's logs over HTTP, from where its folder is served as it lies (`log/heads/checkpoint`, …)."""

import httpx

from exchange.archive.errors import ArchiveError
from exchange.archive.reading import TileReader


class RemoteLogReader(TileReader):
    """The same as a folder's, of an address. Answers are bounded, redirections are not followed."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        """Nothing is asked yet.

        Args:
            url: of the folder.
            client: by which it is asked, with timeouts and trust as the caller needs them.
        """
        self._url = url.rstrip("/")
        self._client = client

    def __str__(self) -> str:
        """The address."""
        return self._url

    def _fetch(self, path: str, most: int) -> bytes | None:
        url = f"{self._url}/{path}"
        try:
            with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                if response.status_code == httpx.codes.NOT_FOUND:
                    return None
                if response.status_code != httpx.codes.OK:
                    raise _unreachable(url, f"it answers {response.status_code}")
                data = bytearray()
                for chunk in response.iter_raw():
                    data += chunk
                    if len(data) > most:
                        raise _unreachable(url, f"it answers with more than {most} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreachable(url, str(error) or type(error).__name__) from error
        return bytes(data)


def _unreachable(url: str, what: str) -> ArchiveError:
    message = f"{url}: {what}: look whether this is the archive's address, and whether it is served"
    return ArchiveError(message, code="archive-unreachable", retriable=True)
