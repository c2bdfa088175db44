"""Puts what everybody may read of the archive's folder into an object store, and nothing else. Needs the extra.

Each round, for the newest checkpoint of the folder:

1. The store's own checkpoint is read. Everything that it is over is there already; it must be of this log.
2. What proves the directory and policies that entries name is put, then tiles that came since, then bundles: if a
   file is there already its bytes are compared, never written over.
3. The checkpoint is put: it never names what is not there. Partial tiles of checkpoints long past go.
4. Time-stamps are put, each behind its checkpoint, and their renewals.

Killed anywhere, the next round does the same again, since nothing is known but what the store says. The folder is only
read: neither letters nor the log wait for a store. Bundles of the journal tell who wrote to whom: they go only where
the operator says so. Contents, and what finds entries, never go.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.archive.contents import Contents
from exchange.archive.errors import ArchiveError, damaged
from exchange.archive.layout import CHECKPOINT_FILE, HEADS, PROOFS, TOKENS, proof_file, tile_file
from exchange.archive.objects import Objects, differs
from exchange.archive.publishing import SUPERSEDED
from exchange.archive.reading import LogReader
from exchange.archive.renewals import OBJECTS, RENEWALS, Renewals
from exchange.archive.tokens import Tokens, done, read_file
from exchange.domain.errors import ExchangeError
from exchange.services.archive.again import pause_after
from exchange.tlog.checkpoint import unproven
from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import root
from exchange.tlog.note import NOTE_BYTES
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, tiles_added, tiles_of

LOOK_SECONDS = 30.0
AT_ONCE = 16
"""So many files are on their way at a time."""

STAMP_BYTES = 1 << 20
ANSWER = ".tsr"
_BESIDE = (PROOFS, TOKENS, RENEWALS)

log = logging.getLogger(__name__)

Sizes = dict[str, int]
"""Entries of each log, the log of heads too."""
Named = tuple[str, Tile]
"""A log's name and a tile of it."""
File = TypeVar("File")


