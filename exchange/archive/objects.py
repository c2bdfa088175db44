"""An object store by the library obstore: S3 and what speaks like it, Azure, Google, a folder. Needs the extra.

What a store says is told by status and code alone: its own words may quote the address, and a key in it.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, from_url

from exchange.archive.errors import ArchiveError
from exchange.archive.layout import CHECKPOINT_FILE, cache_rule, tile_file
from exchange.archive.reading import TileReader
from exchange.domain.errors import ConfigurationError
from exchange.tlog.tiles import WIDTH, Tile

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

ANSWER = timedelta(seconds=30)
_CONNECT = timedelta(seconds=5)
_TRIES = 2
_REFUSALS = (PermissionDeniedError, UnauthenticatedError, PermissionError)
_SAID = (
    re.compile(r"status code: ([1-5][0-9]{2})\b"),
    re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>"),
    re.compile(r"HTTP error: ([a-z ]{1,60})"),
    re.compile(r"(os error [0-9]{1,4})"),
)


def open_store(url: str, options: Mapping[str, str]) -> "ObjectStore":
    """A store; nothing is asked yet.

    Args:
        url: `s3://bucket/prefix`, `gs://…`, `az://account/container/…`, `file:///folder`.
        options: of obstore, by its names; `ca`: certificates in PEM that are trusted beside the machine's. What is not
            here is looked for in the environment, as the store's own programs do.

    Raises:
        ConfigurationError: `object-store-invalid`.
    """
    wanted = dict(options)
    client: ClientConfig = {"timeout": ANSWER, "connect_timeout": _CONNECT}
    if ca := wanted.pop("ca", ""):
        client["root_certificate"] = ca
    if _is_here(wanted.get("endpoint", "")):
        client["allow_http"] = True
    retry: RetryConfig = {"max_retries": _TRIES, "retry_timeout": ANSWER}
    try:
        if url.startswith(("file:", "memory:")):
            return from_url(url)
        return from_url(url, config=wanted, client_options=client, retry_config=retry)  # type: ignore[call-overload,no-any-return]
    except (BaseError, OSError, TypeError, ValueError) as error:
        first = str(error).partition("\n")[0][:200]
        message = f"{url} cannot be used as an object store ({first}): see docs/operate/archive.md"
        raise ConfigurationError(message, code="object-store-invalid") from None


class Objects:
    """Files in a store, by the paths that they have in the archive's folder. For one event loop."""

    def __init__(self, url: str, store: "ObjectStore") -> None:
        """Nothing is asked yet; `url` is what errors name."""
        self._url, self._store = url, store
        self._has_attributes = not isinstance(store, LocalStore)

    def __str__(self) -> str:
        """The address."""
        return self._url

    async def read(self, path: str, most: int) -> bytes | None:
        """A file of at most so many bytes; None: there is none.

        Raises:
            ArchiveError: `object-store-away`, `object-store-refused`; so do all others.
        """
        with _spoken(f"{self}/{path}"), suppress(FileNotFoundError):
            found = await obstore.get_async(self._store, path)
            if found.meta["size"] > most:
                raise differs(f"{self}/{path}", f"it has more than {most} bytes")
            return bytes(await found.bytes_async())
        return None

    async def create(self, path: str, data: bytes) -> None:
        """Put a file that never changes; one that is there with the same bytes is as good.

        Raises:
            ArchiveError: `publication-differs`: other bytes are there, and stay.
        """
        with _spoken(f"{self}/{path}"):
            try:
                attributes = self._attributes(path)
                await obstore.put_async(
                    self._store, path, data, mode="create", attributes=attributes, use_multipart=False
                )
            except AlreadyExistsError:
                found = await obstore.get_async(self._store, path)
                if found.meta["size"] != len(data) or bytes(await found.bytes_async()) != data:
                    raise differs(f"{self}/{path}", "it has other bytes than the archive's folder") from None

    async def replace(self, path: str, data: bytes) -> None:
        """Put a file over what may be there."""
        with _spoken(f"{self}/{path}"):
            attributes = self._attributes(path)
            await obstore.put_async(self._store, path, data, attributes=attributes, use_multipart=False)

    async def sizes(self, folder: str) -> dict[str, int]:
        """Files below a folder, with their lengths."""
        found: dict[str, int] = {}
        with _spoken(f"{self}/{folder}"):
            async for chunk in obstore.list(self._store, prefix=folder):
                found |= {each["path"]: each["size"] for each in chunk}
        return found

    async def remove(self, paths: Iterable[str]) -> None:
        """Remove files; who is gone already is gone."""
        with _spoken(str(self)), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, sorted(paths))

    def _attributes(self, path: str) -> dict[str, str] | None:
        """What a bucket that is read over plain HTTP tells with a file."""
        if not self._has_attributes:
            return None
        kind = "text/plain; charset=utf-8" if path == CHECKPOINT_FILE else "application/octet-stream"
        return {"Content-Type": kind, "Cache-Control": cache_rule(path)}


