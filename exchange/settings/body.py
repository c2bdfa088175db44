"""The form that a body's administrator fills in, `body.toml`, and what is made of it.

    [exchange]    root file, transport root, addresses of brokers
    [body]        what the directory is to say about the body
    [edms]        how its document system is connected; left out by whom the client serves
    [[contact]]   whom to ask

`exchange body form` prints one with every key explained. Relative paths are relative to the file, and
everything that is made lies beside it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from adapters.profile import read_profile
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Contact, Names
from exchange.domain.entry import KINDS
from exchange.domain.ids import is_body_code
from exchange.resources import resource
from exchange.security.keys import KeyFiles
from exchange.settings.toml import Table, opened, table_text

OBSERVE_PORT = 9104
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
"""Enough to notice a slip; whether somebody reads it only a letter to it can tell."""


@dataclass(frozen=True, slots=True)
class BodyForm:
    """A filled-in form.

    Attributes:
        folder: where it lies, and everything else of the body.
        body: its entry, requested.
        root: the exchange's first root file.
        ca: root of the exchange's transport certificates.
        bootstrap: `host:port` of some brokers, separated by commas.
        edms: the profile that its document system begins with; None without one.
    """

    folder: Path
    body: Body
    root: Path
    ca: Path
    bootstrap: str
    edms: Path | None

    @property
    def directory(self) -> Path:
        """The agent's copy of the directory, which it keeps new itself."""
        return self.folder / "directory"

    @property
    def profile(self) -> Path:
        """The body's own copy of the profile, to be edited."""
        return self.folder / "edms.toml"

    @property
    def spool(self) -> Path:
        """The agent's spool."""
        return self.folder / "spool"

    def keys(self, use: CertificateUse) -> KeyFiles:
        """Where a key and its certificate lie."""
        stem = self.folder / "keys" / use.value
        return KeyFiles(stem.with_name(f"{use}.key.pem"), stem.with_name(f"{use}.crt.pem"))

    def agent_text(self) -> str:
        """The configuration of the body's agent, `agent.toml` in `folder`."""
        transport = self.keys(CertificateUse.TRANSPORT)
        tables = (
            table_text(
                "kafka",
                bootstrap=self.bootstrap,
                ca=self._written(self.ca),
                certificate=self._written(transport.certificate),
                key=self._written(transport.key),
            ),
            table_text("directory", folder=self._written(self.directory), root=self._written(self.root), follow=True),
            table_text("policy", file="policy.toml"),
            table_text("spool", folder=self._written(self.spool)),
            self.member_text(),
            table_text("observe", host="127.0.0.1", port=OBSERVE_PORT),
        )
        return "\n".join((f"# The agent of {self.body.code}.\n", *tables))

    def member_text(self) -> str:
        """The body's table in an agent's configuration: of its own agent, or of its gateway's."""
        statement = self.keys(CertificateUse.STATEMENT)
        body = {
            "code": self.body.code,
            "key": self._written(statement.key),
            "certificate": self._written(statement.certificate),
        }
        edms = {} if self.edms is None else {"edms": self._written(self.profile)}
        return table_text("[body]", **body, **edms)

    def _written(self, path: Path) -> str:
        """A path as the agent's configuration names it: short where that lies in the same folder."""
        absolute = Path(os.path.normpath(path))
        inside = not self.body.gateway and absolute.is_relative_to(self.folder)
        return str(absolute.relative_to(self.folder) if inside else absolute)


def body_form(file: Path) -> BodyForm:
    """Read a form.

    Raises:
        ConfigurationError: as `exchange.settings.router_settings`.
    """
    with opened(file) as top:
        with top.table("exchange") as exchange:
            bootstrap = _bootstrap(exchange)
            root, ca = exchange.path("root"), exchange.path("ca")
        with top.table("edms", optional=True) as table:
            edms = _profile(table) if table.has("profile") else None
        contacts = tuple(_contact(table) for table in top.tables("contact", optional=True))
        with top.table("body") as table:
            body = _body(table, contacts)
    return BodyForm(file.expanduser().absolute().parent, body, root, ca, bootstrap, edms)


def _profile(table: Table) -> Path:
    """One of the ready ones by its name, or a file."""
    ready = {file.stem: file for file in sorted(resource("config", "agents").glob("*.toml"))}
    named = table.text("profile")
    file = ready.get(named) or table.path("profile")
    if not file.exists():
        raise table.wrong("profile", f"must be one of {', '.join(ready)}, or the file of a profile")
    return read_profile(file).file


def _body(table: Table, contacts: tuple[Contact, ...]) -> Body:
    names = Names(ky=table.text("name_ky"), ru=table.text("name_ru"), en=table.text("name_en", ""))
    code, kind, soate = table.text("code"), table.text("kind"), table.text("soate", "")
    if not is_body_code(code):
        raise table.wrong("code", "is no body code: 1-63 of a-z, 0-9 and '-', not starting with 'svc-'")
    if kind not in KINDS:
        raise table.wrong("kind", f"must be one of {', '.join(KINDS)}")
    formats = table.texts("formats")
    if not formats:
        raise table.wrong("formats", "must name the format of the document system first")
    return Body(
        code,
        names,
        kind,
        BodyStatus.REQUESTED,
        uids=table.texts("identifiers"),
        soate=soate,
        parent=table.text("parent", ""),
        gateway=table.text("gateway", ""),
        systems=table.texts("systems"),
        contacts=contacts,
        formats=formats,
    )


def _bootstrap(table: Table) -> str:
    addresses = table.text("bootstrap")
    for address in addresses.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
            problem = f"must be host:port, several separated by commas, and '{address.strip()[:80]}' is none"
            raise table.wrong("bootstrap", problem)
    return addresses


def _contact(table: Table) -> Contact:
    with table as contact:
        email = contact.text("email", "")
        if email and _EMAIL.fullmatch(email) is None:
            raise contact.wrong("email", f"must be an address like it@ak-bulun.example, and '{email[:80]}' is none")
        return Contact(contact.text("duty"), contact.text("name"), email, contact.text("phone", ""))