class PublicationMetrics:
    """Metrics of an object store, named as in `docs/metrics.md`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        name = "exchange_archive_publication"
        self.at = Gauge(f"{name}_timestamp_seconds", "When the store last had all that is public", registry=registry)
        self.size = Gauge(f"{name}_size", "Heads in the checkpoint that the store has", registry=registry)
        self.files = Counter(f"{name}_files", "Files put", registry=registry)
        self.failures = Counter(f"{name}_failures", "Rounds that failed", ["code"], registry=registry)


class Publication:
    """One store; `run` is its task."""

    def __init__(
        self,
        folder: Path,
        open_objects: Callable[[], Objects],
        metrics: PublicationMetrics,
        now: Callable[[], datetime],
        *,
        with_entries: bool,
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            folder: the archive's.
            open_objects: opens the store; again after each failure, so that a new key is taken.
            metrics: of this store.
            now: the clock.
            with_entries: whether entries of the journal are put, and not their hashes only.
        """
        self._folder, self._open, self._metrics, self._now = folder, open_objects, metrics, now
        self._with_entries = with_entries
        self._logs = LogReader(folder)
        self._objects: Objects | None = None
        self._failed = 0
        self._published: bytes | None = None
        """The store's checkpoint, as this process saw or put it last."""
        self._full: dict[tuple[str, int], int] = {}
        """Of a log's level, how many full tiles are there since, if their checkpoint was not reached."""
        self._partial: deque[set[str]] = deque()
        """Partial tiles of each of the last checkpoints; the first may hold what earlier processes left."""
        self._beside: dict[str, int] = {}
        """What the store has beside logs, with lengths."""
        self.waiting_for = ""
        """Why the store is behind; empty when it is not."""

    async def run(self) -> None:
        """Publish until cancelled; what fails is told and tried again."""
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = await self.once()

    async def once(self) -> float:
        """One round; return after how many seconds the next is due."""
        try:
            objects = self._objects
            if objects is None:
                objects = await self._begin()
            await self._publish_logs(objects)
            await self._publish_stamps(objects)
        except ExchangeError as error:
            self._objects = None
            self._failed += 1
            self.waiting_for = f"{error.code}: {error}"
            self._metrics.failures.labels(error.code).inc()
            log.warning("not published: %s", error, extra={"code": error.code})
            return pause_after(self._failed)
        if self._failed:
            log.info("published again, after %d failures", self._failed)
        self._objects, self._failed, self.waiting_for = objects, 0, ""
        self._metrics.at.set(self._now().timestamp())
        return LOOK_SECONDS

    async def _begin(self) -> Objects:
        """Open the store and look what it has beside the logs."""
        objects = await asyncio.to_thread(self._open)
        self._beside = {path: size for kind in _BESIDE for path, size in (await objects.sizes(kind)).items()}
        return objects

    async def _publish_logs(self, objects: Objects) -> None:
        """Steps 1 to 3."""
        published = await objects.read(CHECKPOINT_FILE, NOTE_BYTES)
        own = await asyncio.to_thread(self._own)
        if own is None or own == published:
            return
        before = await asyncio.to_thread(self._before, f"{objects}/{CHECKPOINT_FILE}", published, own)
        sizes = await asyncio.to_thread(self._sizes, own)
        if published != self._published:  # somebody else put it there, or took it away
            self._published = published
            self._full.clear()
        if not self._partial:
            self._partial.append(await _partial_there(objects, before) | await _partial_there(objects, sizes))
        await self._publish_proofs(objects)
        for belongs in (_is_tile, self._is_public_bundle):
            await self._put_tiles(objects, filter(belongs, _added(before, sizes)))
        await objects.replace(CHECKPOINT_FILE, own)
        self._published = own
        self._metrics.size.set(sizes[HEADS])
        self._metrics.files.inc()
        await self._sweep(objects, sizes)

    def _is_public_bundle(self, named: Named) -> bool:
        return not _is_tile(named) and (self._with_entries or named[0] == HEADS)

    def _own(self) -> bytes | None:
        try:
            return self._logs.checkpoint()
        except ArchiveError as error:
            if error.code != "entry-missing":
                raise
            return None

    def _before(self, place: str, published: bytes | None, own: bytes) -> Sizes:
        """What the store has already: what its checkpoint is over, if that is one of this log's."""
        if published is None:
            return {}
        try:
            there, here = unproven(published), unproven(own)
        except LogRefused as error:
            raise differs(place, f"it is no checkpoint ({error.code})") from error
        if there.origin != here.origin or there.size > here.size:
            raise differs(place, f"it is over {there.size} heads of {there.origin[:100]}, and here are {here.size}")
        if there.size and root(there.size, self._logs.tree(HEADS, there.size).hashes) != there.root:
            raise differs(place, f"it is over {there.size} other heads")
        return self._sizes(published)

    def _sizes(self, note: bytes) -> Sizes:
        checkpoint = unproven(note)
        heads = self._logs.heads(checkpoint)
        return {HEADS: checkpoint.size} | {f"journal/{number}": head.size for number, head in enumerate(heads.logs)}

    async def _put_tiles(self, objects: Objects, tiles: Iterable[Named]) -> None:
        """Put tiles or bundles; full ones that this process put already are passed over."""

        def note(some: Sequence[Named]) -> None:
            for name, tile in some:
                if tile.width == WIDTH:
                    self._full[name, tile.level] = tile.index + 1

        wanted = (each for each in tiles if each[1].index >= self._full.get((each[0], each[1].level), 0))
        await self._put(wanted, lambda each: (tile_file(*each), self._logs.tile(*each)), objects.create, note)

    async def _put(
        self,
        files: Iterable[File],
        read: Callable[[File], tuple[str, bytes]],
        put: Callable[[str, bytes], Coroutine[Any, Any, None]],
        note: Callable[[Sequence[File]], None],
    ) -> None:
        """Put files, so many at a time.

        Args:
            files: which.
            read: gives path and bytes of one; in a thread.
            put: puts it.
            note: hears of those that are there now.
        """
        rest = iter(files)
        while some := list(islice(rest, AT_ONCE)):
            ready = await asyncio.to_thread(list, map(read, some))
            await _together(put(path, data) for path, data in ready)
            self._metrics.files.inc(len(some))
            note(some)

    async def _sweep(self, objects: Objects, sizes: Sizes) -> None:
        """Remove partial tiles that no checkpoint of late needs; who may not remove in that store leaves them."""
        last = ((name, tile) for name, size in sizes.items() for tile in tiles_of(size))
        self._partial.append({tile_file(*each) for each in last if each[1].width < WIDTH})
        if len(self._partial) <= SUPERSEDED:
            return
        gone = self._partial.popleft().difference(*self._partial)
        try:
            if gone:
                await objects.remove(gone)
        except ArchiveError as error:
            self._metrics.failures.labels(error.code).inc()
            log.warning("superseded partial tiles stay in the object store: %s", error, extra={"code": error.code})

    async def _publish_proofs(self, objects: Objects) -> None:
        """The beginning of step 2; these files are named by their digests, and never change."""
        contents = Contents(self._folder)
        named = {proof_file(each): each for each in await asyncio.to_thread(contents.proofs)}

        def read(path: str) -> tuple[str, bytes]:
            data = contents.proof(named[path])
            if data is None:
                raise damaged(f"{self._folder}/{path}", "it was there a moment ago")
            return path, data

        def note(some: Sequence[str]) -> None:
            self._beside |= dict.fromkeys(some, 0)

        await self._put([path for path in named if path not in self._beside], read, objects.create, note)

    async def _publish_stamps(self, objects: Objects) -> None:
        """Step 4."""
        found = await asyncio.to_thread(_stamp_files, self._folder)
        missing = [path for path, size in found.items() if self._beside.get(path) != size]

        def read(path: str) -> tuple[str, bytes]:
            return path, read_file(self._folder / path, STAMP_BYTES)

        def note(some: Sequence[str]) -> None:
            self._beside |= {path: found[path] for path in some}

        for are_answers in (False, True):
            some = [path for path in missing if path.endswith(ANSWER) is are_answers]
            await self._put(some, read, objects.replace, note)


