"""`exchange root`: three holders, two keepers and a clock found an exchange, and later replace a key."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.errors import DirectoryRefused
from tests.security.support import certify_root


class Ceremony:
    """People with their keys in one folder."""

    def __init__(self, folder: Path) -> None:
        """Everybody makes a key pair."""
        self.folder = folder
        for name in ("ada", "bek", "cholpon", "keeper-1", "keeper-2", "clock"):
            assert self.run("key", self.path(name)).exit_code == 0

    def configure(self) -> None:
        """Write an operator's settings; Kafka is not asked for anything."""
        kafka = '[kafka]\nbootstrap = "localhost:1"\nca = "a"\ncertificate = "b"\nkey = "c"\n'
        directory = '[directory]\nfolder = "directory"\nroot = "1.root.json"\n'
        rest = '[store]\nurl = "sqlite:///none.sqlite"\n[cluster]\nreplication = 1\nmin_insync = 1\n'
        (self.folder / "operator.toml").write_text(kafka + directory + rest)

    def path(self, name: str) -> str:
        """A file's path."""
        return str(self.folder / name)

    def run(self, *arguments: str) -> Result:
        """`exchange root …`."""
        return CliRunner().invoke(app, ["root", *arguments])

    def new(self, file: str, *more: str, clock: str = "clock") -> Result:
        """Write a root that names everybody."""
        holders = [part for name in ("ada", "bek", "cholpon") for part in ("--root", self.path(f"{name}.pub"))]
        keepers = [part for number in (1, 2) for part in ("--keeper", self.path(f"keeper-{number}.pub"))]
        return self.run("new", self.path(file), *holders, *keepers, "--clock", self.path(f"{clock}.pub"), *more)

    def sign(self, file: str, name: str, *more: str) -> Result:
        """One holder signs."""
        return self.run("sign", self.path(file), "--key", self.path(name), *more)


@pytest.fixture
def ceremony(tmp_path: Path) -> Ceremony:
    """Before anything is signed."""
    return Ceremony(tmp_path)


def test_a_ceremony(ceremony: Ceremony) -> None:
    """From keys to a first root that readers accept; each step says what is missing."""
    assert stat.S_IMODE((ceremony.folder / "ada").stat().st_mode) == 0o600
    assert ceremony.new("1.root.json").exit_code == 0
    for name, still in (("ada", 1), ("bek", 0)):
        assert ceremony.sign("1.root.json", name).exit_code == 0
        looked = ceremony.run("show", ceremony.path("1.root.json"))
        assert looked.exit_code == still, looked.stdout
    assert "2 of 3" in looked.stdout
    assert "its holders: 2 of 2 have signed" in looked.stdout
    root = (ceremony.folder / "1.root.json").read_bytes()
    told = json.loads(ceremony.run("show", ceremony.path("1.root.json"), "--json").stdout)["result"]
    folder = DirectoryFolder(ceremony.folder / "directory", root)
    assert told["digest"] == folder.exchange.hex()
    ceremony.configure()
    (ceremony.folder / "issuer.pem").write_bytes(certify_root().certificate.public_bytes(Encoding.PEM))
    options = [part for number in (1, 2) for part in ("--key", ceremony.path(f"keeper-{number}"))]
    options += ["--lanes", "8", "--partitions", "4", "--issuer", ceremony.path("issuer.pem")]
    options += ["--clock", ceremony.path("clock"), "--config", ceremony.path("operator.toml")]
    found = ("directory", "found", *options)
    done = CliRunner().invoke(app, found)
    assert done.stdout == f"exchange {told['digest']} is founded\n"
    assert (folder.latest().version, folder.latest().lanes, folder.latest().bodies) == (1, 8, {})
    again = CliRunner().invoke(app, found)
    assert again.stderr.startswith("error[directory-version-invalid]")


def test_one_signature_is_no_root(ceremony: Ceremony) -> None:
    """Nor is the same holder's twice."""
    ceremony.new("1.root.json")
    for _ in range(2):
        ceremony.sign("1.root.json", "ada")
    assert ceremony.run("show", ceremony.path("1.root.json")).exit_code == 1
    with pytest.raises(DirectoryRefused, match=r"lacks 1 signature \(2 must sign\), not signed by bek, cholpon"):
        DirectoryFolder(ceremony.folder / "directory", (ceremony.folder / "1.root.json").read_bytes())


