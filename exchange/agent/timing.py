"""How long the agent waits, and how much it does at once."""

from dataclasses import dataclass

from exchange.agent.bounds import BYTES_AT_ONCE


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits in seconds, amounts in statements.

    Attributes:
        batch: statements signed and sent at once per body.
        window: statements of a body on their way without proof.
        resend_first: silence after which an origin of which nothing was ever taken asks where it stands: routers
            may know the body a little later than its own agent, and drop what nobody whom they know has signed.
        resend_after: the same once something was taken.
        resend_at_most: these silences double up to this while nothing is heard.
        poll: how often the spool is looked at for what another process left there.
        edms_poll: how often the connector is asked for packages.
        retry_first: first wait after a failure; doubles up to `retry_at_most`.
        directory_poll: how often the directory is looked at for a newer version.
        round_bytes: of statements sent in one go; a larger one goes alone. What a line that breaks must repeat.
        read_again: how often in a row reading may fail before it is begun anew, which asks for every inbox again.
        log_poll: how often the log's proofs are read; those of all origins, so rarely over a thin line.
        change_over: how long a next certificate must have been listed before its key signs: routers take
            a version within seconds, and drop what is signed by whom they do not know yet.
    """

    batch: int = 500
    window: int = 4000
    resend_first: float = 3.0
    resend_after: float = 30.0
    resend_at_most: float = 900.0
    poll: float = 0.5
    edms_poll: float = 0.5
    retry_first: float = 0.5
    retry_at_most: float = 15.0
    directory_poll: float = 5.0
    change_over: float = 60.0
    log_poll: float = 600.0
    round_bytes: int = BYTES_AT_ONCE
    read_again: int = 0

    def backoff(self, attempts: int) -> float:
        """Seconds to wait after so many failures in a row (1: the first)."""
        return min(self.retry_at_most, self.retry_first * 2.0 ** min(attempts - 1, 20))