def _stamp_files(folder: Path) -> dict[str, int]:
    """Checkpoints with time-stamps, and batches of these, with the files' lengths."""
    tokens = Tokens(folder)
    files = [tokens.file(size, kind) for size in tokens.sizes() for kind in ("checkpoint", "tsr")]
    for batch in Renewals(folder).batches():
        files += [batch.folder / OBJECTS, *batch.folder.glob(f"*{ANSWER}")]
    return {file.relative_to(folder).as_posix(): done(file, file.stat).st_size for file in files}


def _added(before: Sizes, sizes: Sizes) -> Iterator[Named]:
    for name, size in sizes.items():
        for tile in tiles_added(before.get(name, 0), size):
            yield name, tile


def _is_tile(named: Named) -> bool:
    return named[1].level != ENTRIES


async def _partial_there(objects: Objects, sizes: Sizes) -> set[str]:
    """Partial tiles that stand in the store where a log's last ones are, of whatever checkpoint."""
    found: set[str] = set()
    for name, size in sizes.items():
        for tile in tiles_of(size):
            if tile.width < WIDTH:
                found |= (await objects.sizes(tile_file(name, tile).rpartition("/")[0])).keys()
    return found


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at once; the first of our errors is told for all."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for each in work:
                tasks.create_task(each)
    except ExceptionGroup as group:
        if group.split(ExchangeError)[1] is not None:
            raise
        raise group.exceptions[0] from None
