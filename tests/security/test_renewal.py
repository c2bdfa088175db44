"""The pair that is to follow: made, asked for, put in place, and interrupted anywhere."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange.domain.errors import ConfigurationError
from exchange.security.authority import Authority
from exchange.security.errors import KeyRefused
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import KeyFiles, KeyPair, load_certificate, load_key_pair, load_private_key
from exchange.security.purpose import STATEMENT_USAGE, Purpose
from exchange.security.renewal import Stage, finish, prepare_next, request_file
from tests.security.support import NOW, certify


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    """A body's present statement pair."""
    return Authority(tmp_path, now=NOW - timedelta(days=1)).body("mfa").statement


def issue(files: KeyFiles, root: KeyPair) -> x509.Certificate:
    """The next certificate arrives, for the key that was asked for."""
    key = load_private_key(files.next.key, files.passphrase)
    certificate = certify(root, "mfa", key=key).certificate
    files.next.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    return certificate


def test_where_the_next_pair_lies(tmp_path: Path) -> None:
    """Beside the present one, whatever its files are called."""
    following = KeyFiles(tmp_path / "statement.key.pem", tmp_path / "mfa.2026.crt.pem", tmp_path / "p").next
    assert (following.key.name, following.certificate.name) == ("statement.next.key.pem", "mfa.2026.next.crt.pem")
    assert following.passphrase == tmp_path / "p"
    other = KeyFiles(tmp_path / "mfa.key", tmp_path / "mfa.cer")
    assert (other.next.key.name, other.next.certificate.name) == ("mfa.next.key", "mfa.next.cer")
    assert request_file(other).name == "mfa.next.cer.csr.pem"


@pytest.mark.parametrize("purpose", [Purpose.STATEMENT, Purpose.CLIENT])
def test_a_key_and_a_request_are_made_once(files: KeyFiles, purpose: Purpose) -> None:
    """For the same subject and what the certificate is for; asked again, nothing changes."""
    assert prepare_next(files, purpose) is Stage.REQUESTED
    key = files.next.key.read_bytes()
    request = x509.load_pem_x509_csr(request_file(files).read_bytes())
    assert request.is_signature_valid
    assert request.subject == load_certificate(files.certificate).subject
    assert request.public_key() == load_private_key(files.next.key).public_key()
    usages = list(request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert (STATEMENT_USAGE in usages, ExtendedKeyUsageOID.CLIENT_AUTH in usages) == (purpose.signs, not purpose.signs)
    assert request.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment is purpose.signs
    assert prepare_next(files, purpose) is Stage.AWAITED
    request_file(files).unlink()
    assert prepare_next(files, purpose) is Stage.AWAITED
    assert x509.load_pem_x509_csr(request_file(files).read_bytes()).public_key() == request.public_key()
    assert files.next.key.read_bytes() == key
    assert files.next.key.stat().st_mode & 0o777 == PRIVATE


def test_the_next_key_has_the_same_passphrase(files: KeyFiles, root: KeyPair, tmp_path: Path) -> None:
    """Whoever keeps keys encrypted finds the next one encrypted, too."""
    write_atomically(tmp_path / "p", b"Ala-Too\n", mode=PRIVATE)
    locked = KeyFiles(files.key, files.certificate, tmp_path / "p")
    prepare_next(locked, Purpose.STATEMENT)
    with pytest.raises(KeyRefused) as caught:
        load_private_key(files.next.key)
    assert caught.value.code == "key-encrypted"
    certificate = issue(locked, root)
    assert prepare_next(locked, Purpose.STATEMENT) is Stage.READY
    finish(locked)
    assert load_key_pair(locked).certificate == certificate


def test_the_next_pair_takes_the_place(files: KeyFiles, root: KeyPair) -> None:
    """Nothing of it is left beside."""
    prepare_next(files, Purpose.STATEMENT)
    certificate = issue(files, root)
    assert prepare_next(files, Purpose.STATEMENT) is Stage.READY
    finish(files)
    assert load_key_pair(files).certificate == certificate
    assert list(files.key.parent.glob("*.next.*")) == []


def test_an_interrupted_finish_is_gone_on_with(files: KeyFiles, root: KeyPair) -> None:
    """The key was moved and the machine went off: no other key is made, the certificate follows."""
    prepare_next(files, Purpose.STATEMENT)
    certificate = issue(files, root)
    files.next.key.replace(files.key)
    assert prepare_next(files, Purpose.STATEMENT) is Stage.FINISHED
    assert load_key_pair(files).certificate == certificate
    assert prepare_next(files, Purpose.STATEMENT) is Stage.REQUESTED


def test_what_is_no_pair_takes_no_place(files: KeyFiles, root: KeyPair) -> None:
    """A certificate of another key, with and without a key beside it; and none at all."""
    present = load_key_pair(files).certificate
    with pytest.raises(KeyRefused) as caught:
        finish(files)
    assert caught.value.code == "certificate-file-missing"
    write_atomically(files.next.certificate, certify(root, "mfa").certificate.public_bytes(Encoding.PEM))
    for attempt in (lambda: prepare_next(files, Purpose.STATEMENT), lambda: finish(files)):
        with pytest.raises(KeyRefused) as caught:
            attempt()
        assert caught.value.code == "key-certificate-mismatch"
    assert load_key_pair(files).certificate == present


def test_a_folder_that_cannot_be_written(tmp_path: Path, files: KeyFiles) -> None:
    """As the one where systemd shows its credentials."""
    request_file(files).mkdir()
    with pytest.raises(ConfigurationError) as caught:
        prepare_next(files, Purpose.STATEMENT)
    assert caught.value.code == "key-folder-unwritable"
    assert tmp_path.exists()
