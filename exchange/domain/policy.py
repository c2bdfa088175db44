"""Limits of the protocol and the installation's policy."""

from dataclasses import dataclass
from datetime import timedelta

# Rule 1.7; the protocol's own, the same for every installation.
STATEMENT_BYTES = 48 * 1024
RECORD_BYTES = 1024 * 1024
FAN_OUT_BYTES = 32 * 1024 * 1024
RECIPIENTS = 64
# Rule 2.2.
OPEN_ORIGINS = 8
# Rule 5.1.
ENTRY_BYTES = 60 * 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """What one installation allows.

    Attributes:
        digest: SHA-256 of the policy file's bytes, what decisions name.
        clock_skew: how far in the future a statement may be created (rule 3.2).
        inline_bytes: largest sum of a statement's inline contents, bytes.
        statements_per_second: budget of one body in its lane (rule 3.4).
        bytes_per_second: budget of one body in its lane, record bytes × recipients (rule 3.4).
        burst_seconds: how many seconds of budget may be used at once.
    """

    digest: bytes
    clock_skew: timedelta
    inline_bytes: int
    statements_per_second: int
    bytes_per_second: int
    burst_seconds: int
