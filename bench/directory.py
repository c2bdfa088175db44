"""What a country's directory costs a process that reads it: 10,000 bodies, each with two certificates.

From the files to verified entries and trust in their certificates, in a process of its own; and how long a change
of one body takes until such a process goes on by it. Writing the first version is told beside.
"""

import asyncio
import dataclasses
import multiprocessing
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bench.crypto import NOW
from bench.report import Figure, report
from bench.stage import resident_mb
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Names
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.keys import KeyFiles, KeyPair, load_key_pair
from exchange.security.trust import Trust

BODIES = 10_000
GOAL_SECONDS = 3.0
GOAL_MB = 60.0


async def run() -> None:
    """Publish, then read in another process."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        written = await asyncio.to_thread(_publish, folder)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            loaded, megabytes, changed = pool.apply(_load, (folder,))
    report(Figure("directory.publish", written, "s", written / BODIES * 1e3, "ms a body"))
    report(Figure("directory.load", loaded, "s", loaded / GOAL_SECONDS, f"goal of {GOAL_SECONDS:.0f} s"))
    report(Figure("directory.memory", megabytes, "MB", megabytes / GOAL_MB, f"goal of {GOAL_MB:.0f} MB"))
    report(Figure("directory.change", changed, "s", changed / loaded, "loading it"))


def _publish(folder: Path) -> float:
    authority = Authority(folder / "authority", now=NOW)
    root = load_key_pair(KeyFiles(folder / "authority/ca/statement.key.pem", authority.statement_root))
    keys = authority.directory
    repository = DirectoryFolder(folder / "directory", keys.found(NOW))
    bodies = {f"body-{number:05}": _body(root, number) for number in range(BODIES)}
    issuers = (root.certificate.public_bytes(Encoding.DER),)
    first = Directory(repository.exchange, 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 8, 16, issuers, bodies)
    begin = time.perf_counter()
    DirectoryPublisher(repository).publish(first, keys.publishing(), NOW)
    return time.perf_counter() - begin


def _load(folder: Path) -> tuple[float, float, float]:
    """Seconds to load, MB more than before, and seconds to go on by a version in which one body changed."""
    keys = Authority(folder / "authority", now=NOW).directory
    reader = DirectoryFolder.at(folder / "directory", keys.root)
    before, begin = resident_mb(_own()), time.perf_counter()
    directory = reader.latest()
    trust = Trust(directory)
    loaded, megabytes = time.perf_counter() - begin, resident_mb(_own()) - before
    one = dataclasses.replace(directory.bodies["body-00007"], kind="agency")
    writer = DirectoryPublisher(DirectoryFolder.at(folder / "directory", keys.root))
    writer.publish(successor(directory, {**directory.bodies, one.code: one}, NOW), keys.publishing(), NOW)
    begin = time.perf_counter()
    changed = reader.latest(directory)
    Trust(changed)
    if trust.directory is not directory or changed.bodies[one.code] != one:
        message = "the change was not read"
        raise ValueError(message)
    return loaded, megabytes, time.perf_counter() - begin


def _own() -> int:
    return multiprocessing.current_process().pid or 0


def _body(root: KeyPair, number: int) -> Body:
    code, name = f"body-{number:05}", f"Айыл өкмөтү № {number}"
    uses = (CertificateUse.STATEMENT, CertificateUse.TRANSPORT)
    certificates = tuple(ListedCertificate(_certificate(root, code), use) for use in uses)
    names = Names(name, name, f"Ayil okmotu {number}")
    return Body(code, names, "aiyl-okmotu", BodyStatus.CONNECTED, (f"uid-{code}",), "41702205805000", certificates)


def _certificate(root: KeyPair, name: str) -> bytes:
    """A certificate as short as any; nobody signs with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=365))
    )
    return builder.sign(root.key, hashes.SHA256()).public_bytes(Encoding.DER)
