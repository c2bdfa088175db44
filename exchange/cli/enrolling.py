"""What a body and a gateway do alike when they ask to be let in, and are answered."""

from pathlib import Path

from cryptography import x509

from exchange.domain.errors import ConfigurationError
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.enrolment import Answer, decode_answer
from exchange.security.keys import KeyFiles, PrivateKey, load_private_key, make_key


def own_key_of(files: KeyFiles) -> PrivateKey:
    """The key that is there, or a new one.

    Raises:
        KeyRefused: what is there cannot be used.
    """
    if not files.key.exists():
        make_key(files.key)
    return load_private_key(files.key)


def issuers_of(folder: DirectoryFolder) -> tuple[x509.Certificate, ...]:
    """Who issues statement certificates, as the directory says; nobody is known while it is not here yet."""
    if not (folder.folder / TIMESTAMP).exists():
        return ()
    return tuple(map(x509.load_der_x509_certificate, folder.latest().issuers))


def read_answer(file: Path) -> Answer:
    """The operators' answer in a file.

    Raises:
        ConfigurationError: `configuration-missing`.
        EnrolmentRefused: `enrolment-unreadable`.
    """
    return decode_answer(read_file(file))


def read_file(file: Path) -> bytes:
    """A file that is here, or was sent.

    Raises:
        ConfigurationError: `configuration-missing`.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the file that the operators sent"
        raise ConfigurationError(message, code="configuration-missing") from error
