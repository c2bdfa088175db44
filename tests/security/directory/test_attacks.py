"""What somebody with one key, with the topic, or with bad luck could do to the directory, and cannot."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from exchange.domain.directory import BodyStatus
from exchange.security.directory.ceremony import Holders, Quorum, make_root, sign_root
from exchange.security.directory.changes import edited
from exchange.security.directory.copy import DirectoryCopy
from exchange.security.directory.draft import Draft
from exchange.security.directory.folder import FILE_BYTES_MAX, DirectoryFolder
from exchange.security.directory.keys import DirectoryKeys
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import successor
from exchange.security.errors import DirectoryRefused
from exchange.security.files import write_atomically
from exchange.security.keys import PrivateKey, load_private_key, make_key
from tests.security.directory.test_copy import Source, latest, offer
from tests.security.support import DAY, NOW, body


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DirectoryKeys:
    """Of all roles."""
    return DirectoryKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def source(tmp_path: Path, keys: DirectoryKeys) -> Source:
    """A directory."""
    return Source(tmp_path / "source", keys)


@pytest.fixture
def copy(tmp_path: Path, source: Source) -> DirectoryCopy:
    """A reader's, up to date."""
    copy = DirectoryCopy(tmp_path / "copy", source.folder.root)
    offer(copy, source.files().items())
    copy.take()
    return copy


def suspended(source: Source, code: str = "body-1") -> Draft:
    """What the first keeper enters."""
    head, (one, _) = source.publisher.head(), source.keys.publishing().keepers
    before = head.bodies[code]
    after = dataclasses.replace(before, status=BodyStatus.SUSPENDED)
    entry = edited(before, head.entries[code], after, source.publisher.name_of(one), "r", NOW)
    return source.publisher.draft(dataclasses.replace(head, bodies={**head.bodies, code: entry}), one, NOW)


def approve(source: Source, draft: Draft) -> None:
    """What the second keeper and the clock do."""
    source.publisher.approve(draft, source.keys.publishing().keepers[1], NOW)
    source.publisher.stamp(source.keys.publishing().clock, NOW)


def signed_again(metadata: "Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp]", key: PrivateKey) -> bytes:
    """Altered metadata with one signature."""
    metadata.signatures.clear()
    metadata.sign(CryptoSigner(key))
    return metadata.to_bytes()


def test_one_keeper_brings_nothing_back(source: Source, copy: DirectoryCopy) -> None:
    """An older list, signed by two once, in a version that one keeper puts together: nobody takes it."""
    approve(source, suspended(source))
    known = source.folder.latest()
    offer(copy, source.files().items())
    copy.take()
    folder, role = source.folder.folder, source.folder.list_of(2, "body-1")
    older = Metadata[Snapshot].from_bytes((folder / "1.snapshot.json").read_bytes()).signed.meta[f"{role}.json"]
    metadata = Metadata[Snapshot].from_bytes((folder / "2.snapshot.json").read_bytes())
    metadata.signed.meta[f"{role}.json"] = older
    metadata.signed.version = 3
    metadata.signed.unrecognized_fields["x-previous"] = known.digest.hex()
    (folder / "3.snapshot.json").write_bytes(signed_again(metadata, source.keys.publishing().keepers[0]))
    with pytest.raises(DirectoryRefused, match="brings back an older") as caught:
        source.publisher.stamp(source.keys.publishing().clock, NOW)
    assert caught.value.code == "directory-rolled-back"
    source.publisher.require_clock(source.keys.publishing().clock)
    timestamp = Metadata[Timestamp].from_bytes((folder / TIMESTAMP).read_bytes())
    timestamp.signed.version, timestamp.signed.snapshot_meta.version = 9, 3
    timestamp.signed.snapshot_meta.hashes = {"sha256": DirectoryFolder(folder, copy.root).version(3).digest.hex()}
    (folder / TIMESTAMP).write_bytes(signed_again(timestamp, source.keys.publishing().clock))
    with pytest.raises(DirectoryRefused, match="brings back an older"):
        source.folder.latest(known)
    offer(copy, source.files().items())
    with pytest.raises(DirectoryRefused, match="brings back an older"):
        copy.take()
    assert latest(copy).bodies["body-1"].status is BodyStatus.SUSPENDED


@pytest.mark.parametrize("name", ["../../victim.txt", "/etc/victim", TIMESTAMP, "1.snapshot.json", "2.root.json"])
def test_a_draft_writes_nothing_else(source: Source, name: str) -> None:
    """Only the files of the entries that it shows."""
    draft = suspended(source)
    strange = Draft.decode(Draft(draft.lists, {**draft.files, name: b"mine"}).encode())
    before = source.files()
    with pytest.raises(DirectoryRefused, match="do not name as new") as caught:
        source.publisher.approve(strange, source.keys.publishing().keepers[1], NOW)
    assert caught.value.code == "draft-unreadable"
    assert source.files() == before


def _other_length(targets: Targets) -> None:
    next(target for path, target in targets.targets.items() if "body-1" not in path).length += 1


def _padding(targets: Targets) -> None:
    targets.unrecognized_fields["padding"] = "x" * 1000


def _expired(targets: Targets) -> None:
    targets.expires = NOW


