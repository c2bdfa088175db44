"""A body's share of its lane, in statements and in bytes × recipients (rule 3.4).

Token buckets that fill by the broker's arrival times, so a backlog that waited is not punished for
being read at once.
"""

from dataclasses import dataclass
from datetime import datetime

from exchange.domain.policy import Policy


@dataclass(slots=True)
class _Bucket:
    statements: float
    bytes: float
    filled: datetime


class Budget:
    """Buckets of the bodies of one lane. One per lane; not shared between threads."""

    def __init__(self, policy: Policy) -> None:
        """Every body starts with a full bucket: `burst_seconds` of its rates."""
        self._policy = policy
        self._buckets: dict[str, _Bucket] = {}

    def is_by(self, policy: Policy) -> bool:
        """Whether `policy` gives the same shares: then what was spent stays spent."""
        return _shares(policy) == _shares(self._policy)

    def spend(self, body: str, arrived: datetime, size: int) -> bool:
        """Take one statement of `size` bytes × recipients from the body's bucket; False when it is empty.

        A bucket that holds anything pays; so one large letter is never stuck for ever.
        """
        policy = self._policy
        most_statements = float(policy.statements_per_second * policy.burst_seconds)
        most_bytes = float(policy.bytes_per_second * policy.burst_seconds)
        bucket = self._buckets.get(body)
        if bucket is None:
            bucket = self._buckets[body] = _Bucket(most_statements, most_bytes, arrived)
        # Times go back when another broker leads, or one whose clock was ahead is put right: nothing is
        # filled by that, but filling goes on from there, and not only once the old time is reached again.
        elapsed = max(0.0, (arrived - bucket.filled).total_seconds())
        bucket.filled = arrived
        if elapsed:
            bucket.statements = min(most_statements, bucket.statements + elapsed * policy.statements_per_second)
            bucket.bytes = min(most_bytes, bucket.bytes + elapsed * policy.bytes_per_second)
        if bucket.statements < 1.0 or bucket.bytes <= 0.0:
            return False
        bucket.statements -= 1.0
        bucket.bytes -= size
        return True


def _shares(policy: Policy) -> tuple[int, int, int]:
    return policy.statements_per_second, policy.bytes_per_second, policy.burst_seconds
