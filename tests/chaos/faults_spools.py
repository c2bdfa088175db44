"""Faults of what agents keep: a last write that a power cut tore, and a spool that comes back from a copy."""

import asyncio
import shutil
import sqlite3
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random

from tests.chaos.nemesis import Fault, FaultMissed, Scene, with_its
from tests.chaos.servers import Role
from tests.chaos.site import Site, body_of

_WAL_HEADER = struct.Struct(">8I")
_FRAME_HEADER = struct.Struct(">6I")
_SIDE_FILES = ("-wal", "-shm")


def faults_of_spools(site: Site) -> list[Fault]:
    """Every kind, with its targets."""
    agents = site.named(Role.AGENT)
    return [
        Fault("torn last write of a spool", "spool torn", agents, (0.0, 2.0), torn, with_its("disk")),
        Fault("spool restored from a copy", "spool restored", agents, (5.0, 25.0), restored, with_its("disk")),
    ]


@asynccontextmanager
async def torn(scene: Scene) -> AsyncIterator[None]:
    """What was being written when the power went, behind the last commit, is anything at all."""
    keeper = scene.site.keeper
    body = body_of(scene.target)
    spool = scene.site.spool(body) / "spool.sqlite"
    async with scene.clients[body].aside():  # first: whoever closes last would tidy the log up
        await keeper.kill(scene.target, "killed -9, its last write torn")
        tear(spool.with_name(f"{spool.name}-wal"), scene.random)
        spool.with_name(f"{spool.name}-shm").unlink(missing_ok=True)  # memory, that no power cut leaves
    yield
    await keeper.start(scene.target)


@asynccontextmanager
async def restored(scene: Scene) -> AsyncIterator[None]:
    """The spool as it was when this began; the body's programs say again what it had not sent."""
    keeper = scene.site.keeper
    body = body_of(scene.target)
    client, spool = scene.clients[body], scene.site.spool(body) / "spool.sqlite"
    copy = scene.site.folder / "copies" / f"{body}.sqlite"
    copy.parent.mkdir(exist_ok=True)
    try:
        await asyncio.to_thread(_copy, spool, copy)
    except sqlite3.Error as error:
        raise FaultMissed(str(error)) from error
    yield
    async with client.aside():
        await keeper.kill(scene.target, "killed -9, its spool restored")
        before = await client.seen()
        for suffix in _SIDE_FILES:
            spool.with_name(f"{spool.name}{suffix}").unlink(missing_ok=True)
        await asyncio.to_thread(shutil.copyfile, copy, spool)
        client.say_again(before, await client.seen())
    await keeper.start(scene.target)


def tear(log: Path, random: Random) -> None:
    """Put garbage, or nothing, or half of something good behind the last commit of a write-ahead log.

    Source: SQLite's file format, 4.1 to 4.3: a frame counts if its salts are the header's and its checksum
    holds; frames behind the last one that ends a transaction do not.
    """
    if not log.exists() or log.stat().st_size < _WAL_HEADER.size:
        return
    data = log.read_bytes()
    end = committed(data)
    garbage = random.choice((b"", random.randbytes(random.randint(1, 9000)), data[_WAL_HEADER.size : end][:3000]))
    log.write_bytes(data[:end] + garbage)


def committed(data: bytes) -> int:
    """Where the last commit of a write-ahead log ends, as far as salts tell."""
    _, _, page, _, salt, other, _, _ = _WAL_HEADER.unpack_from(data)
    end = at = _WAL_HEADER.size
    while at + _FRAME_HEADER.size + page <= len(data):
        _, pages, one, two, _, _ = _FRAME_HEADER.unpack_from(data, at)
        if (one, two) != (salt, other):
            break
        at += _FRAME_HEADER.size + page
        if pages:
            end = at
    return end


def _copy(spool: Path, copy: Path) -> None:
    with closing(sqlite3.connect(spool)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
