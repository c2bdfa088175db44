"""Bearer tokens: made once, kept as digests, withdrawn by taking out a line."""

from datetime import date
from pathlib import Path
from random import Random

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.security.token_file import FILE_BYTES
from exchange.security.tokens import Tokens, add_grant, make_token

TODAY = date(2026, 3, 1)
RANDOM = Random(5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where tokens are kept."""
    return tmp_path / "tokens"


def made(file: Path, body: str, purpose: str = "") -> str:
    """A new token of a body, in the file."""
    token, grant = make_token(body, TODAY, purpose, RANDOM.randbytes)
    add_grant(file, grant)
    return token


def test_each_token_opens_its_body(file: Path) -> None:
    """As many as there are systems; nothing else opens anything."""
    first, second, other = made(file, "mfa"), made(file, "mfa"), made(file, "minjust")
    tokens = Tokens(file)
    assert [tokens.body_of(token) for token in (first, second, other)] == ["mfa", "mfa", "minjust"]
    assert [tokens.body_of(token) for token in ("", first[:-1], first.upper(), "\ud800")] == [None] * 4


def test_the_file_gives_nothing_away(file: Path) -> None:
    """It holds digests, whose they are and what for, and is private all the same."""
    token = made(file, "mfa", "Infodocs,\nbuilding 2")
    text = file.read_text(encoding="utf-8")
    assert token not in text
    assert text.startswith("mfa ")
    assert text.endswith(" 2026-03-01 Infodocs, building 2\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_people_write_there_stays(file: Path) -> None:
    """Comments and empty lines; a last line without an end gets one."""
    old, grant = make_token("mfa", date(2026, 1, 1), "old", RANDOM.randbytes)
    file.write_text(written := f"# ours\n\n{grant.line()}", encoding="utf-8")
    new = made(file, "minjust")
    assert file.read_text(encoding="utf-8").startswith(f"{written}\nminjust ")
    tokens = Tokens(file)
    assert [tokens.body_of(token) for token in (old, new)] == ["mfa", "minjust"]


def test_a_withdrawn_token_opens_nothing(file: Path) -> None:
    """The file is read again when it changes."""
    token = made(file, "mfa")
    tokens = Tokens(file)
    assert tokens.body_of(token) == "mfa"
    file.write_text("", encoding="utf-8")
    assert tokens.body_of(token) is None
    new = made(file, "mfa")
    assert tokens.body_of(new) == "mfa"
    file.unlink()
    with pytest.raises(ConfigurationError) as refused:
        tokens.body_of(new)
    assert refused.value.code == "tokens-invalid"


@pytest.mark.parametrize(
    "text",
    [
        "mfa",
        "mfa 00 2026-01-01",
        "mfa " + "0" * 64,
        "MFA " + "0" * 64 + " 2026-01-01",
        "mfa " + "x" * 64 + " 2026-01-01",
        b"\xff",
        b"#" * (FILE_BYTES + 1),
    ],
    ids=range(7),
)
def test_files_that_are_none(file: Path, text: str | bytes) -> None:
    """Nothing is added to them, and no agent starts with them."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationError) as refused:
        made(file, "mfa")
    assert refused.value.code == "tokens-invalid"
    with pytest.raises(ConfigurationError):
        Tokens(file)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Said in words, with the next step."""
    (tmp_path / "plain").touch()
    with pytest.raises(ConfigurationError, match="give the right"):
        made(tmp_path / "plain" / "tokens", "mfa")
