"""The folder of versions: signed, numbered, never rolled back, readable by any client of the framework."""

import dataclasses
import json
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from exchange.domain.directory import Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory.entries import encode_body
from exchange.security.directory.folder import FILE_BYTES_MAX, DirectoryFolder
from exchange.security.directory.keys import DirectoryKeys
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import VALID_FOR, DirectoryPublisher, PublishingKeys, successor
from exchange.security.directory.roots import Files, Roots
from exchange.security.directory.version import read_version
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import KeyPair, PrivateKey
from tests.security.support import DAY, NOW, body, directory


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DirectoryKeys:
    """Of all roles."""
    return DirectoryKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def folder(tmp_path: Path, keys: DirectoryKeys) -> DirectoryFolder:
    """An empty one."""
    return DirectoryFolder(tmp_path / "directory", keys.found(NOW))


@pytest.fixture
def publisher(folder: DirectoryFolder) -> DirectoryPublisher:
    """Of the folder."""
    return DirectoryPublisher(folder)


@pytest.fixture
def first(publisher: DirectoryPublisher, keys: DirectoryKeys, root: KeyPair, mfa: KeyPair) -> Directory:
    """Version 1, published."""
    return publisher.publish(directory(root, body("mfa", mfa)), keys.publishing(), NOW)


def refusal(folder: DirectoryFolder, known: Directory | None = None) -> str:
    """Code with which the newest version is refused."""
    with pytest.raises(DirectoryRefused) as caught:
        folder.latest(known)
    return caught.value.code


def fresh(folder: DirectoryFolder) -> DirectoryFolder:
    """A reader that has read nothing yet."""
    return DirectoryFolder(folder.folder, folder.root)


def private_key() -> PrivateKey:
    """A new one."""
    return ec.generate_private_key(ec.SECP256R1())


