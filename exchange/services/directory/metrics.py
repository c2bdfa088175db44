"""What the directory's service tells about the version in force: until when the bodies' certificates are good."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.domain.directory import Directory

_Expiry = dict[tuple[str, str], float]


class ListedCertificates(Collector):
    """When each body's last certificate for a use expires: whoever has a newer one listed needs no reminder."""

    def __init__(self, in_force: Callable[[], Directory | None]) -> None:
        """Of the version that `in_force` gives; None: there is none yet."""
        self._in_force = in_force
        self._version: Directory | None = None
        self._expiry: _Expiry = {}

    def collect(self) -> Iterable[Metric]:
        """Names of `docs/metrics.md`; certificates are read once for a version."""
        directory = self._in_force()
        if directory is not None and directory is not self._version:
            self._version, self._expiry = directory, _expiry(directory)
        name = "exchange_listed_certificate_expiry_timestamp_seconds"
        family = GaugeMetricFamily(name, "When a body's last certificate expires", labels=["body", "use"])
        for labels, moment in self._expiry.items():
            family.add_metric(labels, moment)
        return (family,)


def _expiry(directory: Directory) -> _Expiry:
    """Of bodies in use, by body and use; a certificate that was revoked counts for nothing."""
    found: _Expiry = {}
    for body in directory.bodies.values():
        for listed in body.certificates if body.reachable else ():
            # Other certificates than those in use may be of kinds that we cannot read.
            with suppress(ValueError):
                ends = x509.load_der_x509_certificate(listed.der).not_valid_after_utc.timestamp()
                key = (body.code, listed.use.value)
                if listed.revoked is None:
                    found[key] = max(ends, found.get(key, 0.0))
    return found
