"""The folder of versions: signed, numbered, never rolled back."""

import resource
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.domain.directory import Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.reason import Reason, text
from exchange.security.authority import Authority
from exchange.security.cades import Signer
from exchange.security.directory import DOCUMENT_BYTES_MAX, exchange_id
from exchange.security.directory_folder import DirectoryFolder, successor, verify_proof
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import KeyPair, load_certificates, load_key_pair
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity
from tests.security.support import DAY, NOW, body, certify, certify_root, directory, encoded


@pytest.fixture(scope="module")
def signer(root: KeyPair) -> Signer:
    """The directory's own."""
    pair = certify(root, "svc-directory", purpose=Purpose.DIRECTORY)
    return Signer(pair.certificate, pair.key)


@pytest.fixture
def folder(tmp_path: Path, root: KeyPair) -> DirectoryFolder:
    """An empty one."""
    return DirectoryFolder(tmp_path / "directory", [root.certificate])


@pytest.fixture
def first(folder: DirectoryFolder, root: KeyPair, signer: Signer, mfa: KeyPair) -> Directory:
    """Version 1, published."""
    return folder.publish(directory(root, body("mfa", mfa)), signer, NOW)


def code(error: pytest.ExceptionInfo[DirectoryRefused]) -> str:
    """Code of the caught error."""
    return error.value.code


def test_publishes_versions_that_continue_each_other(folder: DirectoryFolder, first: Directory, signer: Signer) -> None:
    """All stay readable; the latest is the highest."""
    draft = successor(first, {}, NOW + DAY)
    assert draft.digest == ZERO_DIGEST, "known once it is published"
    second = folder.publish(draft, signer, NOW)
    assert (second.version, second.previous, second.bodies) == (2, first.digest, {})
    assert folder.latest() == second
    assert folder.latest(first) == second
    assert folder.version(1) == first
    assert sorted(path.suffix for path in folder.folder.iterdir()) == [".json", ".json", ".p7s", ".p7s", ".pem"]


def test_polling_an_unchanged_folder_returns_the_known_version(folder: DirectoryFolder, first: Directory) -> None:
    """Nothing is read or verified again."""
    (folder.folder / "directory-1.json").unlink()
    assert folder.latest(first) is first


def test_version_10_follows_9(folder: DirectoryFolder, first: Directory, signer: Signer) -> None:
    """Versions are numbers, not words."""
    current = first
    for _ in range(9):
        current = folder.publish(successor(current, {}, NOW), signer, NOW)
    assert folder.latest().version == 10
    assert folder.latest(first) == current


def test_an_empty_or_absent_folder_says_so(folder: DirectoryFolder) -> None:
    """The next step is in the message."""
    for _ in range(2):
        with pytest.raises(DirectoryRefused, match="publish version 1") as caught:
            folder.latest()
        assert code(caught) == "directory-missing"
        folder.folder.mkdir(exist_ok=True)


def test_a_process_without_file_handles_says_so(folder: DirectoryFolder, first: Directory) -> None:
    """What cannot be looked at is refused, so that who follows the directory goes on by the version before."""
    _, most = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
    try:
        with pytest.raises(DirectoryRefused, match="Too many open files") as refused:
            folder.latest(first)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert code(refused) == "directory-missing"


def test_publishes_only_what_continues(folder: DirectoryFolder, first: Directory, signer: Signer) -> None:
    """A version again, one too far, or one of another history changes nothing."""
    for wrong in (
        replace(first, digest=ZERO_DIGEST),
        replace(successor(first, {}, NOW), version=3),
        replace(successor(first, {}, NOW), previous=b"\1" * 32),
    ):
        with pytest.raises(DirectoryRefused, match="does not continue version 1") as caught:
            folder.publish(wrong, signer, NOW)
        assert code(caught) == "directory-version-invalid"
    assert folder.latest() == first


