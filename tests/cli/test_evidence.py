"""`exchange evidence`: from an archive's folder to a package that stock tools check by the printed commands."""

import html
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from exchange_verify.__main__ import main

from exchange.services.archive.serving import log_app
from tests.requirements import requires_tool
from tests.services.archive.served import served
from tests.services.evidence.desk import Desk, opened

pytestmark = [requires_tool("openssl", debian="openssl"), requires_tool("unzip", debian="unzip")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Decisions by a revocation list, a time-stamped checkpoint, an authority that answers."""
    with opened(tmp_path_factory.mktemp("desk"), listed=True) as found:
        yield found


def typed(command: str, folder: Path) -> tuple[int, str]:
    """A command as the report prints it, in a shell."""
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_stock_tools_and_the_verifier_check_it_by_the_printed_commands(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every signature and time-stamp, by what the command prints and the reports repeat."""
    packed = desk.packed("case.asice")
    assert (packed["level"], packed["events"], packed["withheld"]) == ("LTA", 6, [])
    *commands, whole = packed["commands"]
    said = [typed(command, desk.folder) for command in commands]
    assert [code for code, _ in said] == [0] * len(commands), said
    assert sum("CMS Verification successful" in text for _, text in said) == 6
    assert sum("Verification: OK" in text for _, text in said) == 2
    assert whole == "exchange-verify case.asice --root 1.root.json --policy log.policy --tsa-root tsa-root.crt.pem"
    monkeypatch.chdir(desk.folder)
    assert main(whole.split()[1:]) == 0
    assert "Everything that is claimed holds." in capsys.readouterr().out
    for language in ("ky", "ru", "en"):
        report = html.unescape((desk.folder / f"case/report.{language}.html").read_text())
        assert all(command in report for command in packed["commands"])


def test_a_tampered_byte_fails_by_the_printed_commands(desk: Desk) -> None:
    """In a statement, in the manifest, in a checkpoint."""
    folder = desk.folder / "tampered"
    folder.mkdir()
    commands = desk.packed("tampered/case.asice")["commands"]
    (folder / "tsa-root.crt.pem").write_bytes(desk.authority.root.read_bytes())
    unpack = [command for command in commands if command.startswith("unzip")]
    assert all(typed(command, folder)[0] == 0 for command in unpack)
    stamped = next((folder / "case/tokens").glob("*.checkpoint"))
    for file in (folder / "case/statements/0001-letter/statement", folder / "case/META-INF/ASiCManifest.xml", stamped):
        data = file.read_bytes()
        file.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    failed = [command for command in commands if command.startswith("openssl") and typed(command, folder)[0] != 0]
    assert len(failed) == 3


def test_what_is_withheld_is_said(desk: Desk) -> None:
    """And nowhere in the package."""
    done = desk.run("-o", desk.folder / "withheld.asice", "--withhold", "card", "--withhold", "2", "--unstamped")
    assert done.exit_code == 0, done.output
    assert "level B" in done.stdout
    assert "item 2 of 0001-letter is not in it: withheld" in done.stdout
    with zipfile.ZipFile(desk.folder / "withheld.asice") as package:
        assert "META-INF/timestamp.tst" not in package.namelist()
        index = json.loads(package.read("case.json"))
        assert [each["file"] for each in index["contents"]] == [None, "contents/0001-file", None, None, None]
        assert not any(b"01-5/123" in package.read(name) for name in package.namelist())


def test_who_read_the_letter_is_left_out_unless_asked_for(desk: Desk) -> None:
    """Sign-ins of people stand in what they did, which nobody needs to prove what was said."""
    assert desk.packed("quiet.asice", "--unstamped")["events"] == 6
    assert b"a.asanova" not in (desk.folder / "quiet.asice").read_bytes()
    assert desk.packed("acts.asice", "--unstamped", "--acts")["events"] == 7
    assert b"a.asanova" in (desk.folder / "acts.asice").read_bytes()


def test_a_recipient_s_package(desk: Desk) -> None:
    """What concerns its own delivery; nobody else has one."""
    assert desk.packed("beta.asice", "--unstamped", "--body", "beta")["events"] == 4
    done = desk.run("-o", desk.folder / "none.asice", "--body", "nobody")
    assert "evidence-body-unknown" in done.stderr


def test_by_an_address_alone(desk: Desk) -> None:
    """The very package that the folder gives with all contents withheld: who answers gives none."""
    near = desk.packed("near.asice", "--withhold", "all", "--unstamped")
    with served(log_app(desk.folder / "archive", with_entries=True)) as url:
        text = (desk.folder / "auditor.toml").read_text().replace('folder = "archive"', f'url = "{url}"')
        (desk.folder / "remote.toml").write_text(text)
        done = desk.run("-o", desk.folder / "far.asice", "--unstamped", "--json", config="remote.toml")
    assert done.exit_code == 0, done.output
    far = json.loads(done.stdout)["result"]
    assert (far["level"], far["events"], far["withheld"]) == (near["level"], near["events"], near["withheld"])
    assert (desk.folder / "far.asice").read_bytes() == (desk.folder / "near.asice").read_bytes()


def test_a_refused_letter_has_its_package(desk: Desk) -> None:
    """A refusal cannot be withheld from whoever holds the letter's id."""
    assert desk.packed("refused.asice", "--unstamped", letter=desk.refused)["events"] == 1


def test_a_letter_that_is_not_there_is_told(desk: Desk) -> None:
    """With the code, and no package."""
    unknown = type(desk.letter)(b"other", b"", ())
    done = desk.run("-o", desk.folder / "none.asice", letter=unknown)
    assert done.exit_code != 0
    assert "letter-not-archived" in done.stderr
    assert not (desk.folder / "none.asice").exists()


def test_a_configuration_without_archive_is_told(desk: Desk, tmp_path: Path) -> None:
    """With the tables that are missing."""
    whole = (desk.folder / "auditor.toml").read_text()
    (tmp_path / "auditor.toml").write_text(whole[: whole.index("[archive]")])
    alone = Desk(tmp_path, desk.letter, desk.refused, desk.authority)
    assert "[archive]" in alone.run("-o", tmp_path / "none.asice").stderr
