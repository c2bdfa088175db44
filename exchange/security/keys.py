"""Private keys and certificates from files.

A key that others on the machine can read is no longer the body's alone, so it is refused before a
byte of it is used. Accepted are the keys of rule 1.4: ECDSA P-256 and RSA of at least 2048 bits.
A key may be encrypted; its passphrase lies in a file of its own, never in settings, and is in no
message and no log. systemd can give either file (`LoadCredential=`).
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from exchange.security.errors import KeyRefused
from exchange.security.files import PRIVATE, write_atomically

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

RSA_BITS_MIN = 2048
_MISSING = {
    "key": "key-file-missing",
    "certificate": "certificate-file-missing",
    "passphrase": "passphrase-file-missing",
}
_ENDINGS = (".key.pem", ".crt.pem")
_FILE_BYTES_MAX = 64 * 1024
_PASSPHRASE_BYTES_MAX = 1023  # what OpenSSL takes


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where a private key and its certificate are, both PEM; `passphrase` when the key is encrypted."""

    key: Path
    certificate: Path
    passphrase: Path | None = None

    @property
    def next(self) -> "KeyFiles":
        """Where the pair lies that is to follow: `statement.next.key.pem` beside `statement.key.pem`."""
        return KeyFiles(_next(self.key), _next(self.certificate), self.passphrase)


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """A private key with the certificate of its public half; never shown in a log."""

    key: PrivateKey
    certificate: x509.Certificate


def _next(path: Path) -> Path:
    ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), path.suffix)
    return path.with_name(f"{path.name.removesuffix(ending)}.next{ending}")


def load_key_pair(files: KeyFiles) -> KeyPair:
    """Load a private key and its certificate.

    Raises:
        KeyRefused: as `load_private_key` and `load_certificate`; `key-certificate-mismatch`.
    """
    key = load_private_key(files.key, files.passphrase)
    certificate = load_certificate(files.certificate)
    if certified_key(certificate, str(files.certificate)) != key.public_key():
        message = f"{files.certificate} is not the certificate of the key {files.key}: put the matching pair there"
        raise KeyRefused(message, code="key-certificate-mismatch")
    return KeyPair(key, certificate)


def load_private_key(path: Path, passphrase: Path | None = None) -> PrivateKey:
    """Load a PEM private key that only its owner can read.

    Args:
        path: the key.
        passphrase: file with the key's passphrase; None when the key is not encrypted.

    Raises:
        KeyRefused: as `unlock_private_key` and `load_passphrase`.
    """
    return unlock_private_key(path, None if passphrase is None else load_passphrase(passphrase))


