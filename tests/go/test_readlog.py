"""Go's own packages for transparency logs read what the archive writes: note, tiles, entries and proofs."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.policy import parse_log_policy
from tests.go.building import go_program
from tests.patience import PATIENCE
from tests.requirements import requires_tool
from tests.services.witness.folder import grow, take

pytestmark = [
    pytest.mark.server,
    requires_tool("go", debian="golang-go"),
]

LOG = Signer("exchange/5f", Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
KEYS = [
    Signer(f"w.example/{number}", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + bytes([number])))
    for number in (2, 3, 4)
]
NOW = 1_763_912_345


@dataclass(frozen=True)
class Read:
    """An archive's folder with a policy, a proof and its entry."""

    folder: Path
    policy: Path
    proof: Path
    entry: Path

    def run(self) -> subprocess.CompletedProcess[str]:
        """What Go says of it."""
        words = [go_program("readlog"), self.folder, self.policy, self.proof, self.entry]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)


def made(folder: Path) -> Read:
    """300 heads over two partitions, cosigned by two witnesses of three."""
    read = Read(folder / "archive", folder / "log.policy", folder / "entry.proof", folder / "entry")
    with ArchiveWriter(read.folder, 2) as writer:
        grow(writer, LOG, 299, 1)
        take(writer, 1, 66_000)
        note = grow(writer, LOG, 1, 1)
        note = Note(note.text, (*note.lines, *(key.sign(note.text, NOW) for key in KEYS[:2])))
        writer.keep_checkpoint(str(note).encode())
    witnesses = "".join(f"witness w{number} {key.verifier}\n" for number, key in enumerate(KEYS))
    read.policy.write_text(f"log {LOG.verifier}\n{witnesses}group two 2 w0 w1 w2\nquorum two\n")
    reader = LogReader(read.folder)
    read.proof.write_bytes(bytes(reader.proof(1, 4242, parse_log_policy(read.policy.read_text()))))
    read.entry.write_bytes(reader.entry("journal/1", 4242))
    return read


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Written by the archive's own writer; whoever alters a file puts it back."""
    return made(tmp_path_factory.mktemp("read"))


def test_go_reads_our_logs(archive: Read) -> None:
    """All entries, roots out of tiles of three levels, inclusion, consistency, cosignatures, and our proof's text."""
    done = archive.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "heads 300",
        "journal/0 300",
        "journal/1 66300",
        "proven: entry 4242 of journal/1",
    ]


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("log/heads/checkpoint", 3),
        ("log/heads/tile/0/001.p/44", 7),
        ("log/heads/tile/entries/000", 99),
        ("log/journal/1/tile/0/017", 1000),
        ("log/journal/1/tile/1/000", 64),
        ("log/journal/1/tile/2/000.p/1", 5),
        ("log/journal/0/tile/entries/001.p/44", 9),
    ],
)
def test_go_finds_an_altered_byte(archive: Read, name: str, at: int) -> None:
    """Wherever it is."""
    path = archive.folder / name
    before = path.read_bytes()
    _flip(path, at)
    try:
        done = archive.run()
    finally:
        path.write_bytes(before)
    assert (done.returncode, done.stdout.count("proven")) == (1, 0)


def _another_entry(read: Read) -> None:
    _flip(read.entry, 0)


def _one_witness(read: Read) -> None:
    read.policy.write_text(read.policy.read_text().replace("group two 2", "group two 3"))


@pytest.mark.parametrize(
    ("spoil", "words"), [(_another_entry, "the entry: "), (_one_witness, "policy components satisfied")]
)
def test_go_asks_for_what_we_ask_for(archive: Read, spoil: Callable[[Read], None], words: str) -> None:
    """Another entry is not proven; too few witnesses are too few in Go's reading of our policy, too."""
    kept = {path: path.read_bytes() for path in (archive.entry, archive.policy)}
    spoil(archive)
    try:
        done = archive.run()
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
    assert done.returncode == 1
    assert words in done.stderr
