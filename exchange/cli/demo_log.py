"""Waits until the transparency log of the demo has what happened in it."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from exchange.archive.errors import ArchiveError
from exchange.services.evidence.archived import EvidenceArchive

PAUSE_SECONDS = 0.2
LOOKS = 600
"""For two minutes. The archive makes a checkpoint each second; one that is so late says in its own log why."""


async def archived(folder: Path, letters: Collection[bytes], since: datetime) -> bool:
    """Whether the archive's checkpoint came to be over all letters, and over what was journalled until then.

    Args:
        folder: the archive's.
        letters: their digests.
        since: the present time.
    """
    for _ in range(LOOKS):
        if await asyncio.to_thread(_has, folder, letters, since):
            return True
        await asyncio.sleep(PAUSE_SECONDS)
    return False


def _has(folder: Path, letters: Collection[bytes], since: datetime) -> bool:
    try:
        with EvidenceArchive(folder) as archive:
            return archive.time > since.timestamp() and all(map(archive.places, letters))
    except ArchiveError as error:
        if error.code == "entry-missing" or error.retriable:
            return False
        raise