def unlock_private_key(path: Path, passphrase: str | None) -> PrivateKey:
    """Load a PEM private key that only its owner can read, with its passphrase itself.

    Raises:
        KeyRefused: `key-file-missing`, `key-file-exposed` (group or others have any right on it),
            `key-file-unreadable` (no PEM key, corrupt), `key-encrypted`, `key-not-encrypted`,
            `passphrase-wrong`, `key-unsupported`, `key-too-weak`.
    """
    key = read_private_key(path, passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyRefused(f"{path} is a {type(key).__name__}: use ECDSA P-256 or RSA", code="key-unsupported")
    require_strong(key.public_key(), str(path))
    return key


def read_private_key(path: Path, passphrase: str | None) -> PrivateKeyTypes:
    """A PEM private key of any kind that only its owner can read; whoever wants it says which kinds are good.

    Raises:
        KeyRefused: `key-file-missing`, `key-file-exposed`, `key-file-unreadable`, `key-encrypted`,
            `key-not-encrypted`, `passphrase-wrong`.
    """
    data = _read(path, kind="key", private=True)
    try:
        return serialization.load_pem_private_key(data, password=None if passphrase is None else passphrase.encode())
    except TypeError as error:
        raise _encryption_refused(path, encrypted=passphrase is None) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if passphrase is not None and b"ENCRYPTED" in data:
            message = f"{path} does not open with the passphrase given for it: give its own passphrase"
            raise KeyRefused(message, code="passphrase-wrong") from error
        raise KeyRefused(f"{path} holds no PEM private key: write the key there again") from error


def load_passphrase(path: Path) -> str:
    """The passphrase in a file that only its owner can read: its one line.

    Raises:
        KeyRefused: `passphrase-file-missing`, `passphrase-file-unreadable` (not one line of UTF-8 with 1 to 1,023
            bytes), `key-file-exposed`.
    """
    line = _read(path, kind="passphrase", private=True).removesuffix(b"\n").removesuffix(b"\r")
    try:
        passphrase = line.decode()
    except UnicodeDecodeError:
        passphrase = ""
    if not passphrase or not passphrase.isprintable() or len(line) > _PASSPHRASE_BYTES_MAX:
        message = f"{path} is not one line of UTF-8 text: write the passphrase there, and nothing else"
        raise KeyRefused(message, code="passphrase-file-unreadable")
    return passphrase


def _encryption_refused(path: Path, *, encrypted: bool) -> KeyRefused:
    """Whoever gives a passphrase believes the key encrypted, so one that is not is told too."""
    if encrypted:
        message = f"{path} is encrypted: name the file of its passphrase with passphrase_file"
        return KeyRefused(message, code="key-encrypted")
    message = f"{path} is not encrypted, and a passphrase is given for it: encrypt it, or give none"
    return KeyRefused(message, code="key-not-encrypted")


def make_key(path: Path, passphrase: str | None = None) -> bytes:
    """Make a P-256 private key in a file that only its owner can read; the public half as PEM.

    Args:
        path: where the key goes.
        passphrase: what encrypts it; None leaves it unencrypted.

    Raises:
        OSError: the file cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    write_private_key(path, key, passphrase)
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def write_private_key(path: Path, key: PrivateKeyTypes, passphrase: str | None) -> None:
    """Put a key into a file that only its owner can read, PKCS #8 in PEM, encrypted when there is a passphrase.

    Raises:
        OSError: the file cannot be written.
    """
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    write_atomically(path, private, mode=PRIVATE)


def load_public_key(path: Path) -> PublicKey:
    """Load a PEM public key.

    Raises:
        KeyRefused: `key-file-missing`, `key-file-unreadable`, and as `require_strong`.
    """
    try:
        key = serialization.load_pem_public_key(_read(path, kind="key"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused(f"{path} holds no PEM public key: ask its holder for the .pub file") from error
    return require_strong(key, str(path))


def load_certificate(path: Path) -> x509.Certificate:
    """Load the first PEM certificate of a file.

    Raises:
        KeyRefused: as `load_certificates`.
    """
    return load_certificates(path)[0]


def load_certificates(path: Path) -> list[x509.Certificate]:
    """Load all PEM certificates of a file, at least one; of trust roots the first names the exchange.

    Raises:
        KeyRefused: `certificate-file-missing`, `certificate-file-unreadable`.
    """
    try:
        return x509.load_pem_x509_certificates(_read(path, kind="certificate"))
    except (ValueError, x509.InvalidVersion) as error:
        message = f"{path} holds no PEM certificate: write the certificate there again"
        raise KeyRefused(message, code="certificate-file-unreadable") from error


def certified_key(certificate: x509.Certificate, owner: str) -> PublicKey:
    """The key of a certificate when rule 1.4 accepts it; `owner` names it in the error.

    Raises:
        KeyRefused: as `require_strong`; `key-unsupported` also for a key of unknown kind (GOST).
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused(f"{owner}: {error}: use ECDSA P-256 or RSA", code="key-unsupported") from error
    return require_strong(key, owner)


def require_strong(key: object, owner: str) -> PublicKey:
    """Return `key` when rule 1.4 accepts it; `owner` names it in the error.

    Raises:
        KeyRefused: `key-unsupported` (neither P-256 nor RSA), `key-too-weak` (RSA under 2048 bits).
    """
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < RSA_BITS_MIN:
            message = f"{owner}: RSA of {key.key_size} bits is too weak: use {RSA_BITS_MIN} or more, or ECDSA P-256"
            raise KeyRefused(message, code="key-too-weak")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    kind = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
    raise KeyRefused(f"{owner}: {kind} is not accepted: use ECDSA P-256 or RSA", code="key-unsupported")


def _read(path: Path, *, kind: str, private: bool = False) -> bytes:
    """The file's bytes; rights are read from the open file, so it cannot be exchanged in between."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            mode = stat.S_IMODE(status.st_mode)
            if private and is_exposed(mode, status.st_uid, status.st_gid):
                message = f"{path} has mode {mode:04o}, others can read or change it: run chmod 600 {path}"
                raise KeyRefused(message, code="key-file-exposed")
            return file.read(_FILE_BYTES_MAX)
    except FileNotFoundError as error:
        raise KeyRefused(f"{path} is missing: put the {kind} there", code=_MISSING[kind]) from error
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read: {error.strerror}", code=f"{kind}-file-unreadable") from error


def is_exposed(mode: int, user: int, group: int) -> bool:
    """Whether others than a file's owner have rights on it.

    systemd gives a credential as root's file with an access control entry for the service's user, and
    the mode then shows that entry as rights of the group (acl(5)): 0440 of root:root. Whoever is in root's group
    is the administrator anyway.
    """
    if (user, group) == (0, 0):
        return bool(mode & 0o037)
    return bool(mode & 0o077)
