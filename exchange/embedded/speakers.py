"""The bodies that speak for the services of a throw-away installation."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.directory import Body, BodyStatus, CertificateUse, ListedCertificate, Names
from exchange.domain.entry import OWN_KIND
from exchange.domain.own_bodies import ARCHIVE_BODY, CONSOLE_BODY, TRACKER_BODY
from exchange.security.authority import Authority
from exchange.security.keys import load_certificate
from exchange.settings.toml import table_text

SERVICES: Mapping[str, Names] = MappingProxyType(
    {
        TRACKER_BODY: Names(ky="Алмашуунун көзөмөлү", ru="Контроль обмена", en="The exchange's tracker"),
        CONSOLE_BODY: Names(ky="Алмашуунун пульту", ru="Пульт обмена", en="The exchange's console"),
        ARCHIVE_BODY: Names(ky="Алмашуунун архиви", ru="Архив обмена", en="The exchange's archive"),
    }
)
"""The bodies that speak for services, in every installation."""


def service_bodies(authority: Authority) -> dict[str, Body]:
    """Their entries: they sign, and connect as the service's principal."""
    return {code: _body(code, names, authority) for code, names in SERVICES.items()}


def speaking_table(authority: Authority, code: str, folder: Path) -> str:
    """How a service speaks: key and certificate of its body, and a spool; paths are relative to `folder`."""
    files = authority.statement(code)
    key, certificate = (str(path.relative_to(folder)) for path in (files.key, files.certificate))
    return table_text("speaking", key=key, certificate=certificate, spool=f"spool/{code}")


def _body(code: str, names: Names, authority: Authority) -> Body:
    der = load_certificate(authority.statement(code).certificate).public_bytes(Encoding.DER)
    listed = ListedCertificate(der, CertificateUse.STATEMENT)
    return Body(code, names, OWN_KIND, BodyStatus.CONNECTED, certificates=(listed,))