def test_publishes_versions_that_continue_each_other(
    folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """All stay readable; the latest is the one that the timestamp names."""
    draft = successor(first, {}, NOW + DAY)
    assert draft.digest == ZERO_DIGEST, "known once it is published"
    second = publisher.publish(draft, keys.publishing(), NOW)
    assert (second.version, second.previous, second.bodies) == (2, first.digest, {})
    for reader in (folder, fresh(folder)):
        assert reader.latest() == second
        assert reader.latest(first) == second
        assert reader.version(1) == first
    assert first.exchange == folder.exchange


def test_only_what_changed_is_written(
    folder: DirectoryFolder, publisher: DirectoryPublisher, keys: DirectoryKeys, root: KeyPair
) -> None:
    """One entry, the list that names it, the snapshot: so much is journalled of a change, too."""
    bodies = [body(f"body-{number}") for number in range(40)]
    before = publisher.publish(directory(root, *bodies), keys.publishing(), NOW)
    files = set(folder.folder.rglob("*.json"))
    changed = dataclasses.replace(bodies[7], kind="agency")
    publisher.publish(successor(before, {**before.bodies, "body-7": changed}, NOW), keys.publishing(), NOW)
    new = sorted(path.name for path in set(folder.folder.rglob("*.json")) - files)
    assert len(new) == 3
    assert new[0] == "2.snapshot.json" or new[0].startswith("2.bodies-")
    assert sum(name.endswith(".body-7.json") for name in new) == 1
    assert len(folder.files(2)) == len(folder.files(1))


@pytest.mark.parametrize(("data", "code"), [(b"{}", "directory-file-differs"), (None, "directory-missing")])
def test_an_entry_that_stays_is_looked_at_before_the_next_version_is_written(
    folder: DirectoryFolder,
    publisher: DirectoryPublisher,
    root: KeyPair,
    keys: DirectoryKeys,
    data: bytes | None,
    code: str,
) -> None:
    """A reader who begins anew would miss it; the publisher has read it before, and does not go by that."""
    first = publisher.publish(directory(root, body("mfa"), body("minjust")), keys.publishing(), NOW)
    assert folder.latest() == first
    (entry,) = (folder.folder / name for name, digest in folder.files(1).items() if digest == first.entries["minjust"])
    entry.unlink()
    if data is not None:
        entry.write_bytes(data)
    changed = {**first.bodies, "mfa": dataclasses.replace(first.bodies["mfa"], kind="agency")}
    with pytest.raises(DirectoryRefused) as caught:
        publisher.publish(successor(first, changed, NOW), keys.publishing(), NOW)
    assert caught.value.code == code
    assert not [*folder.folder.glob("2.*")]


def test_any_client_of_the_framework_reads_it(
    tmp_path: Path, folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """python-tuf's own client fetches and verifies an entry, knowing only the first root."""
    publisher.publish(successor(first, first.bodies, NOW + DAY), keys.publishing(), NOW)
    for name in ("metadata", "entries"):
        (tmp_path / name).mkdir()

    class FromFolder(FetcherInterface):
        def _fetch(self, url: str) -> Iterator[bytes]:
            path = folder.folder / url.removeprefix("https://directory/")
            if not path.exists():
                raise DownloadHTTPError(url, 404)
            yield path.read_bytes()

    url = "https://directory/"
    client = Updater(
        str(tmp_path / "metadata"), url, str(tmp_path / "entries"), url, FromFolder(), bootstrap=folder.root
    )
    entry = client.get_targetinfo("bodies/mfa.json")
    assert entry is not None
    assert Path(client.download_target(entry)).read_bytes() == encode_body(first.bodies["mfa"])
    assert client.get_targetinfo("bodies/nobody.json") is None


def test_an_unchanged_folder_is_not_read_again(folder: DirectoryFolder, first: Directory) -> None:
    """Only timestamp and snapshot are."""
    (folder.folder / "1.targets.json").unlink()
    assert folder.latest(first) is first


def test_an_empty_or_absent_folder_says_so(folder: DirectoryFolder) -> None:
    """The next step is in the message."""
    for _ in range(2):
        with pytest.raises(DirectoryRefused, match="restore it from another reader's copy") as caught:
            folder.latest()
        assert caught.value.code == "directory-missing"
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
    assert refused.value.code == "directory-missing"


def test_publishes_only_what_continues(
    folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """A version again, one too far, or one of another history changes nothing."""
    for wrong in (
        dataclasses.replace(first, digest=ZERO_DIGEST),
        dataclasses.replace(successor(first, {}, NOW), version=3),
        dataclasses.replace(successor(first, {}, NOW), previous=b"\1" * 32),
    ):
        with pytest.raises(DirectoryRefused, match="does not continue version 1") as caught:
            publisher.publish(wrong, keys.publishing(), NOW)
        assert caught.value.code == "directory-version-invalid"
    assert folder.latest() == first


def test_a_crash_before_the_timestamp_publishes_nothing(
    folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """What no timestamp names is not in force; signing the timestamp is all that is missing."""
    kept = (folder.folder / TIMESTAMP).read_bytes()
    publisher.publish(successor(first, {}, NOW), keys.publishing(), NOW)
    (folder.folder / TIMESTAMP).write_bytes(kept)
    reader = fresh(folder)
    assert reader.latest() == first
    assert DirectoryPublisher(reader).stamp(keys.publishing().clock, NOW).version == 2
    assert reader.latest(first).bodies == {}


def test_refuses_a_roll_back(
    tmp_path: Path, folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """Neither an older folder nor another history is taken for the present."""
    backup = tmp_path / "backup"
    shutil.copytree(folder.folder, backup)
    second = publisher.publish(successor(first, {}, NOW), keys.publishing(), NOW)
    restored = DirectoryFolder(backup, folder.root)
    with pytest.raises(DirectoryRefused, match="ends with version 1, 2 is in use: restore") as caught:
        restored.latest(second)
    assert caught.value.code == "directory-rolled-back"
    elsewhere = DirectoryPublisher(restored)
    other = elsewhere.publish(successor(first, {}, NOW + DAY), keys.publishing(), NOW)
    assert refusal(restored, second) == "directory-file-differs"
    elsewhere.publish(successor(other, {}, NOW + DAY), keys.publishing(), NOW)
    with pytest.raises(DirectoryRefused, match="version 3 does not continue version 2") as caught:
        restored.latest(second)
    assert caught.value.code == "directory-rolled-back"


def test_an_older_timestamp_is_a_roll_back(
    folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """Also of the same version: who holds back news is found out by who heard them."""
    older = (folder.folder / TIMESTAMP).read_bytes()
    publisher.stamp(keys.publishing().clock, NOW + DAY)
    assert folder.newest().valid_until == (NOW + DAY + VALID_FOR).replace(microsecond=0)
    assert folder.newest().fresh_until == NOW + 2 * DAY
    (folder.folder / TIMESTAMP).write_bytes(older)
    assert refusal(folder, first) == "directory-rolled-back"


def altered(folder: DirectoryFolder, name: str, change: str, into: str) -> bytes:
    """A file's bytes with one thing in it changed."""
    data = (folder.folder / name).read_text()
    assert change in data
    return data.replace(change, into).encode()


def test_refuses_altered_and_mixed_files(
    folder: DirectoryFolder, publisher: DirectoryPublisher, first: Directory, keys: DirectoryKeys
) -> None:
    """Each file is signed, or named by its digest in one that is."""
    changed = {"mfa": dataclasses.replace(first.bodies["mfa"], kind="agency")}
    second = publisher.publish(successor(first, changed, NOW), keys.publishing(), NOW)
    (listing,) = (path.name for path in folder.folder.glob("2.bodies-*.json"))
    (entry,) = (name for name, digest in folder.files(2).items() if digest == second.entries["mfa"])
    cases = [
        (TIMESTAMP, altered(folder, TIMESTAMP, '"version":2}', '"version":1}'), "directory-signature-invalid"),
        (TIMESTAMP, b"", "directory-unreadable"),
        (TIMESTAMP, b"[" * 100_000, "directory-unreadable"),
        (TIMESTAMP, (folder.folder / "2.snapshot.json").read_bytes(), "directory-unreadable"),
        ("2.snapshot.json", altered(folder, "2.snapshot.json", '"x-root":1', '"x-root":2'), "directory-rolled-back"),
        ("2.snapshot.json", (folder.folder / "1.snapshot.json").read_bytes(), "directory-unreadable"),
        (listing, (folder.folder / listing.replace("2.", "1.")).read_bytes(), "directory-file-differs"),
        (entry, (folder.folder / entry).read_bytes().replace(b"agency", b"bureau"), "directory-file-differs"),
    ]
    for name, data, expected in cases:
        good = (folder.folder / name).read_bytes()
        (folder.folder / name).write_bytes(data)
        assert refusal(fresh(folder)) == expected, name
        (folder.folder / name).write_bytes(good)
    assert fresh(folder).latest() == second


def test_a_version_that_is_not_there_is_named(folder: DirectoryFolder, first: Directory) -> None:
    """Nothing is passed over."""
    (folder.folder / "1.targets.json").unlink()
    with pytest.raises(DirectoryRefused, match=r"1\.targets\.json cannot be read") as caught:
        fresh(folder).version(first.version)
    assert caught.value.code == "directory-missing"


def test_a_huge_file_is_not_read_to_its_end(folder: DirectoryFolder, first: Directory) -> None:
    """Whatever lies there costs as much memory as the largest file that may, and a byte."""
    with (folder.folder / f"{first.version}.snapshot.json").open("r+b") as file:
        file.truncate(2 * FILE_BYTES_MAX)
    assert len(folder.read("1.snapshot.json")) == FILE_BYTES_MAX + 1


def test_other_keys_publish_nothing(
    folder: DirectoryFolder, publisher: DirectoryPublisher, keys: DirectoryKeys, root: KeyPair
) -> None:
    """A stranger's keys, one keeper alone or twice, a role's key in another's place."""
    right = keys.publishing()
    one, other = right.keepers
    for keepers in ((private_key(), private_key()), (one,), (one, one), (one, private_key()), (one, right.clock)):
        with pytest.raises(DirectoryRefused, match="not signed by") as caught:
            publisher.publish(directory(root), PublishingKeys(keepers, right.clock), NOW)
        assert caught.value.code == "directory-signature-invalid"
    with pytest.raises(DirectoryRefused, match="is not the clock's"):
        publisher.publish(directory(root), PublishingKeys((other, one), private_key()), NOW)
    assert refusal(folder) == "directory-missing", "nothing was written"


def test_a_certificate_speaks_for_one_body_once(
    publisher: DirectoryPublisher, keys: DirectoryKeys, root: KeyPair, mfa: KeyPair
) -> None:
    """Else the signer of a statement would be a matter of order; and so for identifiers."""
    for bodies in (
        (body("mfa", mfa), body("minjust", mfa)),
        (body("mfa", mfa, mfa),),
        (body("mfa", uids=("one",)), body("minjust", uids=("one",))),
    ):
        with pytest.raises(DirectoryRefused, match="list it once") as caught:
            publisher.publish(directory(root, *bodies), keys.publishing(), NOW)
        assert caught.value.code == "directory-field-invalid"


def test_a_journal_proves_a_version_by_itself(folder: DirectoryFolder, first: Directory) -> None:
    """The files by their digests, and the auditor's own copy of the first root."""
    files = Files()
    for name in folder.files(1):
        files.add(folder.read(name))
    roots = Roots(folder.root)
    roots.follow(files.read)
    assert read_version(1, files.read, roots, digest=first.digest).directory == first
    with pytest.raises(DirectoryRefused) as caught:
        read_version(1, files.read, roots, digest=bytes(32))
    assert caught.value.code == "directory-missing"


def test_what_is_no_metadata(folder: DirectoryFolder) -> None:
    """Any bytes where metadata is due are refused by name."""
    for data in (b"", b"null", b"{}", b"\xff", json.dumps({"signatures": [], "signed": {}}).encode()):
        with pytest.raises(DirectoryRefused, match=r"1\.root\.json") as caught:
            DirectoryFolder(folder.folder, data)
        assert caught.value.code == "directory-unreadable"
