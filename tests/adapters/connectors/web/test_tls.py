"""The HTTP connector over real TLS: each side must be who it says."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapters.connectors.durable import ConnectorError
from adapters.connectors.web.plugin import HttpOptions, tls_context
from adapters.ports import Machine, Place
from exchange.agent.ports import Package
from exchange.domain.errors import ConfigurationError
from exchange.security.authority import Authority
from tests.adapters.connectors.contract.web import WebSystem

KEY = "0f" * 32
PACKAGE = Package("letter", {"document.xml": b"<a/>"})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Certificates for both sides."""
    return Authority(tmp_path / "authority", now=datetime.now(UTC))


def server_tls(authority: Authority) -> ssl.SSLContext:
    """An EDMS that asks for a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.broker(hosts=("127.0.0.1",)))
    context.load_verify_locations(authority.transport_root)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_tls(folder: Path, **options: object) -> ssl.SSLContext:
    """As a profile in `folder` says it."""
    place = Place(folder, "mfa", Machine(lambda: datetime.now(UTC), bytes, {}))
    paths = {name: str(path) for name, path in options.items()}
    return tls_context(msgspec.convert({"push": "https://edms/in", "staging": "staging"} | paths, HttpOptions), place)


def test_a_client_certificate_is_enough(authority: Authority, tmp_path: Path) -> None:
    """Without a secret: push and pull over mutual TLS."""
    files = authority.body("mfa").transport
    edms = WebSystem(tmp_path / "staging", server_tls(authority), secret="")
    edms.client_tls = client_tls(tmp_path, ca=authority.transport_root, certificate=files.certificate, key=files.key)
    with edms.running():
        edms.put("1", dict(PACKAGE.files), 1)
        connector = edms.connector()
        assert [dict(package.files) for package in connector.collect(5)] == [dict(PACKAGE.files)]
        connector.stage(KEY, PACKAGE)
        connector.publish(KEY)
        assert edms.shown() == [dict(PACKAGE.files)]


def test_strangers_are_not_spoken_to(authority: Authority, tmp_path: Path) -> None:
    """We without a certificate; an EDMS whose certificate leads to another root."""
    files = authority.body("mfa").transport
    edms = WebSystem(tmp_path / "staging", server_tls(authority), secret="")
    with edms.running():
        for tls in (
            client_tls(tmp_path, ca=authority.transport_root),
            client_tls(tmp_path, ca=authority.statement_root, certificate=files.certificate, key=files.key),
        ):
            edms.client_tls = tls
            connector = edms.connector()
            connector.stage(KEY, PACKAGE)
            with pytest.raises(ConnectorError) as caught:
                connector.publish(KEY)
            assert (caught.value.code, caught.value.retriable) == ("http-unavailable", True)
        assert edms.shown() == []


def test_files_that_are_no_keys_are_named(authority: Authority, tmp_path: Path) -> None:
    """One without the other, a wrong pair, a missing file, no PEM."""
    files, other = authority.body("mfa").transport, authority.body("minjust").transport
    (tmp_path / "no.pem").write_text("no")
    for options, code in (
        ({"certificate": files.certificate}, "tls-files-unusable"),
        ({"certificate": files.certificate, "key": other.key}, "tls-files-unusable"),
        ({"certificate": tmp_path / "none.pem", "key": files.key}, "tls-files-unusable"),
        ({"certificate": files.certificate, "key": tmp_path / "none.pem"}, "secret-missing"),
        ({"ca": tmp_path / "no.pem"}, "tls-files-unusable"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            client_tls(tmp_path, **options)
        assert caught.value.code == code
