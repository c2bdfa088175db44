"""Made-up bodies, and versions of a directory with them."""

from datetime import UTC, datetime

from exchange.bus.quotas import Quota
from exchange.bus.topics import ClusterShape
from exchange.domain.directory import Body, BodyStatus, Directory, Limits, Names, Paper
from exchange.domain.ids import ZERO_DIGEST
from exchange.services.reconcile.allowances import Allowances

SHAPE = ClusterShape(lanes=4, journal_partitions=2)
LARGE = Quota(1e9, 1e9, 10_000.0)
ALLOWANCES = Allowances(
    others=LARGE,
    bodies=Quota(2e9, 1e9, 10_000.0),
    kinds={"ministry": Quota(3e9, 1e9, 10_000.0)},
    services={"svc-router": LARGE},
)
"""Large ones: whoever shares a test's broker is not to be slowed."""


def body(
    code: str,
    status: BodyStatus = BodyStatus.CONNECTED,
    *,
    gateway: str = "",
    kind: str = "agency",
    limits: Limits | None = None,
    paper: Paper | None = None,
) -> Body:
    """A body with what matters to brokers."""
    return Body(code, Names(code, code, code), kind, status, gateway=gateway, limits=limits, paper=paper)


def directory(*bodies: Body) -> Directory:
    """A version that lists them."""
    listed = {each.code: each for each in bodies}
    now = datetime(2022, 3, 1, tzinfo=UTC)
    return Directory(
        bytes(32), 1, ZERO_DIGEST, ZERO_DIGEST, now, SHAPE.lanes, SHAPE.journal_partitions, (b"issuer",), listed
    )
