"""How much of the brokers each principal may use."""

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.bus.quotas import Quota
from exchange.domain.directory import Body


@dataclass(frozen=True, slots=True)
class Allowances:
    """The installation's table of quotas (`config/quotas.toml` explains each line).

    Attributes:
        others: of whoever connects and is neither a body in use nor a service named here.
        bodies: of a body whose kind is not named.
        kinds: by kind of body.
        services: by principal.
    """

    others: Quota
    bodies: Quota
    kinds: Mapping[str, Quota]
    services: Mapping[str, Quota]

    def of(self, body: Body) -> Quota:
        """What a body may use: its entry's own limits before those of its kind; what it reads is its kind's."""
        usual = self.kinds.get(body.kind, self.bodies)
        if body.limits is None:
            return usual
        limits = body.limits
        return Quota(float(limits.bytes_per_second), usual.consumer_bytes_per_second, float(limits.request_percent))
