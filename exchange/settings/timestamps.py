"""Who stamps checkpoints, and how often.

[timestamps]
url = "https://tsa.example.kg/"          answers RFC 3161 over HTTP
roots = "keys/tsa-roots.pem"             roots that vouch for it, also for those of years before
interval_minutes = 60                    at least one checkpoint in this time
digest = "sha256"                        of what is renewed from now on; another one renews all that was by the old one
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from exchange.domain.address import web_address
from exchange.settings.toml import Table

DIGESTS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class TimestampSettings:
    """A time-stamping authority.

    Attributes:
        url: where it answers.
        roots: PEM file of the roots that vouch for it.
        interval: at least one checkpoint is stamped in this time.
        digest: of evidence records that are made or renewed from now on.
    """

    url: str
    roots: Path
    interval: timedelta
    digest: str = DIGESTS[0]


def timestamp_settings(top: Table) -> TimestampSettings | None:
    """The [timestamps] table; None when the file has none, and nothing is stamped.

    Raises:
        ConfigurationError: as `exchange.settings.router_settings`.
    """
    if not top.has("timestamps"):
        return None
    with top.table("timestamps") as table:
        url, roots = table.text("url"), table.path("roots")
        minutes = table.number("interval_minutes", least=1, most=24 * 60, default=60)
        digest = table.text("digest", DIGESTS[0])
        if digest not in DIGESTS:
            raise table.wrong("digest", f"must be one of {', '.join(DIGESTS)}")
        if web_address(url) is None:
            raise table.wrong("url", "must be the authority's address, beginning with https:// or http://")
        return TimestampSettings(url, roots, timedelta(minutes=minutes), digest)
