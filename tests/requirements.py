"""What a test needs of the machine beside Python packages.

    pytestmark = requires_tool("openssl", debian="openssl")

`tests/plugin_requirements.py` installs a missing program where that is possible, and otherwise leaves
the tests out and says so loudly at the end.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass

import pytest

INSTALL_SECONDS = 300


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
    """Try to install `tool`: on Debian and its kin, as root. Returns whether it is there afterwards."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update"], ["install", "--yes", "--no-install-recommends", tool.debian])
    try:
        for step in steps:
            subprocess.run([apt, "--quiet=2", *step], env=environment, timeout=INSTALL_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return tool.present
