"""What a router decides by, and what it journals of it."""

import dataclasses
import logging
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from exchange.domain.decision import Basis, Place
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.policy import GROUP_VERSIONS
from exchange.journal.grounds import Grounds
from exchange.resources import resource
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher
from exchange.services.router.ground import LOOK_SECONDS, PART_BYTES, FootingFiles
from exchange.wiring.router import _require_usable
from tests.world import NOW, World


class Files:
    """A directory and a policy as a router finds them, with a clock of seconds to be moved on."""

    def __init__(self, folder: Path) -> None:
        """Version 1."""
        self.world = World(folder)
        self.policy = folder / "policy.toml"
        shutil.copyfile(resource("config", "policy.toml"), self.policy)
        self.seconds, self.now = 0.0, NOW
        self.world.publish(folder / "directory")
        directory = DirectoryFolder(folder / "directory", self.world.root)
        self.footings = FootingFiles(directory, self.policy, lambda: self.now, lambda: self.seconds)

    def basis(self) -> Basis:
        """An entry about what is decided by now."""
        ground = self.footings.current().ground
        directory = ground.directory
        place = Place(0, 1, ZERO_DIGEST)
        return Basis(place, NOW, directory.version, directory.digest, ground.policy.digest)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A world of three bodies."""
    return Files(tmp_path)


def test_a_new_version_is_taken_within_seconds(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    """Looked for every two seconds; until then the one before is the present one. Once it is taken, the log says so."""
    caplog.set_level(logging.INFO)
    first = files.footings.current()
    second = files.world.change(dataclasses.replace(files.world.directory.bodies["beta"], kind="agency"))
    assert files.footings.current() is first
    files.seconds += LOOK_SECONDS
    assert files.footings.current().ground.directory == second.directory
    assert "directory version 2" in caplog.text
    assert files.footings.of(first.ground.directory.digest).ground.directory == first.ground.directory
    with pytest.raises(ConfigurationError) as caught:
        files.footings.of(bytes(32))
    assert caught.value.code == "directory-missing"


def test_what_cannot_be_used_is_not_taken(files: Files) -> None:
    """A broken version or policy changes nothing for who runs."""
    first = files.footings.current()
    files.world.change(dataclasses.replace(files.world.directory.bodies["beta"], kind="agency"))
    (files.world.published.folder / "2.snapshot.json").write_bytes(b"{}")
    files.seconds += LOOK_SECONDS
    assert files.footings.current() is first
    files.policy.write_bytes(b"")
    files.seconds += LOOK_SECONDS
    assert files.footings.current() is first


def test_a_rule_about_nobody_is_not_taken(files: Files) -> None:
    """A kind of body that does not exist is a slip: a router does not start with it, and tells of it."""
    with files.policy.open("a") as policy:
        policy.write("[[writing]]\nfrom = 'kind:ministri'\nto = 'all'\nallowed = false\n")
    with pytest.raises(ConfigurationError, match=r"writing\[0\]\.from: 'kind:ministri'") as caught:
        files.footings.current()
    assert caught.value.code == "policy-invalid"


def test_a_directory_that_nobody_vouches_for(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    """Warned of after a day, at an end after two weeks, and in force again with the next timestamp."""
    first = files.footings.current()
    files.now += timedelta(days=1, seconds=1)
    files.seconds += LOOK_SECONDS
    assert files.footings.current() is first
    assert "directory-stale" in caplog.text
    files.now = files.footings.valid_until + timedelta(seconds=1)
    assert files.now > NOW + timedelta(days=13)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="start what signs its timestamp") as caught:
            files.footings.current()
        assert caught.value.code == "directory-expired"
        files.seconds += LOOK_SECONDS
    clock = files.world.authority.directory.publishing().clock
    DirectoryPublisher(files.world.published).stamp(clock, files.now)
    files.seconds += LOOK_SECONDS
    assert files.footings.current() is first


def test_a_router_starts_on_a_directory_that_expired(files: Files) -> None:
    """It decides nothing, but takes the next timestamp; any other fault of a file ends it at once."""
    files.policy.unlink()
    with pytest.raises(ConfigurationError) as caught:
        _require_usable(files.footings)
    assert caught.value.code == "policy-missing"
    shutil.copyfile(resource("config", "policy.toml"), files.policy)
    files.now += timedelta(days=30)
    _require_usable(files.footings)
    clock = files.world.authority.directory.publishing().clock
    DirectoryPublisher(files.world.published).stamp(clock, files.now)
    files.seconds += LOOK_SECONDS
    assert files.footings.current().ground.directory == files.world.directory


def test_only_what_is_new_is_journalled(files: Files) -> None:
    """All files at first; of a change its entry, the list and the snapshot; and always the policy."""
    first = files.footings.current()
    (everything,) = first.parts(ZERO_DIGEST, ZERO_DIGEST)
    files.world.change(dataclasses.replace(files.world.directory.bodies["beta"], kind="agency"))
    files.seconds += LOOK_SECONDS
    second = files.footings.current()
    (changed,) = second.parts(first.ground.directory.digest, first.ground.policy.digest)
    assert len(changed) == 4
    assert {content.data for content in everything} >= {content.data for content in changed[:1]}
    assert len(next(second.parts(bytes(32), bytes(32)))) == len(everything)
    files.policy.write_bytes(files.policy.read_bytes() + b"\n# another\n")
    files.seconds += LOOK_SECONDS
    same = files.footings.current()
    assert same is not second
    (policy,) = same.parts(second.ground.directory.digest, second.ground.policy.digest)
    assert [content.data for content in policy] == [files.policy.read_bytes()], "the directory is known"
    shutil.copyfile(resource("config", "policy.toml"), files.policy)
    files.seconds += LOOK_SECONDS
    grounds = Grounds(files.world.root)
    old = Basis(Place(0, 1, ZERO_DIGEST), NOW, 1, first.ground.directory.digest, first.ground.policy.digest)
    assert grounds.prove(files.basis(), changed) is None, "the rest is missing"
    proven = grounds.prove(old, everything)
    assert proven is not None
    assert proven.directory == first.ground.directory
    proven = grounds.prove(files.basis(), ())
    assert proven is not None
    assert proven.directory == second.ground.directory


def test_snapshots_of_skipped_versions_are_journalled(files: Files) -> None:
    """They lead an auditor from the version that the lane stood on to the one that it stands on next."""
    first = files.footings.current()
    for kind in ("agency", "court", "ministry", "agency"):
        files.world.change(dataclasses.replace(files.world.directory.bodies["beta"], kind=kind))
    files.seconds += LOOK_SECONDS
    fifth = files.footings.current()
    (news,) = fifth.parts(first.ground.directory.digest, first.ground.policy.digest)
    snapshots = {files.world.published.read(f"{version}.snapshot.json") for version in range(2, 6)}
    assert snapshots <= {content.data for content in news}
    assert len(news) == len(snapshots) + 3, "entry, list, policy"


def test_a_large_directory_goes_into_several_records(files: Files) -> None:
    """Each small enough; the ground is proven once the last of them is there."""
    names = dataclasses.replace(files.world.directory.bodies["beta"].names, en="x" * 20_000)
    bodies = files.world.directory.bodies
    many = [
        dataclasses.replace(bodies["beta"], code=f"b-{n}", uids=(), certificates=(), names=names) for n in range(60)
    ]
    files.world.change(*many)
    files.seconds += LOOK_SECONDS
    parts = list(files.footings.current().parts(ZERO_DIGEST, ZERO_DIGEST))
    assert len(parts) == 3
    assert max(sum(len(content.data) for content in part) for part in parts) <= PART_BYTES
    grounds, basis = Grounds(files.world.root), files.basis()
    assert [grounds.prove(basis, part) is None for part in parts] == [True, True, False]
    ground = grounds.get(0, (basis.directory_digest, basis.policy_digest))
    assert ground is not None
    assert grounds.get(1, (basis.directory_digest, basis.policy_digest)) is None, "each lane journals its own"
    assert len(ground.directory.bodies) == 63
    assert digest(files.policy.read_bytes()) == ground.policy.digest


def test_versions_around_the_one_in_force(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    """By these letters to groups are expanded: those that stood in force without reading, others from the folder."""
    first = files.footings.current()
    remembered = first.ground.versions(1)
    assert remembered is not None
    assert remembered.bodies is first.ground.directory.bodies
    assert first.ground.versions(2) is None
    bodies = files.world.directory.bodies
    for kind in ("agency", "court"):
        files.world.change(dataclasses.replace(bodies["beta"], kind=kind))
    files.seconds += LOOK_SECONDS
    third = files.footings.current().ground
    assert third.directory.version == 3
    second = third.versions(2)
    assert second is not None
    assert second.bodies["beta"].kind == "agency"
    assert third.versions(2) == dataclasses.replace(second, entries={})
    assert third.versions(1) is remembered
    assert third.versions(4) is None, "a version is there once its timestamp names it"
    files.world.change(dataclasses.replace(bodies["beta"], kind="council"))
    files.world.change(dataclasses.replace(bodies["beta"], kind="mayor"))
    (files.world.published.folder / "4.snapshot.json").rename(files.world.published.folder / "away")
    files.footings = FootingFiles(
        DirectoryFolder(files.world.published.folder, files.world.root),
        files.policy,
        lambda: files.now,
        lambda: files.seconds,
    )
    fifth = files.footings.current().ground
    assert (fifth.directory.version, fifth.versions(4)) == (5, None)
    assert "directory-missing" in caplog.text


def test_all_versions_that_letters_may_name_are_remembered(files: Files) -> None:
    """Before and behind the one that a lane stands on; each is read once."""
    ground = files.footings.current().ground
    around = range(100, 101 + 2 * GROUP_VERSIONS)
    for number in reversed(around):
        files.footings._remember(dataclasses.replace(ground.directory, version=number))
    assert None not in map(ground.versions, around)


def test_what_proves_another_version(files: Files) -> None:
    """Only the files that the version in force has not; an auditor then knows it too, in that lane."""
    first = files.footings.current()
    files.world.change(dataclasses.replace(files.world.directory.bodies["beta"], kind="agency"))
    files.seconds += LOOK_SECONDS
    second = files.footings.current()
    grounds, basis = Grounds(files.world.root), files.basis()
    for part in second.parts(ZERO_DIGEST, ZERO_DIGEST):
        grounds.prove(basis, part)
    key = (basis.directory_digest, basis.policy_digest)
    ground = grounds.get(0, key)
    assert ground is not None
    assert (ground.versions(1), ground.versions(3)) == (None, None)
    (named,) = second.parts_of(1)
    assert len(named) == 4, "entry, list, snapshot, policy"
    grounds.prove(basis, named)
    assert ground.versions(1) == first.ground.directory
    other = Basis(Place(1, 1, ZERO_DIGEST), NOW, basis.directory_version, *key)
    for part in second.parts(ZERO_DIGEST, ZERO_DIGEST):
        grounds.prove(other, part)
    elsewhere = grounds.get(1, key)
    assert elsewhere is not None
    assert elsewhere.versions(1) is None, "each lane journals its own"
