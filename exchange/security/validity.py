"""Intervals of time in which certificates hold."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509


@dataclass(frozen=True, slots=True)
class Validity:
    """First and last second in which something holds (UTC, whole seconds, both included: RFC 5280, 4.1.2.5)."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def of(cls, *certificates: x509.Certificate) -> Self:
        """The interval in which all `certificates` hold; empty (ends before it begins) when there is none."""
        return cls(
            max(certificate.not_valid_before_utc for certificate in certificates),
            min(certificate.not_valid_after_utc for certificate in certificates),
        )

    def covers(self, moment: datetime) -> bool:
        """Whether `moment` lies inside; the last second counts to its end."""
        return self.not_before <= moment and seconds(moment) <= self.not_after


def seconds(moment: datetime) -> datetime:
    """`moment` without its fraction of a second, which X.509 does not have."""
    return moment.replace(microsecond=0)
