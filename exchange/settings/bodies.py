"""The bodies that an agent carries: by a table each, or all whose entries in the directory name a gateway.

    [gateway]
    body = "sanarip-aimak"        code of the gateway: bodies whose entry names it are carried
    keys = "bodies/{body}"        folder of a body's keys and certificates: statement.key.pem, statement.crt.pem
    edms = "sanarip-aimak.toml"   profile of their document systems; left out where the client serves them all

In paths, the profile's too, `{body}` stands for the body's code.
"""

from dataclasses import dataclass
from pathlib import Path

from adapters.profile import Profile, read_profile
from exchange.domain.directory import CertificateUse
from exchange.domain.ids import is_body_code
from exchange.security.keys import KeyFiles
from exchange.settings.toml import Table

BODY = "{body}"
"""Stands for a body's code in paths."""


@dataclass(frozen=True, slots=True)
class BodySettings:
    """A body that an agent speaks for.

    Attributes:
        code: the body's code.
        statement: key and certificate that sign its statements.
        edms: how its document system is connected; None for a body that is served by the client alone.
    """

    code: str
    statement: KeyFiles
    edms: Profile | None

    @property
    def folder(self) -> Path | None:
        """What it shares with its document system; None where that is no folder."""
        return None if self.edms is None else self.edms.folder(self.code)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What a gateway's bodies have in common.

    Attributes:
        body: the gateway's own code.
        keys: folder of a body's keys and certificates, with `{body}` where its code belongs.
        edms: how their document systems are connected; None for bodies that are served by the client alone.
    """

    body: str
    keys: Path
    edms: Profile | None

    def member(self, code: str) -> BodySettings:
        """A body, as a table of its own would name it."""
        return BodySettings(code, self.files(code, CertificateUse.STATEMENT), self.edms)

    def files(self, code: str, use: CertificateUse) -> KeyFiles:
        """Where a body's key and certificate lie."""
        folder = Path(str(self.keys).replace(BODY, code))
        return KeyFiles(folder / f"{use}.key.pem", folder / f"{use}.crt.pem")


def gateway_settings(top: Table) -> GatewaySettings | None:
    """The [gateway] table; None when the file has none.

    Raises:
        ConfigurationError: as `exchange.settings.router_settings`, and as `adapters.profile.read_profile`.
    """
    if not top.has("gateway"):
        return None
    with top.table("gateway") as table:
        code, keys = table.text("body"), table.path("keys")
        if not is_body_code(code):
            raise table.wrong("body", "is no body code: 1-63 of a-z, 0-9 and '-', not starting with 'svc-'")
        if BODY not in str(keys):
            raise table.wrong("keys", f"must hold {BODY} where a body's code belongs: a folder for each")
        edms = read_profile(table.path("edms")) if table.has("edms") else None
        folder = None if edms is None else edms.folder(BODY)
        if edms is not None and (folder is None or BODY not in str(folder)):
            problem = (
                f"is a profile that must have the folder connector, and {BODY} in its path: a folder for each body"
            )
            raise table.wrong("edms", problem)
        return GatewaySettings(code, keys, edms)
