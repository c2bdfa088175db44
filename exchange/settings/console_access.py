"""The [console] table of an operator's or an auditor's file: which console its commands ask.

It answers `exchange letters`, `track` and the like, and keeps in the journal what `exchange audit` does.

[console]
url = "https://exchange.example.kg"
token = "console.token"               a file with the token that `exchange console token` has shown
ca = "ca.pem"                         who vouches for the console's certificate; the system's when left out
"""

import re
from dataclasses import dataclass
from pathlib import Path

from exchange.domain.address import web_address
from exchange.settings.toml import Table

_ADDRESS = re.compile(r"(https://[A-Za-z0-9.\-\[\]:]{1,255}|http://(127\.0\.0\.1|localhost|\[::1\]):[0-9]{1,5})/?")


@dataclass(frozen=True, slots=True)
class ConsoleAccess:
    """How commands reach the console; `ca` None trusts whom the system trusts."""

    url: str
    token: Path
    ca: Path | None


def console_access(top: Table) -> ConsoleAccess | None:
    """The table, when there is one; raises as `exchange.settings.operator_settings`."""
    if not top.has("console"):
        return None
    with top.table("console") as table:
        url = table.text("url")
        if not (_ADDRESS.fullmatch(url) and web_address(url)):
            raise table.wrong("url", "must be https://…, or http://127.0.0.1:PORT on the console's own machine")
        return ConsoleAccess(url.rstrip("/"), table.path("token"), table.path("ca") if table.has("ca") else None)
