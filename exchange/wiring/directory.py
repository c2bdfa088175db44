"""The signed directory as settings name it, and the process that keeps it in force."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import ROUTED_BATCH_BYTES
from exchange.domain.directory import Directory
from exchange.security.directory_copy import DirectoryCopy
from exchange.security.directory_folder import DirectoryFolder, read_root
from exchange.security.directory_metadata import TIMESTAMP
from exchange.security.keys import load_private_key
from exchange.services.directory.follower import DirectoryFollower
from exchange.services.directory.service import DirectoryService
from exchange.services.process import process_registry
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.settings import DirectoryServiceSettings, DirectorySettings


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


async def run_directory(settings: DirectoryServiceSettings) -> None:
    """Keep the directory in force and on Kafka until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: keys or certificates cannot be used.
    """
    registry = process_registry(
        {("transport", ""): settings.kafka.certificate}, {("directory", ""): settings.directory.folder}
    )
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    load_private_key(settings.clock)
    folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    service = DirectoryService(
        folder,
        partial(load_private_key, settings.clock),
        partial(PositionedReader, settings.kafka),
        partial(SubmissionProducer, settings.kafka, batch_bytes=ROUTED_BATCH_BYTES),
        _nothing,
        system.now,
    )
    with observed(registry, lambda: service.waiting_for, settings.observe.host, settings.observe.port):
        async with changes_told("directory", lambda: service.waiting_for):
            await until_signalled(service.run())


async def _nothing(_: Directory) -> None:
    """Rights are applied by hand so far."""
