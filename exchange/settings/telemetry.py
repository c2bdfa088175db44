"""Where a process tells its traces, if it does.

[telemetry]
otlp_endpoint = "https://collector.example.kg:4318"   a collector of OpenTelemetry, by OTLP over HTTP

Needs the extra `otel`. Who vouches for the collector's certificate, and what it wants to be told of us, is said by
OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_CERTIFICATE`, `OTEL_EXPORTER_OTLP_HEADERS`.
"""

import ipaddress
from dataclasses import dataclass

from exchange.domain.address import web_address
from exchange.settings.toml import Table

_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """`endpoint`: a collector's address, without the path that says what is brought."""

    endpoint: str


def read_telemetry(top: Table) -> TelemetrySettings | None:
    """The [telemetry] table, when there is one."""
    if not top.has("telemetry"):
        return None
    with top.table("telemetry") as table:
        endpoint = table.text("otlp_endpoint").rstrip("/")
        if not _is_usable(endpoint):
            problem = 'must be https://, or http:// on this machine, with a host: "https://collector.example.kg:4318"'
            raise table.wrong("otlp_endpoint", problem)
        return TelemetrySettings(endpoint)


def _is_usable(endpoint: str) -> bool:
    """Digests and codes are no secret, but whose letter is where is nobody's business on the way."""
    parts = web_address(endpoint)
    if parts is None or len(endpoint) > _CHARACTERS:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return plain and (parts.scheme == "https" or _is_here(parts.hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
