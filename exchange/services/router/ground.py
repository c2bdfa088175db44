"""What the router decides by, read from files and looked at again: the signed directory and the policy."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.policy import GROUP_VERSIONS, Policy, parse_policy
from exchange.domain.statement import Content
from exchange.journal.examine import Ground, Verifier
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.directory_metadata import Newest
from exchange.security.trust import Trust

LOOK_SECONDS = 2.0
PART_BYTES = 512 * 1024
"""Of files in one record; a single file has less."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_BACK = 16
"""Versions; a lane that stood on an older one journals all files again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Footing:
    """A ground with the files that prove it, to be journalled beside the `Basis` (rule 5.3).

    Attributes:
        ground: directory, policy and trust.
        parts: the files that somebody needs who has those of the directory with the given digest (zeros:
            who has none), in parts that fit into a record each. Public, so without salts. Reads files.
        parts_of: the files of another version, for somebody who has those of `ground`; in such parts too.
    """

    ground: Ground
    parts: Callable[[bytes], Iterator[tuple[Content, ...]]]
    parts_of: Callable[[int], Iterator[tuple[Content, ...]]] = lambda _version: iter(())


class FootingSource(Protocol):
    """Where footings come from: a folder today, a Kafka topic later."""

    def current(self) -> Footing:
        """The latest footing; cheap when nothing changed. Raises `ConfigurationError`."""
        ...

    def of(self, directory_digest: bytes) -> Footing:
        """The footing of an older version of the directory. Raises `ConfigurationError`."""
        ...


class FootingFiles:
    """Directory folder and policy file, looked at again every two seconds.

    A newer version that cannot be used is reported and not taken: traffic goes on by the one before, but
    not longer than somebody vouched for that being the newest.
    """

    def __init__(
        self,
        directory: DirectoryFolder,
        policy: Path,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        """Nothing is read before `current`; `monotonic` gives seconds that only grow."""
        self._clock = clock
        self._monotonic = monotonic
        self._folder = directory
        self._newest: Newest | None = None
        self._policy = policy
        self._footing: Footing | None = None
        self._looked = 0.0
        self._versions: dict[int, Directory] = {}

    def current(self) -> Footing:
        """The latest usable footing.

        Raises:
            ConfigurationError: there never was a usable one; `directory-expired`.
        """
        now = self._monotonic()
        if self._footing is None:
            self._footing, self._looked = self._read(None), now
        elif now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                self._footing = self._read(self._footing)
            except ConfigurationError as error:
                log.warning("directory or policy not taken, the one before stays: %s: %s", error.code, error)
            self._warn_when_stale()
        if self._clock() > self.valid_until:
            message = f"nobody has vouched for the directory since it expired on {self.valid_until:%Y-%m-%d %H:%M} UTC"
            raise ConfigurationError(f"{message}: start what signs its timestamp again", code="directory-expired")
        return self._footing

    @property
    def valid_until(self) -> datetime:
        """How long may be decided by the directory, unless a newer timestamp comes; 1970 before any."""
        return _NEVER if self._newest is None else self._newest.valid_until

    def _warn_when_stale(self) -> None:
        newest = self._newest
        if newest is not None and self._clock() > newest.fresh_until:
            words = "the directory's timestamp is overdue; everything stands still from %s UTC on: %s"
            log.warning(words, f"{newest.valid_until:%Y-%m-%d %H:%M}", "directory-stale")

    def of(self, directory_digest: bytes) -> Footing:
        """The footing that the present policy makes of an older version of the directory.

        Raises:
            ConfigurationError: `directory-missing`, no version in the folder has that digest; as `current`.
        """
        directory = self.current().ground.directory
        while directory.digest != directory_digest:
            if directory.version == 1:
                message = f"no directory with digest {directory_digest.hex()}: restore the folder from another's copy"
                raise ConfigurationError(message, code="directory-missing")
            directory = self._folder.version(directory.version - 1)
        policy = _read_file(self._policy)
        return self._footing_of(directory, parse_policy(policy), Trust(directory), policy)

    def version(self, number: int) -> Directory | None:
        """A version near the one in force, by which a letter to a group is expanded.

        Who stood in force is remembered, so only what came while we were away is read: once each, within the
        bounded distance that letters may name. None: it is not in the folder, or must not be used.
        """
        found = self._versions.get(number)
        newest = self._newest
        if found is not None or newest is None or number > newest.version:
            return found
        try:
            return self._remember(self._folder.version(number))
        except ConfigurationError as error:
            log.warning("directory version %d, which a letter names, is not at hand: %s: %s", number, error.code, error)
            return None

    def _remember(self, directory: Directory) -> Directory:
        """Without the digests of its entries: of a country's versions they would take megabytes each."""
        self._versions[directory.version] = replace(directory, entries={})
        for version in sorted(self._versions)[: -2 * GROUP_VERSIONS]:
            del self._versions[version]
        return directory

    def _read(self, known: Footing | None) -> Footing:
        policy_bytes = _read_file(self._policy)
        policy = parse_policy(policy_bytes)
        newest = self._folder.newest()
        if known is None:
            directory = self._folder.latest()
            self._newest = newest
            return self._footing_of(directory, policy, Trust(directory), policy_bytes)
        directory = self._folder.latest(known.ground.directory)
        self._newest = newest
        same = known.ground.directory is directory
        if same and known.ground.policy == policy:
            return known
        log.info("directory version %d and policy %s are taken", directory.version, policy.digest.hex()[:8])
        trust = known.ground.trust if same else Trust(directory)
        return self._footing_of(directory, policy, trust, policy_bytes)

    def _footing_of(self, directory: Directory, policy: Policy, trust: Verifier, policy_bytes: bytes) -> Footing:
        in_force = self._remember(directory).version
        return Footing(
            Ground(directory, policy, trust, self.version),
            lambda since: self._parts(in_force, self._files_of(since, in_force), policy_bytes),
            lambda version: self._parts(version, set(self._folder.files(in_force).values()), policy_bytes),
        )

    def _parts(self, version: int, known: set[bytes], policy: bytes) -> Iterator[tuple[Content, ...]]:
        """The files of a version that are not `known` by their digests, and always the policy."""
        names = [name for name, digest in self._folder.files(version).items() if digest not in known]
        part, size = [Content(b"", policy)], len(policy)
        for name in names:
            data = self._folder.read(name)
            if size + len(data) > PART_BYTES:
                yield tuple(part)
                part, size = [], 0
            part.append(Content(b"", data))
            size += len(data)
        yield tuple(part)

    def _files_of(self, digest: bytes, upto: int) -> set[bytes]:
        """The files of the version with that digest; none when it is not among the last few up to `upto`."""
        if digest == ZERO_DIGEST:
            return set()
        for version in range(upto, max(0, upto - LOOKED_BACK), -1):
            try:
                files = self._folder.files(version)
            except ConfigurationError:
                break
            if digest in files.values():
                return set(files.values())
        return set()


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): check the path in the service's configuration"
        raise ConfigurationError(message, code="policy-missing") from error
