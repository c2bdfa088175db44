"""Keys of transparency logs and of their witnesses, and the policy that says whose count, from files.

They are Ed25519 and sign checkpoints, nothing else (ADR 0018); files and refusals are those of `keys`.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.domain.errors import ConfigurationError
from exchange.security.errors import KeyRefused
from exchange.security.keys import load_passphrase, read_private_key, write_private_key
from exchange.tlog.errors import LogRefused
from exchange.tlog.note import Kind, Signer, Verifier, is_name
from exchange.tlog.policy import LogPolicy, parse_log_policy

POLICY_BYTES = 64 * 1024


def make_log_key(path: Path, name: str, kind: Kind, passphrase: str | None = None) -> Verifier:
    """Make a key in a file that only its owner can read; its public half.

    Args:
        path: where the key goes.
        name: what it signs as: of a log the log's name, of a witness a name like an address, without a scheme.
        kind: what its signatures mean.
        passphrase: what encrypts it; None leaves it unencrypted.

    Raises:
        ConfigurationError: `log-name-invalid`.
        OSError: the file cannot be written.
    """
    require_log_name(name)
    key = Ed25519PrivateKey.generate()
    write_private_key(path, key, passphrase)
    return Signer(name, kind, key).verifier


def load_log_key(path: Path, name: str, kind: Kind, passphrase: Path | None = None) -> Signer:
    """Load a key that only its owner can read, to sign as `name`.

    Args:
        path: the key, PEM.
        name: as for `make_log_key`.
        kind: what its signatures mean.
        passphrase: file with the key's passphrase; None when the key is not encrypted.

    Raises:
        KeyRefused: as `read_private_key` and `load_passphrase`; `key-unsupported`: it is not Ed25519.
        ConfigurationError: `log-name-invalid`.
    """
    require_log_name(name)
    key = read_private_key(path, None if passphrase is None else load_passphrase(passphrase))
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{path} is a {type(key).__name__}, not Ed25519: make one with `exchange log key`"
        raise KeyRefused(message, code="key-unsupported")
    return Signer(name, kind, key)


def require_log_name(name: str) -> None:
    """Refuse what can be no name in a signature's line.

    Raises:
        ConfigurationError: `log-name-invalid`.
    """
    if not is_name(name) or not name.isprintable():
        message = f"'{name[:100]}' cannot name a key: write a name without blanks and plus signs, like witness.example"
        raise ConfigurationError(message, code="log-name-invalid")


def read_log_policy(path: Path) -> LogPolicy:
    """The policy in a file.

    Raises:
        ConfigurationError: `log-policy-missing`; `log-policy-invalid`, `log-key-invalid`: it is a wrong one.
    """
    try:
        with path.open("rb") as file:
            data = file.read(POLICY_BYTES + 1)
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): put the log's policy there"
        raise ConfigurationError(message, code="log-policy-missing") from error
    if len(data) > POLICY_BYTES:
        message = f"{path} is longer than {POLICY_BYTES} bytes: is it another file? put the log's policy there"
        raise ConfigurationError(message, code="log-policy-invalid")
    try:
        return parse_log_policy(data.decode())
    except UnicodeDecodeError as error:
        message = f"{path} is no text in UTF-8: put the log's policy there"
        raise ConfigurationError(message, code="log-policy-invalid") from error
    except LogRefused as error:
        raise ConfigurationError(f"{path}: {error}", code=error.code) from error
