"""What a test needs of the machine beside Python packages.

    pytestmark = requires_tool("openssl", debian="openssl")

`tests/plugin_requirements.py` installs a missing program where that is possible, and otherwise leaves
the tests out and says so loudly at the end.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exchange.embedded import cache_folder
from exchange.embedded.locking import exclusive

INSTALL_SECONDS = 600


@dataclass(frozen=True, slots=True, order=True)
class Tool:
    """A program on PATH and the Debian package that brings it."""

    name: str
    debian: str

    @property
    def present(self) -> bool:
        """Whether the program is on PATH now."""
        return shutil.which(self.name) is not None

    @property
    def remedy(self) -> str:
        """The command that a person types to get it."""
        return f"apt-get install {self.debian}"


def requires_tool(name: str, *, debian: str) -> pytest.MarkDecorator:
    """Mark tests that run the program `name` of the Debian package `debian`."""
    return pytest.mark.requires_tool(name=name, debian=debian)


def tools_of(item: pytest.Item) -> set[Tool]:
    """The programs that a test is marked with."""
    return {Tool(**mark.kwargs) for mark in item.iter_markers("requires_tool")}


def install(tool: Tool) -> bool:
    """Try to install `tool`: on Debian and its kin. Returns whether it is there afterwards.

    As root it becomes a part of the machine; as anybody else it is unpacked into our cache, which is enough for
    programs that need no other package. Two runs beside each other take turns: apt would refuse the second.
    """
    apt = shutil.which("apt-get")
    if apt is None:
        return False
    tools = cache_folder(os.environ) / "tools"
    try:
        with exclusive(tools):
            return tool.present or (_install(tool, apt) if os.geteuid() == 0 else _unpack(tool, apt, tools))
    except (OSError, subprocess.SubprocessError):
        return False


def _install(tool: Tool, apt: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", tool.debian]):
        subprocess.run([apt, "--quiet=2", *step], env=environment, timeout=INSTALL_SECONDS, check=True)
    return tool.present


def _unpack(tool: Tool, apt: str, folder: Path) -> bool:
    """Fetch the package with lists of our own, and put its programs on PATH if the one that is wanted starts."""
    unpacked = folder / tool.debian
    programs = unpacked / "usr" / "bin"
    if not (programs / tool.name).exists():
        ours = [f"--option=Dir::State={folder}/state", f"--option=Dir::Cache={folder}/cache"]
        for place in ("state/lists/partial", "cache/archives/partial"):
            (folder / place).mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as fetched:
            for step in (["update"], ["download", tool.debian]):
                words = [apt, "--quiet=2", *ours, *step]
                subprocess.run(words, cwd=fetched, timeout=INSTALL_SECONDS, check=True, stderr=subprocess.DEVNULL)
            (package,) = Path(fetched).glob("*.deb")
            subprocess.run(["dpkg-deb", "--extract", package, unpacked], timeout=INSTALL_SECONDS, check=True)
    subprocess.run([programs / tool.name, "--version"], capture_output=True, timeout=INSTALL_SECONDS, check=True)
    os.environ["PATH"] = f"{os.environ['PATH']}{os.pathsep}{programs}"
    return tool.present