@pytest.mark.parametrize("alter", [_other_length, _padding, _expired])
def test_a_list_with_something_unseen_in_it(source: Source, alter: Callable[[Targets], None]) -> None:
    """What the approving keeper does not see would poison the version for every reader."""
    bodies = {f"x-{number}": body(f"x-{number}") for number in range(40)}
    first = source.folder.latest()
    source.publisher.publish(successor(first, {**first.bodies, **bodies}, NOW), source.keys.publishing(), NOW)
    draft = suspended(source)
    ((role, data),) = draft.lists.items()
    metadata = Metadata[Targets].from_bytes(data)
    alter(metadata.signed)
    altered = Draft({role: signed_again(metadata, source.keys.publishing().keepers[0])}, draft.files)
    with pytest.raises(DirectoryRefused, match="something in it that no command writes") as caught:
        source.publisher.look(altered)
    assert caught.value.code == "directory-change-invalid"


def test_an_entry_too_large_for_anybody(source: Source) -> None:
    """What Kafka would not carry is not written."""
    first = source.folder.latest()
    huge = body("huge")
    huge = dataclasses.replace(huge, names=dataclasses.replace(huge.names, en="x" * FILE_BYTES_MAX))
    with pytest.raises(DirectoryRefused, match="is larger than"):
        source.publisher.publish(successor(first, {**first.bodies, "huge": huge}, NOW), source.keys.publishing(), NOW)
    assert source.folder.head() == first


def test_what_was_so_before_can_be_so_again(source: Source) -> None:
    """A body's entry, or the issuers, as they once were: their files are there already, and are approved again."""
    head, keys = source.publisher.head(), source.keys.publishing()
    for issuers in ((*head.issuers, *source.other_issuer()), head.issuers):
        present = source.publisher.head()
        draft = source.publisher.draft(dataclasses.replace(present, issuers=issuers), keys.keepers[0], NOW)
        source.publisher.approve(draft, keys.keepers[1], NOW)
    assert source.publisher.head().issuers == head.issuers


def rotated(source: Source, folder: Path) -> PrivateKey:
    """Root 2 with another clock, and the version under it; the new clock's key."""
    held = source.keys.root.parent
    roots = {f"root-{number}": load_private_key(held / f"root-{number}.key.pem") for number in (1, 2, 3)}
    make_key(folder / "clock")
    clock, keys = load_private_key(folder / "clock"), source.keys.publishing()
    keepers = {f"keeper-{number}": key.public_key() for number, key in enumerate(keys.keepers, 1)}
    public = {name: key.public_key() for name, key in roots.items()}
    root = make_root(Holders(Quorum(public, 2), Quorum(keepers, 2), clock.public_key()), 2, NOW)
    for key in list(roots.values())[:2]:
        root = sign_root(root, key, source.folder.root)
    source.publisher.rotate(root)
    draft = source.publisher.draft(source.publisher.head(), keys.keepers[0], NOW)
    source.publisher.approve(draft, keys.keepers[1], NOW)
    source.publisher.stamp(clock, NOW + DAY)
    return clock


def test_a_stolen_clock_runs_ahead(source: Source, copy: DirectoryCopy, tmp_path: Path) -> None:
    """Whatever number it signed: after the next root the new clock's numbers count."""
    metadata = Metadata[Timestamp].from_bytes((source.folder.folder / TIMESTAMP).read_bytes())
    metadata.signed.version = 10**9
    copy.offer(TIMESTAMP, signed_again(metadata, source.keys.publishing().clock))
    copy.take()
    rotated(source, tmp_path)
    offer(copy, source.files().items())
    assert copy.take() == latest(copy) == source.folder.latest()


def test_a_root_that_is_none_does_not_stay_in_the_way(source: Source, copy: DirectoryCopy) -> None:
    """Junk under the next root's name is dropped, and what is good is taken."""
    copy.offer("2.root.json", b"junk")
    changed = source.change("new-1")
    offer(copy, source.files().items())
    assert copy.take() == changed


@pytest.mark.parametrize("new_root", [False, True])
def test_a_copy_is_killed_at_any_file(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, new_root: bool
) -> None:
    """The first time, or under a new root with a new clock: the next attempt takes all, wherever the last one ended."""
    begun = DirectoryCopy(tmp_path / "begun", source.folder.root)
    if new_root:
        offer(begun, source.files().items())
        begun.take()
        rotated(source, tmp_path)
    begun.folder.mkdir(exist_ok=True)
    left = [0]

    def until_full(path: Path, data: bytes) -> None:
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        write_atomically(path, data)

    monkeypatch.setattr("exchange.security.directory.copy.write_atomically", until_full)
    for count in range(60):
        folder = tmp_path / f"killed-{count}"
        shutil.copytree(begun.folder, folder)
        left[0] = 1_000
        killed = DirectoryCopy(folder, source.folder.root)
        offer(killed, source.files().items())
        left[0] = count
        try:
            killed.take()
        except OSError:
            left[0] = 1_000
            again = DirectoryCopy(folder, source.folder.root)
            offer(again, source.files().items())
            again.take()
            assert latest(again) == source.folder.latest()
        else:
            break
    assert count > 3, "it was killed at several files"