class ObjectLogReader(TileReader):
    """An archive's logs, read from where they were published."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        """Nothing is asked yet; arguments as `open_store`."""
        self._url, self._store = url.rstrip("/"), open_store(url, options)

    def __str__(self) -> str:
        """The address."""
        return self._url

    def get(self, path: str, most: int) -> bytes | None:
        """A file of at most so many bytes; None: there is none.

        Raises:
            ArchiveError: `object-store-away`, `object-store-refused`; `archive-unreachable`: it is longer.
        """
        with _spoken(f"{self}/{path}"), suppress(FileNotFoundError):
            found = obstore.get(self._store, path)
            if found.meta["size"] > most:
                message = f"{self}/{path} has more than {most} bytes: look whether this is an archive's address"
                raise ArchiveError(message, code="archive-unreachable")
            return bytes(found.bytes())
        return None

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder.

        Raises:
            ArchiveError: `object-store-away`, `object-store-refused`.
        """
        with _spoken(f"{self}/{folder}"):
            return [each["path"].rpartition("/")[2] for chunk in obstore.list(self._store, folder) for each in chunk]

    def _fetch(self, path: str, most: int) -> bytes | None:
        return self.get(path, most)

    def _wider(self, log: str, tile: Tile) -> Iterator[int]:
        """Asked for only when a partial tile is gone."""
        if tile.width == WIDTH:
            return
        found = self.names(tile_file(log, tile).rpartition("/")[0])
        yield from sorted(int(width) for width in found if width.isdecimal() and int(width) > tile.width)


def differs(place: str, what: str) -> ArchiveError:
    """What was published is not what is here."""
    message = f"{place}: {what}: nothing is written over; see docs/operate/runbooks/publication-behind.md"
    return ArchiveError(message, code="publication-differs", file=place)


@contextmanager
def _spoken(place: str) -> Iterator[None]:
    """Turn what a store says into our error; who looks whether a file is there catches `FileNotFoundError` within.

    Raises:
        ArchiveError: `object-store-away`, `object-store-refused`; both retriable.
    """
    try:
        yield
    except (BaseError, OSError, RuntimeError, TypeError, ValueError) as error:
        said = _said(error)
        if isinstance(error, _REFUSALS) or said.startswith(("401", "403")):  # a refused list has no class of its own
            message = f"{place}: the object store refuses ({said}): see to the key and its rights"
            raise ArchiveError(message, code="object-store-refused", retriable=True) from None
        message = f"{place}: the object store cannot be used now ({said}): see whether it is reachable"
        raise ArchiveError(message, code="object-store-away", retriable=True) from None


def _said(error: Exception) -> str:
    text = str(error)
    return ", ".join(found[1] for said in _SAID if (found := said.search(text))) or type(error).__name__


def _is_here(endpoint: str) -> bool:
    """Whether an address is plain HTTP on this machine, where it does no harm."""
    try:
        parts = urlsplit(endpoint)
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
