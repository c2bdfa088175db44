"""Key files: what is loaded and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from exchange.security.errors import KeyRefused
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import (
    KeyFiles,
    KeyPair,
    certified_key,
    is_exposed,
    load_certificates,
    load_key_pair,
    load_passphrase,
    load_private_key,
)
from tests.security.support import certify, encoded, openssl, rsa_key, write_pair

AnyKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def pem(key: AnyKey, password: bytes | None = None) -> bytes:
    """PKCS#8 PEM of a key."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def secret(folder: Path, text: str) -> Path:
    """A file with a passphrase."""
    path = folder / "passphrase"
    write_atomically(path, text.encode(), mode=PRIVATE)
    return path


def refusal(path: Path, passphrase: Path | None = None) -> KeyRefused:
    """The error of loading a key."""
    with pytest.raises(KeyRefused) as caught:
        load_private_key(path, passphrase)
    assert str(path) in str(caught.value)
    return caught.value


def test_loads_a_matching_pair(tmp_path: Path, pair: KeyPair) -> None:
    """Both kinds of key come back as they were written."""
    certificate, key = write_pair(tmp_path, "mfa", pair)
    key.chmod(PRIVATE)
    loaded = load_key_pair(KeyFiles(key, certificate))
    assert loaded.certificate == pair.certificate
    assert loaded.key.public_key() == pair.key.public_key()


def test_refuses_a_certificate_of_another_key(tmp_path: Path, mfa: KeyPair, minjust: KeyPair) -> None:
    """A mix-up of files is found before anything is signed."""
    certificate, key = write_pair(tmp_path, "mixed", KeyPair(mfa.key, minjust.certificate))
    key.chmod(PRIVATE)
    with pytest.raises(KeyRefused, match=str(certificate)) as caught:
        load_key_pair(KeyFiles(key, certificate))
    assert caught.value.code == "key-certificate-mismatch"


def test_names_the_certificate_that_is_not_accepted(tmp_path: Path, root: KeyPair, mfa: KeyPair) -> None:
    """Of the two files the one that has to be replaced."""
    weak = certify(root, "weak", key=rsa_key(1024))
    certificate, key = write_pair(tmp_path, "weak", KeyPair(mfa.key, weak.certificate))
    key.chmod(PRIVATE)
    with pytest.raises(KeyRefused, match=str(certificate)) as caught:
        load_key_pair(KeyFiles(key, certificate))
    assert caught.value.code == "key-too-weak"


@pytest.mark.parametrize("mode", [0o660, 0o604, 0o644, 0o610, 0o601, 0o777])
def test_refuses_an_exposed_key(tmp_path: Path, mfa: KeyPair, mode: int) -> None:
    """Any right of group or others is one too many (but see credentials); the message says what to run."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem(mfa.key))
    path.chmod(mode)
    error = refusal(path)
    assert error.code == "key-file-exposed"
    assert "chmod 600" in str(error)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_accepts_a_private_key_file(tmp_path: Path, mfa: KeyPair, mode: int) -> None:
    """Read-only is stricter still."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem(mfa.key))
    path.chmod(mode)
    assert load_private_key(path).public_key() == mfa.key.public_key()


@pytest.mark.parametrize(
    ("key", "code", "kind"),
    [
        (rsa.generate_private_key(65537, 1024), "key-too-weak", "RSA of 1024 bits"),  # noqa: S505 - weak on purpose
        (ec.generate_private_key(ec.SECP384R1()), "key-unsupported", "secp384r1"),
        (ed25519.Ed25519PrivateKey.generate(), "key-unsupported", "Ed25519PrivateKey"),
    ],
    ids=["rsa-1024", "p-384", "ed25519"],
)
def test_refuses_other_keys(tmp_path: Path, key: AnyKey, code: str, kind: str) -> None:
    """Only what rule 1.4 names signs statements."""
    path = tmp_path / "key.pem"
    write_atomically(path, pem(key), mode=PRIVATE)
    error = refusal(path)
    assert error.code == code
    assert kind in str(error)


@pytest.mark.parametrize(
    ("algorithm", "words"), [("2b6570", "Ed25519PublicKey is not accepted"), ("2b6501", "use ECDSA P-256 or RSA")]
)
def test_refuses_certificates_of_other_keys(root: KeyPair, algorithm: str, words: str) -> None:
    """Of a kind that rule 1.4 does not name, and of one that nobody here has heard of, such as GOST."""
    key: Any = ed25519.Ed25519PrivateKey.generate()
    known = encoded(certify(root, "other", key=key).certificate)
    other = known.replace(bytes.fromhex("06032b6570"), bytes.fromhex(f"0603{algorithm}"))
    with pytest.raises(KeyRefused, match=f"^its owner: .*{words}") as caught:
        certified_key(x509.load_der_x509_certificate(other), "its owner")
    assert caught.value.code == "key-unsupported"


def test_refuses_missing_and_unreadable_keys(tmp_path: Path) -> None:
    """Each says what to do."""
    assert refusal(tmp_path / "absent.pem").code == "key-file-missing"
    folder = tmp_path / "folder"
    folder.mkdir()
    assert refusal(folder).code == "key-file-unreadable"


