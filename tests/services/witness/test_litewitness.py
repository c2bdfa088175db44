"""A witness that is not ours, litewitness, cosigns our checkpoints by our client; and says so when they went back."""

import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.embedded.ports import choose_ports
from exchange.security.files import PRIVATE, write_atomically
from exchange.services.witnessing import Answer, Outcome, open_witnesses
from exchange.tlog.checkpoint import Checkpoint, hash_text
from exchange.tlog.merkle import EMPTY_ROOT, leaf_hash
from exchange.tlog.note import Note, Verifier
from exchange.tlog.policy import LogPolicy, Witness
from tests.go.building import go_program
from tests.patience import PATIENCE
from tests.requirements import requires_tool
from tests.services.witness.world import LOG, NAME, FakeLog, signed
from tests.tlog.trees import tree_hashes

pytestmark = [
    pytest.mark.server,
    requires_tool("go", debian="golang-go"),
    requires_tool("ssh-agent", debian="openssh-client"),
]

OTHER = "other.example"


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    """The program as its own documentation says: its key in an ssh-agent, our log in its database."""
    folder = tmp_path_factory.mktemp("lite")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    write_atomically(folder / "key", private, mode=PRIVATE)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (folder / "key.pub").write_bytes(public)
    told = subprocess.run(["ssh-keygen", "-lf", folder / "key.pub"], capture_output=True, text=True, check=True)
    _prepare(folder / "lite.db")
    with ExitStack() as stack:
        agent = stack.enter_context(
            subprocess.Popen(["ssh-agent", "-D", "-a", folder / "agent"], stdout=subprocess.PIPE)
        )
        stack.callback(agent.kill)
        assert agent.stdout is not None
        agent.stdout.readline()  # it listens when it says where
        subprocess.run(["ssh-add", "-q", folder / "key"], env={"SSH_AUTH_SOCK": str(folder / "agent")}, check=True)
        words: list[str | Path] = [
            go_program("litewitness"),
            "-db",
            folder / "lite.db",
            "-name",
            OTHER,
            "-ssh-agent",
            folder / "agent",
        ]
        (port,) = choose_ports(1, folder)
        words += ["-key", told.stdout.split()[1], "-listen", f"127.0.0.1:{port}"]
        process = stack.enter_context(subprocess.Popen(words, stderr=subprocess.PIPE, text=True))
        stack.callback(process.kill)
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "listening" in line:
                break
        found = re.search(r"vkey=(\S+)", said)
        assert found, said
        _until_listening(port)  # it says so before it does
        yield Witness("lite", Verifier.parse(found[1].strip('"')), f"http://127.0.0.1:{port}")


def _until_listening(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return


def _prepare(path: Path) -> None:
    """What its `witnessctl add-log` and `add-key` do."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL)"
        )
        database.execute("CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL)")
        database.execute("INSERT INTO log VALUES (?, 0, ?)", (NAME, hash_text(EMPTY_ROOT)))
        database.execute("INSERT INTO key VALUES (?, ?)", (NAME, str(LOG.verifier)))


async def ask(witness: Witness, log: FakeLog, note: Note | None = None) -> tuple[Answer, Note]:
    """By a client that remembers nothing."""
    note = note or signed(log.checkpoint())
    policy = LogPolicy(LOG.verifier, (witness,), {}, witness.name)
    async with open_witnesses(policy, CollectorRegistry(), system.monotonic) as witnesses:
        (answer,) = await witnesses.ask(note, tree_hashes([*map(leaf_hash, log.heads_entries)]))
    return answer, note.with_lines(answer.lines)


async def test_a_foreign_witness(witness: Witness) -> None:
    """It cosigns what grows, and its word counts by our policy; what went back or forked is told as such."""
    log = FakeLog()
    policy = LogPolicy(LOG.verifier, (witness,), {}, witness.name)
    for number in (1, 4, 300):
        for _ in range(number):
            log.grow(1, 0)
        answer, note = await ask(witness, log)
        assert answer.outcome is Outcome.COSIGNED, answer
        assert policy.open(str(note).encode()).witnessed
    shorter = FakeLog(log.journals, log.heads_entries[:200])
    answer, _ = await ask(witness, shorter)
    assert (answer.outcome, answer.size) == (Outcome.ROLLED_BACK, 305)
    answer, _ = await ask(witness, log, signed(Checkpoint(NAME, 305, bytes(32))))
    assert answer.outcome is Outcome.FORKED
    log.heads_entries[3] += b" "
    log.grow(1, 0)
    assert (await ask(witness, log))[0].outcome is Outcome.FORKED
