"""How long the agent waits, and how much it does at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits in seconds, amounts in statements.

    Attributes:
        batch: statements signed and sent at once per body.
        window: statements of a body on their way without proof.
        resend_after: silence after which it asks where it stands.
        resend_at_most: that silence doubles up to this while nothing is heard.
        poll: how often the spool is looked at for what another process left there.
        edms_poll: how often the connector is asked for packages.
        retry_first: first wait after a failure; doubles up to `retry_at_most`.
        directory_poll: how often the directory is looked at for a newer version.
        change_over: how long a next certificate must have been listed before its key signs: routers take
            a version within seconds, and drop what is signed by whom they do not know yet.
    """

    batch: int = 500
    window: int = 4000
    resend_after: float = 30.0
    resend_at_most: float = 900.0
    poll: float = 0.5
    edms_poll: float = 0.5
    retry_first: float = 0.5
    retry_at_most: float = 15.0
    directory_poll: float = 5.0
    change_over: float = 60.0

    def backoff(self, attempts: int) -> float:
        """Seconds to wait after so many failures in a row (1: the first)."""
        return min(self.retry_at_most, self.retry_first * 2.0 ** min(attempts - 1, 20))
