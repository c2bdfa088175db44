"""A certificate that is renewed while an API serves: seen by whoever comes next, and never a gap."""

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from exchange.domain.errors import ConfigurationError
from exchange.security.keys import KeyFiles
from exchange.services.http import renewing
from exchange.services.http.listening import Address
from exchange.services.http.renewing import renewed_tls
from tests.patience import PATIENCE
from tests.services.http.test_listening import certified


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    monkeypatch.setattr(renewing, "LOOK_SECONDS", 0.01)


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    """The pair that is served."""
    return certified(tmp_path, "served")


def replaced(files: KeyFiles, by: KeyFiles) -> None:
    """Both files are replaced, the key last."""
    shutil.copyfile(by.certificate, files.certificate)
    shutil.copyfile(by.key, files.key)


async def shown(context: ssl.SSLContext) -> str:
    """The name in the certificate that a new connection sees."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        host, port = server.sockets[0].getsockname()
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection(host, port, ssl=blind)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


async def until_shown(context: ssl.SSLContext, name: str) -> None:
    """Wait until new connections see this certificate."""
    async with asyncio.timeout(PATIENCE):
        while await shown(context) != name:  # noqa: ASYNC110 - another task makes it so
            await asyncio.sleep(0.01)


async def test_a_new_certificate_is_served(files: KeyFiles, tmp_path: Path) -> None:
    """By the same context, without a new start."""
    async with renewed_tls(Address("127.0.0.1", 0, files)) as context:
        assert context is not None
        assert await shown(context) == "CN=served"
        replaced(files, certified(tmp_path, "renewed"))
        await until_shown(context, "CN=renewed")


async def test_half_a_pair_changes_nothing(files: KeyFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The old one is served until the other half is there; the log says what is wrong."""
    other = certified(tmp_path, "renewed")
    async with renewed_tls(Address("127.0.0.1", 0, files)) as context:
        assert context is not None
        shutil.copyfile(other.certificate, files.certificate)
        async with asyncio.timeout(PATIENCE):
            while "stays as it was" not in caplog.text:  # noqa: ASYNC110 - another task makes it so
                await asyncio.sleep(0.01)
        assert await shown(context) == "CN=served"
        files.certificate.unlink()
        replaced(files, other)
        await until_shown(context, "CN=renewed")


async def test_without_files_there_is_no_tls() -> None:
    """On this machine only."""
    async with renewed_tls(Address("127.0.0.1", 0)) as context:
        assert context is None


async def test_what_is_wrong_at_the_start_is_told(tmp_path: Path) -> None:
    """As before: nobody serves without the pair."""
    with pytest.raises(ConfigurationError):
        async with renewed_tls(Address("127.0.0.1", 0, KeyFiles(tmp_path / "key", tmp_path / "crt"))):
            pass
