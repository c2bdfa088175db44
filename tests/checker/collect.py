"""Everything that can be seen of an exchange, put together."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tests.chaos.history import read_history
from tests.checker.databases import read_spool, read_tracker
from tests.checker.follower import Checker
from tests.checker.observations import Observations


async def observe(
    kafka: Checker,
    *,
    at: float,
    spools: Mapping[str, Path] | None = None,
    tracker: str = "",
    history: Iterable[Path] = (),
) -> Observations:
    """Look at everything. Traffic should have come to rest; processes may run.

    What depends on other things is read before them, so that whatever is seen can be explained by what is read
    after it: histories, then spools and tracker, then Kafka until nothing more comes.

    Args:
        kafka: reads topics; goes on from where it was.
        at: the time now, as in the histories.
        spools: the SQLite file of the agent's spool, by body.
        tracker: URL of its database; empty: it is not looked at.
        history: files of histories.
    """
    lines = read_history(history)
    seen = {body: await asyncio.to_thread(read_spool, path, body) for body, path in (spools or {}).items()}
    tracked = await asyncio.to_thread(read_tracker, tracker) if tracker else None
    while await kafka.read():
        pass
    return replace(await kafka.observations(), at=at, history=lines, spools=seen, tracker=tracked)
