"""A real archive's folder, with entries that are nobody's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from exchange.archive.layout import TakenRecord
from exchange.archive.writer import ArchiveWriter
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Note, Signer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def grow(writer: ArchiveWriter, signer: Signer, heads: int, entries: int = 3) -> Note:
    """So many heads more, each over so many entries more in each partition; the checkpoint over them, published."""
    for _ in range(heads):
        for partition in range(writer.partitions):
            take(writer, partition, entries)
        writer.add_heads(int(NOW.timestamp()))
    checkpoint = Checkpoint(signer.name, writer.head.size, writer.head.root)
    note = Note(str(checkpoint), (signer.sign(str(checkpoint)),))
    writer.keep_checkpoint(str(note).encode())
    return note


def take(writer: ArchiveWriter, partition: int, entries: int) -> None:
    """So many entries more in a partition."""
    position = writer.positions[partition]
    first = 0 if position is None else position.offset + 1
    writer.take([_record(partition, first + number) for number in range(entries)])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder over HTTP; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _record(partition: int, offset: int) -> TakenRecord:
    entry = b"entry %d of %d" % (offset, partition)
    return TakenRecord(partition, offset, sha256(entry).digest(), NOW, entry)
