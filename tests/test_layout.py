"""Rules of the tree that no linter knows: who reads the clock, what the domain imports, what files are called."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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


def readings(tree: ast.AST) -> Iterator[str]:
    """Every mention of the clock or of randomness in a module, called or handed on."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (text := dotted(node)):
            first, _, rest = text.partition(".")
            full = ".".join(part for part in (names.get(first, ""), rest) if part)
            if full in CLOCKS or full.startswith(RANDOM_MODULES):
                yield f"line {node.lineno}: {full}"


def may_read_the_clock(name: str) -> bool:
    """Whether a module is one of the few that know what time it is."""
    return name in READERS or name.startswith(READING_FOLDERS)


@dataclass(frozen=True, slots=True)
class Function:
    """One of a module's functions."""

    name: str
    lines: int
    hides_imports: bool


@dataclass(frozen=True, slots=True)
class Module:
    """What is looked at of a module; its tree is not kept, for those of all take much memory.

    Attributes:
        dataclasses: for each the words with which it was made one.
    """

    name: str
    lines: int
    imported: frozenset[str]
    readings: tuple[str, ...]
    dataclasses: tuple[str, ...]
    functions: tuple[Function, ...]


@cache
def modules() -> tuple[Module, ...]:
    """All that the product has."""
    return tuple(module(path) for path in SOURCES)


def module(path: Path) -> Module:
    """Read one."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    nodes = tuple(ast.walk(tree))
    decorators = (each for node in nodes if isinstance(node, ast.ClassDef) for each in node.decorator_list)
    return Module(
        name=name_of(path),
        lines=len(source.splitlines()),
        imported=frozenset(imported(tree).values()),
        readings=tuple(readings(tree)),
        dataclasses=tuple(words for words in map(ast.unparse, decorators) if "dataclass" in words),
        functions=tuple(function(node) for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)),
    )


def function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    """Read one."""
    assert node.end_lineno is not None
    hidden = any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
    return Function(node.name, node.end_lineno - node.lineno, hidden)


def of_the_domain() -> list[Module]:
    """The modules of values and rules."""
    return [module for module in modules() if module.name.startswith("exchange/domain/")]


def test_only_the_system_reads_clock_and_randomness() -> None:
    """Clock, randomness and ids come in as arguments: the same inputs give the same decisions."""
    assert {each.name: each.readings for each in modules() if each.readings and not may_read_the_clock(each.name)} == {}


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
    assert list(readings(ast.parse(source)))


def test_monotonic_time_is_no_clock() -> None:
    """Measuring how long something took decides nothing."""
    source = "import time\nfrom datetime import datetime\ntime.monotonic(), datetime.min"
    assert list(readings(ast.parse(source))) == []


def test_the_domain_imports_the_standard_library_only() -> None:
    """Values and rules need nothing but Python and each other."""
    targets = {(module.name, target) for module in of_the_domain() for target in module.imported}
    others = {(name, target) for name, target in targets if not target.startswith("exchange.domain.")}
    assert others
    assert {(name, target) for name, target in others if target.split(".")[0] not in sys.stdlib_module_names} == set()


def test_values_of_the_domain_are_frozen() -> None:
    """A value never changes once it is made, and has exactly its fields."""
    made = {(module.name, words) for module in of_the_domain() for words in module.dataclasses}
    assert made
    assert {(name, words) for name, words in made if "frozen=True" not in words or "slots=True" not in words} == set()


def test_imports_stand_at_the_top() -> None:
    """No import hides in a function, where it would hide a cycle."""
    assert [(each.name, one.name) for each in modules() for one in each.functions if one.hides_imports] == []


def test_modules_fit_in_the_head() -> None:
    """A module has one reason to exist, and a function fits on a screen."""
    assert [(each.name, each.lines) for each in modules() if each.lines > 400] == []
    assert [(each.name, one.name) for each in modules() for one in each.functions if one.lines >= 60] == []


@pytest.mark.parametrize("package", sorted((ROOT / "exchange").rglob("__init__.py")), ids=name_of)
def test_tables_of_contents_are_complete(package: Path) -> None:
    """A package whose docstring lists its modules, a line each, names all of them."""
    contents = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    if len(re.findall(r"^\w+/? {2,}\S", contents, re.MULTILINE)) > 1:
        modules = {path.stem for path in package.parent.glob("*.py")} - {"__init__", "__main__"}
        packages = {path.parent.name for path in package.parent.glob("*/__init__.py")}
        assert modules | packages <= set(re.findall(r"\w+", contents))


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
