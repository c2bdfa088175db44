"""Reading an archive over HTTP, from where its folder is served as it lies (`log/heads/checkpoint`, …).

Who answers may lie. Answers are bounded in bytes and in number, redirections are not followed, files that are named by
their digest are compared with it, and every place that is named is one whose entry the reader looks at itself. What
an answer leaves out nobody sees: that takes the log itself (`exchange audit verify`).
"""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Self, TypeVar
from weakref import finalize

import httpx
import msgspec

from exchange.archive.addresses import ArchiveAddress
from exchange.archive.answers import ANSWER_BYTES, PlacesAnswer, StampedAnswer
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import STAMPED_FILE, Place, letter_file, proof_file, token_file
from exchange.archive.reading import TileReader
from exchange.archive.tokens import RESPONSE_BYTES, Stamped
from exchange.domain.errors import ConfigurationError
from exchange.security.keys import load_key_pair, load_passphrase
from exchange.tlog.note import NOTE_BYTES

ANSWER_SECONDS = 30.0
"""Between two parts of an answer."""
PAGES = 200
"""More of them has no list."""
PROOF_BYTES = 1024 * 1024
"""Files of the directory, policies and pieces of revocation lists are shorter."""
_TRIES = 2
"""A connection that was kept open may have ended meanwhile."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Answer = TypeVar("_Answer", PlacesAnswer, StampedAnswer)


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
        return self.get(path, most)

    def get(self, path: str, most: int) -> bytes | None:
        """A file of at most so many bytes; None: there is nothing of that name.

        Raises:
            ArchiveError: `archive-unreachable`, retriable; `archive-not-served`.
        """
        try:
            return self.page(path, most, None)
        except ArchiveError as error:
            if error.code == "entry-missing":
                return None
            raise

    def page(self, path: str, most: int, after: int | None) -> bytes | None:
        """A page of a list; None: nobody knows such a list there.

        Args:
            path: under the address.
            most: bytes.
            after: behind what the page is asked for.

        Raises:
            ArchiveError: `archive-unreachable`, retriable; `archive-not-served`; `entry-missing`: it says so itself.
        """
        url = f"{self._url}/{path}" + ("" if after is None else f"?after={after}")
        for left in reversed(range(_TRIES)):
            try:
                return self._asked(url, most)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not left or not isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
                    raise _unreachable(url, str(error) or type(error).__name__) from error
        return None

    def _asked(self, url: str, most: int) -> bytes | None:
        with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            is_there = response.status_code == httpx.codes.OK
            if not is_there and response.status_code not in {httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN}:
                raise _unreachable(url, f"it answers {response.status_code}")
            data = bytearray()
            for chunk in response.iter_raw():
                data += chunk
                if len(data) > most:
                    raise _unreachable(url, f"it answers with more than {most} bytes")
        if is_there:
            return bytes(data)
        if b'"entry-missing"' in data:
            raise ArchiveError(f"{url}: the archive says that it has nothing of that", code="entry-missing")
        if b'"archive-not-served"' in data:
            raise _not_served(url)
        return None


class ServedArchive:
    """An archive of an address; a context manager, and connections end with it at the latest.

    Not for several threads at once.
    """

    gives_contents = False
    """What people wrote is not handed out over HTTP (ADR 0021)."""

    def __init__(self, address: ArchiveAddress) -> None:
        """Nothing is asked yet.

        Raises:
            KeyRefused, ConfigurationError: as `ArchiveAddress.client`.
        """
        client = _client(address)
        self._close = finalize(self, client.close)
        self.log = RemoteLogReader(address.url, client)

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections."""
        self._close()

    def places(self, letter: bytes) -> list[Place]:
        """Entries that are said to be about a letter, in the order of the log.

        Raises:
            ArchiveError: `archive-answer-invalid`, `archive-not-served`, `archive-unreachable`.
        """
        path, found = letter_file(letter), list[Place]()
        for answer in self._pages(path, PlacesAnswer):
            found += [
                Place(each.partition, each.index, each.offset, _EPOCH + timedelta(microseconds=each.journalled))
                for each in answer.places
            ]
            if not answer.more:
                break
        if len({(place.partition, place.index) for place in found}) != len(found):
            raise _invalid(f"{self.log}/{path}", "it names an entry twice")
        return sorted(found, key=lambda place: (place.partition, place.index))

    def file(self, digest: bytes) -> bytes | None:
        """A file that proves a version of the directory, a policy or a revocation list, by its digest.

        Raises:
            ArchiveError: `archive-answer-invalid`: it is another one; `archive-unreachable`.
        """
        path = proof_file(digest)
        data = self.log.get(path, PROOF_BYTES)
        if data is not None and sha256(data).digest() != digest:
            raise _invalid(f"{self.log}/{path}", "it has another digest")
        return data

    def content(self, _commitment: bytes, _at: datetime | None = None) -> None:
        """What people wrote is never had here."""
        return

    def stamped(self) -> list[int]:
        """Sizes of the checkpoints that are stamped, growing.

        Raises:
            ArchiveError: as `places`.
        """
        found: list[int] = []
        for answer in self._pages(STAMPED_FILE, StampedAnswer):
            found += answer.sizes
            if not answer.more:
                break
        if any(later <= size for size, later in pairwise(found)):
            raise _invalid(f"{self.log}/{STAMPED_FILE}", "sizes do not grow")
        return found

    def stamp(self, size: int) -> Stamped:
        """A checkpoint with its time-stamp; neither is looked at.

        Raises:
            ArchiveError: `entry-missing`, `archive-unreachable`.
        """
        note = self.log.get(token_file(size, "checkpoint"), NOTE_BYTES)
        response = self.log.get(token_file(size, "tsr"), RESPONSE_BYTES)
        if note is None or response is None:
            message = f"{self.log} has no time-stamp of size {size}, which it named: ask its operator"
            raise ArchiveError(message, code="entry-missing")
        return Stamped(size, note, response)

    def _pages(self, path: str, kind: type[_Answer]) -> Iterator[_Answer]:
        """Pages of a list, as long as somebody asks; none of what the archive says that it has nothing of."""
        after = 0
        for _ in range(PAGES):
            data = self._page(path, after)
            if data is None:
                return
            try:
                answer = msgspec.json.decode(data, type=kind)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise _invalid(f"{self.log}/{path}", str(error)[:200]) from error
            yield answer
            if answer.behind(after) <= after:
                raise _invalid(f"{self.log}/{path}", "it says that there is more, and gives nothing")
            after = answer.behind(after)
        raise _invalid(f"{self.log}/{path}", f"it is longer than {PAGES} pages")

    def _page(self, path: str, after: int) -> bytes | None:
        try:
            data = self.log.page(path, ANSWER_BYTES, after)
        except ArchiveError as error:
            if error.code == "entry-missing":
                return None
            raise
        if data is None and path != STAMPED_FILE:  # a folder that another program serves has no such list
            raise _not_served(f"{self.log}/{path}")
        return data


