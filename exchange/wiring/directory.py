"""The signed directory as settings name it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader
from exchange.domain.directory import Directory
from exchange.security.directory.copy import DirectoryCopy
from exchange.security.directory.folder import DirectoryFolder, read_root
from exchange.security.directory.metadata import TIMESTAMP
from exchange.services.directory.follower import DirectoryFollower
from exchange.services.runner import changes_told
from exchange.settings.tables import DirectorySettings


def latest_directory(settings: DirectorySettings) -> Directory:
    """The newest version of the directory.

    Raises:
        DirectoryRefused: root or directory cannot be used.
    """
    return DirectoryFolder.at(settings.folder, settings.root).latest()


@asynccontextmanager
async def followed(
    directory: DirectorySettings, kafka: KafkaSettings, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Keep the process's own copy new while the context lasts, when the settings want that.

    Entered once there is a version, or at once when there was one before: nobody waits for Kafka who can
    begin without it.

    Raises:
        DirectoryRefused: the root file cannot be used.
    """
    if not directory.follow:
        yield
        return
    copy = DirectoryCopy(directory.folder, read_root(directory.root))
    follower = DirectoryFollower(copy, partial(PositionedReader, kafka), system.now, registry)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(follower.run(), name="directory")
        try:
            async with changes_told("directory", lambda: follower.waiting_for):
                if not (directory.folder / TIMESTAMP).exists():
                    await follower.first()
                yield
        finally:
            task.cancel()
