"""`exchange audit verify` over an archive of AUDIT_ENTRIES entries: entries a second and core, and memory.

Everything is verified: signatures, verdicts with their contents, chains, trees. Beside it the bare verification of as
many P-256 signatures by the library, before and after, on the same core. Memory is the command's own, its largest over
all entries beside its largest over a quarter of them: flat is 1.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.report import Figure, report
from exchange.domain.event import Event
from exchange.services.audit.crew import check_here
from exchange.services.audit.service import verify
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal
from tests.world import World

ENTRIES = 20_000
CHUNK = 1_000
RAW = 5_000
_SAID = (Event.DELIVERED, Event.HANDED_OVER, Event.REGISTERED)


async def run() -> None:
    """Entries a second and core, and memory."""
    entries = int(os.environ.get("AUDIT_ENTRIES", ENTRIES))
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        journal = SyntheticJournal(World(folder / "world", journal_partitions=4))
        archived = Archived(folder / "archive", journal)
        _fill(archived, entries // 4)
        settings = _settings(folder, archived)
        quarter = _memory_mb(settings)
        _fill(archived, entries - entries // 4)
        whole = _memory_mb(settings)
        for label, with_contents in (("audit_verify", True), ("audit_verify.no_contents", False)):
            opening = archived.opening(with_contents=with_contents)
            check = check_here(opening)
            raw, began = _raw(), time.perf_counter()
            verified = verify(opening, archived.keys.policy, check)
            seconds = time.perf_counter() - began
            if not verified.sound:
                raise RuntimeError(verified.findings[:3])
            rate, bare = verified.entries / seconds, (raw + _raw()) / 2
            report(Figure(label, rate, "entries/s/core", rate / bare, "raw P-256 verifications on one core"))
    report(Figure("audit_verify.memory", whole, "MB", whole / quarter, f"a quarter of {entries:,} entries"))


def _fill(archived: Archived, entries: int) -> None:
    """Letters with three receipts each; what is archived is not kept here."""
    journal = archived.journal
    for start in range(0, entries, CHUNK):
        journal.now += timedelta(minutes=2)
        journal.world.now = journal.now  # by the broker's time budgets fill
        for number in range(start, min(entries, start + CHUNK), 1 + len(_SAID)):
            letter = journal.letter("alpha", "beta", message_id=f"m-{number}")
            for event in _SAID:
                journal.receipt("beta", letter, "alpha", event)
        archived.archive(journal.records, step=CHUNK)
        journal.records.clear()


def _raw() -> float:
    """Verifications a second of the library alone."""
    key, data, algorithm = ec.generate_private_key(ec.SECP256R1()), bytes(300), ec.ECDSA(hashes.SHA256())
    public, signature = key.public_key(), key.sign(data, algorithm)
    began = time.perf_counter()
    for _ in range(RAW):
        public.verify(signature, data, algorithm)
    return RAW / (time.perf_counter() - began)


def _settings(folder: Path, archived: Archived) -> Path:
    (folder / "log.policy").write_text(archived.keys.text)
    (folder / "1.root.json").write_bytes(archived.journal.world.root)
    file = folder / "auditor.toml"
    file.write_text(
        '[kafka]\nbootstrap = "nowhere:1"\nca = "ca"\ncertificate = "certificate"\nkey = "key"\n'
        f'[directory]\nfolder = "{archived.journal.world.published.folder}"\nroot = "1.root.json"\n'
        '[store]\nurl = "sqlite://"\n[archive]\nfolder = "archive"\n[log]\npolicy = "log.policy"\n'
    )
    return file


_TELLING = """
import atexit, pathlib
from exchange.cli import main
atexit.register(lambda: print(pathlib.Path("/proc/self/status").read_text()))
main()
"""


def _memory_mb(settings: Path) -> float:
    """Of the command, at its largest; by its own word, since a child's usage begins with its parent's."""
    command = [sys.executable, "-c", _TELLING, "audit", "verify", "--processes", "1", "--config", str(settings)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in told.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