@pytest.mark.requires_tool(name="openssl", debian="openssl")
@pytest.mark.parametrize(
    "form",
    [
        ("-v2", "aes-256-cbc", "-iter", "10000"),
        ("-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"),
        ("-scrypt", "-scrypt_N", "1024"),
    ],
    ids=["pbkdf2-sha256", "pbkdf2-sha512", "scrypt"],
)
def test_opens_what_openssl_encrypted(tmp_path: Path, pair: KeyPair, form: tuple[str, ...]) -> None:
    """PKCS #8 with PBES2 in every form that OpenSSL writes, and a passphrase that is not ASCII."""
    passphrase = secret(tmp_path, "Ат-Башы 1916\n")
    certificate, key = write_pair(tmp_path, "mfa", pair)
    locked = tmp_path / "locked.pem"
    done = openssl("pkcs8", "-topk8", *form, "-in", key, "-out", locked, "-passout", f"file:{passphrase}")
    assert done.returncode == 0, done.stderr
    locked.chmod(PRIVATE)
    assert load_key_pair(KeyFiles(locked, certificate, passphrase)).key.public_key() == pair.key.public_key()


def test_encrypted_keys_and_their_passphrases_go_together(tmp_path: Path, mfa: KeyPair) -> None:
    """None, a wrong one and one that is not needed are told apart, and never shown."""
    locked, plain = tmp_path / "locked.pem", tmp_path / "plain.pem"
    write_atomically(locked, pem(mfa.key, b"right"), mode=PRIVATE)
    write_atomically(plain, pem(mfa.key), mode=PRIVATE)
    assert refusal(locked).code == "key-encrypted"
    wrong = refusal(locked, secret(tmp_path, "not at all"))
    assert wrong.code == "passphrase-wrong"
    assert "not at all" not in str(wrong)
    assert refusal(plain, secret(tmp_path, "right")).code == "key-not-encrypted"
    assert load_private_key(locked, secret(tmp_path, "right\r\n")).public_key() == mfa.key.public_key()


@pytest.mark.parametrize("text", ["", "\n", "two\nlines\n", "a\0b", "x" * 1024])
def test_a_passphrase_is_one_line(tmp_path: Path, text: str) -> None:
    """Anything else is a mix-up of files, found before it opens or fails to open anything."""
    with pytest.raises(KeyRefused, match="one line") as caught:
        load_passphrase(secret(tmp_path, text))
    assert caught.value.code == "passphrase-file-unreadable"


def test_a_passphrase_is_kept_like_its_key(tmp_path: Path) -> None:
    """Missing, exposed, and not UTF-8."""
    path = secret(tmp_path, "right")
    path.chmod(0o644)
    for file, code in ((tmp_path / "absent", "passphrase-file-missing"), (path, "key-file-exposed")):
        with pytest.raises(KeyRefused) as caught:
            load_passphrase(file)
        assert caught.value.code == code
    write_atomically(path, b"\xff\xfe", mode=PRIVATE)
    with pytest.raises(KeyRefused, match="UTF-8"):
        load_passphrase(path)


def test_credentials_of_systemd_are_not_exposed() -> None:
    """0440 of root:root is what systemd's access control entry looks like; of anybody else it is a group's right."""
    assert not is_exposed(0o440, 0, 0)
    assert not is_exposed(0o400, 0, 0)
    for mode, user, group in ((0o440, 1000, 0), (0o440, 0, 1000), (0o444, 0, 0), (0o460, 0, 0), (0o440, 1000, 1000)):
        assert is_exposed(mode, user, group)


def test_only_the_beginning_of_a_huge_file_is_read(tmp_path: Path, mfa: KeyPair) -> None:
    """The wrong file costs 64 KB of memory, whatever stands behind."""
    path = tmp_path / "key.pem"
    write_atomically(path, b"#" * 64 * 1024 + b"\n" + pem(mfa.key), mode=PRIVATE)
    assert refusal(path).code == "key-file-unreadable"


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_key(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """No bytes raise anything but the family, with or without PEM lines around them."""
    path = tmp_path_factory.mktemp("key") / "key.pem"
    for content in (data, b"-----BEGIN PRIVATE KEY-----\n" + data + b"\n-----END PRIVATE KEY-----\n"):
        write_atomically(path, content, mode=PRIVATE)
        assert refusal(path).code == "key-file-unreadable"


def test_refuses_bad_certificate_files(tmp_path: Path) -> None:
    """Missing and unreadable ones have codes of their own."""
    path = tmp_path / "crt.pem"
    with pytest.raises(KeyRefused) as caught:
        load_certificates(path)
    assert caught.value.code == "certificate-file-missing"
    path.write_bytes(b"no certificate")
    for unreadable in (path, tmp_path):
        with pytest.raises(KeyRefused, match=str(unreadable)) as caught:
            load_certificates(unreadable)
        assert caught.value.code == "certificate-file-unreadable"
