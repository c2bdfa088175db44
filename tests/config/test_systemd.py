"""Units of systemd: hardened beyond need, and each runs a command that there is with files that it reads."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from exchange.cli.commands import COMMANDS
from exchange.resources import resource
from tests.requirements import requires_tool

UNITS = sorted(resource("config", "systemd").glob("*.service"))
PAGES = {"archive": "operate/archive.md", "console": "operate/console.md", "witness": "witness.md"}
EXPOSURE = 3.0
"""The most that a unit may reach by `systemd-analyze security`; 10 is a process that may do everything."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with the units."""
    folder = tmp_path_factory.mktemp("machine")
    shutil.copytree(UNITS[0].parent, folder / "etc" / "systemd" / "system")
    return folder


def instance(unit: Path) -> str:
    """The name of a unit, or of one that its template makes."""
    return unit.name.replace("@.", "@mfa.")


@requires_tool("systemd-analyze", debian="systemd")
@pytest.mark.parametrize("unit", UNITS, ids=instance)
def test_a_unit_can_do_little_but_its_work(unit: Path, root: Path) -> None:
    """Systemd itself rates how much a process that was taken over could do."""
    words = ["systemd-analyze", "security", "--offline=true", f"--root={root}", "--no-pager", instance(unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    (exposure,) = re.findall(r"Overall exposure level for .*: ([0-9.]+)", done.stdout) or [done.stderr]
    assert float(exposure) < EXPOSURE


@pytest.mark.parametrize("unit", UNITS, ids=instance)
def test_a_unit_runs_a_command(unit: Path) -> None:
    """One of ours, as a user of its own, with its keys as credentials and a folder for its state."""
    text = unit.read_text(encoding="utf-8")
    ((name, config),) = re.findall(r"(?m)^ExecStart=/opt/exchange/bin/exchange (\w+).* --config (\S+)$", text)
    assert name in COMMANDS
    stem = unit.stem.removeprefix("exchange-").replace("@", "-%i")
    assert config == f"/etc/exchange/{stem}.toml"
    assert f"\nStateDirectory=exchange/{stem}\n" in text
    assert "\nLoadCredential=transport.key:" in text
    assert "MemoryMax=" in text


@pytest.mark.parametrize(("name", "page"), PAGES.items())
def test_a_page_names_the_credentials_that_its_unit_loads(name: str, page: str) -> None:
    """Neither more nor fewer: a file that is missing keeps a unit from starting."""
    unit = resource("config", "systemd") / f"exchange-{name}.service"
    loaded = set(re.findall(r"(?m)^LoadCredential=([^:]+):", unit.read_text(encoding="utf-8")))
    text = (resource("docs") / page).read_text(encoding="utf-8")
    named = set(re.findall(r'"credential:([^"]+)"', text))
    assert named | {"transport.key", "transport.crt"} == loaded