def test_a_crash_before_the_signature_publishes_nothing(
    folder: DirectoryFolder, first: Directory, signer: Signer
) -> None:
    """A document alone is not a version, and does not block the next attempt."""
    (folder.folder / "directory-2.json").write_bytes(b"half")
    assert folder.latest() == first
    assert folder.publish(successor(first, {}, NOW), signer, NOW).version == 2


def test_refuses_a_roll_back(
    tmp_path: Path, folder: DirectoryFolder, first: Directory, signer: Signer, root: KeyPair
) -> None:
    """Neither an older folder nor another history is taken for the present."""
    second = folder.publish(successor(first, {}, NOW), signer, NOW)
    backup = tmp_path / "backup"
    shutil.copytree(folder.folder, backup)
    (backup / "directory-2.p7s").unlink()
    restored = DirectoryFolder(backup, [root.certificate])
    with pytest.raises(DirectoryRefused, match="ends with version 1, 2 is in use: restore") as caught:
        restored.latest(second)
    assert code(caught) == "directory-rolled-back"
    other = restored.publish(successor(first, {}, NOW + DAY), signer, NOW)
    restored.publish(successor(other, {}, NOW + DAY), signer, NOW)
    with pytest.raises(DirectoryRefused, match="version 3 does not continue version 2") as caught:
        restored.latest(second)
    assert code(caught) == "directory-rolled-back"


def test_refuses_altered_and_mixed_files(folder: DirectoryFolder, first: Directory, signer: Signer) -> None:
    """Document, signature, certificate and number belong together."""
    second = folder.publish(successor(first, {}, NOW), signer, NOW)
    document, signature = folder.folder / "directory-2.json", folder.folder / "directory-2.p7s"
    good = document.read_bytes(), signature.read_bytes()
    cases = [
        (good[0].replace(b'"lanes": 4', b'"lanes": 5'), good[1], "directory-signature-invalid"),
        (good[0], good[1] + b"\0", "directory-signature-invalid"),
        (good[0], (folder.folder / "directory-1.p7s").read_bytes(), "directory-signature-invalid"),
        ((folder.folder / "directory-1.json").read_bytes(), good[1], "directory-signature-invalid"),
        (b"", good[1], "directory-unreadable"),
    ]
    for data, cms, expected in cases:
        document.write_bytes(data)
        signature.write_bytes(cms)
        with pytest.raises(DirectoryRefused) as caught:
            folder.latest()
        assert code(caught) == expected
    document.write_bytes(good[0])
    signature.write_bytes(good[1])
    assert folder.latest() == second


def test_refuses_a_version_under_another_number(folder: DirectoryFolder, first: Directory) -> None:
    """Renamed files are not what a decision named."""
    for suffix in ("json", "p7s"):
        shutil.copy(folder.folder / f"directory-1.{suffix}", folder.folder / f"directory-2.{suffix}")
    with pytest.raises(DirectoryRefused, match=r"directory-2\.json says that it is version 1") as caught:
        folder.latest(first)
    assert code(caught) == "directory-version-invalid"


def test_a_proof_stands_alone(folder: DirectoryFolder, first: Directory, root: KeyPair, mfa: KeyPair) -> None:
    """What is journalled proves the version without the folder; another signer's certificate does not."""
    proof = folder.proof(1)
    shutil.rmtree(folder.folder)
    assert verify_proof(proof, [root.certificate]) == first
    other = certify(root, "svc-directory", purpose=Purpose.DIRECTORY)
    for certificate in (encoded(mfa.certificate), encoded(other.certificate), b"?"):
        with pytest.raises(DirectoryRefused) as caught:
            verify_proof(replace(proof, certificate=certificate), [root.certificate])
        assert code(caught) == "directory-signature-invalid"


def test_refuses_a_signature_without_document(folder: DirectoryFolder, first: Directory) -> None:
    """A version that cannot be read is named, not passed over."""
    (folder.folder / "directory-1.json").unlink()
    with pytest.raises(DirectoryRefused, match=r"directory-1\.json cannot be read") as caught:
        folder.version(first.version)
    assert code(caught) == "directory-missing"


