"""A body's statement certificate runs out while it sends: its letters wait for the next one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.directory import CertificateUse, ListedCertificate
from exchange.security.keys import load_certificate
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity
from tests.chaos.nemesis import Fault, Scene
from tests.chaos.servers import Role
from tests.chaos.site import Site, body_of
from tests.published import directory_folder, publish

LASTS = timedelta(seconds=8)
"""So long the certificate that runs out is good; routers take a new directory up within 2 s."""
YEAR = timedelta(days=365)
DIRECTORY = "the directory"


def faults_of_certificates(site: Site) -> list[Fault]:
    """The one kind, with its targets."""
    agents = site.named(Role.AGENT)
    return [Fault("certificate expired", "certificate expired", agents, (12.0, 20.0), expired, _with_directory)]


def _with_directory(target: str) -> tuple[str, ...]:
    return (target, DIRECTORY)


@asynccontextmanager
async def expired(scene: Scene) -> AsyncIterator[None]:
    """An agent gets a certificate for moments, and some time after its end one for long."""
    await _renew(scene, LASTS)
    yield
    await _renew(scene, YEAR)


async def _renew(scene: Scene, lifetime: timedelta) -> None:
    """As an operator does: issue, list, stop the agent and start it with the new key."""
    await asyncio.to_thread(_issue, scene.site, body_of(scene.target), lifetime)
    await scene.site.keeper.stop(scene.target, "stopped for a new key")
    await scene.site.keeper.start(scene.target)


def _issue(site: Site, code: str, lifetime: timedelta) -> None:
    """Replace the body's key and certificate, and list the new one beside those before."""
    now = datetime.now(UTC)
    folder = site.authority.folder / "bodies" / code
    validity = Validity(now - timedelta(hours=1), now + lifetime)
    files = site.authority._leaf(folder, "statement", code, Purpose.STATEMENT, validity)
    certificate = load_certificate(files.certificate).public_bytes(Encoding.DER)
    body = directory_folder(site.folder, site.authority).latest().bodies[code]
    listed = (*body.certificates, ListedCertificate(certificate, CertificateUse.STATEMENT))
    publish(site.folder, site.authority, replace(body, certificates=listed))
