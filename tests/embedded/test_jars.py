"""Fetching jars, by jgo itself, from a repository of this machine."""

import functools
import gc
import hashlib
import http.server
import resource
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from exchange.embedded import jars as jars_module
from exchange.embedded.errors import JarCorruptError, NetworkMissingError, NotInstalledError, SpaceMissingError
from exchange.embedded.jars import Jar, ensure_jars, fetch_with_jgo, locked_jars


@dataclass(frozen=True, slots=True)
class Repository:
    """A Maven repository: a folder behind a port."""

    folder: Path

    def put(self, artifact: str, content: bytes) -> Jar:
        """Add a jar and return its line of a lock."""
        jar = Jar("kg.test", artifact, "1.0", hashlib.sha256(content).hexdigest())
        self.file(jar).parent.mkdir(parents=True)
        self.file(jar).write_bytes(content)
        return jar

    def file(self, jar: Jar) -> Path:
        """Where a jar is."""
        return self.folder / "kg" / "test" / jar.artifact / jar.version / jar.file_name


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A repository that the user's jgo.conf names as a mirror of the central one."""
    folder = tmp_path / "repository"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        _use_mirror(tmp_path, monkeypatch, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Repository(folder)
        server.shutdown()
        thread.join()


def _use_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for whole seconds."""
    monkeypatch.setattr(jars_module, "AGAIN_SECONDS", 0.01)


def test_the_lock_is_whole() -> None:
    """45 jars with digests, names that do not collide in one folder, and no address."""
    jars = locked_jars()
    assert len({jar.file_name for jar in jars}) == len(jars) == 45
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert "org.apache.kafka:kafka_2.13:4.4.0" in {jar.coordinate for jar in jars}


def test_jars_are_fetched_once_from_the_users_mirror(repository: Repository, tmp_path: Path) -> None:
    """In the lock's order, with progress; the second time nothing is asked of the repository."""
    jars = tuple(repository.put(f"jar-{number}", b"%d" % number * 1000) for number in range(12))
    seen: list[tuple[int, int]] = []
    paths = ensure_jars(tmp_path / "cache", lambda done, total: seen.append((done, total)), jars=jars)
    assert [path.read_bytes() for path in paths] == [repository.file(jar).read_bytes() for jar in jars]
    assert seen == [(done, 12) for done in range(1, 13)]
    for jar in jars:
        repository.file(jar).unlink()
    assert ensure_jars(tmp_path / "cache", jars=jars) == paths
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["jars", "lock"]


def test_an_altered_jar_is_fetched_again(repository: Repository, tmp_path: Path) -> None:
    """One bit in the cache is enough to refuse the jar; the others stay untouched."""
    jars = (repository.put("good", b"good"), repository.put("bad", b"bad"))
    good, bad = ensure_jars(tmp_path / "cache", jars=jars)
    before = good.stat()
    bad.write_bytes(b"bae")
    assert ensure_jars(tmp_path / "cache", jars=jars)[1].read_bytes() == b"bad"
    assert good.stat().st_ino == before.st_ino


def test_what_a_killed_process_left_is_no_obstacle(repository: Repository, tmp_path: Path) -> None:
    """Half a file where fetching happens is thrown away."""
    jar = repository.put("jar", b"whole")
    half = tmp_path / "cache" / "incoming" / "first" / "kg" / "test" / "jar" / "1.0" / jar.file_name
    half.parent.mkdir(parents=True)
    half.write_bytes(b"wh")
    assert ensure_jars(tmp_path / "cache", jars=(jar,))[0].read_bytes() == b"whole"


def test_a_fetch_that_fails_is_tried_once_more(repository: Repository, tmp_path: Path) -> None:
    """A repository may be busy for a moment."""
    jar, failures = repository.put("jar", b"whole"), [ConnectionError("reset"), RuntimeError("503")]

    def fetch(jar: Jar, folder: Path) -> Path:
        if failures:
            raise failures.pop()
        return fetch_with_jgo(jar, folder)

    with pytest.raises(NetworkMissingError):
        ensure_jars(tmp_path / "cache", jars=(jar,), fetch=fetch)
    failures.append(ConnectionError("reset"))
    assert ensure_jars(tmp_path / "cache", jars=(jar,), fetch=fetch)[0].read_bytes() == b"whole"


def test_a_jar_that_stays_wrong_is_refused(repository: Repository, tmp_path: Path) -> None:
    """Fetched twice, wrong twice: an error with both digests, and no such file in the cache."""
    jar = replace(repository.put("jar", b"forged"), sha256=hashlib.sha256(b"true").hexdigest())
    with pytest.raises(JarCorruptError, match=hashlib.sha256(b"forged").hexdigest()) as refused:
        ensure_jars(tmp_path / "cache", jars=(jar,))
    assert refused.value.code == "embedded-jar-corrupt"
    assert list((tmp_path / "cache" / "jars").iterdir()) == []


def test_without_network_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the repository: said with the jar's name and what to do, to be tried again."""
    _use_mirror(tmp_path, monkeypatch, port=9)
    jars = tuple(Jar("kg.test", f"jar-{number}", "1.0", "00") for number in range(20))
    with pytest.raises(NetworkMissingError, match=r"kg\.test:jar.*Connect to a network") as refused:
        ensure_jars(tmp_path / "cache", jars=jars)
    assert (refused.value.code, refused.value.retriable) == ("embedded-no-network", True)


@pytest.mark.usefixtures("repository")
def test_a_repository_without_the_jar_is_said(tmp_path: Path) -> None:
    """A mirror that lacks a jar is another trouble than no network, under the same code."""
    with pytest.raises(NetworkMissingError, match="no repository has it"):
        ensure_jars(tmp_path / "cache", jars=(Jar("kg.test", "absent", "1.0", "00"),))


# jgo leaves the connection to the collector when the disk stops it: collected here, not in another test.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_is_said(repository: Repository, tmp_path: Path) -> None:
    """The kernel stops jgo in mid-file: the folder is named, and nothing half is kept."""
    jar = repository.put("jar", b"x" * 100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(SpaceMissingError, match=str(tmp_path / "cache")):
            ensure_jars(tmp_path / "cache", jars=(jar,))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        gc.collect()
    assert list((tmp_path / "cache" / "jars").iterdir()) == []


def test_a_missing_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jgo the message names the extra to install."""
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(NotInstalledError, match=r"exchange\[embedded\]"):
        fetch_with_jgo(Jar("g", "a", "1", "00"), tmp_path)
