"""README and pages name commands that exist, and link to pages that exist."""

import ast
import re
from pathlib import Path

import pytest

from exchange.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "profiles").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "operate").rglob("*.md"))
CODE = re.compile(r"^```.*?\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^|bin/|\$ |\n *)exchange ([a-z]+)(?: ([a-z]+))?")
PARTS = {
    "dev": {"up", "status", "down"},
    "audit": {"verify", "replay", "prove", "compare", "times", "export"},
    "gateway": {"request", "install"},
    "body": {"form", "request", "install", "selftest", "renew", "token"},
}
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every `exchange …` in code is a command, with a subcommand where it has some."""
    for block in CODE.findall(page.read_text(encoding="utf-8")):
        for name, more in CALL.findall("".join(block)):
            assert name in COMMANDS, name
            assert name not in PARTS or more in PARTS[name] | {""}, f"{name} {more}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder here."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def found_by(*modules: Path) -> set[str]:
    """Codes of the findings that stand in modules by name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    codes = [call.args[1] for call in calls if ast.unparse(call.func) == "Finding"]
    return {ast.literal_eval(code) for code in codes if isinstance(code, ast.Constant)}


def test_what_selftest_finds_is_explained() -> None:
    """Each code of a finding stands in the guide for bodies."""
    cli = ROOT / "exchange" / "cli"
    page = (ROOT / "docs" / "connect-a-body.md").read_text(encoding="utf-8")
    assert {code for code in found_by(cli / "selftest.py", cli / "echoed.py") if f"`{code}`" not in page} == set()


def test_what_doctor_finds_is_explained() -> None:
    """Each code of a finding stands in the operators' table."""
    codes = found_by(*(ROOT / "exchange" / "cli").glob("*checks.py"))
    page = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    assert len(codes) > 10
    assert {code for code in codes if f"`{code}`" not in page.partition("`exchange doctor` finds")[2]} == set()


def test_metrics_of_alerts_exist() -> None:
    """An alert on a name that nothing serves would never sound."""
    docs = ROOT / "docs"
    named = set(re.findall(r"exchange_[a-z_]+", (docs / "operator.md").read_text(encoding="utf-8")))
    assert named
    assert named <= set(re.findall(r"`(exchange_[a-z_]+)`", (docs / "metrics.md").read_text(encoding="utf-8")))
