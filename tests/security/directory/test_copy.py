"""A copy of the directory takes versions whole and proven, from whoever hands over the files."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.directory import Directory
from exchange.security.directory.copy import DirectoryCopy
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.keys import DirectoryKeys
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.errors import DirectoryRefused
from tests.security.support import DAY, NOW, body, certify_root, directory


class Source:
    """A directory that changes, and the files that were written for each change."""

    def __init__(self, folder: Path, keys: DirectoryKeys) -> None:
        """Version 1, with a few bodies."""
        self.folder = DirectoryFolder(folder, keys.found(NOW))
        self.keys = keys
        self.publisher = DirectoryPublisher(self.folder)
        bodies = (body(f"body-{number}") for number in range(3))
        self.publisher.publish(directory(certify_root(), *bodies), keys.publishing(), NOW)

    def change(self, code: str) -> Directory:
        """One more body."""
        latest = self.folder.latest()
        following = successor(latest, {**latest.bodies, code: body(code)}, NOW)
        return self.publisher.publish(following, self.keys.publishing(), NOW)

    def stamp(self) -> None:
        """Vouch for another day."""
        self.publisher.stamp(self.keys.publishing().clock, NOW + DAY)

    def other_issuer(self) -> tuple[bytes]:
        """Another authority's certificate."""
        return (certify_root().certificate.public_bytes(Encoding.DER),)

    def files(self) -> dict[str, bytes]:
        """All that is there now, by name."""
        found = self.folder.folder.rglob("*.json")
        return {str(path.relative_to(self.folder.folder)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DirectoryKeys:
    """Of all roles."""
    return DirectoryKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def source(tmp_path: Path, keys: DirectoryKeys) -> Source:
    """What is copied."""
    return Source(tmp_path / "source", keys)


@pytest.fixture
def copy(tmp_path: Path, source: Source) -> DirectoryCopy:
    """An empty one."""
    return DirectoryCopy(tmp_path / "copy", source.folder.root)


def latest(copy: DirectoryCopy) -> Directory:
    """What a reader of the copy sees."""
    return DirectoryFolder(copy.folder, copy.root).latest()


def offer(copy: DirectoryCopy, files: Iterable[tuple[str, bytes]]) -> None:
    """Hand over files."""
    for name, data in files:
        copy.offer(name, data)


def test_takes_all_that_there_is(source: Source, copy: DirectoryCopy) -> None:
    """Every version, in whatever order the files come; the copy is the same folder."""
    for code in ("new-1", "new-2", "new-1"):
        source.change(code)
    files = list(source.files().items())
    Random(5).shuffle(files)
    offer(copy, files)
    assert copy.take() == source.folder.latest() == latest(copy)
    assert copy.complete
    assert copy.take() is None
    reader = DirectoryFolder(copy.folder, copy.root)
    assert [reader.version(number).version for number in (1, 2, 3, 4)] == [1, 2, 3, 4]
    written = {str(path.relative_to(copy.folder)) for path in copy.folder.rglob("*.json")}
    assert written == set(source.files())


def test_follows_what_changes(tmp_path: Path, source: Source, copy: DirectoryCopy) -> None:
    """News since, several versions at once, a timestamp alone; also after a restart."""
    offer(copy, source.files().items())
    copy.take()
    before = source.files()
    source.change("new-1")
    source.change("new-2")
    offer(copy, ((name, data) for name, data in source.files().items() if before.get(name) != data))
    assert copy.take() == source.folder.latest()
    source.stamp()
    again = DirectoryCopy(tmp_path / "copy", source.folder.root)
    again.offer(TIMESTAMP, source.files()[TIMESTAMP])
    assert again.take() == latest(copy)
    assert DirectoryFolder(copy.folder, copy.root).newest() == source.folder.newest()


@settings(max_examples=20, deadline=None)
@given(missing=st.integers(min_value=0, max_value=10_000))
def test_waits_for_the_rest(tmp_path_factory: pytest.TempPathFactory, keys: DirectoryKeys, missing: int) -> None:
    """While any file is missing nothing is taken, and nothing lost; then it is."""
    place = tmp_path_factory.mktemp("place")
    source = Source(place / "source", keys)
    copy = DirectoryCopy(place / "copy", source.folder.root)
    offer(copy, source.files().items())
    copy.take()
    before = source.files()
    source.change("new-1")
    news = [(name, data) for name, data in source.files().items() if before.get(name) != data]
    last = news.pop(missing % len(news))
    offer(copy, news)
    try:
        assert copy.take() is None
        assert last[0] == TIMESTAMP
    except DirectoryRefused as refused:
        assert refused.code == "directory-missing"
    assert latest(copy).version == 1
    assert not copy.complete
    offer(copy, [last])
    assert copy.take() == source.folder.latest()


def test_an_older_state_is_refused(tmp_path: Path, source: Source, copy: DirectoryCopy) -> None:
    """An old timestamp, an old version, another past: told, and nothing changes."""
    old = source.files()
    shutil.copytree(source.folder.folder, tmp_path / "fork")
    source.change("new-1")
    offer(copy, source.files().items())
    taken = copy.take()
    fork = Source.__new__(Source)
    fork.folder = DirectoryFolder(tmp_path / "fork", source.folder.root)
    fork.keys, fork.publisher = source.keys, DirectoryPublisher(fork.folder)
    for _ in range(3):
        assert fork.change("other").version > 1
        for files in (old, fork.files()):
            offer(copy, files.items())
            with pytest.raises(DirectoryRefused) as caught:
                copy.take()
            assert caught.value.code in {"directory-rolled-back", "directory-file-differs"}
        assert latest(copy) == taken
    offer(copy, source.files().items())
    assert copy.take() == taken


@pytest.mark.parametrize(
    "name",
    [
        "../1.root.json",
        "/etc/passwd",
        "bodies/../../x.json",
        "1.root.json/x",
        "0.snapshot.json",
        ".publishing",
        "1.snapshot.json.new",
        f"bodies/{'0' * 64}.svc-router.json",
        f"{'0' * 64}.mfa.json",
        f"bodies/{'0' * 64}.mfa.json",
        "",
    ],
)
def test_files_that_no_directory_has(copy: DirectoryCopy, name: str) -> None:
    """Neither names that lead elsewhere nor bytes that are not what the name says."""
    with pytest.raises(DirectoryRefused) as caught:
        copy.offer(name, b"{}")
    assert caught.value.code == "directory-file-refused"
    assert not copy.folder.exists()


def test_junk_under_good_names_changes_nothing(source: Source, copy: DirectoryCopy) -> None:
    """Whoever can write to the topic can hold news back, and no more."""
    offer(copy, source.files().items())
    copy.take()
    before = source.files()
    changed = source.change("new-1")
    news = {name: data for name, data in source.files().items() if before.get(name) != data}
    for name in news:
        if name.startswith("bodies/"):
            continue
        offer(copy, {**news, name: b'{"signatures": [], "signed": {}}'}.items())
        with pytest.raises(DirectoryRefused):
            copy.take()
        assert latest(copy).version == 1
    offer(copy, news.items())
    assert copy.take() == changed
