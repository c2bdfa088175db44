"""`exchange audit verify`, `prove`, `compare`, as they are called."""

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from exchange.archive.tokens import Tokens
from exchange.cli.audit import app
from exchange.cli.exits import Exit
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.statement import Signed
from exchange.services.archive.serving import log_app
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal
from tests.security.support import certify_root
from tests.services.archive.served import served
from tests.world import World

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def letter_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archived, Signed, Path]:
    """A letter in an archive, and its auditor's file."""
    folder = tmp_path_factory.mktemp("audit")
    journal = SyntheticJournal(World(folder / "world"))
    letter = journal.letter("alpha", "beta")
    archived = Archived(folder / "archive", journal)
    archived.archive(journal.records[:3])
    (folder / "earlier").write_bytes(archived.reader.checkpoint())
    archived.archive(journal.records[3:])
    (folder / "log.policy").write_text(archived.keys.text)
    (folder / "1.root.json").write_bytes(journal.world.root)
    file = folder / "auditor.toml"
    file.write_text(
        '[kafka]\nbootstrap = "nowhere:1"\nca = "ca"\ncertificate = "certificate"\nkey = "key"\n'
        f'[directory]\nfolder = "{journal.world.published.folder}"\nroot = "1.root.json"\n'
        '[store]\nurl = "sqlite://"\n[archive]\nfolder = "archive"\n[log]\npolicy = "log.policy"\n'
    )
    return archived, letter, file


