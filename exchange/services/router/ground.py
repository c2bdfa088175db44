"""What the router decides by, read from files and looked at again: directory, policy and revocation lists."""

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.policy import GROUP_VERSIONS, in_force, parse_policy, require_known_bodies
from exchange.domain.statement import Content
from exchange.journal.examine import Ground
from exchange.security.crl import Crl, Revocations
from exchange.security.crl_folder import CrlFolder
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import Newest
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
        parts: the files that somebody needs who has those of the directory and of the policy with the given
            digests (zeros: who has none), in parts that fit into a record each. Public, so without salts. Reads
            files.
        parts_of: the files of another version, for somebody who has those of `ground`; in such parts too.
    """

    ground: Ground
    parts: Callable[[bytes, bytes], Iterator[tuple[Content, ...]]]
    parts_of: Callable[[int], Iterator[tuple[Content, ...]]] = lambda _version: iter(())


class FootingSource(Protocol):
    """Where footings come from: a folder today, a Kafka topic later."""

    def current(self) -> Footing:
        """The latest footing; cheap when nothing changed. Raises `ConfigurationError`."""
        ...

    def of(self, directory_digest: bytes) -> Footing:
        """The footing of an older version of the directory. Raises `ConfigurationError`."""
        ...


VERSIONS_KEPT = 1 + 2 * GROUP_VERSIONS
"""The one that a lane stands on, and all around it that letters to groups may name (ADR 0013)."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What somebody has who stood on an earlier version.

    Attributes:
        files: SHA-256 of its files.
        skipped: names of the snapshots between it and the version to be proven: through them an auditor
            follows the directory's past from the one to the other.
    """

    files: AbstractSet[bytes] = frozenset()
    skipped: Sequence[str] = ()


class FootingFiles:
    """Directory folder, policy file and folder of revocation lists, looked at again every two seconds.

    A newer version that cannot be used is reported and not taken: traffic goes on by the one before, but
    not longer than somebody vouched for that being the newest.
    """

    def __init__(
        self,
        directory: DirectoryFolder,
        policy: Path,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        crls: CrlFolder | None = None,
    ) -> None:
        """Nothing is read before `current`; `monotonic` gives seconds that only grow."""
        self._crls = crls
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
                log.warning("directory, policy or lists not taken, those before stay: %s: %s", error.code, error)
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
        return self._made(directory, () if self._crls is None else self._crls.of(directory.issuers))

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
        for version in sorted(self._versions)[:-VERSIONS_KEPT]:
            del self._versions[version]
        return directory

    def _read(self, known: Footing | None) -> Footing:
        newest = self._folder.newest()
        directory = self._folder.latest(None if known is None else known.ground.directory)
        self._newest = newest
        crls = () if self._crls is None else self._crls.look(directory.issuers)
        return self._made(directory, crls, known)

    def _made(self, directory: Directory, crls: Sequence[Crl], known: Footing | None = None) -> Footing:
        """The footing on a directory and lists; the very one that is known when nothing changed."""
        file = _read_file(self._policy)
        written = parse_policy(file)
        require_known_bodies(written)
        if written.revocation.crls:
            message = f"{self._policy} has a table [crls], which the router writes itself: remove it"
            raise ConfigurationError(message, code="policy-invalid")
        data = in_force(file, [[name for name, _ in crl.parts] for crl in crls])
        policy = parse_policy(data)
        ground, trust = None if known is None else known.ground, None
        if known is not None and ground is not None and ground.directory is directory:
            if ground.policy == policy:
                return known
            if ground.policy.revocation == policy.revocation:
                trust = ground.trust
        if known is not None:
            log.info("directory version %d and policy %s are taken", directory.version, policy.digest.hex()[:8])
        trust = trust or Trust(directory, Revocations(crls, policy.revocation.when_stale))
        pieces = [part for crl in crls for _, part in crl.parts]
        version = self._remember(directory).version
        return Footing(
            Ground(directory, policy, trust, self.version),
            lambda since, known_policy: self._parts(
                version, self._known(since, version), [data, *(() if known_policy == policy.digest else pieces)]
            ),
            lambda other: self._parts(other, _Known(set(self._folder.files(version).values())), [data]),
        )

    def _parts(self, version: int, known: _Known, first: Sequence[bytes]) -> Iterator[tuple[Content, ...]]:
        """What comes `first`, the snapshots that were skipped, and the files of a version that are not known."""
        files = self._folder.files(version)
        names = [*known.skipped, *(name for name, digest in files.items() if digest not in known.files)]
        part: list[Content] = []
        size = 0
        for data in itertools.chain(first, map(self._folder.read, names)):
            if part and size + len(data) > PART_BYTES:
                yield tuple(part)
                part, size = [], 0
            part.append(Content(b"", data))
            size += len(data)
        yield tuple(part)

    def _known(self, digest: bytes, upto: int) -> _Known:
        """Of who stood on the version with that digest; nothing when it is not among the last few up to `upto`."""
        if digest == ZERO_DIGEST:
            return _Known()
        for version in range(upto, max(0, upto - LOOKED_BACK), -1):
            try:
                files = self._folder.files(version)
            except ConfigurationError:
                break
            if digest in files.values():
                between = range(version + 1, upto)
                return _Known(set(files.values()), [f"{number}.snapshot.json" for number in between])
        return _Known()


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): check the path in the service's configuration"
        raise ConfigurationError(message, code="policy-missing") from error
