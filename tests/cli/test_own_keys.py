"""Keys of people, kept encrypted: the passphrase is asked for, once in a command, and never shown."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import load_private_key
from tests.cli.directory.place import Place


def run(*arguments: str, typed: str) -> Result:
    """A command, and what somebody types."""
    return CliRunner().invoke(app, list(arguments), input=typed)


def test_a_holder_s_key_is_made_and_used_encrypted(tmp_path: Path) -> None:
    """Said twice when it is made, asked for when it signs; a wrong one signs nothing."""
    names = [str(tmp_path / name) for name in ("ada", "bek", "clock")]
    for name in names:
        made = run("root", "key", name, "--encrypted", typed="Ала-Тоо\nАла-Тоо\n")
        assert made.exit_code == 0, made.stderr
    assert b"ENCRYPTED" in (tmp_path / "ada").read_bytes()
    holders = [part for name in names[:2] for kind in ("--root", "--keeper") for part in (kind, f"{name}.pub")]
    root = str(tmp_path / "1.root.json")
    assert run("root", "new", root, *holders, "--clock", f"{names[2]}.pub", typed="").exit_code == 0
    wrong = run("root", "sign", root, "--key", names[0], typed="Ала-Арча\n")
    assert wrong.exit_code == 3
    assert "error[passphrase-wrong]" in wrong.stderr
    assert "Ала-Арча" not in wrong.output
    for name in names[:2]:
        assert run("root", "sign", root, "--key", name, typed="Ала-Тоо\n").exit_code == 0
    assert run("root", "show", root, typed="").exit_code == 0


@pytest.mark.parametrize(("typed", "exit_code"), [("secret\n", 0), ("", 1)])
def test_a_keeper_is_asked_once(place: Place, tmp_path: Path, typed: str, exit_code: int) -> None:
    """Though the key is used for the name and for the signature; who says nothing changes nothing."""
    key = load_private_key(Path(place.keeper(0)))
    lock = serialization.BestAvailableEncryption(b"secret")
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    write_atomically(Path(place.keeper(0)), data, mode=PRIVATE)
    draft = tmp_path / "draft.json"
    entering = ("suspend", "mfa", "--reason", "because", "--key", place.keeper(0), "--draft", str(draft))
    done = run("directory", *entering, "--config", str(place.config), typed=typed)
    assert done.exit_code == exit_code, done.stderr
    assert draft.exists() is (exit_code == 0)
    assert done.stderr.count("Passphrase of") == 1