def test_verify(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """All of it, then a file of it spoilt."""
    archived, _, file = letter_in
    called = ["verify", "--config", str(file), "--processes", "1", "--state", str(tmp_path / "state")]
    told = RUNNER.invoke(app, called)
    assert told.exit_code == 0, told.output
    assert "everything holds" in told.output
    whole = RUNNER.invoke(app, ["verify", "--config", str(file), "--processes", "1", "--json"])
    assert json.loads(whole.stdout)["result"]["entries"] == len(archived.journal.records)
    late = ["verify", "--config", str(file), "--processes", "1", "--from", "2027-01-01T00:00:00+06:00", "--json"]
    assert json.loads(RUNNER.invoke(app, late).stdout)["result"]["entries"] == 0
    checkpoint = archived.folder / "log/heads/checkpoint"
    kept = checkpoint.read_bytes()
    checkpoint.write_bytes(kept[:-9])
    spoilt = RUNNER.invoke(app, called)
    checkpoint.write_bytes(kept)
    assert spoilt.exit_code == Exit.FOUND
    assert "checkpoint-refused" in spoilt.output


def test_prove_and_compare(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """Written, checked, and the proof's checkpoint compared with an earlier one."""
    _, letter, file = letter_in
    told = RUNNER.invoke(app, ["prove", letter.digest.hex(), "-o", str(tmp_path), "--config", str(file)])
    assert told.exit_code == 0, told.output
    assert "in the log" in told.output
    again = RUNNER.invoke(app, ["prove", "--check", str(tmp_path), "--config", str(file), "--json"])
    (shown,) = json.loads(again.stdout)["result"]
    assert (shown["letter"], shown["kind"], shown["witnessed"]) == (letter.digest.hex(), "letter", True)
    same = RUNNER.invoke(
        app, ["compare", str(file.parent / "earlier"), str(tmp_path / "1-letter.proof"), "--config", str(file)]
    )
    assert same.exit_code == 0, same.output
    assert "the log only grew" in same.output


def test_by_an_address_alone(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """The same report but for contents, and the same proofs, byte for byte."""
    archived, letter, file = letter_in
    remote = file.with_name("remote.toml")
    called = ["--processes", "1", "--json", "--config"]
    with served(log_app(archived.folder, with_entries=True)) as url:
        remote.write_text(file.read_text().replace('folder = "archive"', f'url = "{url}"'))
        told = RUNNER.invoke(app, ["verify", *called, str(remote)])
        proven = RUNNER.invoke(
            app, ["prove", letter.digest.hex(), "-o", str(tmp_path / "far"), "--config", str(remote)]
        )
        unknown = RUNNER.invoke(app, ["prove", "0" * 64, "-o", str(tmp_path / "none"), "--config", str(remote)])
    assert (told.exit_code, proven.exit_code) == (0, 0), (told.output, proven.output)
    assert json.loads(told.stdout) == json.loads(
        RUNNER.invoke(app, ["verify", "--no-contents", *called, str(file)]).stdout
    )
    assert getattr(unknown.exception, "code", "") == "entry-missing"
    RUNNER.invoke(app, ["prove", letter.digest.hex(), "-o", str(tmp_path / "near"), "--config", str(file)])
    near = {path.name: path.read_bytes() for path in (tmp_path / "near").iterdir()}
    assert near == {path.name: path.read_bytes() for path in (tmp_path / "far").iterdir()}


def test_without_kafka(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """Replay and export read the archive's log; nothing but an address, root and policy is named."""
    archived, letter, file = letter_in
    remote = file.with_name("alone.toml")
    with served(log_app(archived.folder, with_entries=True)) as url:
        text = (
            file.read_text().replace('folder = "archive"', f'url = "{url}"').replace('[store]\nurl = "sqlite://"\n', "")
        )
        remote.write_text(text[text.index("[directory]") :])
        words = ["--config", str(remote), "--json"]
        replayed = RUNNER.invoke(app, ["replay", "--body", "beta", *words])
        early = RUNNER.invoke(app, ["replay", "--at", "2020-01-01T00:00:00Z", *words])
        exported = RUNNER.invoke(app, ["export", letter.digest.hex(), "-o", str(tmp_path), *words])
        unknown = RUNNER.invoke(app, ["export", "0" * 64, "-o", str(tmp_path), *words])
        part = RUNNER.invoke(app, ["export", letter.digest.hex()[:9], "-o", str(tmp_path), *words])
        shown = RUNNER.invoke(app, ["replay", "--body", "beta", "--config", str(remote)])
    assert (replayed.exit_code, exported.exit_code, early.exit_code) == (0, 0, 0), replayed.output + exported.output
    (told,) = json.loads(replayed.stdout)["result"]["folded"]["deliveries"]
    assert (told["letter"], told["sender"], told["recipient"]) == (letter.digest.hex(), "alpha", "beta")
    assert json.loads(early.stdout)["result"]["folded"]["states"] == {}
    assert digest((tmp_path / "letter.statement").read_bytes()) == letter.digest
    assert getattr(unknown.exception, "code", "") == "letter-not-archived"
    assert getattr(part.exception, "code", "") == "letter-unknown"
    assert "alpha to beta" in shown.stdout


def test_an_address_that_gives_no_entries(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """Says so by name."""
    archived, letter, file = letter_in
    remote = file.with_name("closed.toml")
    with served(log_app(archived.folder, with_entries=False)) as url:
        remote.write_text(file.read_text().replace('folder = "archive"', f'url = "{url}"'))
        told = RUNNER.invoke(app, ["prove", letter.digest.hex(), "-o", str(tmp_path), "--config", str(remote)])
    assert getattr(told.exception, "code", "") == "archive-not-served"


def test_two_views_are_shown(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """As what they are, with exit code 1."""
    archived, _, file = letter_in
    other = Archived(tmp_path / "other", archived.journal)
    other.archive(archived.journal.records[1:])
    (tmp_path / "one").write_bytes(archived.reader.checkpoint())
    (tmp_path / "two").write_bytes(other.reader.checkpoint())
    told = RUNNER.invoke(app, ["compare", str(tmp_path / "one"), str(tmp_path / "two"), "--config", str(file)])
    assert told.exit_code == Exit.FOUND
    assert "they are the proof" in told.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["prove"], "audit-prove-usage"),
        (["compare", "nowhere", "nowhere"], "checkpoint-missing"),
        (["verify", "--processes", "1", "--from", "yesterday"], "instant-invalid"),
        (["verify", "--processes", "1", "--to", "2026-11-23"], "instant-invalid"),
        (["prove", "--check", "nowhere"], "proof-files-missing"),
    ],
)
def test_wrong_calls(letter_in: tuple[Archived, Signed, Path], words: list[str], code: str) -> None:
    """Each names what to do."""
    told = RUNNER.invoke(app, [*words, "--config", str(letter_in[2])])
    assert isinstance(told.exception, ConfigurationError)
    assert told.exception.code == code


def test_without_an_archive(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """A file that does not say where it is, and an address at which time-stamps cannot be checked."""
    text = letter_in[2].read_text()
    file = letter_in[2].with_name("other.toml")
    file.write_text(text.partition("[archive]")[0])
    assert getattr(RUNNER.invoke(app, ["verify", "--config", str(file)]).exception, "code", "") == "archive-not-named"
    file.write_text(text.replace('[archive]\nfolder = "archive"', '[archive]\nurl = "https://nowhere.invalid"'))
    told = RUNNER.invoke(app, ["times", "--roots", str(tmp_path), "--config", str(file)])
    assert getattr(told.exception, "code", "") == "archive-folder-needed"


def test_times(letter_in: tuple[Archived, Signed, Path], tmp_path: Path) -> None:
    """No time-stamps yet; then one that is none."""
    archived, _, file = letter_in
    roots = tmp_path / "roots.pem"
    roots.write_bytes(certify_root().certificate.public_bytes(Encoding.PEM))
    called = ["times", "--config", str(file), "--roots", str(roots)]
    told = RUNNER.invoke(app, called)
    assert told.exit_code == 0, told.output
    assert "0 time-stamps, 0 batches" in told.output
    named = file.with_name("stamped.toml")
    table = f'[timestamps]\nurl = "https://tsa.example/"\nroots = "{roots}"\n'
    named.write_text(f"{file.read_text()}\n{table}")
    assert RUNNER.invoke(app, ["times", "--config", str(named)]).output == told.output
    unnamed = RUNNER.invoke(app, ["times", "--config", str(file)])
    assert getattr(unnamed.exception, "code", "") == "timestamp-roots-missing"
    size = Tokens(archived.folder).keep(archived.reader.checkpoint(), b"an answer that is none")
    told = RUNNER.invoke(app, called)
    shutil.rmtree(archived.folder / "tokens")
    assert told.exit_code == Exit.FOUND
    assert f"{size}.tsr" in told.output