def test_a_huge_file_is_not_read_to_its_end(folder: DirectoryFolder, first: Directory) -> None:
    """Whatever lies there costs as much memory as the largest directory, and a byte."""
    with (folder.folder / "directory-1.json").open("r+b") as file:
        file.truncate(2 * DOCUMENT_BYTES_MAX)
    with pytest.raises(DirectoryRefused, match=f"of {DOCUMENT_BYTES_MAX + 1} bytes"):
        folder.version(first.version)


def test_refuses_a_signer_without_certificate(folder: DirectoryFolder, first: Directory) -> None:
    """The certificate has to be beside the versions."""
    for path in folder.folder.glob("signer-*"):
        path.unlink()
    with pytest.raises(DirectoryRefused, match="certificate-file-missing") as caught:
        folder.version(first.version)
    assert code(caught) == "directory-signature-invalid"


def test_refuses_signers_that_are_not_the_directory_s(
    folder: DirectoryFolder, root: KeyPair, mfa: KeyPair, signer: Signer
) -> None:
    """A body's statement key, a stranger's and an expired one publish nothing."""
    stranger = certify(certify_root("stranger"), "svc-directory", purpose=Purpose.DIRECTORY)
    past = Validity(NOW - 9 * DAY, NOW - DAY)
    expired = certify(root, "svc-directory", purpose=Purpose.DIRECTORY, validity=past)
    for pair, reason in (
        (mfa, text(Reason.CERTIFICATE_PURPOSE)),
        (stranger, text(Reason.CERTIFICATE_UNTRUSTED)),
        (expired, text(Reason.CERTIFICATE_EXPIRED)),
    ):
        with pytest.raises(DirectoryRefused, match=reason) as caught:
            folder.publish(directory(root), Signer(pair.certificate, pair.key), NOW)
        assert code(caught) == "directory-signature-invalid"
    assert folder.publish(directory(root), signer, NOW).version == 1


def test_old_versions_outlive_their_signer(folder: DirectoryFolder, root: KeyPair) -> None:
    """Rule 3.2: verified as of the time of issue."""
    short = certify(root, "svc-directory", purpose=Purpose.DIRECTORY, validity=Validity(NOW - DAY, NOW + DAY))
    old = folder.publish(directory(root), Signer(short.certificate, short.key), NOW)
    new = certify(root, "svc-directory", purpose=Purpose.DIRECTORY)
    later = successor(old, {}, NOW + 100 * DAY)
    folder.publish(later, Signer(new.certificate, new.key), NOW + 100 * DAY)
    assert folder.version(1) == old


def test_refuses_another_exchange(folder: DirectoryFolder, first: Directory, signer: Signer) -> None:
    """The training exchange's directory is nothing in production, even under a shared second root."""
    other = certify_root("production")
    roots = [other.certificate, folder._chains._issuers[0]]
    with pytest.raises(DirectoryRefused, match="version 1 is of another exchange") as caught:
        DirectoryFolder(folder.folder, roots).version(first.version)
    assert code(caught) == "foreign-exchange"
    with pytest.raises(DirectoryRefused) as caught:
        DirectoryFolder(folder.folder.with_name("new"), roots).publish(first, signer, NOW)
    assert code(caught) == "foreign-exchange"


def test_with_the_development_authority(tmp_path: Path) -> None:
    """From an empty folder to a directory, as the demo does it."""
    authority = Authority(tmp_path / "pki", now=NOW)
    roots = load_certificates(authority.statement_root)
    pair = load_key_pair(authority.directory_signer())
    certificate = load_key_pair(authority.body("mfa").statement)
    founding = directory(certificate, body("mfa", certificate))
    founding = replace(founding, exchange=exchange_id(roots[0]))
    folder = DirectoryFolder(tmp_path / "directory", roots)
    published = folder.publish(founding, Signer(pair.certificate, pair.key), NOW)
    assert folder.latest() == published
