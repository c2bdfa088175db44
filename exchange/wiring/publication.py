"""What puts an archive's public files into an object store, as settings say."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.archive.published import object_stores
from exchange.settings.archive import PublishSettings
from exchange.settings.object_store import store_options

if TYPE_CHECKING:
    from exchange.archive.objects import Objects
    from exchange.services.archive.publication import Publication


def publication_of(settings: PublishSettings, archive: Path, registry: CollectorRegistry) -> "Publication":
    """It asks nothing yet.

    Raises:
        ConfigurationError: `object-stores-missing`; the store's file or address cannot be used.
    """
    objects = object_stores()
    publication = importlib.import_module("exchange.services.archive.publication")

    def opened() -> "Objects":
        made: Objects = objects.Objects(settings.url, objects.open_store(settings.url, store_options(settings.store)))
        return made

    opened()  # a wrong file is told at once
    metrics = publication.PublicationMetrics(registry)
    made: Publication = publication.Publication(archive, opened, metrics, system.now, with_entries=settings.entries)
    return made
