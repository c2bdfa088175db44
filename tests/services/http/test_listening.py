"""Sockets and TLS: who is reached from where, callers that are slow, and the end of an agent."""

import asyncio
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from exchange.domain.errors import ConfigurationError
from exchange.security.keys import KeyFiles, load_private_key, make_key
from exchange.services.api import asking
from exchange.services.http import listening as listening_module
from exchange.services.http.listening import Address, is_loopback, listening, tls_context
from tests.agent.place import until
from tests.patience import PATIENCE
from tests.services.api.site import Site, letter

WAITED = 60
"""Seconds, as long as a request may wait for letters."""


def certified(folder: Path, name: str) -> KeyFiles:
    """A key with a certificate that it has signed itself, for 127.0.0.1."""
    files = KeyFiles(folder / f"{name}.key.pem", folder / f"{name}.crt.pem")
    make_key(files.key)
    key = load_private_key(files.key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    return files


def trusting(server: KeyFiles, client: KeyFiles | None = None) -> ssl.SSLContext:
    """A caller's side of TLS."""
    context = ssl.create_default_context(cafile=server.certificate)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_tls(host: str) -> None:
    """Only this machine reaches it."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "agent.example"])  # noqa: S104 - it is refused
def test_other_addresses_need_tls(host: str) -> None:
    """A token never goes over a network in the clear."""
    with pytest.raises(ConfigurationError) as refused, listening(Address(host, 0)):
        pass
    assert refused.value.code == "api-tls-required"


def test_an_answer_s_end_does_not_wait_for_its_beginning() -> None:
    """Connections send at once what they are given, or each answer would take 40 ms longer."""
    with listening(Address("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_addresses_that_cannot_be_used(tmp_path: Path) -> None:
    """Taken by another process, or none of this machine."""
    with listening(Address("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError) as refused:
        listening(Address("127.0.0.1", taken.getsockname()[1])).__enter__()
    assert refused.value.code == "port-taken"
    with pytest.raises(ConfigurationError) as refused:
        listening(Address("192.0.2.1", 0, certified(tmp_path, "agent"))).__enter__()
    assert refused.value.code == "api-address-unusable"
    nobody = Address("127.0.0.1", 0, certified(tmp_path, "agent"), tmp_path / "none.pem")
    with pytest.raises(ConfigurationError) as refused:
        tls_context(nobody)
    assert refused.value.code == "ca-invalid"


async def test_tls_and_certificates_of_callers(api: Site, tmp_path: Path) -> None:
    """With `client_ca` a token alone is not enough, nor is a certificate."""
    server, client = certified(tmp_path, "agent"), certified(tmp_path, "edms")
    address = Address("127.0.0.1", 0, server, client.certificate)
    token = {"Authorization": f"Bearer {api.tokens['alpha']}"}
    async with api.listening(address) as url:
        async with httpx.AsyncClient(verify=trusting(server, client), timeout=PATIENCE) as caller:
            assert (await caller.get(f"{url}/v1/bodies/alpha/letters", headers=token)).status_code == 200
            assert (await caller.get(f"{url}/v1/bodies/alpha/letters")).status_code == 401
        async with httpx.AsyncClient(verify=trusting(server), timeout=PATIENCE) as stranger:
            with pytest.raises(httpx.TransportError):
                await stranger.get(f"{url}/v1/health")


async def test_the_agent_ends_without_waiting_for_those_who_wait(api: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long poll is answered at the end; what is under way is finished."""
    monkeypatch.setattr(listening_module, "END_SECONDS", PATIENCE)
    async with httpx.AsyncClient() as caller, api.listening() as url:
        waiting = asyncio.create_task(poll(api, caller, url))
        await until(lambda: api.api._gate._inside["beta"] > 0)
        began = time.monotonic()
    assert (await waiting).json() == {"letters": [], "cursor": 0}
    assert time.monotonic() - began < WAITED - 1


async def test_who_leaves_is_not_waited_for(api: Site) -> None:
    """A system that is started again and again does not use up its own requests."""
    async with api.listening() as url:
        async with httpx.AsyncClient() as caller:
            leaving = asyncio.create_task(poll(api, caller, url))
            await until(lambda: api.api._gate._inside["beta"] > 0)
            began = time.monotonic()
            leaving.cancel()
            await asyncio.wait([leaving])
        await until(lambda: not api.api._gate._inside["beta"])
        assert time.monotonic() - began < WAITED - 1


async def poll(api: Site, caller: httpx.AsyncClient, url: str) -> httpx.Response:
    """Wait for letters to beta, as long as a request may."""
    token = {"Authorization": f"Bearer {api.tokens['beta']}"}
    wait = {"wait": WAITED}
    return await caller.get(f"{url}/v1/bodies/beta/inbox", params=wait, headers=token, timeout=PATIENCE)


async def test_content_that_does_not_come(api: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who keeps it back is told."""
    monkeypatch.setattr(asking, "CONTENT_SECONDS", 0.1)
    head = f"POST /v1/bodies/alpha/letters HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.tokens['alpha']}\r\n"
    async with api.listening() as url, asyncio.timeout(PATIENCE):
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{".encode())
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"api-too-slow" in answer
        writer.close()


async def test_slow_callers_are_let_go(api: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that sends its request drop by drop is cut."""
    monkeypatch.setattr(listening_module, "ANSWER_SECONDS", 0.2)
    async with api.listening() as url, asyncio.timeout(PATIENCE):
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v1/he")
        assert await reader.read() == b""
        writer.close()


async def test_many_at_once(api: Site) -> None:
    """Twenty letters twice over, on ten connections: each is taken once."""
    token = {"Authorization": f"Bearer {api.tokens['alpha']}"}
    async with (
        api.listening() as url,
        httpx.AsyncClient(limits=httpx.Limits(max_connections=10), timeout=PATIENCE) as caller,
    ):
        letters = [letter(f"m-{number}") for number in range(20)] * 2
        answers = [caller.post(f"{url}/v1/bodies/alpha/letters", json=each, headers=token) for each in letters]
        told = [answer.json() for answer in await asyncio.gather(*answers)]
    assert sum(each["is_new"] for each in told) == 20
    assert api.counted() == {("sendLetter", "202"): 40}
