"""A folder's backlog: each round costs the same, and age decides among what was seen."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.connectors import backlog
from adapters.connectors.backlog import Backlog
from adapters.connectors.durable import ConnectorError
from adapters.connectors.folder import FolderConnector

STEP, LOOKS = 20, 5


@dataclass
class Cost:
    """Entries of the folder that were read."""

    entries: int = 0


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch) -> Cost:
    """Counts from here on."""
    counted, read = Cost(), backlog._entries

    def counting(folder: Path) -> Iterator[os.DirEntry[str]]:
        for entry in read(folder):
            counted.entries += 1
            yield entry

    monkeypatch.setattr(backlog, "_entries", counting)
    return counted


def fill(folder: Path, count: int) -> None:
    """Files whose names say nothing of their age."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        path = folder / f"{number * 7919 % count:04}.xml"
        path.touch()
        os.utime(path, (number, number))


def drain(folder: Path, cost: Cost) -> tuple[list[int], list[int]]:
    """All names are looked at twice, then taken, five at a time: entries read per round, and ages in their order."""
    waiting = Backlog(folder, lambda name: name.endswith(".xml"), step=STEP, looks=LOOKS)
    seen: set[str] = set()
    reads, ages = [], []
    while next(folder.iterdir(), None):
        before = cost.entries
        for name in waiting.look():
            (waiting.ready if name in seen else waiting.later)(name)
            seen.add(name)
        while name := waiting.next_ready() or "":
            ages.append(int((folder / name).stat().st_mtime))
            (folder / name).unlink()
            waiting.forget(name)
        reads.append(cost.entries - before)
    return reads, ages


@pytest.mark.parametrize("count", [STEP, 8 * STEP])
def test_a_round_costs_the_same_however_much_waits(tmp_path: Path, cost: Cost, count: int) -> None:
    """No round reads more of the folder than one step; everything gets its turn, once."""
    fill(tmp_path / "out", count)
    reads, ages = drain(tmp_path / "out", cost)
    assert max(reads) <= STEP
    assert sorted(ages) == list(range(count))


def test_what_fits_into_one_step_comes_in_the_order_of_age(tmp_path: Path, cost: Cost) -> None:
    """Whatever the names are."""
    fill(tmp_path / "out", STEP)
    _, ages = drain(tmp_path / "out", cost)
    assert ages == sorted(ages)


def test_a_large_folder_comes_about_in_the_order_of_age(tmp_path: Path, cost: Cost) -> None:
    """Once the folder was read to its end, the oldest that is left comes first."""
    fill(tmp_path / "out", 8 * STEP)
    _, ages = drain(tmp_path / "out", cost)
    rest = ages[-5 * STEP :]
    assert rest == sorted(rest)


def test_what_never_ends_delays_nothing(tmp_path: Path) -> None:
    """More unfinished packages than one round looks at, all older than the one that is whole."""
    out = tmp_path / "out"
    fill(out, 10 * LOOKS)
    waiting = Backlog(out, lambda _: True, step=STEP, looks=LOOKS)
    (out / "whole.xml").touch()
    for _ in range(30):
        for name in waiting.look():
            (waiting.ready if name == "whole.xml" else waiting.later)(name)
    assert waiting.next_ready() == "whole.xml"


def test_no_more_names_are_kept_than_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the folder is read when there is room again."""
    monkeypatch.setattr(backlog, "KNOWN", STEP)
    fill(tmp_path / "out", 5 * STEP)
    waiting = Backlog(tmp_path / "out", lambda _: True, step=STEP, looks=5 * STEP)
    assert [len(list(waiting.look())) for _ in range(3)] == [STEP, 0, 0]


def test_lone_files_of_other_kinds_where_they_are_named(tmp_path: Path) -> None:
    """A record in JSON or a container is a package of one file."""
    connector = FolderConnector(tmp_path, ("json", "zip"))
    for name in ("appointment.json", "document.ZIP", "old.xml"):
        (tmp_path / "out" / name).write_bytes(b"{}")
    list(connector.collect(5))
    found = {package.name: dict(package.files) for package in connector.collect(5)}
    assert found == {"appointment.json": {"appointment.json": b"{}"}, "document.ZIP": {"document.ZIP": b"{}"}}
    assert (tmp_path / "quarantine" / "old.xml" / "problem.txt").exists()


def test_a_package_locked_while_it_is_ready_waits(tmp_path: Path) -> None:
    """An EDMS that takes it back before its turn."""
    connector = FolderConnector(tmp_path)
    for name in ("a.xml", "b.xml"):
        (tmp_path / "out" / name).write_bytes(b"<a/>")
    list(connector.collect(5))
    assert [package.name for package in connector.collect(1)] == ["a.xml"]
    connector.archive("a.xml")
    (tmp_path / "out" / "b.xml.lock").touch()
    assert list(connector.collect(5)) == []
    (tmp_path / "out" / "b.xml").unlink()
    (tmp_path / "out" / "b.xml.lock").unlink()
    assert list(connector.collect(5)) == []


def test_what_fails_gets_another_turn(tmp_path: Path) -> None:
    """A quarantine that cannot be written: nothing is forgotten, and all goes on when it can."""
    connector = FolderConnector(tmp_path)
    (tmp_path / "out" / "bad.pdf").touch()
    for name in ("a.xml", "b.xml"):
        (tmp_path / "out" / name).write_bytes(b"<a/>")
    (tmp_path / "quarantine").rmdir()
    (tmp_path / "quarantine").touch()
    for _ in range(3):
        with pytest.raises(ConnectorError):
            list(connector.collect(5))
    (tmp_path / "quarantine").unlink()
    list(connector.collect(5))
    assert [package.name for package in connector.collect(5)] == ["a.xml", "b.xml"]
    assert (tmp_path / "quarantine" / "bad.pdf").is_dir()
