"""The process that keeps the directory in force, at the brokers too.

Apart from `directory`, which every process needs: who changes rights loads a library more.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from exchange import system
from exchange.bus.producer import SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import ROUTED_BATCH_BYTES
from exchange.domain.directory import Directory
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.keys import load_private_key
from exchange.services.directory.metrics import ListedCertificates
from exchange.services.directory.service import DirectoryService
from exchange.services.process import process_registry
from exchange.services.reconcile.cluster import Cluster
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.settings import DirectoryServiceSettings
from exchange.wiring.reconcile import must_be

log = logging.getLogger(__name__)


async def run_directory(settings: DirectoryServiceSettings) -> None:
    """Keep the directory in force and on Kafka until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: keys or certificates cannot be used.
    """
    registry = process_registry(
        {("transport", ""): settings.kafka.certificate}, {("directory", ""): settings.directory.folder}
    )
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    clock = partial(load_private_key, settings.clock, settings.clock_passphrase)
    clock()  # a wrong file is told at once, not tomorrow
    folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    service = DirectoryService(
        folder,
        clock,
        partial(PositionedReader, settings.kafka),
        partial(SubmissionProducer, settings.kafka, batch_bytes=ROUTED_BATCH_BYTES),
        _applying(settings),
        system.now,
    )
    registry.register(ListedCertificates(lambda: service.in_force))
    with observed(registry, lambda: service.waiting_for, settings.observe.host, settings.observe.port):
        async with changes_told("directory", lambda: service.waiting_for):
            await until_signalled(service.run())


def _applying(settings: DirectoryServiceSettings) -> Callable[[Directory], Awaitable[None]]:
    """What makes topics, rights and quotas what a version says; nothing where others own the cluster."""
    cluster = Cluster(settings.kafka)

    async def apply(directory: Directory) -> None:
        if settings.apply:
            done = await cluster.apply(must_be(settings, directory))
            log.info("directory version %d changed %d things at the brokers", directory.version, len(done.changes))

    return apply
