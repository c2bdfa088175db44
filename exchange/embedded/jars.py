"""Kafka's own jars: fetched once by name and version, used only with the locked digest.

The lock lists coordinates and SHA-256. The folder `jars` in the cache holds nothing but verified
files: each is fetched beside it, compared, and renamed into place, so neither a crash nor a second
process can leave half a jar under a jar's name.
"""

import hashlib
import importlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from exchange.embedded.errors import (
    JarCorruptError,
    NetworkMissingError,
    NotInstalledError,
)
from exchange.embedded.locking import exclusive
from exchange.embedded.space import space_for

KAFKA_VERSION = "4.4.0"
ALL_JARS_BYTES = 45_000_000
_THREADS = 8
_ANSWER_SECONDS = 60
AGAIN_SECONDS = 3.0
"""After a fetch that failed: a repository that is busy is not away."""

Progress = Callable[[int, int], None]
"""Told (jars done, jars in all) after each one."""

Fetch = Callable[["Jar", Path], Path]
"""Gets a jar into a folder and returns the file; raises OSError or RuntimeError."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: Maven coordinates and SHA-256 in hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> "Jar":
        """Read `group:artifact:version sha256:hex`."""
        coordinate, digest = line.split()
        group, artifact, version = coordinate.split(":")
        return cls(group, artifact, version, digest.removeprefix("sha256:"))

    @property
    def coordinate(self) -> str:
        """`group:artifact:version`."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """The name in the cache; unique, because no two of Kafka's jars share an artifact."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars() -> tuple[Jar, ...]:
    """Return the jars of Kafka in the order of the lock, which is also the class path's."""
    text = (files("exchange.embedded") / f"kafka-{KAFKA_VERSION}.lock").read_text()
    return tuple(Jar.parse(line) for line in text.splitlines() if line.strip())


def fetch_with_jgo(jar: Jar, folder: Path) -> Path:
    """Fetch one jar below `folder` as jgo's user configuration says (mirrors, proxies).

    Raises:
        NotInstalledError: jgo comes with an extra and is not here.
        OSError: The network or the disk refused (requests' errors are OSErrors).
        RuntimeError: No repository has the jar.
    """
    try:
        # Optional, and heavy to import (0.2 s): only who has no jars yet needs it.
        maven = importlib.import_module("jgo.maven")
        config = importlib.import_module("jgo.config")
    except ImportError as error:
        raise NotInstalledError("jgo") from error
    context = maven.MavenContext(repo_cache=folder, timeout=_ANSWER_SECONDS)
    context.remote_repos.update(config.GlobalSettings.load().repositories)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    return Path(artifact.resolve())


def ensure_jars(
    cache: Path,
    on_progress: Progress = lambda _done, _total: None,
    *,
    jars: tuple[Jar, ...] = (),
    fetch: Fetch = fetch_with_jgo,
) -> tuple[Path, ...]:
    """Return verified jars in the order of the lock; fetch what is missing or altered.

    Every call compares every digest (0.1 s for all): a jar altered in the cache is refused.

    Args:
        cache: The user's cache folder; the jars (43 MB) are kept in `jars` below it.
        on_progress: Called after each jar, from this thread.
        jars: Which ones; by default all of Kafka's.
        fetch: How one is fetched.

    Raises:
        NetworkMissingError: `embedded-no-network`: tried twice.
        SpaceMissingError: `embedded-no-space`.
        JarCorruptError: `embedded-jar-corrupt`: fetched twice, wrong twice.
        NotInstalledError: `embedded-not-installed`: jgo is missing.
    """
    wanted = jars or locked_jars()
    folder = cache / "jars"
    incoming = cache / "incoming"
    missing_bytes = 0 if folder.exists() else ALL_JARS_BYTES
    with space_for(cache, missing_bytes), exclusive(cache):
        folder.mkdir(exist_ok=True)
        # What a killed process left there may be half a file.
        shutil.rmtree(incoming, ignore_errors=True)
        with ThreadPoolExecutor(_THREADS) as pool:
            tasks = [pool.submit(_ensure, jar, folder, incoming, fetch) for jar in wanted]
            try:
                for done, task in enumerate(as_completed(tasks), start=1):
                    task.result()
                    on_progress(done, len(wanted))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(incoming, ignore_errors=True)
    return tuple(folder / jar.file_name for jar in wanted)


def _ensure(jar: Jar, folder: Path, incoming: Path, fetch: Fetch) -> None:
    kept = folder / jar.file_name
    if kept.exists() and _sha256(kept) == jar.sha256:
        return
    found = ""
    for attempt in ("first", "second"):
        try:
            fetched = _fetch(jar, incoming / attempt, fetch)
        except NetworkMissingError:
            if attempt == "second":
                raise
            time.sleep(AGAIN_SECONDS)
            continue
        found = _sha256(fetched)
        if found == jar.sha256:
            fetched.replace(kept)
            return
    raise JarCorruptError(jar.coordinate, jar.sha256, found)


def _fetch(jar: Jar, folder: Path, fetch: Fetch) -> Path:
    try:
        return fetch(jar, folder)
    except OSError as error:
        # A full disk is told apart by its errno; requests' own errors carry none.
        if error.errno is not None:
            raise
        raise NetworkMissingError(jar.coordinate, type(error).__name__) from error
    except RuntimeError as error:
        raise NetworkMissingError(jar.coordinate, "no repository has it") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
