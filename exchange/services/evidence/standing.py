"""How far the entries about a letter stand in the transparency log; by the archive's index, nothing is read through."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exchange.archive.index import Index
from exchange.archive.reading import LogReader
from exchange.security.log_keys import read_log_policy


@dataclass(frozen=True, slots=True)
class LogStanding:
    """A letter's entries against the newest checkpoint.

    Attributes:
        proven: how many the checkpoint is over.
        waiting: how many more the archive has, which the next checkpoint will be over.
        since: when the journal took the first of those; None when there are none.
        log: the log's name.
        heads: of the log of heads, under the checkpoint.
        at: the archive's time of the last of them.
        witnesses: who cosigned it.
        witnessed: whether these are as many as the policy asks for.
    """

    proven: int
    waiting: int
    since: datetime | None
    log: str
    heads: int
    at: datetime
    witnesses: tuple[str, ...]
    witnessed: bool


def log_standing(folder: Path, policy: Path, letter: bytes) -> LogStanding:
    """How far a letter's entries stand; blocking, for any thread.

    Args:
        folder: the archive's.
        policy: file that says whose word about the log counts.
        letter: its digest.

    Raises:
        ArchiveError: `entry-missing`: nothing was signed yet; the folder cannot be read.
        LogRefused: the newest checkpoint is not the log's.
        ConfigurationError: the policy cannot be read.
    """
    with Index(folder) as index:
        places = index.places(letter)
    logs = LogReader(folder)
    seen = read_log_policy(policy).open(logs.checkpoint())
    heads = logs.heads(seen.checkpoint)
    late = [place.journalled for place in places if place.index >= heads.logs[place.partition].size]
    return LogStanding(
        proven=len(places) - len(late),
        waiting=len(late),
        since=min(late, default=None),
        log=seen.checkpoint.origin,
        heads=seen.checkpoint.size,
        at=datetime.fromtimestamp(heads.time, UTC),
        witnesses=tuple(seen.witnesses),
        witnessed=seen.witnessed,
    )
