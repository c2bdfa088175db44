"""`exchange archive renew` and `record`, with openssl's authority over HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.archive.tokens import Tokens
from exchange.cli.exits import Exit
from exchange.embedded.time_authority import TimeAuthority, serving
from exchange.security.timestamps import Authorities, Imprint, query
from exchange.security.timestamps.record import EvidenceRecord
from tests.cli.archive_command import SETTINGS, run

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")

NOW = datetime.now(UTC)
NOTE = f"exchange/00\n7\n{'A' * 43}=\n\n— exchange/00 AAAA\n".encode()


@pytest.fixture
def authority(tmp_path: Path) -> TimeAuthority:
    """Its certificates end within 90 days: what it stamps goes into a batch at once."""
    return TimeAuthority.prepared(tmp_path / "authority", NOW, lifetime=timedelta(days=80))


@pytest.fixture
def config(tmp_path: Path, authority: TimeAuthority) -> Iterator[Path]:
    """Of an archive with one time-stamp."""
    Tokens(tmp_path / "archive").keep(NOTE, authority.reply(query(Imprint.of(NOTE), 5)))
    with serving(authority) as url:
        file = tmp_path / "archive.toml"
        file.write_text(f'{SETTINGS}[timestamps]\nurl = "{url}"\nroots = "authority/root.crt.pem"\n')
        yield file


def test_a_batch_and_its_record(config: Path, authority: TimeAuthority, tmp_path: Path) -> None:
    """Begun, then not due; the record holds for the two files that it is of."""
    code, said = run("renew", "--config", config)
    assert (code, "batch 1: a new batch, holds until" in said) == (0, True), said
    assert run("renew", "--config", config)[1] == "Nothing is due.\n"
    file = tmp_path / "record.ers"
    code, said = run("record", "7", "-o", file, "--config", config, "--json")
    told = json.loads(said)["result"]
    assert (code, told["size"], told["file"]) == (0, 7, str(file))
    kept = Tokens(tmp_path / "archive").read(7)
    evidence = EvidenceRecord.read(file.read_bytes()).verify(
        [kept.note, kept.response], Authorities.load(authority.root), datetime.now(UTC)
    )
    assert datetime.fromisoformat(told["since"]) == evidence.since
    assert "existed by" in run("record", "7", "-o", file, "--config", config)[1]


def test_what_cannot_be_done(config: Path, tmp_path: Path) -> None:
    """No such checkpoint; no authority in the settings."""
    code, said = run("record", "8", "-o", tmp_path / "record.ers", "--config", config, "--json")
    assert (code, json.loads(said)["error"]["code"]) == (Exit.FOUND, "entry-missing")
    config.write_text(SETTINGS)
    code, said = run("renew", "--config", config, "--json")
    assert (code, json.loads(said)["error"]["code"]) == (Exit.CONFIGURATION, "configuration-invalid")
