"""What a doctor's look comes to: findings, each with what is wrong, where, and what to do next."""

from dataclasses import dataclass
from enum import StrEnum

from exchange.domain.errors import ExchangeError


class Severity(StrEnum):
    """An error keeps something from working now, a warning will or may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be; `code` is stable."""

    severity: Severity
    code: str
    subject: str
    problem: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Check:
    """One look; `skipped` says why it could not be taken."""

    name: str
    findings: tuple[Finding, ...] = ()
    skipped: str = ""


def finding_of(error: ExchangeError, subject: str) -> Finding:
    """An error's own message already names the next step."""
    return Finding(Severity.ERROR, error.code, subject, str(error), "do what the message says, then run doctor again")
