"""No test is left out silently: the plugin's account, on a little project of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.requirements import Tool, install, requires_tool

pytest_plugins = ("pytester",)

CONTROL = "Package: made\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: made up\n"

PROJECT = """
from tests.requirements import requires_tool

@requires_tool("{tool}", debian="no-such-package")
def test_with_a_tool():
    pass

def test_without():
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of two tests, on a machine that cannot install anything."""
    monkeypatch.setattr("tests.plugin_requirements.install", lambda _: False)
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini(
        "[pytest]\nmarkers =\n    requires_tool: needs a program\nasyncio_default_fixture_loop_scope=function"
    )
    return pytester


def run(project: pytest.Pytester, tool: str) -> pytest.RunResult:
    """Run the project, one of whose tests needs `tool`."""
    project.makepyfile(PROJECT.format(tool=tool))
    return project.runpytest_inprocess("-p", "tests.plugin_requirements", "--not-run-list=list")


def test_a_missing_tool_is_listed_with_its_remedy(project: pytest.Pytester) -> None:
    """The other test runs, the run passes, and the end says what would install the tool."""
    result = run(project, "no-such-program")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, skipped=1)
    line = "no-such-program: 1 tests wait for: apt-get install no-such-package"
    result.stdout.fnmatch_lines(["*NOT RUN*", line])
    assert Path(project.path, "list").read_text(encoding="utf-8") == f"{line}\n"


def test_ci_does_not_pass_without(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI a test that could not run fails the run."""
    monkeypatch.setenv("CI", "true")
    assert run(project, "no-such-program").ret == pytest.ExitCode.TESTS_FAILED


def test_a_tool_that_is_there_is_used(project: pytest.Pytester) -> None:
    """Nothing is left out and nothing is said when nothing is missing."""
    result = run(project, "sh")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*NOT RUN*")
    assert not Path(project.path, "list").exists()


def test_without_a_package_manager_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On another kind of machine the tool stays missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    tool = Tool("no-such-program", "no-such-package")
    assert not install(tool)
    assert not tool.present


@requires_tool("dpkg-deb", debian="dpkg")
@pytest.mark.parametrize(("program", "there"), [("#!/bin/sh\n", True), ("#!/no/such/library\n", False)])
def test_without_root_a_package_is_unpacked(
    program: str, *, there: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its program is on PATH then, if it starts; a package manager of our own gives the package here."""
    made = tmp_path / "made"
    for name, text in (("usr/bin/made-up", program), ("DEBIAN/control", CONTROL)):
        file = made / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    (made / "usr/bin/made-up").chmod(0o755)
    subprocess.run(["dpkg-deb", "--build", made, tmp_path / "made.deb"], check=True, capture_output=True)
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(f'#!/bin/sh\ncase "$*" in *download*) cp {tmp_path}/made.deb . ;; esac\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("EXCHANGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tool = Tool("made-up", "made")
    assert install(tool) is there
    assert tool.present is there
