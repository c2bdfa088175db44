"""Rules of the tree that no linter knows: who reads the clock, what the domain imports, what files are called."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "exchange").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")])
READERS = {"exchange/system.py"}
READING_FOLDERS = ("exchange/cli/", "exchange/embedded/")
"""Faces and servers for trying out may read the clock; whatever decides gets it as an argument."""

CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "os.urandom",
    "os.getrandom",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid.uuid7",
}
RANDOM_MODULES = ("secrets.", "random.")


def name_of(path: Path) -> str:
    """A file's path from the root of the tree."""
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> dict[str, str]:
    """What each imported name of a module stands for, dotted."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {(alias.asname or alias.name): f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression, empty when it is something else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


def readings(source: str) -> Iterator[str]:
    """Every mention of the clock or of randomness in a module, called or handed on."""
    tree = ast.parse(source)
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (text := dotted(node)):
            first, _, rest = text.partition(".")
            full = ".".join(part for part in (names.get(first, ""), rest) if part)
            if full in CLOCKS or full.startswith(RANDOM_MODULES):
                yield f"line {node.lineno}: {full}"


def may_read_the_clock(path: Path) -> bool:
    """Whether a module is one of the few that know what time it is."""
    return name_of(path) in READERS or name_of(path).startswith(READING_FOLDERS)


@pytest.mark.parametrize("path", [path for path in SOURCES if not may_read_the_clock(path)], ids=name_of)
def test_only_the_system_reads_clock_and_randomness(path: Path) -> None:
    """Clock, randomness and ids come in as arguments: the same inputs give the same decisions."""
    assert list(readings(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import os as system\nsystem.urandom(16)",
        "from datetime import datetime\nclock = datetime.now",
        "import datetime\ndatetime.datetime.now()",
        "from secrets import token_bytes\ntoken_bytes(8)",
        "import random\nrandom.random()",
        "from uuid import uuid4 as new\nnew()",
    ],
)
def test_readings_are_found(source: str) -> None:
    """The search knows the ways in which the clock is read."""
    assert list(readings(source))


def test_monotonic_time_is_no_clock() -> None:
    """Measuring how long something took decides nothing."""
    assert list(readings("import time\nfrom datetime import datetime\ntime.monotonic(), datetime.min")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "exchange" / "domain").rglob("*.py")), ids=name_of)
def test_the_domain_imports_the_standard_library_only(path: Path) -> None:
    """Values and rules need nothing but Python and each other."""
    for target in imported(ast.parse(path.read_text(encoding="utf-8"))).values():
        assert target.startswith("exchange.domain.") or target.split(".")[0] in sys.stdlib_module_names, target


@pytest.mark.parametrize("path", sorted((ROOT / "exchange" / "domain").rglob("*.py")), ids=name_of)
def test_values_of_the_domain_are_frozen(path: Path) -> None:
    """A value never changes once it is made, and has exactly its fields."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            if "dataclass" in ast.unparse(decorator):
                assert "frozen=True" in ast.unparse(decorator), f"{node} in line {decorator.lineno}"
                assert "slots=True" in ast.unparse(decorator), f"{node} in line {decorator.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    """No import hides in a function, where it would hide a cycle."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function)), function.name


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_fit_in_the_head(path: Path) -> None:
    """A module has one reason to exist, and a function fits on a screen."""
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, node.name


def test_no_drawer_for_everything() -> None:
    """No module is called utils, helpers, misc or common."""
    assert [name_of(path) for path in SOURCES if path.stem in {"utils", "util", "helpers", "misc", "common"}] == []


def test_no_address_in_the_lock() -> None:
    """The lock names packages, versions and hashes; where they come from is the machine's business."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"https?:|--index|--extra|--find", lock) is None
    entries = [line for line in lock.splitlines() if not line.startswith(" ")]
    assert entries
    assert all(re.fullmatch(r"[a-z0-9._-]+==[^ ]+( ; .+)? \\", entry) for entry in entries)
