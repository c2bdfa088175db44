"""`docs/reliability.md` and `docs/threats.md` name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["reliability.md", "threats.md"])
def test_every_test_named_is_there(name: str) -> None:
    """A promise whose test was renamed or removed is found out."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_\w+)`", page)
    assert len(named) > 20
    missing = [
        f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_fault_test_is_named() -> None:
    """What is shown in this folder stands on the page."""
    files = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    tests = [test for path in files for test in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))]
    assert [test for test in tests if test not in PAGE] == []
