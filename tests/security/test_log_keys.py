"""Keys of logs and witnesses from files, and the policy: what is loaded and what is refused."""

import stat
from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import make_key
from exchange.security.log_keys import POLICY_BYTES, load_log_key, make_log_key, read_log_policy
from exchange.tlog.note import Kind, Verifier
from tests.requirements import requires_tool
from tests.security.support import openssl


@requires_tool("openssl", debian="openssl")
def test_a_key_comes_back(tmp_path: Path) -> None:
    """Yours alone, PKCS #8 that openssl reads, and the same public half."""
    path = tmp_path / "log.key.pem"
    public = make_log_key(path, "exchange/5f", Kind.NOTE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_log_key(path, "exchange/5f", Kind.NOTE).verifier == public == Verifier.parse(str(public))
    assert "ED25519" in openssl("pkey", "-in", path, "-noout", "-text").stdout


def test_an_encrypted_key(tmp_path: Path) -> None:
    """It opens with the passphrase in its file, and no other way."""
    path, secret = tmp_path / "key.pem", tmp_path / "passphrase"
    public = make_log_key(path, "w.example", Kind.COSIGNATURE, "several words")
    write_atomically(secret, b"several words\n", mode=PRIVATE)
    assert load_log_key(path, "w.example", Kind.COSIGNATURE, secret).verifier == public
    with pytest.raises(ConfigurationError) as refused:
        load_log_key(path, "w.example", Kind.COSIGNATURE)
    assert refused.value.code == "key-encrypted"


def test_keys_that_are_refused(tmp_path: Path) -> None:
    """Missing, readable for others, of another kind, or with a name that is none."""
    path, other = tmp_path / "key.pem", tmp_path / "p256.pem"
    make_log_key(path, "w.example", Kind.COSIGNATURE)
    make_key(other)
    for file, name, code in (
        (tmp_path / "none.pem", "w.example", "key-file-missing"),
        (other, "w.example", "key-unsupported"),
        (path, "two words", "log-name-invalid"),
        (path, "a+b", "log-name-invalid"),
        (path, "a\x07b", "log-name-invalid"),
    ):
        with pytest.raises(ConfigurationError) as refused:
            load_log_key(file, name, Kind.COSIGNATURE)
        assert refused.value.code == code
    path.chmod(0o644)
    with pytest.raises(ConfigurationError) as refused:
        load_log_key(path, "w.example", Kind.COSIGNATURE)
    assert refused.value.code == "key-file-exposed"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "log-policy-missing"),
        (b"", "log-policy-invalid"),
        (b"\xff", "log-policy-invalid"),
        (b"#" * (POLICY_BYTES + 1), "log-policy-invalid"),
        (b"log nobody\nquorum none\n", "log-key-invalid"),
    ],
)
def test_a_policy_that_is_refused(tmp_path: Path, data: bytes | None, code: str) -> None:
    """The file is named."""
    path = tmp_path / "log.policy"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"log\.policy") as refused:
        read_log_policy(path)
    assert refused.value.code == code
