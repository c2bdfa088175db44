"""A log that can be made to lie, and a witness of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from exchange.archive.reading import TileReader
from exchange.services.witness.keeping import Keeper
from exchange.services.witness.metrics import WitnessMetrics
from exchange.services.witness.service import Reply, WatchedLog, Witness
from exchange.services.witness.state import WitnessState
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import consistency_proof, leaf_hash, root
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.tiles import ENTRIES, WIDTH, Tile, bundle, tiles_of
from exchange.tlog.witness import AddCheckpoint
from tests.tlog.trees import tree_hashes

NAME = "exchange/5f"
LOG = Signer(NAME, Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
KEY = Signer("w.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\2"))
NOW = 1_763_912_345


@dataclass
class FakeLog(TileReader):
    """The exchange's logs in memory; whoever has it may change any of them."""

    journals: list[list[bytes]] = field(default_factory=lambda: [[], []])
    heads_entries: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        """What messages call it."""
        return "memory"

    def _fetch(self, path: str, most: int) -> bytes | None:
        data = self.files.get(path)
        assert data is None or len(data) <= most
        return data

    def grow(self, *numbers: int, time: int | None = None) -> None:
        """So many more entries in each journal, and heads over them."""
        for journal, number in zip(self.journals, numbers, strict=True):
            journal += [b"entry %d" % (len(journal) + each) for each in range(number)]
        self.state(time)

    def state(self, time: int | None = None) -> None:
        """Add heads over the journals as they are now."""
        heads = tuple(Head(len(journal), _root(journal)) for journal in self.journals)
        self.heads_entries.append(bytes(Heads(time or NOW + len(self.heads_entries), heads)))

    def publish(self) -> None:
        """Write all tiles anew."""
        self.files.clear()
        named = {"heads": self.heads_entries, **{f"journal/{n}": each for n, each in enumerate(self.journals)}}
        for name, entries in named.items():
            self._write(name, entries)

    def _write(self, name: str, entries: Sequence[bytes]) -> None:
        hashes = tree_hashes([*map(_leaf_hash, entries)])
        for last in tiles_of(len(entries)):
            for index in range(last.index + 1):
                tile = Tile(last.level, index, last.width if index == last.index else WIDTH)
                first = index * WIDTH
                if tile.level == ENTRIES:
                    data = bundle(entries[first : first + tile.width])
                else:
                    data = b"".join(hashes(8 * tile.level, first + each) for each in range(tile.width))
                self.files[f"log/{name}/{tile.path}"] = data

    def checkpoint(self, size: int | None = None) -> Checkpoint:  # type: ignore[override]  # of any size, not signed
        """Over the first heads, or over all."""
        entries = self.heads_entries[:size]
        return Checkpoint(NAME, len(entries), _root(entries))

    def request(self, old: int, new: int | None = None) -> AddCheckpoint:
        """A right one, signed by the log."""
        checkpoint = self.checkpoint(new)
        hashes = tree_hashes([*map(leaf_hash, self.heads_entries)])
        proof = consistency_proof(old, checkpoint.size, hashes) if old <= checkpoint.size else ()
        return AddCheckpoint(old, tuple(proof), signed(checkpoint))


class Site:
    """A witness with its folder; a context manager, which may be opened anew."""

    def __init__(self, folder: Path, tiles: FakeLog | None = None) -> None:
        """Nothing is remembered yet."""
        self.folder = folder
        self.tiles = tiles
        self.registry = CollectorRegistry()
        self.now = NOW

    def __enter__(self) -> Self:
        """Start it."""
        self.state = WitnessState(self.folder / "witness.sqlite").__enter__()
        self.registry = CollectorRegistry()
        keeper = Keeper(self.folder / "contradictions")
        logs = {NAME: WatchedLog(LOG.verifier, self.tiles)}
        metrics = WitnessMetrics(self.registry, keeper)
        self.witness = Witness(KEY, logs, self.state, keeper, metrics, lambda: self.now)
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.state.__exit__()

    async def ask(self, request: AddCheckpoint) -> Reply:
        """What it answers."""
        return await self.witness.answer(bytes(request))

    def kept(self, kind: str) -> list[Path]:
        """Folders of what was kept."""
        return sorted(path.parent for path in self.folder.glob(f"contradictions/{kind}/*/why.txt"))

    def value(self, metric: str, **labels: str) -> float | None:
        """A metric's."""
        return self.registry.get_sample_value(metric, labels)


def signed(checkpoint: Checkpoint, signer: Signer = LOG) -> Note:
    """By the log, unless somebody else is named."""
    return Note(str(checkpoint), (signer.sign(str(checkpoint)),))


def _root(entries: Sequence[bytes]) -> bytes:
    return _root_of(tuple(entries))


@cache
def _root_of(entries: tuple[bytes, ...]) -> bytes:
    return root(len(entries), tree_hashes([*map(_leaf_hash, entries)]))


_leaf_hash = cache(leaf_hash)
