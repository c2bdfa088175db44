"""`exchange adapter`: profiles, check and convert, on real files and without an exchange."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.formats import FORMATS
from exchange.cli import app
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.resources import resource
from exchange.system import now
from tests.adapters.support import DIRECTORY, NOW, draft_of

PROFILE = 'format = "medo-2.6"\n[connector]\nkind = "folder"\npath = "edms"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile, and a letter as an EDMS would drop it."""
    (tmp_path / "edms.toml").write_text(PROFILE)
    package = FORMATS["medo-2.6"].write(draft_of("medo-2.6"), NOW, DIRECTORY, "kat")
    (tmp_path / "kat").mkdir()
    for name, data in package.files.items():
        (tmp_path / "kat" / name).write_bytes(data)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    """`exchange adapter …`."""
    return CliRunner().invoke(app, ["adapter", *map(str, arguments)])


def told(result: Result) -> Any:
    """What it says to programs."""
    return json.loads(result.stdout)["result"]


def test_ready_profiles_are_listed_and_printed() -> None:
    """A printed one is the file, to begin with."""
    assert "infodocs" in run("profiles").stdout
    printed = run("profile", "infodocs")
    assert printed.stdout == resource("config", "agents", "infodocs.toml").read_text(encoding="utf-8")


def test_a_profile_says_what_it_tells(folder: Path) -> None:
    """Each event is tried on its format."""
    said = told(run("profile", folder / "edms.toml", "--json"))
    assert said["told"]["registered"] == "document.xml"
    assert "redirected" in said["silent"]
    assert "not told: accepted" in run("profile", folder / "edms.toml").stdout


@pytest.mark.parametrize("path", ["kat", "kat/document.xml"])
def test_a_letter_is_shown_beside_its_source(folder: Path, path: str) -> None:
    """A folder is a package; a document takes the files that it names from beside it."""
    done = run("check", "--config", folder / "edms.toml", folder / path)
    assert done.exit_code == 0, done.stdout
    assert "understood" in done.stdout
    assert "card.reg_number" in done.stdout
    assert "<xdms:communication" in done.stdout
    assert "Addressees were not looked up" in done.stdout


def test_what_becomes_of_the_document_s_own_signatures(folder: Path) -> None:
    """A line for each, and the same for programs; a bad one refuses nothing."""
    done = run("check", "--config", folder / "edms.toml", "--no-source", folder / "kat")
    assert done.exit_code == 0
    assert "Кат №77.pdf: signature not-verified (signature-unreadable), Н. Б. Өмүралиева" in done.stdout
    (found,) = told(run("check", "--config", folder / "edms.toml", folder / "kat", "--json"))
    assert found["signatures"][0]["reason"] == "signature-unreadable"


def test_every_rule_broken_is_named_with_its_line(folder: Path) -> None:
    """And the exit code says so; for programs too."""
    document = folder / "kat" / "document.xml"
    document.write_bytes(document.read_bytes().replace(b"2022-", b"22-"))
    done = run("check", "--config", folder / "edms.toml", document, "--json")
    assert done.exit_code == 1
    (found,) = told(done)
    assert len(found["faults"]) > 1
    assert "line" in found["faults"][0]
    assert "docs/errors.md, document-invalid" in run("check", "--config", folder / "edms.toml", document).stdout


def test_an_agents_configuration_has_the_directory(folder: Path) -> None:
    """Then identifiers are looked up, and these are not in it."""
    installer = Installer(folder, demo_bodies(), now())
    installer.write_settings("127.0.0.1:1")
    config = installer.installation.config("agent-mfa")
    done = run("check", "--config", config, folder / "kat", "--json")
    (found,) = told(done)
    assert found["code"] == "recipient-unknown"
    assert "error[body-not-here]" in run("check", "--config", config, "--body", "nobody", folder / "kat").stderr
    config.write_text("\n".join(line for line in config.read_text().splitlines() if not line.startswith("edms")))
    assert "error[profile-missing]" in run("check", "--config", config, folder / "kat").stderr


def test_a_letter_is_converted(folder: Path) -> None:
    """Into a folder, with what is lost; and back."""
    out = folder / "out"
    done = run("convert", "--from", "medo-2.6", "--to", "gost53898", "--out", out, folder / "kat", "--json")
    assert done.exit_code == 0, done.stdout
    assert (out / "DocInfo.xml").exists()
    back = run("convert", "--from", "gost53898", "--to", "medo-2.6", "--out", folder / "back", out)
    assert back.exit_code == 0
    assert (folder / "back" / "document.xml").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "--config", "edms.toml", "nothing"), "file-missing"),
        (("check", "--config", "nothing.toml", "kat"), "configuration-missing"),
        (("convert", "--from", "medo-2.6", "--to", "medo-9", "kat"), "format-unknown"),
        (("convert", "--from", "medo-2.6", "--to", "gost53898", "--out", "edms.toml", "kat"), "output-failed"),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its code."""
    monkeypatch.chdir(folder)
    assert f"error[{code}]" in run(*arguments).stderr