def _not_served(url: str) -> ArchiveError:
    message = f"{url}: that is not handed out to you: ask the archive's operator for `entries = true` in [serve]"
    return ArchiveError(message, code="archive-not-served")


def _invalid(url: str, what: str) -> ArchiveError:
    message = f"{url}: {what}: who answers there is no honest archive, or another program; ask its operator"
    return ArchiveError(message, code="archive-answer-invalid")


def _unreachable(url: str, what: str) -> ArchiveError:
    message = f"{url}: {what}: look whether this is the archive's address, and whether it is served"
    return ArchiveError(message, code="archive-unreachable", retriable=True)


def _client(address: ArchiveAddress) -> httpx.Client:
    """Who asks there."""
    if not address.url.startswith("https:"):
        return httpx.Client(timeout=ANSWER_SECONDS, trust_env=False)
    try:
        context = ssl.create_default_context(cafile=address.ca)
    except (OSError, ssl.SSLError) as error:
        message = f"[archive] ca: {address.ca} is no PEM certificate that could be read: name its file"
        raise ConfigurationError(message, code="ca-invalid") from error
    if address.files is not None:
        load_key_pair(address.files)  # says in our words what is wrong
        passphrase = "" if address.files.passphrase is None else load_passphrase(address.files.passphrase)
        context.load_cert_chain(address.files.certificate, address.files.key, passphrase)
    return httpx.Client(verify=context, timeout=ANSWER_SECONDS, trust_env=False)
