"""Limits of the protocol and the installation's policy."""

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest

# Rule 1.7; the protocol's own, the same for every installation.
STATEMENT_BYTES = 48 * 1024
RECORD_BYTES = 1024 * 1024
# A commitment takes 35 bytes at least, so a statement cannot name more.
ITEMS = STATEMENT_BYTES // 35
# Of a card in all: addressees, links, tasks and their executors, fields without a name. A recipient's document
# system spends up to 0.4 ms on each, so a card of a hundred thousand would hold up its other letters.
CARD_PARTS = 4_000
FAN_OUT_BYTES = 32 * 1024 * 1024
RECIPIENTS = 64
# Rule 2.2.
OPEN_ORIGINS = 8
# Closed ones are remembered for ever, or their first statements could be said again; a body that
# opens one a second would fill its lane's memory. A spool restored every day needs 27 years for so many.
ORIGINS = 10_000
# Rule 5.1.
ENTRY_BYTES = 60 * 1024

_TOO_LARGE = 2**31


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


def parse_policy(data: bytes) -> Policy:
    """The policy that a file's bytes state (`config/policy.toml` explains each line).

    Raises:
        ConfigurationError: `policy-invalid`, naming the field.
    """
    try:
        text = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"the policy is no TOML in UTF-8: {error}"
        raise ConfigurationError(message, code="policy-invalid") from error
    return Policy(
        digest=digest(data),
        clock_skew=timedelta(seconds=_positive(text, "letters", "clock_skew_seconds")),
        inline_bytes=_positive(text, "letters", "inline_bytes"),
        statements_per_second=_positive(text, "budget", "statements_per_second"),
        bytes_per_second=_positive(text, "budget", "bytes_per_second"),
        burst_seconds=_positive(text, "budget", "burst_seconds"),
    )


def _positive(text: dict[str, Any], table: str, name: str) -> int:
    section = text.get(table)
    value = section.get(name) if isinstance(section, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _TOO_LARGE:
        message = f"policy: {table}.{name} must be a whole number above 0 and below 2**31"
        raise ConfigurationError(message, code="policy-invalid")
    return value
