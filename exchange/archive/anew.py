"""Begins a new log of heads behind one that is lost (rule 5.4): a person's act.

The logs of the partitions stay, or are made again from the journal: they are the same. What cannot be made again is
the log of heads, and so it begins anew, under the next name; its first leaf names the last witnessed checkpoint of the
one before. Whose cosignatures are on that decides where the past ends: what was published behind it and not witnessed
nobody can hold against the exchange, and its entries are compared all the same before anything is signed.

    log/after        the signed note of that checkpoint; there from now on
    log/after.json   when, who and why
    log/heads-…      the log of heads before, as far as it was here
"""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from exchange.archive.database import open_for_writing, transaction
from exchange.archive.durable import locked
from exchange.archive.errors import disk_error
from exchange.archive.layout import DATABASE, HEADS, HEADS_LOG, LOCK, LOGS
from exchange.domain.errors import ConfigurationError
from exchange.security.files import sync_folder, write_atomically
from exchange.tlog.checkpoint import Checkpoint, unproven
from exchange.tlog.errors import LogRefused

AFTER = f"{LOGS}/after"
ACT = f"{LOGS}/after.json"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Who began a new log, when and why."""

    at: datetime
    person: str
    reason: str


def read_after(folder: Path) -> Checkpoint | None:
    """The last witnessed checkpoint of the log before; None where this is the first log.

    Raises:
        ConfigurationError: `log-after-invalid`.
    """
    path = folder / AFTER
    try:
        return unproven(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, LogRefused) as error:
        message = f"{path} is not the checkpoint that was written there ({error}): put it back from a copy"
        raise ConfigurationError(message, code="log-after-invalid") from error


def begin_anew(folder: Path, partitions: int, after: bytes, begun: Beginning) -> None:
    """Put the log of heads aside and write down what the next one begins with; again, if it was stopped on its way.

    Args:
        folder: the archive's; made if it is gone.
        partitions: of the journal.
        after: signed note of the last witnessed checkpoint of the log that is lost.
        begun: whose act it is, when and why.

    Raises:
        ArchiveError: `archive-in-use`: the archive's process runs; the folder cannot be written.
    """
    checkpoint = unproven(after)
    told = {
        "at": begun.at.isoformat(timespec="seconds"),
        "person": begun.person,
        "reason": begun.reason,
        "after": {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
    }
    try:
        with locked(folder / LOCK):
            (folder / LOGS).mkdir(exist_ok=True)
            write_atomically(folder / AFTER, after)
            write_atomically(folder / ACT, json.dumps(told, ensure_ascii=False, indent=2).encode())
            _put_aside(folder, checkpoint)
            _forget_heads(folder, partitions)
    except OSError as error:
        raise disk_error(error, str(folder)) from error


def _put_aside(folder: Path, checkpoint: Checkpoint) -> None:
    heads = folder / LOGS / HEADS
    if heads.exists():
        named = (heads.with_name(f"{HEADS}-{checkpoint.origin.replace('/', '-')}-{number}") for number in count(1))
        heads.rename(next(path for path in named if not path.exists()))
        sync_folder(heads.parent)


def _forget_heads(folder: Path, partitions: int) -> None:
    """The log of heads is empty, and every origin is new to it."""
    with (
        closing(open_for_writing(folder, partitions)) as connection,
        transaction(connection, folder / DATABASE) as cursor,
    ):
        cursor.execute("DELETE FROM pending WHERE log = ?", [HEADS_LOG])
        cursor.execute("DELETE FROM logs WHERE log = ?", [HEADS_LOG])
        cursor.execute("INSERT OR IGNORE INTO news SELECT origin, number, place FROM origins")
        cursor.execute("DELETE FROM origins")
