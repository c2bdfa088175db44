"""The pair that is to follow a key and its certificate: made beside it, and put in its place.

    statement.key.pem       statement.crt.pem         in use
    statement.next.key.pem  statement.next.csr.pem    made here; the request goes to whoever issues
                            statement.next.crt.pem    comes back

The key never leaves the machine, and no key is certified twice.
"""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.errors import ConfigurationError
from exchange.security.certificates import key_usage
from exchange.security.files import write_atomically
from exchange.security.keys import (
    KeyFiles,
    PrivateKey,
    load_certificate,
    load_key_pair,
    load_passphrase,
    load_private_key,
    make_key,
)
from exchange.security.purpose import Purpose


class Stage(StrEnum):
    """How far the next pair has come."""

    REQUESTED = "requested"
    """Key and request were made now."""
    AWAITED = "awaited"
    """The certificate is not there yet."""
    READY = "ready"
    """The pair is whole."""
    FINISHED = "finished"
    """It is the present pair now."""


def request_file(files: KeyFiles) -> Path:
    """Where the request for the next certificate lies."""
    following = files.next.certificate
    return following.with_name(f"{following.name.removesuffix('.pem').removesuffix('.crt')}.csr.pem")


def prepare_next(files: KeyFiles, purpose: Purpose) -> Stage:
    """Make the next key and its request, unless they are there; go on with a `finish` that was interrupted.

    Args:
        files: the present pair; the request names the same subject.
        purpose: what the certificate is for.

    Raises:
        KeyRefused: the present certificate or what lies there of the next pair cannot be used.
        ConfigurationError: `key-folder-unwritable`.
    """
    following, request = files.next, request_file(files)
    present = load_certificate(files.certificate)
    if following.certificate.exists() and following.key.exists():
        load_key_pair(following)
        return Stage.READY
    if following.certificate.exists():
        finish(files)
        return Stage.FINISHED
    made = not following.key.exists()
    try:
        if made:
            make_key(following.key, None if files.passphrase is None else load_passphrase(files.passphrase))
        if made or not request.exists():
            key = load_private_key(following.key, following.passphrase)
            write_atomically(request, _request(key, present.subject, purpose))
    except OSError as error:
        raise _unwritable(following.key.parent, error) from error
    return Stage.REQUESTED if made else Stage.AWAITED


def finish(files: KeyFiles) -> None:
    """Put the next pair in the place of the present one, whose key is gone then.

    May be done again after a crash at any point; whoever reads in between finds no pair, and goes on with the one read
    before.

    Raises:
        KeyRefused: the next pair is not whole.
        ConfigurationError: `key-folder-unwritable`.
    """
    following = files.next
    if following.key.exists():
        load_key_pair(following)
    else:  # the key was moved, and its certificate not yet
        load_key_pair(replace(files, certificate=following.certificate))
    try:
        if following.key.exists():
            following.key.replace(files.key)
        following.certificate.replace(files.certificate)
        request_file(files).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(following.key.parent, error) from error


def _request(key: PrivateKey, subject: x509.Name, purpose: Purpose) -> bytes:
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(purpose), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purpose.usages), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _unwritable(folder: Path, error: OSError) -> ConfigurationError:
    message = f"{folder} cannot be written ({error.strerror}): run this as the agent's user; systemd's keys it replaces"
    return ConfigurationError(message, code="key-folder-unwritable")
