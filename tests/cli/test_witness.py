"""`exchange witness`: the process, asked by what asks witnesses, with a real archive's tiles; over kill -9."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from exchange import system
from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.cli import app
from exchange.domain.errors import ConfigurationError
from exchange.security.log_keys import load_log_key, read_log_policy
from exchange.services.witness.keeping import Keeper
from exchange.services.witness.keeping import Kind as Kept
from exchange.services.witnessing import Answer, Outcome, open_witnesses
from exchange.settings.witness import witness_settings
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Note
from exchange.wiring.witness import run_witness
from tests.services.witness.folder import grow, served

NAME = "exchange/5f"


def write_settings(folder: Path, tiles: str = "") -> Path:
    """Keys made by the command, and the witness's file."""
    for name, more in ((NAME, ()), ("w.example", ("--witness",))):
        file = folder / f"{name.rpartition('/')[2]}.pem"
        assert CliRunner().invoke(app, ["log", "key", str(file), "--name", name, *more]).exit_code == 0
    lines = [
        '[witness]\nname = "w.example"\nkey = "w.example.pem"\nstate = "state"',
        "[listen]\nport = 0",
        f'[[log]]\nkey = "{(folder / "5f.pem.pub").read_text().strip()}"',
        f'tiles = "{tiles}"' if tiles else "",
    ]
    path = folder / "witness.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def running(settings: Path) -> Iterator[str]:
    """The process, killed at the end; its address."""
    words = [sys.executable, "-m", "exchange.cli", "witness", "--config", str(settings)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            told = ""
            for line in process.stderr:
                told += line
                if found := re.search(r"\[listen\] is at (\S+?)\"", line):
                    yield f"http://{found[1]}"
                    break
            else:
                raise AssertionError(told)
        finally:
            process.kill()


async def ask(folder: Path, url: str, note: Note) -> Answer:
    """One question, by somebody who remembers nothing."""
    keys = [(folder / f"{name}.pem.pub").read_text().strip() for name in ("5f", "w.example")]
    (folder / "log.policy").write_text(f"log {keys[0]}\nwitness w {keys[1]} {url}\nquorum w\n")
    policy = read_log_policy(folder / "log.policy")
    tree = LogReader(folder / "archive").tree("heads", Checkpoint.parse(note.text).size)
    async with open_witnesses(policy, CollectorRegistry(), system.monotonic) as witnesses:
        (answer,) = await witnesses.ask(note, tree.hashes)
    if answer.outcome is Outcome.COSIGNED:
        assert policy.open(str(note.with_lines(answer.lines)).encode()).witnessed
    return answer


@pytest.mark.server
async def test_what_was_cosigned_outlives_kill_9(tmp_path: Path) -> None:
    """The process cosigns with the archive's tiles; started anew it knows what it said, and what was put back."""
    with ArchiveWriter(tmp_path / "archive", 2) as writer, served(tmp_path / "archive") as tiles:
        settings = write_settings(tmp_path, tiles)
        signer = load_log_key(tmp_path / "5f.pem", NAME, Kind.NOTE)
        first = grow(writer, signer, 3)
        with running(settings) as url:
            assert (await ask(tmp_path, url, first)).outcome is Outcome.COSIGNED
            second = grow(writer, signer, 5)
            assert (await ask(tmp_path, url, second)).outcome is Outcome.COSIGNED
        with running(settings) as url:
            behind = await ask(tmp_path, url, first)
            assert (behind.outcome, behind.size) == (Outcome.ROLLED_BACK, 8)
            other = str(Checkpoint(NAME, 8, bytes(32)))
            assert (await ask(tmp_path, url, Note(other, (signer.sign(other),)))).outcome is Outcome.FORKED
            assert (await ask(tmp_path, url, grow(writer, signer, 1))).outcome is Outcome.COSIGNED
        assert Keeper(tmp_path / "state" / "contradictions").count(Kept.SPLIT) == 1


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("w.example.pem", "5f.pem.pub", "key-file-unreadable"),
        ("[[log]]", "[log]", "configuration-value-invalid"),
        ('w.example"', 'w example"', "log-name-invalid"),
        ("port = 0", 'port = 0\nhost = "10.9.8.7"', "api-tls-required"),
        ("port = 0", "port = 0\nnote = 1", "configuration-key-unknown"),
    ],
)
async def test_wrong_settings_end_it(tmp_path: Path, old: str, new: str, code: str) -> None:
    """With the code of what is wrong."""
    settings = write_settings(tmp_path)
    settings.write_text(settings.read_text().replace(old, new))
    (tmp_path / "5f.pem.pub").chmod(0o600)
    with pytest.raises(ConfigurationError) as refused:
        await run_witness(witness_settings(settings, {}))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("key", "tiles", "words"),
    [
        ("exchange/5f", "", "log-key-invalid"),
        ("w.example", "", "key of a log"),
        ("", "ftp://x", "address of http"),
        ("", "https://", "address of http"),
    ],
)
def test_logs_are_looked_at(tmp_path: Path, key: str, tiles: str, words: str) -> None:
    """A witness's key is none of a log."""
    settings = write_settings(tmp_path, tiles)
    log = (tmp_path / "5f.pem.pub").read_text().strip()
    other = (tmp_path / "w.example.pem.pub").read_text().strip() if key == "w.example" else key
    settings.write_text(settings.read_text().replace(log, other or log))
    with pytest.raises(ConfigurationError) as refused:
        witness_settings(settings, {})
    assert words in f"{refused.value.code} {refused.value}"


def test_a_log_is_listed_once(tmp_path: Path) -> None:
    """And TLS's files are read, when they are named."""
    settings = write_settings(tmp_path)
    text = settings.read_text()
    tls = 'port = 0\ncertificate = "c"\nkey = "k"\npassphrase_file = "p"'
    settings.write_text(text.replace("port = 0", tls))
    files = witness_settings(settings, {}).files
    assert files is not None
    assert (files.key.name, files.certificate.name) == ("k", "c")
    settings.write_text(text + text[text.index("[[log]]") :])
    with pytest.raises(ConfigurationError, match="each log once"):
        witness_settings(settings, {})
