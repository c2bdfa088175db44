"""Until when the bodies' certificates are good, as the directory's service tells it."""

import dataclasses
from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry

from exchange.domain.directory import BodyStatus, Directory, ListedCertificate
from exchange.services.directory.metrics import ListedCertificates
from tests.world import NOW, World

NAME = "exchange_listed_certificate_expiry_timestamp_seconds"


def told(directory: Directory | None) -> dict[str, float]:
    """When the statement certificates expire, by body."""
    registry = CollectorRegistry()
    registry.register(ListedCertificates(lambda: directory))
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    assert {sample.name for sample in samples} <= {NAME}
    return {sample.labels["body"]: sample.value for sample in samples if sample.labels["use"] == "statement"}


def test_the_last_certificate_of_a_body_in_use_counts(tmp_path: Path) -> None:
    """Nothing is told of one that was revoked, of who is not in use, and of what cannot be read."""
    directory = World(tmp_path).directory
    alpha, beta, gamma = (directory.bodies[code] for code in ("alpha", "beta", "gamma"))
    changed = {
        "alpha": alpha,
        "beta": dataclasses.replace(
            beta, certificates=tuple(dataclasses.replace(each, revoked=NOW) for each in beta.certificates)
        ),
        "gamma": dataclasses.replace(gamma, status=BodyStatus.SUSPENDED),
    }
    unreadable = ListedCertificate(b"none", alpha.certificates[0].use)
    changed["alpha"] = dataclasses.replace(alpha, certificates=(*alpha.certificates, unreadable))
    (listed,) = [each for each in alpha.certificates if each.use.value == "statement"]
    ends = x509.load_der_x509_certificate(listed.der).not_valid_after_utc.timestamp()
    assert told(dataclasses.replace(directory, bodies=changed)) == {"alpha": ends}


def test_before_the_first_version_nothing_is_told() -> None:
    """No sample: 1970 would set off the alert."""
    assert told(None) == {}
