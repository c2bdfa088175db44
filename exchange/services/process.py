"""What every process tells about itself: when it started, memory, file handles, certificates, disks."""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.security.errors import KeyRefused
from exchange.security.keys import load_certificate

Files = Mapping[tuple[str, str], Path]
"""By what it is for (`transport`, `statement`; `spool`, `edms`) and the body's code, empty for the process's own."""


def process_registry(certificates: Files, folders: Files) -> CollectorRegistry:
    """A registry with what every process has.

    Args:
        certificates: files of PEM certificates that the process works with; may change, it is looked at each time.
        folders: folders that it must be able to write to.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Surroundings(certificates, folders))
    return registry


class _Surroundings(Collector):
    """Looked at when metrics are asked for; what cannot be read has no sample, and a line in the log elsewhere."""

    def __init__(self, certificates: Files, folders: Files) -> None:
        self._certificates = certificates
        self._folders = folders

    def collect(self) -> Iterable[Metric]:
        """Names of `docs/metrics.md`."""
        expiry = GaugeMetricFamily(
            "exchange_certificate_expiry_timestamp_seconds", "When a certificate expires", labels=["use", "body"]
        )
        for labels, file in dict(self._certificates).items():
            with suppress(KeyRefused):
                expiry.add_metric(labels, load_certificate(file).not_valid_after_utc.timestamp())
        yield expiry
        free = GaugeMetricFamily("exchange_disk_free_bytes", "Left on the disk of a folder", labels=["use", "body"])
        for labels, folder in self._folders.items():
            with suppress(OSError):
                free.add_metric(labels, shutil.disk_usage(folder).free)
        yield free
