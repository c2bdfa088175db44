"""The time-stamping authority for trying out, over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from exchange.embedded.time_authority import (
    QUERY_BYTES,
    QUERY_TYPE,
    REPLY_TYPE,
    TimeAuthority,
    TimeAuthorityFailedError,
    serving,
)
from exchange.security.timestamps import Authorities, Imprint, accept, query
from tests.patience import PATIENCE

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    """One for all tests."""
    return TimeAuthority.prepared(tmp_path_factory.mktemp("authority"), NOW)


@pytest.fixture(scope="module")
def url(authority: TimeAuthority) -> Iterator[str]:
    """Where it answers."""
    with serving(authority) as url:
        yield url


def test_it_stamps_over_http(authority: TimeAuthority, url: str) -> None:
    """As public authorities do (RFC 3161, 3.4)."""
    imprint = Imprint.of(b"a checkpoint")
    answer = httpx.post(url, content=query(imprint, 5), headers={"Content-Type": QUERY_TYPE}, timeout=PATIENCE)
    assert answer.headers["Content-Type"] == REPLY_TYPE
    stamp = accept(answer.content, imprint, 5, Authorities.load(authority.root), datetime.now(UTC))
    assert stamp.token.serial > 0


@pytest.mark.parametrize(
    ("content", "kind"), [(b"x", "text/plain"), (b"x" * (QUERY_BYTES + 1), QUERY_TYPE)], ids=["kind", "size"]
)
def test_what_is_no_request(url: str, content: bytes, kind: str) -> None:
    """Another type, or too much."""
    assert httpx.post(url, content=content, headers={"Content-Type": kind}, timeout=PATIENCE).status_code == 400


def test_a_port_that_is_taken(authority: TimeAuthority, url: str) -> None:
    """It is named."""
    port = httpx.URL(url).port
    assert port is not None
    with pytest.raises(TimeAuthorityFailedError, match=str(port)), serving(authority, port):
        pass


def test_its_keys_are_made_once(authority: TimeAuthority) -> None:
    """Tokens of yesterday hold tomorrow."""
    before = authority.root.read_bytes()
    assert TimeAuthority.prepared(authority.folder, NOW).root.read_bytes() == before


def test_without_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so; a demo goes on without."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TimeAuthorityFailedError, match="no openssl"):
        TimeAuthority.prepared(tmp_path, NOW)


def test_an_openssl_that_gives_no_answer(authority: TimeAuthority, tmp_path: Path) -> None:
    """What it said is in the error."""
    with pytest.raises(TimeAuthorityFailedError, match="no answer"):
        TimeAuthority(tmp_path, authority.openssl).reply(b"x")
