"""The folder connector: whole packages only, nothing lost, nothing shown twice."""

import contextlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from adapters.connectors import packages
from adapters.connectors.durable import ConnectorError, connector_errors
from adapters.connectors.folder import FolderConnector
from adapters.connectors.packages import PACKAGE_BYTES
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError


class Killed(BaseException):
    """The process ends here, between two operations on files."""


@pytest.fixture
def connector(tmp_path: Path) -> FolderConnector:
    """A connector on an empty folder."""
    return FolderConnector(tmp_path)


def put(root: Path, name: str, **files: bytes) -> Path:
    """A package folder in `out/`, as an EDMS renames it in."""
    folder = root / "out" / name
    folder.mkdir()
    for key, data in (files or {"document_xml": b"<a/>"}).items():
        (folder / key.replace("_", ".")).write_bytes(data)
    return folder


def names(connector: FolderConnector, limit: int = 10) -> list[str]:
    """Names of what `collect` gives at a second look."""
    list(connector.collect(limit))
    return [package.name for package in connector.collect(limit)]


def tree(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def problem(root: Path, name: str) -> str:
    """What stands in quarantine about a package."""
    return (root / "quarantine" / name / "problem.txt").read_text(encoding="utf-8")


def test_a_folder_swapped_for_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between look and reading the EDMS may put a link to the agent's own files there, and take it away again."""
    secrets, package = tmp_path / "agent", tmp_path / "package"
    for folder in (secrets, package):
        folder.mkdir()
        (folder / "key.pem").write_bytes(folder.name.encode())
    look = packages.look_at(package, ())
    package.rename(tmp_path / "aside")
    package.symlink_to(secrets)
    monkeypatch.setattr(packages, "look_again", lambda _path, _lone: look)
    assert packages.read_files(package, look, ()) is None


def test_a_package_is_taken_at_the_second_look(connector: FolderConnector, tmp_path: Path) -> None:
    """Folders and lone XML or JSON files, when nothing about them changed in between."""
    put(tmp_path, "kat-1", document_xml=b"<a/>", letter_pdf=b"%PDF")
    (tmp_path / "out" / "lone.xml").write_bytes(b"<b/>")
    (tmp_path / "out" / "lone.json").write_bytes(b"{}")
    assert list(connector.collect(10)) == []
    found = {package.name: package.files for package in connector.collect(10)}
    assert found == {
        "kat-1": {"document.xml": b"<a/>", "letter.pdf": b"%PDF"},
        "lone.xml": {"lone.xml": b"<b/>"},
        "lone.json": {"lone.json": b"{}"},
    }


def test_what_still_grows_waits(connector: FolderConnector, tmp_path: Path) -> None:
    """Each look that sees another size, time or file starts the wait anew."""
    folder = put(tmp_path, "kat", document_xml=b"<a")
    for step, (name, data) in enumerate([("document.xml", b"<a/>"), ("b.txt", b""), ("b.txt", b"1")]):
        assert list(connector.collect(10)) == []
        (folder / name).write_bytes(data)
        os.utime(folder / name, (step, step))
    assert names(connector) == ["kat"]


@pytest.mark.parametrize(
    "name", [".kat", "kat.tmp", "kat.part", "kat.FILEPART", "kat.xml.tmp", ".kat.xml.Xq3f0Z", "kat~", "~$kat"]
)
def test_unfinished_names_are_not_taken(connector: FolderConnector, tmp_path: Path, name: str) -> None:
    """Whatever is written under such a name will be renamed."""
    put(tmp_path, name)
    assert names(connector) == []
    (tmp_path / "out" / name).rename(tmp_path / "out" / "kat")
    assert names(connector) == ["kat"]


@pytest.mark.parametrize("lock", ["kat.lock", "kat/.lock", "kat/letter.pdf.part", "kat/.letter.pdf.x1"])
def test_locked_packages_are_not_taken(connector: FolderConnector, tmp_path: Path, lock: str) -> None:
    """A lock beside or inside, and files inside that are still on their way."""
    put(tmp_path, "kat")
    (tmp_path / "out" / lock).touch()
    assert names(connector) == []
    (tmp_path / "out" / lock).unlink()
    assert names(connector) == ["kat"]


@pytest.mark.parametrize("mark", ["kat/.done", "kat.done"])
def test_a_mark_spares_the_second_look(connector: FolderConnector, tmp_path: Path, mark: str) -> None:
    """The mark is no file of the package, and goes where it goes."""
    put(tmp_path, "kat")
    (tmp_path / "out" / mark).touch()
    assert [dict(package.files) for package in connector.collect(10)] == [{"document.xml": b"<a/>"}]
    connector.archive("kat")
    assert tree(tmp_path / "out") == []


def test_an_empty_folder_waits(connector: FolderConnector, tmp_path: Path) -> None:
    """Its files have not come yet."""
    (tmp_path / "out" / "kat").mkdir()
    assert names(connector) == []


def test_oldest_first_and_no_more_than_asked(connector: FolderConnector, tmp_path: Path) -> None:
    """By time of change."""
    for age, name in enumerate(["c", "a", "b"]):
        os.utime(put(tmp_path, name), (1000 + age, 1000 + age))
    assert names(connector) == ["c", "a", "b"]
    assert [package.name for package in connector.collect(2)] == ["c", "a"]
    assert list(connector.collect(0)) == []


def test_archived_packages_are_kept_by_day(connector: FolderConnector, tmp_path: Path) -> None:
    """The same name on the same day gets a number; archiving again does nothing."""
    for _ in range(2):
        folder = put(tmp_path, "kat")
        os.utime(folder / "document.xml", (86_400, 86_400))
        assert names(connector) == ["kat"]
        connector.archive("kat")
        connector.archive("kat")
    assert tree(tmp_path / "sent") == ["1970-01-02/kat-2/document.xml", "1970-01-02/kat/document.xml"]


def test_a_replaced_package_is_not_archived_unread(connector: FolderConnector, tmp_path: Path) -> None:
    """An EDMS that reuses a name between reading and archiving loses nothing."""
    lone = tmp_path / "out" / "document.xml"
    lone.write_bytes(b"<first/>")
    assert names(connector) == ["document.xml"]
    lone.write_bytes(b"<second/>")
    connector.archive("document.xml")
    assert lone.read_bytes() == b"<second/>"
    list(connector.collect(1))
    assert [dict(package.files) for package in connector.collect(1)] == [{"document.xml": b"<second/>"}]


def test_quarantine_keeps_the_package_and_says_why(connector: FolderConnector, tmp_path: Path) -> None:
    """Twice the same name gives two places."""
    for text in ("document.xml, line 7: Номер өтө узун", "again"):
        put(tmp_path, "kat", document_xml=b"<a/>")
        assert names(connector) == ["kat"]
        connector.quarantine("kat", text, "file-missing")
        connector.quarantine("kat", "gone already", "file-missing")
    assert problem(tmp_path, "kat") == "document.xml, line 7: Номер өтө узун\n(file-missing)\n"
    assert problem(tmp_path, "kat-2") == "again\n(file-missing)\n"
    assert (tmp_path / "quarantine" / "kat" / "kat" / "document.xml").read_bytes() == b"<a/>"


def test_links_are_never_followed(connector: FolderConnector, tmp_path: Path) -> None:
    """Neither as a package nor within one."""
    secret = tmp_path / "secret.xml"
    secret.write_bytes(b"<secret/>")
    (tmp_path / "out" / "direct.xml").symlink_to(secret)
    (tmp_path / "out" / "folder").symlink_to(tmp_path)
    (put(tmp_path, "inside") / "letter.pdf").symlink_to(secret)
    assert names(connector) == []
    for name in ("direct.xml", "folder", "inside"):
        assert "link" in problem(tmp_path, name)
    assert secret.exists()


def test_what_is_no_package_is_quarantined(connector: FolderConnector, tmp_path: Path) -> None:
    """Folders in folders, lone files that are no XML, pipes."""
    (put(tmp_path, "nested") / "deeper").mkdir()
    (tmp_path / "out" / "letter.pdf").write_bytes(b"%PDF")
    os.mkfifo(tmp_path / "out" / "pipe.xml")
    assert names(connector) == []
    assert sorted(path.name for path in (tmp_path / "quarantine").iterdir()) == ["letter.pdf", "nested", "pipe.xml"]


def test_too_large_is_quarantined_unread(connector: FolderConnector, tmp_path: Path) -> None:
    """A sparse file of more than 64 MB costs nothing to refuse."""
    with (put(tmp_path, "kat") / "film.avi").open("wb") as file:
        file.truncate(PACKAGE_BYTES)
    assert names(connector) == []
    assert str(PACKAGE_BYTES) in problem(tmp_path, "kat")


@pytest.mark.parametrize("name", ["CON", "kat:1", "kat\n1", os.fsdecode(b"kat\xff")])
def test_unsafe_package_names_are_quarantined(connector: FolderConnector, tmp_path: Path, name: str) -> None:
    """Names that another system could not hold, or no text at all."""
    put(tmp_path, name)
    assert names(connector) == []
    assert "file name" in problem(tmp_path, name)


def test_a_bad_package_delays_no_other(connector: FolderConnector, tmp_path: Path) -> None:
    """Fifty bad ones and a good one: one call takes it."""
    for number in range(50):
        (tmp_path / "out" / f"bad-{number}.pdf").touch()
    put(tmp_path, "good")
    assert names(connector) == ["good"]


def test_published_packages_have_readable_names(connector: FolderConnector, tmp_path: Path) -> None:
    """Name and start of the key; staging shows nothing."""
    connector.stage("0123456789abcdef", Package("letter-from-mfa", {"document.xml": b"<a/>"}))
    assert tree(tmp_path / "in") == []
    connector.publish("0123456789abcdef")
    assert tree(tmp_path / "in") == ["letter-from-mfa-01234567/document.xml"]
    connector.publish("0123456789abcdef")
    assert tree(tmp_path / "in") == ["letter-from-mfa-01234567/document.xml"]
    assert tree(tmp_path / ".staging") == []


@pytest.mark.parametrize("key", ["a/b", "..", "ключ", "x" * 300])
def test_any_key_will_do(connector: FolderConnector, tmp_path: Path, key: str) -> None:
    """What cannot name a folder is hashed."""
    connector.stage(key, Package("kat", {"a.xml": b"<a/>"}))
    connector.publish(key)
    assert len(tree(tmp_path / "in")) == 1


def test_what_lies_in_the_way_stays(connector: FolderConnector, tmp_path: Path) -> None:
    """A package of that name, perhaps moved there by hand, is neither overwritten nor merged."""
    (tmp_path / "in" / "kat-k").mkdir()
    connector.stage("k", Package("kat", {"a.xml": b"<a/>"}))
    connector.publish("k")
    assert tree(tmp_path / "in") == ["kat-k-2/a.xml"]


def test_unsafe_names_are_never_written(connector: FolderConnector, tmp_path: Path) -> None:
    """The last guard: whatever a format let pass."""
    for package in (Package("..", {"a": b"1"}), Package("kat", {"../a": b"1"}), Package("a/b", {"a": b"1"})):
        with pytest.raises(DocumentError):
            connector.stage("k", package)
    assert tree(tmp_path) == []


def test_a_full_disk_is_a_retriable_error_of_its_own() -> None:
    """The agent waits, and says for what."""
    with pytest.raises(ConnectorError) as caught, connector_errors("staging"):
        Path("/dev/full").write_bytes(b"x")
    assert (caught.value.code, caught.value.retriable) == ("disk-full", True)


def test_other_trouble_names_the_path(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(ConnectorError, match="out") as caught:
        FolderConnector(tmp_path)
    assert caught.value.code == "connector-failed"


@contextlib.contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Iterator[None]:
    """What runs within ends at the n-th time that something is made durable."""
    steps, real = count(), os.fsync

    def fsync(descriptor: int) -> None:
        if next(steps) == step:
            raise Killed
        real(descriptor)

    with monkeypatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(os, "fsync", fsync)
        yield


OLD = Package("kat", {"a.xml": b"<old/>", "b.pdf": b"old"})
NEW = Package("kat", {"a.xml": b"<new/>", "b.pdf": b"new"})


def shown(root: Path) -> list[dict[str, bytes]]:
    """What the EDMS sees."""
    return [{file.name: file.read_bytes() for file in folder.iterdir()} for folder in (root / "in").iterdir()]


@pytest.mark.parametrize("step", range(12))
def test_killed_while_staging_again_it_stays_staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """At every step the old package or the new one is whole, and one of them is published once."""
    FolderConnector(tmp_path).stage("k", OLD)
    with killed_at(monkeypatch, step):
        FolderConnector(tmp_path).stage("k", NEW)
    after = FolderConnector(tmp_path)
    after.publish("k")
    assert shown(tmp_path) in ([dict(OLD.files)], [dict(NEW.files)])
    FolderConnector(tmp_path).publish("k")
    assert len(shown(tmp_path)) == 1
    after.stage("k2", NEW)
    after.publish("k2")
    assert tree(tmp_path / ".staging") == []


@pytest.mark.parametrize("step", range(8))
def test_killed_while_staging_first_it_can_be_staged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Half a package is never shown, and the next stage makes it whole."""
    with killed_at(monkeypatch, step):
        FolderConnector(tmp_path).stage("k", OLD)
    again = FolderConnector(tmp_path)
    again.publish("k")
    if not shown(tmp_path):
        again.stage("k", OLD)
        again.publish("k")
    assert shown(tmp_path) == [dict(OLD.files)]


@pytest.mark.parametrize("step", range(5))
def test_killed_while_publishing_it_is_shown_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Either it is still staged, or it is in the EDMS's folder: never both, never neither."""
    FolderConnector(tmp_path).stage("k", OLD)
    with killed_at(monkeypatch, step):
        FolderConnector(tmp_path).publish("k")
    after = FolderConnector(tmp_path)
    after.publish("k")
    assert shown(tmp_path) == [dict(OLD.files)]


@pytest.mark.parametrize("step", range(8))
def test_killed_while_putting_aside_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """A package is in one place, and where it is quarantined its text is too."""
    connector = FolderConnector(tmp_path)
    put(tmp_path, "kat")
    with killed_at(monkeypatch, step):
        connector.quarantine("kat", "why", "file-missing")
    FolderConnector(tmp_path).quarantine("kat", "why", "file-missing")
    assert [path for path in tree(tmp_path) if path.endswith("document.xml")] in (
        ["quarantine/kat/kat/document.xml"],
        ["quarantine/kat-2/kat/document.xml"],
    )
    assert tree(tmp_path / "out") == []


@pytest.mark.parametrize("name", ["out", "in", "sent", "quarantine", ".staging"])
def test_a_folder_that_became_a_link_is_not_used(name: str, tmp_path: Path) -> None:
    """Else whoever may write beside it would have the agent's keys read and moved."""
    root, keys = tmp_path / "edms", tmp_path / "keys"
    connector = FolderConnector(root)
    keys.mkdir()
    (keys / "secret").mkdir()
    (keys / "secret" / "statement.key.pem").write_bytes(b"PRIVATE")
    (root / name).rmdir()
    (root / name).symlink_to(keys)
    for act in (
        lambda: list(connector.collect(5)),
        lambda: connector.quarantine("secret", "x", "y"),
        lambda: FolderConnector(root),
    ):
        with pytest.raises(ConnectorError) as caught:
            act()
        assert caught.value.code == "folder-replaced"
    assert (keys / "secret" / "statement.key.pem").exists()
