"""What a process tells about certificates, disks and itself."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from exchange.security.keys import load_certificate
from exchange.services.process import process_registry
from tests.world import World


def value(registry: CollectorRegistry, name: str, use: str, body: str) -> float | None:
    """The present value of a gauge."""
    return registry.get_sample_value(name, {"use": use, "body": body})


def test_certificates_and_disks_are_looked_at_when_asked(tmp_path: Path) -> None:
    """A certificate put in place meanwhile is seen; what is not there has no sample, and stops no other."""
    world = World(tmp_path / "authority")
    issued = world.authority.body("alpha").statement.certificate
    file = tmp_path / "alpha.crt.pem"
    registry = process_registry({("statement", "alpha"): file}, {("spool", ""): tmp_path, ("edms", "alpha"): file})
    expiry = "exchange_certificate_expiry_timestamp_seconds"
    assert value(registry, expiry, "statement", "alpha") is None
    file.write_bytes(issued.read_bytes())
    assert value(registry, expiry, "statement", "alpha") == load_certificate(issued).not_valid_after_utc.timestamp()
    file.unlink()
    assert (value(registry, "exchange_disk_free_bytes", "spool", "") or 0) > 0
    assert value(registry, "exchange_disk_free_bytes", "edms", "alpha") is None


def test_a_gateways_bodies_come_and_go(tmp_path: Path) -> None:
    """Whose certificate is looked at may change."""
    world = World(tmp_path / "authority")
    files = {("statement", "alpha"): world.authority.body("alpha").statement.certificate}
    registry = process_registry(files, {})
    expiry = "exchange_certificate_expiry_timestamp_seconds"
    files["statement", "beta"] = world.authority.body("beta").statement.certificate
    del files["statement", "alpha"]
    assert value(registry, expiry, "statement", "alpha") is None
    assert (value(registry, expiry, "statement", "beta") or 0) > 0


def test_a_start_can_be_seen() -> None:
    """A process that was started again tells so by its start; memory and handles by their use."""
    registry = process_registry({}, {})
    for name in ("process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"):
        assert (registry.get_sample_value(name) or 0) > 0