def test_a_key_is_replaced(ceremony: Ceremony) -> None:
    """The next root is signed by enough holders of both; a stranger's signature is not even written."""
    ceremony.new("1.root.json")
    for name in ("ada", "bek"):
        ceremony.sign("1.root.json", name)
    ceremony.run("key", ceremony.path("new-clock"))
    before = ("--before", ceremony.path("1.root.json"))
    assert "root 2" in ceremony.new("2.root.json", *before, clock="new-clock").stdout
    assert ceremony.sign("2.root.json", "new-clock", *before).stderr.startswith("error[root-key-unknown]")
    ceremony.sign("2.root.json", "cholpon", *before)
    assert ceremony.run("show", ceremony.path("2.root.json"), *before).exit_code == 1
    ceremony.sign("2.root.json", "bek", *before)
    looked = ceremony.run("show", ceremony.path("2.root.json"), *before)
    assert looked.exit_code == 0
    assert "holders of the root before: 2 of 2 have signed" in looked.stdout
    wrong = ceremony.run("show", ceremony.path("2.root.json"), "--before", ceremony.path("2.root.json"))
    assert wrong.stderr.startswith("error[directory-version-invalid]")


def test_nothing_is_overwritten(ceremony: Ceremony) -> None:
    """A key that is there stays; neither half of another pair is mixed with it."""
    before = (ceremony.folder / "ada").read_bytes()
    assert ceremony.run("key", ceremony.path("ada")).stderr.startswith("error[key-file-exists]")
    (ceremony.folder / "ada").rename(ceremony.folder / "elsewhere")
    assert ceremony.run("key", ceremony.path("ada")).stderr.startswith("error[key-file-exists]")
    assert (ceremony.folder / "elsewhere").read_bytes() == before


def test_a_root_is_not_overwritten(ceremony: Ceremony) -> None:
    """Its signatures would be lost without a word."""
    ceremony.new("1.root.json")
    ceremony.sign("1.root.json", "ada")
    before = (ceremony.folder / "1.root.json").read_bytes()
    assert ceremony.new("1.root.json").stderr.startswith("error[root-file-exists]")
    assert (ceremony.folder / "1.root.json").read_bytes() == before


@pytest.mark.parametrize("role", ["--root", "--keeper"])
def test_two_holders_are_not_one(ceremony: Ceremony, role: str) -> None:
    """Files of the same name in two folders would count once."""
    other = ceremony.folder / "other"
    other.mkdir()
    name = {"--root": "ada.pub", "--keeper": "keeper-1.pub"}[role]
    (other / name).write_bytes((ceremony.folder / "cholpon.pub").read_bytes())
    told = ceremony.new("1.root.json", role, str(other / name))
    assert told.stderr.startswith(f"error[directory-field-invalid]: {role}: two files are called {name}")
    assert not (ceremony.folder / "1.root.json").exists()


@pytest.mark.parametrize("name", ["ada", "keeper-2"])
def test_the_clock_s_key_is_nobody_else_s(ceremony: Ceremony, name: str) -> None:
    """Who breaks into its machine must not sign for a person."""
    told = ceremony.new("1.root.json", clock=name)
    assert told.stderr.startswith(f"error[directory-field-invalid]: --clock is the key of {name}")
    assert not (ceremony.folder / "1.root.json").exists()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--threshold", "4"), "directory-field-invalid"),
        (("--keepers", "3"), "directory-field-invalid"),
        (("--before", "missing.json"), "directory-missing"),
        (("--keeper", "missing.pub"), "key-file-missing"),
        (("--keeper", __file__), "key-file-unreadable"),
    ],
)
def test_what_cannot_be_a_root_is_refused(ceremony: Ceremony, more: tuple[str, str], code: str) -> None:
    """With the reason, and no file is left."""
    assert ceremony.new("1.root.json", *more).stderr.startswith(f"error[{code}]")
    assert not (ceremony.folder / "1.root.json").exists()
    assert ceremony.run("show", __file__).stderr.startswith("error[directory-unreadable]")
