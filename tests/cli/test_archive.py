"""`exchange archive status`, `check` and `begin-anew`, on a folder without a process."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exchange.agent.spool import Spool, outgoing
from exchange.archive.anew import read_after
from exchange.archive.writer import ArchiveWriter
from exchange.cli.commands import app
from exchange.cli.exits import Exit
from exchange.domain.own_bodies import ARCHIVE_BODY
from exchange.domain.statement import Command, Signed
from exchange.security.log_keys import load_log_key, make_log_key
from exchange.services.archive.entries import batch_of
from exchange.services.archive.standing import log_name
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Note
from exchange.tlog.policy import parse_log_policy
from exchange.wire.records import decode
from tests.journal.synthetic import story
from tests.services.journal_fake import as_taken
from tests.world import BODIES, World

SETTINGS = """[kafka]
bootstrap = "127.0.0.1:1"
ca = "ca.pem"
certificate = "crt.pem"
key = "key.pem"
[archive]
folder = "archive"
[log]
key = "log.key.pem"
policy = "log.policy"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of an archive that took a story."""
    world = World(tmp_path / "world", (*BODIES, ARCHIVE_BODY))
    journal, installed = story(world), world.ground.directory
    name = log_name(installed.exchange)
    key = make_log_key(tmp_path / "log.key.pem", name, Kind.NOTE)
    signer = load_log_key(tmp_path / "log.key.pem", name, Kind.NOTE)
    with ArchiveWriter(tmp_path / "archive", installed.journal_partitions) as writer:
        writer.take(batch_of(map(as_taken, journal.records)).records)
        writer.add_heads(1_763_912_345)
        text = str(Checkpoint(name, writer.head.size, writer.head.root))
        writer.keep_checkpoint(str(Note(text, (signer.sign(text),))).encode())
    (tmp_path / "log.policy").write_text(f"log {key}\nquorum none\n")
    root, files = world.authority.directory.root, world.authority.body(ARCHIVE_BODY).statement
    directory = f'[directory]\nfolder = "world/directory"\nroot = "{root}"\n'
    speaking = f'[speaking]\nkey = "{files.key}"\ncertificate = "{files.certificate}"\nspool = "spool"\n'
    (tmp_path / "archive.toml").write_text(SETTINGS + directory + speaking)
    return tmp_path / "archive.toml"


def run(*words: str | Path) -> tuple[int, Any]:
    """Exit code and what was printed."""
    done = CliRunner().invoke(app, ["archive", *map(str, words), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_status_shows_the_newest_checkpoint(config: Path) -> None:
    """What it is over, and whether it counts; for people, too."""
    code, said = run("status", "--config", config)
    told = said["result"]
    assert (code, told["heads"], told["witnessed"], told["witnesses"]) == (Exit.DONE, 1, True, [])
    assert sum(log["entries"] for log in told["logs"]) > 10
    shown = CliRunner().invoke(app, ["archive", "status", "--config", str(config)])
    assert told["logs"][0]["root"] in shown.stdout


def test_check_names_what_is_not_as_it_was_written(config: Path) -> None:
    """File and entry; nothing when nothing is wrong."""
    assert run("check", "--config", config) == (Exit.DONE, {"ok": True, "result": []})
    assert "as it was written" in CliRunner().invoke(app, ["archive", "check", "--config", str(config)]).stdout
    tile = max(
        (config.parent / "archive" / "log").glob("journal/*/tile/entries/000.p/*"), key=lambda path: int(path.name)
    )
    data = bytearray(tile.read_bytes())
    data[-1] ^= 1
    tile.write_bytes(data)
    code, said = run("check", "--config", config)
    assert (code, said["ok"]) == (Exit.FOUND, False)
    assert tile.relative_to(config.parent / "archive").as_posix() in [fault["file"] for fault in said["result"]]
    assert tile.name in CliRunner().invoke(app, ["archive", "check", "--config", str(config)]).stdout


def test_the_index_is_made_again(config: Path) -> None:
    """Of all entries; not beside somebody who writes."""
    code, said = run("status", "--config", config)
    entries = sum(log["entries"] for log in said["result"]["logs"])
    code, said = run("reindex", "--config", config)
    assert (code, said["result"]) == (Exit.DONE, {"entries": entries})
    with ArchiveWriter(config.parent / "archive", len(run("status", "--config", config)[1]["result"]["logs"])):
        code, said = run("reindex", "--config", config)
    assert (code, said["error"]["code"]) == (Exit.UNAVAILABLE, "archive-in-use")


def test_begin_anew_names_the_checkpoint_that_is_given(config: Path) -> None:
    """The policy knows the new log from then on; the old one's heads stay."""
    given = config.parent / "last"
    given.write_bytes((config.parent / "archive" / "log" / "heads" / "checkpoint").read_bytes())
    code, said = run("begin-anew", "--config", config, "--reason", "the copy is too old", "--checkpoint", given)
    told = said["result"]
    assert (code, told["heads"]) == (Exit.DONE, 1)
    policy = parse_log_policy((config.parent / "log.policy").read_text())
    assert (str(policy.log), policy.log.name) == (told["log"], f"{told['after']}/2")
    assert read_after(config.parent / "archive") == Checkpoint.parse(Note.parse(given.read_bytes()).text)
    act = json.loads((config.parent / "archive" / "log" / "after.json").read_text())
    assert (act["reason"], act["person"].startswith("shell:")) == ("the copy is too old", True)
    assert (config.parent / "archive" / "log" / f"heads-{told['after'].replace('/', '-')}-1" / "checkpoint").exists()
    code, said = run("begin-anew", "--config", config, "--reason", "again", "--checkpoint", given)
    assert (code, said["error"]["code"]) == (Exit.FOUND, "checkpoint-foreign")
    (said_once,) = spoken(config)
    assert (said_once.action, said_once.reason) == ("archive-begin-anew", "the copy is too old")
    assert (said_once.person, said_once.detail) == (act["person"], f"the next log goes on for {told['after']}, 1 heads")


def test_nothing_begins_that_cannot_be_kept(config: Path) -> None:
    """Where there is no place for the act, and the log is as it was."""
    (config.parent / "spool").write_text("no folder")
    given = config.parent / "archive" / "log" / "heads" / "checkpoint"
    code, said = run("begin-anew", "--config", config, "--reason", "lost", "--checkpoint", given)
    assert (code, said["error"]["code"]) == (Exit.CONFIGURATION, "configuration-invalid")
    assert read_after(config.parent / "archive") is None


def test_without_a_voice(config: Path) -> None:
    """It is done as before, and told that the journal does not have it."""
    config.write_text(config.read_text().partition("[speaking]")[0])
    given = config.parent / "archive" / "log" / "heads" / "checkpoint"
    words = ["begin-anew", "--config", str(config), "--reason", "lost", "--checkpoint", str(given)]
    done = CliRunner().invoke(app, ["archive", *words])
    assert done.exit_code == Exit.DONE, done.output
    assert "does not stand in the journal" in done.stderr


def spoken(config: Path) -> list[Command]:
    """What waits in the archive's spool to be said."""
    with Spool(config.parent / "spool" / "spool.sqlite") as spool:
        drafts = spool.call(lambda connection: outgoing.next_drafts(connection, ARCHIVE_BODY, 100, 1 << 20))
    return [decode(Command, decode(Signed, record).statement) for _, record in drafts]
