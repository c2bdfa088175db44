"""A short run of `make chaos`, every family of faults once, by the same command."""

import subprocess
import sys

import pytest

from tests.plugin_requirements import NotRun

pytestmark = pytest.mark.server

SEED = 4
FAULTS = 27
SECONDS = 60
NOT_RUN = "NOT RUN "


def test_two_minutes_under_fire(pytestconfig: pytest.Config) -> None:
    """Whatever breaks: nothing is lost, doubled or out of order, and all of it is dealt with afterwards."""
    options = ["--seed", str(SEED), "--faults", str(FAULTS), "--seconds", str(SECONDS)]
    command = [sys.executable, "-m", "tests.chaos", *options]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    plugin = pytestconfig.pluginmanager.get_plugin("not-run")
    assert isinstance(plugin, NotRun)
    plugin.parts += [line.removeprefix(NOT_RUN) for line in ended.stdout.splitlines() if line.startswith(NOT_RUN)]
