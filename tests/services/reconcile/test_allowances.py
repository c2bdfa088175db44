"""Which quota a body has."""

from exchange.bus.quotas import Quota
from exchange.domain.directory import Limits
from tests.services.reconcile.bodies import ALLOWANCES, body


def test_a_body_has_its_kind_s_quota() -> None:
    """A kind that the table does not name has the general one."""
    assert ALLOWANCES.of(body("mfa", kind="ministry")) == ALLOWANCES.kinds["ministry"]
    assert ALLOWANCES.of(body("clinic")) == ALLOWANCES.bodies


def test_limits_of_the_entry_win() -> None:
    """What it writes and asks is its own; what others send it is its kind's."""
    limited = body("mfa", kind="ministry", limits=Limits(bytes_per_second=1000, request_percent=10))
    assert ALLOWANCES.of(limited) == Quota(1000.0, 1e9, 10.0)
