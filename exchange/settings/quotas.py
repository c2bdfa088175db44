"""The file that says how much of the brokers each principal may use."""

from dataclasses import astuple
from pathlib import Path

from exchange.bus.quotas import Quota
from exchange.domain.ids import SERVICE_PREFIX
from exchange.services.reconcile.allowances import Allowances
from exchange.settings.toml import Table, opened

_MOST_BYTES = 2**40
_MOST_PERCENT = 100_000
# In the order of a quota's fields.
_KEYS = (
    ("write_bytes_per_second", _MOST_BYTES),
    ("read_bytes_per_second", _MOST_BYTES),
    ("request_percent", _MOST_PERCENT),
)


def read_allowances(file: Path) -> Allowances:
    """Read a quotas file; the table of a kind says only what differs from `[body]`.

    Raises:
        ConfigurationError: as `router_settings`.
    """
    with opened(file) as top:
        bodies = _quota(top.table("body"))
        kinds = {kind: _quota(table, bodies) for kind, table in top.named("kind").items()}
        services = top.named("service")
        for name in services:
            if not name.startswith(SERVICE_PREFIX):
                raise top.wrong(f"service.{name}", f"is no service: its name begins with '{SERVICE_PREFIX}'")
        return Allowances(
            others=_quota(top.table("others")),
            bodies=bodies,
            kinds=kinds,
            services={name: _quota(table) for name, table in services.items()},
        )


def _quota(table: Table, usual: Quota | None = None) -> Quota:
    defaults = (None,) * len(_KEYS) if usual is None else astuple(usual)
    with table as quota:
        return Quota(
            *(_number(quota, key, most, default) for (key, most), default in zip(_KEYS, defaults, strict=True))
        )


def _number(quota: Table, key: str, most: int, usual: float | None) -> float:
    if usual is not None and not quota.has(key):
        return usual
    return float(quota.number(key, least=1, most=most))
